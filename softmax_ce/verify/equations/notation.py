r"""What the book's letters are: its table of notation, and what a page binds beside it.

The table stands on a page for readers, under the heading "Notation". Its last column says in torch
what a symbol is; a row without code is an input, which `worlds` draws. A page binds more in its
front matter, under `notation`; there `uniform(low, high)` draws one more input.

A key is a symbol as formulas write it: `p`; a family with an index for the example, `p^{(n)}` or
`y_n`, which code calls `p_n` and `y_n`; a function, `H(p)`, whose code uses its parameters. Where
a symbol is bound both bare and as a function, a parenthesis behind it is an argument only if it
holds the parameter itself, as in `p(T)`, and a factor otherwise; the key `f(\cdot)`, whose code is
a lambda, makes every parenthesis an argument.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

from softmax_ce.verify.equations.latex import FormulaError
from softmax_ce.verify.page import Page

HEADING = "\n## Notation\n"
ROW = re.compile(r"\| \$(?P<symbol>[^$]+)\$ \|.*\| (?:`(?P<code>[^`]+)`|[^`|]*) \|")
KEY = re.compile(
    r"(?P<symbol>(?:[A-Za-z]|\\[A-Za-z]+(?:\{[^{}]*\})?)(?:_\{\\\w+(?:\{\w+\})?\})?)"
    r"(?P<family>\^\{\(n\)\}|_[a-z])?"
    r"(?:[(\[](?P<argument>.+)[)\]])?"
)
COMMAND = re.compile(r"\\(\w+)(?:\{(.*)\})?")
ACCENTS = ("bar", "hat", "tilde")
ANYTHING = r"\cdot"
ANY = "any"  # the code of an input
INPUT = re.compile(r"any$|uniform\(")


class Function(NamedTuple):
    """A symbol that takes arguments: how its table writes them, and what it is in torch."""

    argument: str
    code: str

    @property
    def parameters(self) -> list[str]:
        """The names of its arguments in the code."""
        return [
            identifier(name) for name in re.split(r"\s*(?:,|\\,\\\|\\,|\\\|)\s*", self.argument)
        ]


class Notation:
    """The symbols of a page: those of the book, and its own. Names are those of Python."""

    def __init__(self, rows: Mapping[str, str]) -> None:
        self.rows = {key: str(code) for key, code in rows.items()}
        self.values: dict[str, str] = {}
        self.functions: dict[tuple[str, int], Function] = {}  # by name and number of arguments
        for key, code in self.rows.items():
            found = KEY.fullmatch(key)
            if not found:
                raise FormulaError(f"{key!r} is no symbol: write p, p^{{(n)}}, y_n or H(p)")
            name = identifier(found["symbol"])
            if found["argument"]:
                function = Function(found["argument"], code)
                self.functions[name, len(function.parameters)] = function
            else:
                self.values[family(name) if found["family"] else name] = code

    def knows(self, name: str) -> bool:
        """Whether `name` is a symbol; functions have a name space of their own."""
        return name in self.values

    def is_input(self, name: str) -> bool:
        """Whether a symbol may take any value, rather than follow from others."""
        return bool(INPUT.match(self.values.get(name, "")))

    def of(self, page: Page) -> "Notation":
        """The symbols of the book and those that this page binds."""
        own = page.metadata.get("notation", {})
        if not isinstance(own, dict):
            raise FormulaError(f"{page.path}: `notation` in the front matter is no table")
        return Notation(self.rows | own)


def book_of(page: Page) -> Notation:
    """The notation of the book that a page belongs to: its `docs/index.md` shows it."""
    shown = _first_of(page)
    return _shown(shown, shown.read_bytes().decode()) if shown else Notation({})


def text_of(page: Page) -> str:
    """The section of the book's first page from which its notation is read."""
    shown = _first_of(page)
    return _section(Page(shown)) if shown else ""


def _first_of(page: Page) -> Path | None:
    paths = (folder / "docs" / "index.md" for folder in page.path.resolve().parents)
    return next((path for path in paths if path.is_file()), None)


@lru_cache(maxsize=1)
def _shown(path: Path, text: str) -> Notation:
    return table(Page(path, text))


def _section(page: Page) -> str:
    _, _, section = page.text.partition(HEADING)
    return section.split("\n## ")[0]


def table(page: Page) -> Notation:
    """The notation of the book, from the page that shows it to readers."""
    section = _section(page)
    rows = [match for line in section.splitlines() if (match := ROW.match(line))]
    if section and not rows:
        raise ValueError(
            f"{page.path}: no row under {HEADING.strip()!r} has the form | $p$ | ... |"
        )
    return Notation({row["symbol"]: row["code"] or ANY for row in rows})


def family(name: str) -> str:
    """How code calls the symbol that has an example for its first index."""
    return f"{name}_n"


@cache
def identifier(latex: str) -> str:
    r"""The name of a symbol in Python: of `\mathcal{L}` it is L, of `z_{\max}` z_max."""
    base, _, index = latex.partition("_")
    if index:
        return f"{identifier(base)}_{identifier(index.strip('{}'))}"
    found = COMMAND.fullmatch(base)
    if not found:
        return base.replace("'", "_prime")
    command, inner = found.groups()
    if inner is None:
        return command
    return f"{inner}_{command}" if command in ACCENTS else inner
