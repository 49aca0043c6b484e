"""Faults of one symbol in a formula that holds a relation."""

import re
from collections.abc import Callable, Iterator

from tests.verify.faulty.fault import Spot
from tests.verify.faulty.views import FORMULA, prose

RELATION = re.compile(r"[=<>]|\\(?:leq?|geq?|approx)(?![A-Za-z])")
# T = 5, i \ne j, z = [1, 2]: it sets something and claims nothing.
ATOM = r"\s*(?:[A-Za-z](?:_\w)?|\[?[\d., \\]+\]?)\s*"
SETTING = re.compile(rf"{ATOM}(?:(?:[<>=]|\\[gln]et?){ATOM})+")
TEXT = re.compile(r"\\(?:text|label|mathbb|mathrm|eqref)\{[^}]*\}|\\begin\{\w+\}|\\end\{\w+\}")
INDEX = re.compile(
    r"(?<=_)[ijklny]|(?<=[{, =])[ijklny](?=[},]| [=:\\]|\])|(?<=[=e] )[ijklny](?=\}|\])"
)
NUMBER = re.compile(r"(?<![\d.])\d+(?:\.\d+)?")
SIGN = re.compile(r"(?<![\^{])[+-](?!\}| *O[\\(])|(?<=\{)-")  # plus and minus O are the same
OPERATORS = {
    r"\sum": [r"\prod", r"\max"],
    r"\prod": [r"\sum"],
    r"\max": [r"\min", r"\sum"],
    r"\log": [r"\exp", r"\sqrt"],
    r"\exp": [r"\log"],
    r"\le": [r"\ge", "<"],
    r"\ge": [r"\le"],
    r"\ne": ["="],
    r"\approx": ["<"],
    r"\infty": ["0"],
    r"\odot": ["+"],
    r"\operatorname{LSE}": [r"\operatorname{softmax}", r"\max"],
    r"\operatorname{softplus}": [r"\operatorname{LSE}", r"\sigma"],
    r"\operatorname{E}": [r"\operatorname{Var}"],
    r"\operatorname{Var}": [r"\operatorname{E}"],
    r"\sigma": [r"\log"],
    "/": [r"\cdot"],
    "=": ["<"],
    "<": [">"],
    ">": ["<"],
    "e^": ["2^"],
}
OPERATOR = re.compile(
    "|".join(
        rf"{re.escape(name)}(?![A-Za-z])" for name in sorted(OPERATORS, reverse=True) if name != "="
    )
    + r"|=(?! *-?\d+\.\d)"  # which may as well be less than its rounding
)
FRACTION = re.compile(r"\\frac\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")
CONDITION = re.compile(
    r" *(?:\\q?quad *)?\\text\{ ?(?:for|where|when|if) ?\}[^$\n]*?(?= *(?:\\\\|\n|$))"
    r"|(?<=_\{[a-z]) \\ne [a-z](?=\})|(?<=_\{[a-z]) : [^}]*(?=\})"
    r"| *(?:\\q?quad *)?\\text\{ ?within ?\}[^$\n]*"
)


def each(find: Callable[[str], Iterator[Spot]]) -> Callable[[str, str], Iterator[Spot]]:
    """What `find` finds in each formula that claims something."""

    def spots(path: str, text: str) -> Iterator[Spot]:
        for formula in FORMULA.finditer(prose(path, text)):
            latex, place = formula[formula.lastgroup or 0], formula.start(formula.lastgroup or 0)
            if formula["display"] or (RELATION.search(latex) and not SETTING.fullmatch(latex)):
                for start, end, news in find(latex):
                    yield place + start, place + end, news

    return spots


def signs(latex: str) -> Iterator[Spot]:
    """Plus for minus, or minus for plus."""
    for found in SIGN.finditer(_bare(latex)):
        yield *found.span(), "-" if found[0] == "+" else "+"


def indices(latex: str) -> Iterator[Spot]:
    """Another index of the formula, or one more."""
    bare = _bare(latex)
    known = {found[0] for found in INDEX.finditer(bare)}
    for found in INDEX.finditer(bare):
        yield *found.span(), sorted(known - {found[0]}) or "k"


def numerals(latex: str) -> Iterator[Spot]:
    """A number that is larger or smaller by one in its last digit."""
    for found in NUMBER.finditer(_bare(latex)):
        digit = int(found[0][-1])
        yield (
            found.end() - 1,
            found.end(),
            [str(near) for near in (digit - 1, digit + 1) if 0 <= near < 10],
        )


def operators(latex: str) -> Iterator[Spot]:
    """Another operator, or a fraction upside down."""
    bare = _bare(latex)
    for found in OPERATOR.finditer(bare):
        yield *found.span(), OPERATORS[found[0]]
    for found in FRACTION.finditer(bare):
        above, below = (latex[slice(*found.span(part))] for part in (1, 2))
        if "partial" not in found[0]:
            yield *found.span(), [rf"\frac{{{below}}}{{{above}}}"]


def conditions(latex: str) -> Iterator[Spot]:
    """No condition, or no tolerance."""
    for found in CONDITION.finditer(latex):
        yield *found.span(), [""]


def _bare(latex: str) -> str:
    return TEXT.sub(lambda found: " " * len(found[0]), latex)
