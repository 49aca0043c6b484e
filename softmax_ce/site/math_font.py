"""STIX Two Math, cut to the characters that the built pages use, for every reader's formulas."""

import html
import re
from collections.abc import Iterable
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from softmax_ce.site.mathml import FORMULA

IDENTIFIER = re.compile(r"<mi>(.)</mi>")
INVISIBLE = set("\u2061\u2062\u2063\u2064\u2002\u2003\ufe00\n ")


def source() -> Path:
    """The font as the ziamath wheel ships it, without importing ziamath."""
    package = find_spec("ziamath")
    if package is None or not package.submodule_search_locations:
        raise FileNotFoundError("the math font is part of ziamath: pip install ziamath")
    return Path(package.submodule_search_locations[0]) / "fonts" / "STIXTwoMath-Regular.ttf"


def characters(pages: Iterable[str]) -> set[str]:
    """Every character that the formulas in these HTML pages draw."""
    used = set("0123456789()[]")
    for page in pages:
        for formula in FORMULA.findall(page):
            used |= set(html.unescape(re.sub(r"<[^>]+>", "", formula)))
            used |= {_italic(letter) for letter in IDENTIFIER.findall(formula)}
    return used - INVISIBLE


def cut(used: set[str]) -> bytes:
    """A woff2 font with these characters, and with the licence that the font carries."""
    from fontTools import subset  # here: a build that has its font needs none of it

    options = subset.Options(
        layout_features=["ssty"],
        flavor="woff2",
        hinting=False,
        desubroutinize=True,
        name_IDs=[0, 1, 2, 5, 6, 13, 14],
    )
    font = subset.load_font(str(source()), options)
    missing = sorted(used - {chr(code) for code in font.getBestCmap()})
    if missing:
        raise ValueError(f"the math font lacks {missing}: write the formula without them")
    font["MATH"].table.MathConstants.SubscriptBaselineDropMin.Value = -200  # p_i sat too low
    font["head"].modified = font["head"].created  # the same bytes at every build
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(used)))
    subsetter.subset(font)
    font.recalcTimestamp = False
    out = BytesIO()
    subset.save_font(font, out, options)
    return out.getvalue()


def licence() -> str:
    """Who made the font, and under which licence it may be passed on."""
    from fontTools.ttLib import TTFont

    names = TTFont(source(), lazy=True)["name"]
    return "\n\n".join(str(names.getDebugName(i)) for i in (1, 0, 13, 14)) + "\n"


def _italic(letter: str) -> str:
    """What a browser draws for a single letter in <mi>: its mathematical italic."""
    if letter == "h":
        return "\u210e"
    for first, last, italic in (("a", "z", 0x1D44E), ("A", "Z", 0x1D434), ("α", "ω", 0x1D6FC)):
        if first <= letter <= last:
            return chr(italic + ord(letter) - ord(first))
    return {"∂": "𝜕", "∇": "𝛻", "ϵ": "𝜖", "ϕ": "𝜙", "ϑ": "𝜗"}.get(letter, letter)
