"""What the nodes of a parsed formula are: symbols, indices, derivatives, settings."""

import math
from typing import Any, NamedTuple

from lark import Token, Tree

from softmax_ce.verify.equations.latex import FormulaError, Node
from softmax_ce.verify.equations.notation import Notation, identifier

CLASSES, EXAMPLES = frozenset("ijkl"), frozenset({"n", "n_prime"})
CONSTANTS = {"e": math.e, "pi": math.pi, "infty": math.inf}
SPELLINGS = {r"\leq": r"\le", r"\geq": r"\ge", r"\neq": r"\ne"}
DIFFERENTIALS = ("partial", "d")


def relation(token: Token) -> str:
    """A relation, or an operator, in its first spelling."""
    return SPELLINGS.get(str(token), str(token))


def only(node: Any, kind: str) -> Node | None:
    """The node of this kind that stands alone in `node`."""
    while isinstance(node, Tree) and node.data != kind and len(node.children) == 1:
        node = node.children[0]
    return node if not isinstance(node, Token) and node.data == kind else None


def name_of(node: Any) -> str | None:
    """The symbol that `node` is, with nothing on it or beside it."""
    symbol = only(node, "symbol")
    return identifier(str(symbol.children[0])) if symbol is not None else None


def index_name(node: Any) -> str:
    """The index that a big operator binds."""
    name = name_of(node)
    if name is None:
        raise FormulaError(r"a sum's index comes first below it, as in j \ne y")
    return name


def symbol_of(item: Any) -> str | None:
    """The symbol that a factor is, whatever stands on it."""
    return name_of(item.children[0]) if getattr(item, "data", "") == "scripted" else None


def is_index(script: Node) -> bool:
    """Whether a script picks an entry: a subscript, or (n)."""
    if script.data == "sup":
        brackets = only(script.children[0], "parentheses")
        return brackets is not None and name_of(brackets.children[0]) in EXAMPLES
    return script.data in ("sub", "such_that")


def is_bracketed(item: Any) -> bool:
    """Whether a factor is a parenthesis or a bracket, which may hold arguments."""
    is_factor = getattr(item, "data", "") == "scripted"
    return is_factor and item.children[0].data in ("parentheses", "brackets")


def is_bare(item: Node) -> bool:
    """Whether it is a function whose argument has no parentheses around it."""
    return item.data == "bare_function" and not is_bracketed(item.children[-1])


def power_of(item: Node) -> int:
    r"""The whole number that stands above a symbol: 2 in \partial^2."""
    powers = [
        script for script in item.children[1:] if script.data == "sup" and not is_index(script)
    ]
    number = only(powers[0], "number") if powers else None
    return int(number.children[0]) if number is not None else 1


def differential(item: Any) -> int:
    r"""The order of the derivative that d or \partial begins; 0 where neither stands."""
    return power_of(item) if symbol_of(item) in DIFFERENTIALS else 0


def symbols(node: Node) -> set[str]:
    """The symbols that occur in a formula."""
    return {identifier(str(symbol.children[0])) for symbol in node.find_data("symbol")}


def is_setting(sides: list[Node], notation: Notation) -> bool:
    """Whether a relation sets an input, T = 5 or j = y, and so claims nothing."""
    inputs = [input_of(side, notation) is not None for side in sides]
    return any(inputs) and all(
        is_input or is_literal(side) for side, is_input in zip(sides, inputs, strict=True)
    )


def input_of(side: Node, notation: Notation) -> str | None:
    """The input that a side is, with nothing on it or beside it but its indices."""
    factor = only(side, "scripted")
    symbol = symbol_of(factor)
    if factor is None or symbol is None or not all(map(is_index, factor.children[1:])):
        return None
    return symbol if symbol in CLASSES | EXAMPLES or notation.is_input(symbol) else None


def is_literal(side: Node) -> bool:
    """Whether a side is a number, or a list of numbers, or infinity."""
    factor = only(side, "scripted")
    if factor is None or any(script.data != "side" for script in factor.children[1:]):
        return False
    (base, *_) = factor.children
    if base.data in ("brackets", "parentheses"):
        return all(only(child, "number") for child in base.children)
    return base.data == "number" or name_of(base) in CONSTANTS


class Binder(NamedTuple):
    """The indices that a subscript binds, and what it asks of them."""

    names: list[str]
    conditions: list[Node]
    lower: Any = None
    upper: Any = None

    @classmethod
    def read(cls, scripts: list[Node]) -> "Binder":
        r"""Read `j`, `i, j`, `j \ne y`, `i : q_i > 0`, or `n = 1` with its upper end."""
        sub = next((script for script in scripts if script.data in ("sub", "such_that")), None)
        upper = next((script.children[0] for script in scripts if script.data == "sup"), None)
        if sub is None:
            raise FormulaError("a sum needs its index below it")
        first, *others = sub.children
        if sub.data == "such_that":
            return cls([index_name(first)], others)
        if upper is not None:
            index, _, lower = first.children
            return cls([index_name(index)], [], lower, upper)
        conditions = [child for child in sub.children if len(child.children) > 1]
        names = [
            index_name(child.children[0] if len(child.children) > 1 else child)
            for child in sub.children
        ]
        return cls(list(dict.fromkeys(names)), conditions)


class Derivative(NamedTuple):
    r"""What is differentiated, if it stands above the line, and by which symbols, in order."""

    body: list[Any]
    variables: list[Node]

    @classmethod
    def read(cls, above: list[Any], below: list[Any]) -> "Derivative":
        """Read the factors above and below the line."""
        order, variables = differential(above[0]), []
        while below:
            if not differential(below[0]) or len(below) < 2 or symbol_of(below[1]) is None:
                raise FormulaError(r"write what is differentiated by as \partial z_j")
            _, variable, *below = below
            variables += [variable] * power_of(variable)
        if len(variables) != order:
            raise FormulaError(f"a derivative of order {order} by {len(variables)} symbols")
        return cls(above[1:], variables)


def derivative_of(item: Node) -> Derivative | None:
    r"""The fraction as a derivative, if both its parts begin with d or \partial."""
    if item.data != "scripted" or item.children[0].data != "fraction":
        return None
    terms = [term for part in item.children[0].children if (term := only(part, "term"))]
    if len(terms) < 2 or not all(differential(term.children[0]) for term in terms):
        return None
    above, below = (term.children for term in terms)
    return Derivative.read(above, below) if len(below) > 1 else None
