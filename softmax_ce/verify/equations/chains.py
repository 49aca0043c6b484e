"""The relations that a formula states, each with the conditions under which it is to hold."""

from collections.abc import Iterator
from typing import NamedTuple

from softmax_ce.verify.equations.latex import FormulaError, Node
from softmax_ce.verify.equations.nodes import is_a, is_setting, relation
from softmax_ce.verify.equations.notation import Notation


class Relation(NamedTuple):
    """Two sides of a chain, the sign between them, and what stands behind them."""

    left: Node
    sign: str
    right: Node
    conditions: list[Node]
    tolerance: Node | None

    def claims_something(self, notation: Notation) -> bool:
        """Whether it does more than set an input."""
        return not is_setting(self.left, self.sign, self.right, notation)


def relations(tree: Node) -> list[Relation]:
    """The relations of a formula; a row that begins with a sign goes on with the row above.

    A condition holds from its row on, a tolerance in its row.
    """
    found: list[Relation] = []
    end: Node | None = None  # of the chain that the next row may go on with
    conditions: list[Node] = []
    for row in _rows(tree):
        items, modifiers = _split(row)
        tolerance = next((m.children[0] for m in modifiers if m.data == "tolerance"), None)
        added = [child for m in modifiers if m.data == "condition" for child in m.children]
        if not is_a(items[0], "continuation"):
            conditions = []
        conditions = conditions + added
        for position, item in enumerate(items):
            left, rest = _links(item, end)
            for sign, right in rest:
                found.append(Relation(left, relation(sign), right, conditions, tolerance))
                left = right
            end = left if position == 0 else end
    return found


def lonely_sides(tree: Node) -> bool:
    """Whether a row of a formula states no relation, and none goes on with it."""
    rows = [_split(row)[0] for row in _rows(tree)]
    following = [*rows[1:], [None]]
    return any(
        not is_a(item, "chain", "continuation") and not is_a(after[0], "continuation")
        for row, after in zip(rows, following, strict=True)
        for item in row
    )


def _links(item: Node, end: Node | None) -> tuple[Node, list[tuple[Node, Node]]]:
    """The first side of a chain, and each sign with the side behind it."""
    if is_a(item, "continuation"):
        if end is None:
            raise FormulaError("it begins with a relation, and no row above it")
        return end, list(zip(item.children[::2], item.children[1::2], strict=True))
    if not is_a(item, "chain"):
        return item, []
    first, *rest = item.children
    return first, list(zip(rest[::2], rest[1::2], strict=True))


def _split(row: list[Node]) -> tuple[list[Node], list[Node]]:
    kinds = ("condition", "tolerance", "for_all")
    items = [item for item in row if not is_a(item, *kinds)]
    if not items:
        raise FormulaError("a row holds nothing but a condition, or nothing at all")
    return items, [item for item in row if is_a(item, *kinds)]


def _rows(tree: Node) -> Iterator[list[Node]]:
    """The rows of a formula; what stands beside aligned rows is a row of its own."""
    row: list[Node] = []
    for piece in tree.children:
        if is_a(piece, "aligned"):
            if row:
                yield row
            row = []
            yield from (inner.children for inner in piece.children)
        else:
            row.append(piece)
    if row:
        yield row
