r"""Reads the book's LaTeX: `latex.lark` is its grammar, and a formula that does not fit an error.

Spacing, sizes and labels are blanked first, character by character: what is left keeps its place,
so that any part of a formula can be shown as its author wrote it.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Tree
from lark.exceptions import UnexpectedInput

Node = Any  # a tree of lark's: its `data` says what it is, its `children` are trees and tokens

IGNORED = re.compile(
    r"\\label\{[^}]*\}"
    r"|\\(?:left|right|[bB]igg?[lr]?)(?![A-Za-z])(?!\\[{}])"
    r"|\\(?:left|right)(?=\\[{}])"
    r"|(?<!\\)\\[,;:! ]|~|\\displaystyle(?![A-Za-z])"
)
BARS = {  # of one character each, at the place of the bar's own end
    r"\left|": "‹     ",
    r"\right|": "      ›",
    r"\left\|": "«      ",
    r"\right\|": "       »",
}
ENTRIES = re.compile(r"\\begin\{(cases|pmatrix)\}.*?\\end\{\1\}", re.DOTALL)
SEVERAL_DIGITS = re.compile(r"[_^]\d\d")
WRAPPERS = ("chain", "term", "scripted", "braces")


class FormulaError(ValueError):
    """A formula that cannot be run, and why."""


@cache
def parse(latex: str) -> Node:
    """The tree of a formula. A node's `meta` tells its place in the formula as it was given."""
    if found := SEVERAL_DIGITS.search(latex):
        raise FormulaError(f"{found[0]!r} reads as one digit: write braces around the number")
    try:
        return _unwrapped(_grammar().parse(_plain(latex)))
    except UnexpectedInput as error:
        place = error.pos_in_stream if error.pos_in_stream is not None else len(latex)
        rest = latex[place : place + 20].split("\n")[0] or "its end"
        hint = r": write \left| x \right|" if rest.startswith(("|", r"\|")) else ""
        raise FormulaError(f"cannot read it from {rest!r} on{hint}") from None


def source(node: Node, latex: str) -> str:
    """The part of the formula that a node was read from, on one line."""
    return " ".join(latex[node.meta.start_pos : node.meta.end_pos].split())


def _unwrapped(node: Node) -> Node:
    """The tree without the nodes that only hold another one."""
    if not isinstance(node, Tree):
        return node
    node.children = [_unwrapped(child) for child in node.children]
    if node.data in WRAPPERS and len(node.children) == 1:
        return node.children[0]
    return node


@cache
def _grammar() -> Lark:
    return Lark.open(
        str(Path(__file__).with_name("latex.lark")), parser="lalr", propagate_positions=True
    )


def _plain(latex: str) -> str:
    for bar, plain in BARS.items():
        latex = latex.replace(bar, plain)
    latex = IGNORED.sub(lambda found: " " * len(found[0]), latex)
    # An & of aligned rows tells nothing; one in cases or a matrix ends an entry.
    kept = {place for found in ENTRIES.finditer(latex) for place in range(*found.span())}
    return "".join(" " if c == "&" and n not in kept else c for n, c in enumerate(latex))
