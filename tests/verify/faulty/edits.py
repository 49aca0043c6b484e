"""Edits of a program, wherever in a text it stands."""

import ast
import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

from tests.verify.faulty.fault import Spot

OTHER_OPERATOR: dict[type[ast.AST], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", ">"),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", "<"),
    ast.GtE: (">=", ">"),
}
OTHER_CALL = {
    "amax": ["amin"],
    "sum": ["mean", "prod"],
    "exp": ["expm1", "sigmoid"],
    "exp_": ["expm1_"],
    "log": ["log1p", "exp"],
    "log1p": ["log"],
    "max": ["min"],
    "softmax": ["log_softmax"],
    "log_softmax": ["softmax"],
    "logsumexp": ["sum", "amax"],
    "softplus": ["relu"],
    "sigmoid": ["tanh"],
    "softmax_stable": ["softmax_naive"],
}
DROPPED_CALLS = {"clamp", "where", "exp", "log", "log1p", "amax", "abs", "double"}


class Source:
    """A program that stands somewhere in a text, perhaps indented."""

    def __init__(self, code: str, start: int = 0) -> None:
        self.start = start
        self.rows = code.splitlines(keepends=True)
        plain = textwrap.dedent(code)
        first = next((row for row in self.rows if row.strip()), "")
        self.indent = len(first) - len(first.lstrip())
        self.tree = ast.parse(plain)

    def place(self, line: int, column: int) -> int:
        """Where the AST's line and column are in the text."""
        row = self.rows[line - 1]
        characters = len(row[self.indent :].encode()[:column].decode())
        return self.start + sum(map(len, self.rows[: line - 1])) + self.indent + characters

    def span(self, node: Any) -> tuple[int, int]:
        """Where a node begins and ends in the text."""
        start = self.place(node.lineno, node.col_offset)
        return start, self.place(node.end_lineno, node.end_col_offset)


def name_of(call: ast.Call) -> str:
    """The function or method that is called."""
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def edits(source: Source, text: str, nodes: Iterable[ast.AST]) -> Iterator[Spot]:
    """What may become of these nodes: another operator, call or number, or less."""
    for node in nodes:
        if isinstance(node, ast.BinOp):
            yield from _of_operator(source, text, node.left, node.op, node.right)
            left, right = (text[slice(*source.span(side))] for side in (node.left, node.right))
            yield *source.span(node), [f"({left})", f"({right})"]
        elif isinstance(node, ast.Compare):
            yield from _of_operator(source, text, node.left, node.ops[0], node.comparators[0])
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Invert):
            yield source.span(node)[0], source.span(node.operand)[0], [""]
        elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            value = node.value
            news = [not value] if isinstance(value, bool) else [value + 1, value - 1]
            yield *source.span(node), map(str, news)
        elif isinstance(node, ast.Expr) and not ast.unparse(node).startswith("print("):
            yield *source.span(node), ["pass"]
        elif isinstance(node, ast.If):
            yield *source.span(node.test), [f"not ({text[slice(*source.span(node.test))]})"]
        elif isinstance(node, ast.Name) and node.id == "dim":
            yield *source.span(node), ["0"]
        elif isinstance(node, ast.Call):
            yield from _of_call(source, text, node)


def _of_operator(
    source: Source, text: str, left: ast.AST, operator: ast.AST, right: ast.AST
) -> Iterator[Spot]:
    if type(operator) in OTHER_OPERATOR:
        sign, other = OTHER_OPERATOR[type(operator)]
        place = text.find(sign, source.span(left)[1], source.span(right)[0])
        yield place, place + len(sign), [other]


def _of_call(source: Source, text: str, call: ast.Call) -> Iterator[Spot]:
    name, end = name_of(call), source.span(call.func)[1]
    yield end - len(name), end, OTHER_CALL.get(name, [])
    if isinstance(call.func, ast.Attribute) and name in DROPPED_CALLS:
        receiver = text[slice(*source.span(call.func.value))]
        if receiver not in ("torch", "F", "math"):
            yield *source.span(call), [receiver]
