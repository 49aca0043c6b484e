"""What the nodes of a formula are: symbols, indices, derivatives, settings."""

import math
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple, TypeVar

from lark import Token, Tree

from softmax_ce.verify.equations.latex import FormulaError, Node
from softmax_ce.verify.equations.notation import Notation, identifier

CLASSES, EXAMPLES = frozenset("ijkl"), frozenset({"n", "n_prime"})
INDICES = CLASSES | EXAMPLES
CONSTANTS = {"e": math.e, "pi": math.pi, "infty": math.inf}
SPELLINGS = {
    r"\leq": r"\le",
    r"\leqslant": r"\le",
    r"\lt": "<",
    r"\geq": r"\ge",
    r"\geqslant": r"\ge",
    r"\gt": ">",
    r"\neq": r"\ne",
}
DIFFERENTIALS = ("partial", "d")
R = TypeVar("R")


def once(function: Callable[[Any], R]) -> Callable[[Any], R]:
    """Ask each node once, and note the answer on it: a formula is evaluated thousands of times."""
    note = f"noted_{function.__name__}"

    @wraps(function)
    def noted(node: Any) -> R:
        if not isinstance(node, Tree):
            return function(node)
        facts = vars(node)
        if note not in facts:
            facts[note] = function(node)
        answer: R = facts[note]
        return answer

    return noted


def relation(token: Token) -> str:
    """A relation, or an operator, in its first spelling."""
    return SPELLINGS.get(str(token), str(token))


def is_a(node: Any, *kinds: str) -> bool:
    """Whether a child is a node of one of these kinds, and no token."""
    return isinstance(node, Tree) and node.data in kinds


@once
def name_of(node: Any) -> str | None:
    """The symbol that a node is, with nothing on it or beside it."""
    return identifier(str(node.children[0])) if is_a(node, "symbol") else None


def base_of(factor: Any) -> Node:
    """What the scripts of a factor stand on."""
    return factor.children[0] if is_a(factor, "scripted") else factor


def scripts_of(factor: Any) -> list[Node]:
    """The scripts that stand on a factor."""
    return factor.children[1:] if is_a(factor, "scripted") else []


@once
def symbol_of(factor: Any) -> str | None:
    """The symbol that a factor is, whatever stands on it."""
    return name_of(base_of(factor))


def factors_of(node: Node) -> list[Any]:
    """The factors of a term, operators among them; any other node is its only factor."""
    return list(node.children) if is_a(node, "term") else [node]


@once
def is_index(script: Node) -> bool:
    """Whether a script picks an entry: a subscript, or (n)."""
    if script.data == "sup" and is_a(script.children[0], "parentheses"):
        (inner, *others) = script.children[0].children
        if name_of(inner) in EXAMPLES and not others:
            return True
        if is_a(inner, "symbol", "number"):
            raise FormulaError("a superscript in parentheses is the example (n); a power has none")
    return script.data in ("sub", "such_that")


def is_bracketed(factor: Any) -> bool:
    """Whether a factor is a parenthesis or a bracket, which may hold arguments."""
    return is_a(base_of(factor), "parentheses", "brackets")


def power_of(factor: Node) -> int:
    r"""The whole number that stands above a symbol: 2 in \partial^2."""
    for script in scripts_of(factor):
        if script.data == "sup" and not is_index(script):
            number = script.children[0]
            if is_a(number, "number") and "." not in number.children[0]:
                return int(number.children[0])
            raise FormulaError("a derivative has a whole number for its order")
    return 1


@once
def differential(item: Any) -> int:
    r"""The order of the derivative that d or \partial begins; 0 where neither stands."""
    return power_of(item) if symbol_of(item) in DIFFERENTIALS else 0


@once
def symbols(node: Node) -> frozenset[str]:
    """The symbols that occur in a formula."""
    if isinstance(node, Token):
        return frozenset()
    found = node.find_data("symbol")
    return frozenset(identifier(str(symbol.children[0])) for symbol in found)


def is_setting(left: Node, sign: str, right: Node, notation: Notation) -> bool:
    """Whether a relation sets an input or an index, T = 5 or j = y, and so claims nothing."""
    name = input_of(left, notation)
    if name in INDICES:
        return input_of(right, notation) is not None or not symbols(right)
    is_literal = not symbols(right) - CONSTANTS.keys()
    return name is not None and is_literal and sign != r"\in"


def input_of(side: Node, notation: Notation) -> str | None:
    """The input or index that a side is, with nothing on it or beside it but its indices."""
    symbol = symbol_of(side)
    if symbol is None or not all(map(is_index, scripts_of(side))):
        return None
    return symbol if symbol in INDICES or notation.is_input(symbol) else None


class Binder(NamedTuple):
    """The indices that a subscript binds, what it asks of them, and where they begin and end."""

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
            raise FormulaError("a big operator needs its index below it")
        if sub.data == "such_that":
            index, condition = sub.children
            return cls([_index_name(index)], [condition])
        conditions = [child for child in sub.children if is_a(child, "chain")]
        names = [_index_name(c.children[0] if is_a(c, "chain") else c) for c in sub.children]
        names = list(dict.fromkeys(names))
        if upper is None:
            return cls(names, conditions)
        first, *others = conditions or [None]
        if first is None or [*map(str, first.children[1::2])] != ["="]:
            raise FormulaError("a sum to an upper end begins below it, as n = 1")
        return cls(names, others, first.children[2], upper)


def _index_name(node: Any) -> str:
    name = name_of(node)
    if name is None:
        raise FormulaError(r"a big operator's index comes first below it, as in j \ne y")
    return name


class Derivative(NamedTuple):
    """What is differentiated, if it stands above the line, and by which symbols, in order."""

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


@once
def derivative_of(item: Node) -> Derivative | None:
    r"""The fraction as a derivative, if both its parts begin with d or \partial."""
    if not is_a(item, "fraction"):
        return None
    above, below = map(factors_of, item.children)
    if not differential(above[0]) or not differential(below[0]) or len(below) < 2:
        return None
    return Derivative.read(above, below)
