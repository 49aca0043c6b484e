"""What the pages load, and nothing else: one style sheet and one script, the theme's and ours."""

import base64
import re
from collections.abc import Iterable
from pathlib import PurePosixPath

# What the theme's script does, and what it shall do.
MENDED = {
    # fetch the search index only when search is opened, as it does when opened from a folder
    '$(location.protocol!=="file:")': "$(false)",
    # load the index as a script from a server, too: there is no other file of it
    'return location.protocol==="file:"?_t(`${new URL("search/search_index.js"': (
        'return true?_t(`${new URL("search/search_index.js"'
    ),
    # make no copy button a landmark, and leave to code the focus that scrolls it
    'x("nav",{class:"md-code__nav"})': 'x("div",{class:"md-code__nav"})',
    '"tabindex","0"):e.removeAttribute("tabindex")});let s=[]': '"tabindex","0"):0});let s=[]',
    # wrap no tables, which would move what stands below: `mended_page` has done it
    'M("table:not([class])",e)': "[]",
    # compute no style of the whole page anew for a palette that it has from the start
    "document.head.appendChild(o);let n=Wt(": "let n=Wt(",
    'document.body.setAttribute("data-md-color-switching","")': (
        "t.every(e=>e.nextElementSibling.hidden)||"
        'document.body.setAttribute("data-md-color-switching","")'
    ),
}
TABLE = '<div class="md-typeset__scrollwrap"><div class="md-typeset__table">'
SEARCH = 'data-md-component="search" role="dialog"'
# The files of the theme and ours that become one style sheet, where a later rule wins, and one
# script, where the theme's finds what ours has prepared.
STYLES = ("stylesheets/main", "stylesheets/palette", "type", "math", "blocks", "media")
SCRIPTS = ("copy", "layout", "search", "javascripts/bundle")


def joined(texts: Iterable[str]) -> str:
    """The files as one, without the addresses of source maps."""
    return re.sub(r"(/\*|//)# sourceMappingURL=\S+( ?\*/)?", "", "\n".join(texts))


def with_font(style_sheet: str, font: bytes) -> str:
    """The style sheet with the math font inside: it is there before the first formula."""
    data = base64.b64encode(font).decode()
    return _replaced(style_sheet, "url(math.woff2)", f"url(data:font/woff2;base64,{data})")


def mended_script(script: str) -> str:
    """The script, with what the theme does mended as `MENDED` says."""
    for old, new in MENDED.items():
        script = _replaced(script, old, new)
    return script


def mended_page(html: str) -> str:
    """A page whose search has a name, whose code scrolls by keyboard, whose tables scroll."""
    html = _replaced(html, SEARCH, f'{SEARCH} aria-label="Search"')
    html = html.replace("<span></span><code>", '<span></span><code tabindex="0">')
    html = re.sub(r"<table>.*?</table>", rf"{TABLE}\g<0></div></div>", html, flags=re.DOTALL)
    html = re.sub(r"<!-- *(?:=|not run:).*?-->", "", html, flags=re.DOTALL)  # for the checks
    html = re.sub(r' data-search-exclude(="")?', "", html)  # the index has been made
    parts = re.split(r"(<pre\b.*?</pre>)", html, flags=re.DOTALL)
    parts[::2] = [re.sub(r"\s*\n\s*", "\n", part) for part in parts[::2]]
    return "".join(parts)


def _replaced(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError(f"the theme has changed: it does not hold {old!r} once")
    return text.replace(old, new)


def is_unused(uri: str) -> bool:
    """Source maps, the stemmers of other languages, and the theme's own icon."""
    path = PurePosixPath(uri)
    return path.suffix == ".map" or "lunr" in path.parts or uri == "assets/images/favicon.png"
