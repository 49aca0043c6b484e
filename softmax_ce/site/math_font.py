"""STIX Two Math, cut to the characters that the built pages use, for every reader's formulas."""

import functools
import html
import re
from collections.abc import Iterable
from importlib.metadata import version
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from softmax_ce.verify import cache

FORMULA = re.compile(r"<math\b.*?</math>", re.DOTALL)
IDENTIFIER = re.compile(r"<mi>(.)</mi>")
RADICAL = re.compile(r"<(?:msqrt|mroot)\b")
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
            used |= {_italic(letter) for letter in IDENTIFIER.findall(formula)}
            used |= set(html.unescape(re.sub(r"<[^>]+>", "", IDENTIFIER.sub("", formula))))
            used |= {"√"} if RADICAL.search(formula) else set()  # drawn, but not written
    return used - INVISIBLE


def lacking(formula: str) -> str:
    """The characters of a formula that the font has not."""
    return "".join(sorted(characters([formula]) - _known()))


def cut(used: set[str]) -> bytes:
    """The font with these characters, cut again when they or its maker have changed."""
    key = cache.key(_key(), "".join(sorted(used)))
    return cache.kept("math-font/math.woff2", key, functools.partial(_cut, used))


def licence() -> str:
    """Who made the font, and under which licence it may be passed on."""
    return cache.kept("math-font/licence.txt", _key(), _licence).decode()


# What follows is kept in the cache: a build that has it needs no fontTools, which loads slowly.


def _cut(used: set[str]) -> bytes:
    from fontTools import subset

    options = subset.Options(
        layout_features=["ssty"],
        flavor="woff2",
        hinting=False,
        desubroutinize=True,
        name_IDs=[0, 1, 2, 5, 6, 13, 14],
    )
    font = subset.load_font(str(source()), options)
    font["MATH"].table.MathConstants.SubscriptBaselineDropMin.Value = -200  # p_i sat too low
    font["head"].modified = font["head"].created  # the same bytes at every build
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(used)))
    subsetter.subset(font)
    font.recalcTimestamp = False
    out = BytesIO()
    subset.save_font(font, out, options)
    return out.getvalue()


@functools.cache
def _known() -> set[str]:
    return set(cache.kept("math-font/characters.txt", _key(), _cmap).decode())


def _cmap() -> bytes:
    from fontTools.ttLib import TTFont

    with TTFont(source(), lazy=True) as font:
        return "".join(map(chr, font.getBestCmap())).encode()


def _licence() -> bytes:
    from fontTools.ttLib import TTFont

    with TTFont(source(), lazy=True) as font:
        names = [str(font["name"].getDebugName(i)) for i in (1, 0, 13, 14)]
    return ("\n\n".join(names) + "\n").encode()


def _key() -> str:
    maker = Path(__file__).read_bytes()
    return cache.key(maker, str(source().stat().st_size), version("fonttools"))


def _italic(letter: str) -> str:
    """What a browser draws for a single letter in <mi>: its mathematical italic."""
    if letter == "h":
        return "\u210e"
    for first, last, italic in (("a", "z", 0x1D44E), ("A", "Z", 0x1D434), ("α", "ω", 0x1D6FC)):
        if first <= letter <= last:
            return chr(italic + ord(letter) - ord(first))
    return {"∂": "𝜕", "∇": "𝛻", "ϵ": "𝜖", "ϕ": "𝜙", "ϑ": "𝜗"}.get(letter, letter)
