"""The chains of a formula: sides, the relations between them, and what they are under."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from softmax_ce.verify.equations.latex import FormulaError, Node
from softmax_ce.verify.equations.nodes import is_setting, relation
from softmax_ce.verify.equations.notation import Notation


@dataclass
class Chain:
    """Sides and the relations between them, with the conditions under which they hold."""

    sides: list[Node]
    signs: list[str] = field(default_factory=list)
    conditions: list[Node] = field(default_factory=list)
    tolerance: Node | None = None

    def claims_something(self, notation: Notation) -> bool:
        """Whether it relates sides, and not to set an input."""
        return len(self.sides) > 1 and not is_setting(self.sides, notation)


def chains(tree: Node) -> list[Chain]:
    """The chains of a formula; a row that begins with a relation goes on with the row above."""
    found: list[Chain] = []
    main = last = None
    for row in _rows(tree):
        for position, item in enumerate(row):
            if item.data == "chain":
                last = Chain(item.children[::2], [relation(sign) for sign in item.children[1::2]])
                found.append(last)
                main = main if position else last
                continue
            last = last if position else main
            if last is None:
                raise FormulaError("it begins with a relation or a condition of nothing")
            if item.data == "continuation":
                last.signs += [relation(sign) for sign in item.children[::2]]
                last.sides += item.children[1::2]
            elif item.data == "condition":
                last.conditions += item.children
            else:
                (last.tolerance,) = item.children
    return found


def _rows(tree: Node) -> Iterator[list[Node]]:
    """The rows of a formula, of which all that is not aligned is one."""
    row = []
    for piece in tree.children:
        if piece.data == "aligned":
            yield from (inner.children for inner in piece.children)
        else:
            row.append(piece)
    yield row
