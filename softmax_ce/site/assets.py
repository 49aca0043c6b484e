"""What the pages load, and nothing else: one style sheet of ours, the theme's files in use."""

from pathlib import Path, PurePosixPath

# The theme fetches the search index at once, and from a folder when search is first opened.
EAGER, LAZY = '$(location.protocol!=="file:")', "$(false)"
STYLES = ("type.css", "math.css", "blocks.css", "media.css")


def style_sheet(folder: Path) -> str:
    """Our style sheets as one, so that a page asks for one."""
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in STYLES)


def with_lazy_search(bundle: str) -> str:
    """The theme's script, changed so that search is loaded when it is first opened, everywhere."""
    if bundle.count(EAGER) != 1:
        raise ValueError("the theme's search has changed: find what fetches its index, see EAGER")
    return bundle.replace(EAGER, LAZY)


def is_unused(uri: str) -> bool:
    """Source maps, the stemmers of other languages, and what stands in the one style sheet."""
    path = PurePosixPath(uri)
    return (
        path.suffix == ".map"
        or "lunr" in path.parts
        or uri == "assets/images/favicon.png"
        or (path.parent.name == "assets" and path.name in STYLES)
    )
