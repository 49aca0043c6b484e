"""What the pages load, and nothing else: one style sheet of ours, the theme's files in use."""

import base64
import re
from pathlib import Path, PurePosixPath

# What the theme does, and what it shall do. It fetches the search index at once, and only from a
# folder when search is first opened; it makes each copy button a landmark, and takes from code the
# focus that scrolls it; its search has no name.
NAV, DIV = 'x("nav",{class:"md-code__nav"})', 'x("div",{class:"md-code__nav"})'
UNFOCUS = '"tabindex","0"):e.removeAttribute("tabindex")});let s=[]'
FOCUS = '"tabindex","0"):0});let s=[]'
SEARCH = 'data-md-component="search" role="dialog"'
EAGER, LAZY = '$(location.protocol!=="file:")', "$(false)"
STYLES = ("type.css", "math.css", "blocks.css", "media.css")


def style_sheet(folder: Path, font: bytes) -> str:
    """Our style sheets as one, with the math font inside: it is there before the first formula."""
    styles = "\n".join((folder / name).read_text(encoding="utf-8") for name in STYLES)
    data = base64.b64encode(font).decode()
    return styles.replace("url(math.woff2)", f"url(data:font/woff2;base64,{data})")


def mended_script(bundle: str) -> str:
    """The theme's script, in which search waits until it is opened and a button is no landmark."""
    for old, new in ((EAGER, LAZY), (NAV, DIV), (UNFOCUS, FOCUS)):
        bundle = _replaced(bundle, old, new)
    return bundle


def mended_page(html: str) -> str:
    """A page whose search has a name, whose code scrolls by keyboard, without blank space."""
    html = _replaced(html, SEARCH, f'{SEARCH} aria-label="Search"')
    html = html.replace("<span></span><code>", '<span></span><code tabindex="0">')
    html = re.sub(r' data-search-exclude(="")?', "", html)  # the index has been made
    parts = re.split(r"(<pre\b.*?</pre>)", html, flags=re.DOTALL)
    parts[::2] = [re.sub(r"\s*\n\s*", "\n", part) for part in parts[::2]]
    return "".join(parts)


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError(f"the theme has changed: it does not hold {old!r} once")
    return text.replace(old, new)


def is_unused(uri: str) -> bool:
    """Source maps, the stemmers of other languages, and what stands in the one style sheet."""
    path = PurePosixPath(uri)
    return (
        path.suffix == ".map"
        or "lunr" in path.parts
        or uri == "assets/images/favicon.png"
        or (path.parent.name == "assets" and path.name in STYLES)
    )
