"""Faults in what the letters mean: in the table of notation, or where a page binds its own."""

import ast
import re
from collections.abc import Iterator

from tests.verify.faulty import formulas
from tests.verify.faulty.edits import Source, edits
from tests.verify.faulty.fault import Spot
from tests.verify.faulty.views import FORMULA, FRONT

ROW = re.compile(
    r"^\| \$(?P<symbol>[^$]+)\$ \| (?P<meaning>.*) \| (?P<code>.*?) "
    r"\| (?:`(?P<torch>[^`]+)`|[^|`]*?) ?\|$",
    re.MULTILINE,
)
BOUND = re.compile(r"^  \S.*?: \"?(?P<code>(?!uniform)[^\"\n]*[(\[][^\"\n]*)\"?$", re.MULTILINE)
SAME = {"dim", "threshold"}  # the one dimension of a vector, and where torch changes its method


def rows(path: str, text: str) -> Iterator[Spot]:
    """A symbol, a formula or an expression in the table; or an expression of a page's own."""
    if path == "docs/index.md":
        start = text.index("\n## Notation\n")
        for row in ROW.finditer(text, start, text.index("\n## ", start + 1)):
            yield *row.span("symbol"), ["x"]
            yield from _of_meaning(text, *row.span("meaning"))
            for code in re.finditer("`([^`]+)`", row["code"]):
                first, last = code.span(1)
                yield from _of_code(text, row.start("code") + first, row.start("code") + last)
            if row["torch"]:
                yield from _of_code(text, *row.span("torch"))
    front = FRONT.match(text)
    if front and path.endswith(".md") and "\nnotation:\n" in front[0]:
        for row in BOUND.finditer(text, front[0].index("\nnotation:\n"), front.end()):
            yield from _of_code(text, *row.span("code"))


def _of_meaning(text: str, start: int, end: int) -> Iterator[Spot]:
    for formula in FORMULA.finditer(text, start, end):
        for change in (formulas.signs, formulas.indices, formulas.operators):
            for first, last, news in change(formula["inline"]):
                place = formula.start("inline")
                yield place + first, place + last, news


def _of_code(text: str, start: int, end: int) -> Iterator[Spot]:
    source = Source(text[start:end], start)
    nodes = [*ast.walk(source.tree)]
    same = [node.value for node in nodes if isinstance(node, ast.keyword) and node.arg in SAME]
    skipped = {id(inner) for outer in same for inner in ast.walk(outer)}
    changed = (n for n in nodes if id(n) not in skipped and not isinstance(n, ast.Expr))
    yield from edits(source, text, changed)
