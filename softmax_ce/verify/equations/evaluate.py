r"""Evaluates a parsed formula in a world: the LaTeX itself is the program.

Values are float64 tensors: numbers, vectors (columns), matrices. A row, `p^\top`, is a Row.
Derivatives are autograd's. A product of 0 and a logarithm of 0 is 0, as the book counts it.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import torch
from lark import Token, Tree
from torch import Tensor

from softmax_ce.verify.equations.arithmetic import (
    DTYPE,
    combined,
    number,
    plus,
    power,
    signed,
    tensor,
    transposed,
)
from softmax_ce.verify.equations.comparison import agree, room
from softmax_ce.verify.equations.latex import FormulaError, Node
from softmax_ce.verify.equations.nodes import (
    CLASSES,
    CONSTANTS,
    EXAMPLES,
    INDICES,
    Binder,
    Derivative,
    base_of,
    derivative_of,
    differential,
    factors_of,
    is_a,
    is_bracketed,
    is_index,
    name_of,
    power_of,
    relation,
    scripts_of,
    symbol_of,
    symbols,
)
from softmax_ce.verify.equations.notation import ANYTHING, family
from softmax_ce.verify.equations.worlds import World

REDUCTIONS: dict[str, Callable[..., Tensor]] = {
    r"\sum": torch.sum,
    r"\prod": torch.prod,
    r"\max": torch.amax,
    r"\min": torch.amin,
}
FUNCTIONS = {r"\log": torch.log, r"\ln": torch.log, r"\exp": torch.exp, r"\tanh": torch.tanh}
SETTLED = 1e-6  # a sequence that moves no more than this, relative to its value, has a limit
EXPECTATIONS = ("E", "Var")


class UnboundIndexError(Exception):
    """An index that nothing binds: the formula holds for each of its values."""


class Evaluator:
    """Evaluates one side of a relation in one world, for one choice of the free indices."""

    def __init__(self, world: World, indices: dict[str, int] | None = None) -> None:
        self.world = world
        self.indices = dict(indices or {})  # positions in a tensor
        self.counted: set[str] = set()  # indices that run from 1, and so are no numbers here
        self.orders: list[Node] = []  # what stands in each O(...) met, which counts as 0
        self.slack = 0.0  # how far a limit met may be from the value it was given

    def value(self, node: Node) -> Any:
        """The value of an expression."""
        return getattr(self, f"_{node.data}")(node)

    def holds(self, chain: Node) -> bool:
        """Whether a condition holds."""
        if not is_a(chain, "chain"):
            raise FormulaError(r"a condition needs a relation, such as i \ne j")
        sides = [self._position(side) for side in chain.children[::2]]
        signs = [relation(token) for token in chain.children[1::2]]
        if any(isinstance(side, Tensor) and side.isnan().any() for side in sides):
            raise FormulaError("a condition is not a number")
        return all(
            agree(sign, left, right, lambda a, b: room(a, b, is_drawn=True))
            for left, sign, right in zip(sides, signs, sides[1:], strict=False)
        )

    def domain(self, name: str) -> range:
        """The values of an index."""
        if name in CLASSES:
            return range(len(self.world["z"]))
        if name in EXAMPLES:
            return range(len(self.world["z_n"]))
        raise FormulaError(f"{name} is no index: classes are i, j, k, l, examples n")

    # Sums and products

    def _signed_sum(self, node: Node) -> Any:
        sign, first, *rest = node.children
        total = signed(sign, self.value(first))
        for sign, term in zip(rest[::2], rest[1::2], strict=True):
            total = plus(total, signed(sign, self.value(term)))
        return total

    def _body(self, node: Node) -> Any:
        sign, term = node.children
        return signed(sign, self.value(term))

    def _term(self, node: Node) -> Any:
        return self._product(node.children)

    def _product(self, factors: list[Any]) -> Any:
        items = list(factors)
        slash = next((n for n, x in enumerate(items) if isinstance(x, Token) and x == "/"), 0)
        if slash and differential(items[0]) and differential(items[slash + 1]):
            return self._derivative(Derivative.read(items[:slash], items[slash + 1 :]), [])
        total, sign = None, ""
        while items:
            item = items.pop(0)
            if derivative := derivative_of(item):
                value, items = self._derivative(derivative, items), []
            elif symbol_of(item) == "nabla":
                value, items = self._nabla(item, items), []
            elif symbol_of(item) == "O":
                if len(factors) != 2:
                    raise FormulaError("O(...) stands alone in its term")
                value = self._order(items.pop(0))
            elif items and self._takes(item, items[0]):
                value = self._call(item, items.pop(0))
            elif items and is_a(item, "bare_function") and self._takes(item.children[-1], items[0]):
                value = self._applied(item, self._call(item.children[-1], items.pop(0)))
            else:
                value = self.value(item)
            total = value if total is None else combined(total, sign, value)
            if not items:
                break
            following = relation(items.pop(0)) if isinstance(items[0], Token) else ""
            if not following:
                _refuse_ambiguous(item, sign, items[0])
            sign = following
        return total

    def _big(self, node: Node) -> Any:
        name, *scripts, body = node.children
        if name == r"\lim":
            return self._limit(scripts, body)
        if scripts:
            values = self._over(scripts, body)
        else:  # \max(a, b)
            arguments = body.children[1]
            if not is_a(arguments, "parentheses"):
                raise FormulaError(rf"{name} needs an index below it, or arguments behind it")
            values = [tensor(self.value(argument)) for argument in arguments.children]
        if values:
            return REDUCTIONS[name](torch.stack(values), 0)
        if name in (r"\sum", r"\prod"):
            return number(name == r"\prod")
        raise FormulaError(f"{name} of nothing")

    def _over(self, scripts: list[Node], body: Node) -> list[Any]:
        """The values of `body` over the indices that the scripts bind."""
        binder = Binder.read(scripts)
        if symbols(body) and not symbols(body) >= {*binder.names}:
            raise FormulaError(f"what follows does not depend on {' and '.join(binder.names)}")
        before, counted, values = self.indices, self.counted, []
        if binder.upper is None:
            domains = [self.domain(name) for name in binder.names]
        else:
            domains = [self._ends(binder)]
            self.counted = counted | {*binder.names}
        for positions in itertools.product(*domains):
            self.indices = before | dict(zip(binder.names, positions, strict=True))
            if all(map(self.holds, binder.conditions)):
                values.append(tensor(self.value(body)))
        self.indices, self.counted = before, counted
        return values

    def _ends(self, binder: Binder) -> range:
        """The positions from the lower to the upper end, which count from 1, or from 0."""
        first, last = (float(tensor(self.value(end))) for end in (binder.lower, binder.upper))
        if not (first.is_integer() and last.is_integer() and first >= 0):
            raise FormulaError(f"{binder.names[0]} runs from {first:g} to {last:g}")
        return range(int(first) - 1, int(last)) if first >= 1 else range(int(last) + 1)

    # Functions

    def _takes(self, item: Node, arguments: Any) -> bool:
        """Whether the table says that a symbol is a function of the parenthesis behind it."""
        symbol = symbol_of(item)
        if symbol is None or not is_bracketed(arguments):
            return False
        given = base_of(arguments).children
        function = self.world.notation.functions.get((symbol, len(given)))
        if function is None:
            return symbol in EXPECTATIONS
        if function.argument == ANYTHING or not self.world.notation.knows(symbol):
            return True
        if [name_of(argument) for argument in given] == function.parameters:
            return True
        inner = frozenset().union(*map(symbols, given))
        if is_a(given[0], "number") or inner & {*function.parameters}:
            raise FormulaError(rf"call or product? write {symbol} \cdot (...) for a product")
        return False

    def _call(self, item: Node, bracketed: Node) -> Any:
        name, subs = str(symbol_of(item)), scripts_of(item)
        arguments = base_of(bracketed).children
        binds = (
            subs
            and subs[0].data in ("sub", "such_that")
            and any(is_a(child, "chain") for child in subs[0].children)
        )
        if name in EXPECTATIONS and binds:
            value = self._expectation(name, subs[0], arguments)
        elif subs and (binds or not self.world.notation.knows(name)):
            if len(arguments) != 1:
                raise FormulaError(f"{name} over an index takes one argument")
            value = self.world.call(name, [torch.stack(self._over(subs, arguments[0]))])
        else:
            value = self.world.call(name, [self.value(argument) for argument in arguments])
            value = self._indexed(value, subs)
        places = [script for script in scripts_of(bracketed) if is_index(script)]
        powers = [script for script in scripts_of(bracketed) if not is_index(script)]
        return self._powers(self._indexed(value, places), powers)

    def _indexed(self, value: Any, places: list[Node]) -> Any:
        indices = [index for place in places for index in self._subscripts(place)]
        return tensor(value)[tuple(indices)] if indices else value

    def _expectation(self, name: str, sub: Node, body: list[Node]) -> Tensor:
        r"""Mean or variance of `body`, as in \operatorname{E}_{i \sim p}[z_i]."""
        chain, *others = sub.children
        index, sign, distribution = chain.children
        if sign != r"\sim" or others or len(body) != 1:
            raise FormulaError(r"an expectation has the form \operatorname{E}_{i \sim p}[z_i]")
        weights = tensor(self.value(distribution))
        if not torch.isclose(weights.sum(), number(1)) or (weights < 0).any():
            raise FormulaError("an index is drawn from a distribution, which this is not")
        values = torch.stack(self._over([Tree("sub", [index])], body[0]))
        mean = (weights * values).sum()
        return mean if name == "E" else (weights * (values - mean) ** 2).sum()

    def _order(self, bracketed: Node) -> Tensor:
        if not is_a(bracketed, "parentheses") or len(bracketed.children) != 1:
            raise FormulaError("an order is written O(...)")
        self.orders.append(bracketed.children[0])
        return number(0)

    def _bare_function(self, node: Node) -> Any:
        return self._applied(node, self.value(node.children[-1]))

    def _applied(self, node: Node, argument: Any) -> Any:
        """The logarithm, or whatever function the node names, of its argument."""
        name, *scripts, inner = node.children
        if is_bracketed(inner) and scripts_of(inner):
            raise FormulaError(f"is the power in {name}(...)? put parentheses around one of them")
        if tensor(argument).dim() > 1:
            raise FormulaError(f"{name} of a matrix")
        value = FUNCTIONS[name](tensor(argument))
        for script in scripts:
            if script.data != "sub" or name != r"\log":
                raise FormulaError(f"write the power of {name} behind a parenthesis around it")
            value = value / torch.log(tensor(self.value(script.children[0])))
        return value

    _function_of_big = _bare_function

    # Derivatives and limits

    def _derivative(self, derivative: Derivative, rest: list[Any]) -> Any:
        if not derivative.body and not rest:
            raise FormulaError("nothing is differentiated")
        value = self._product(derivative.body or rest)
        for symbol in derivative.variables:
            value = self._gradient(value, symbol)
        if derivative.body and rest:
            return combined(value, "", self._product(rest))
        return value

    def _nabla(self, nabla: Node, rest: list[Any]) -> Any:
        subs = [script.children[0] for script in scripts_of(nabla) if script.data == "sub"]
        if len(subs) != 1 or not is_a(subs[0], "symbol") or not rest:
            raise FormulaError(r"a gradient is written \\nabla_z, before what is differentiated")
        value = self._product(rest)
        for _ in range(power_of(nabla)):
            value = self._gradient(value, subs[0])
        return value

    def _gradient(self, value: Any, variable: Node) -> Any:
        places = [script for script in scripts_of(variable) if is_index(script)]
        name, indices = self._resolved(str(symbol_of(variable)), places)
        gradient = self.world.gradient(value, name)
        entry: Any = (..., *indices)  # the last dimensions are the variable's
        return gradient[entry] if indices else gradient

    def _limit(self, scripts: list[Node], body: Node) -> Any:
        r"""The value at which `body` settles, as in \lim_{T \to 0^+}."""
        chain: Any = scripts[0].children[0] if scripts else None
        parts = chain.children if is_a(chain, "chain") else []
        if len(parts) != 3 or parts[1] != r"\to":
            raise FormulaError(r"a limit has the form \lim_{T \to 0^+}")
        variable, _, end = parts
        name = str(name_of(variable))
        if not self.world.notation.is_input(name):
            raise FormulaError(f"{name} is no input, and so cannot go to a limit")
        sides = [str(script.children[0]) for script in scripts_of(end) if script.data == "side"]
        target = float(tensor(self.value(base_of(end) if sides else end)))
        if math.isinf(target):
            points = [[math.copysign(10.0**k, target) for k in range(1, 17)]]
        else:
            signs = [-1 if side == "-" else 1 for side in sides] or [1, -1]
            points = [[target + sign * 10.0**-k for k in range(1, 13)] for sign in signs]
        limits = [self._settled(name, body, along) for along in points]
        if not all(_close(limits[0], limit, SETTLED) for limit in limits):
            raise FormulaError("the limits from both sides differ: write 0^+ or 0^-")
        self.slack = max(self.slack, SETTLED * max(1.0, float(limits[0].abs().max())))
        return limits[0]

    def _settled(self, name: str, body: Node, points: list[float]) -> Tensor:
        """Where the values of `body` stand still, while the input `name` goes along the points."""
        world, values = self.world, []
        for point in points:
            leaf = torch.tensor(point, dtype=DTYPE, requires_grad=True)
            self.world = world.with_(**{name: leaf})
            values.append(tensor(self.value(body)).detach())
        self.world = world
        still = [
            after for before, after in itertools.pairwise(values) if _close(before, after, SETTLED)
        ]
        if not still:
            raise FormulaError(f"no limit: it moves from {values[-2]} to {values[-1]} in the end")
        if not _close(still[0], still[-1], 1e3 * SETTLED):
            raise FormulaError(f"no limit: it stands still at {still[0]} and at {still[-1]}")
        moves = [float((b - a).abs().max()) for a, b in itertools.pairwise(values)]
        return values[1 + min(range(len(moves)), key=lambda n: moves[n])]

    # Symbols, and what stands on them

    def _scripted(self, node: Node) -> Any:
        base, *scripts = node.children
        if not is_a(base, "symbol"):
            return self._powers(self.value(base), scripts)
        places = [script for script in scripts if is_index(script)]
        powers = [script for script in scripts if not is_index(script)]
        return self._powers(self._entry(str(name_of(base)), places), powers)

    def _entry(self, name: str, places: list[Node]) -> Any:
        notation = self.world.notation
        if not places:
            if name in self.indices:
                if name in self.counted:
                    raise FormulaError(f"{name} runs from 1, and so is no number here")
                return number(self.indices[name])
            if not notation.knows(name):
                if name in CONSTANTS:
                    return number(CONSTANTS[name])
                if name in INDICES:
                    raise UnboundIndexError(name)
            value = self.world[name]
            is_whole = not isinstance(value, Tensor) or value.dtype == torch.long
            return number(value) if is_whole else value
        if name == "delta" and not notation.knows(name):
            pair = [index for place in places for index in self._subscripts(place)]
            if len(pair) != 2:
                raise FormulaError(r"a Kronecker delta has two indices, \delta_{ij}")
            return number(pair[0] == pair[1])
        name, indices = self._resolved(name, places)
        return self.world.entry(name, tuple(indices))

    def _resolved(self, name: str, places: list[Node]) -> tuple[str, list[int]]:
        """The tensor and the indices that a symbol with subscripts means: z_j, or z^{(n)}_j."""
        indices: list[int] = []
        for place in sorted(places, key=lambda place: place.data == "sub"):  # (n) comes first
            indices += self._subscripts(place)
        notation, value = self.world.notation, None
        if notation.knows(name) and not any(place.data == "sup" for place in places):
            value = self.world[name]
        rank = value.dim() if isinstance(value, Tensor) else -1
        if rank < len(indices) and notation.knows(family(name)):
            return family(name), indices
        return name, indices

    def _subscripts(self, place: Node) -> Iterator[int]:
        for child in place.children:
            for factor in factors_of(child):  # of z_{ij} both
                if isinstance(factor, Token) or is_a(factor, "chain"):
                    raise FormulaError("an index is a symbol or a number")
                index = self._position(factor)
                if not isinstance(index, int):
                    index = float(tensor(index).detach())
                if index != int(index) or index < 0:
                    raise FormulaError(f"{index:g} is no index")
                yield int(index)

    def _position(self, node: Node) -> Any:
        """The value of an expression; of an index its place, wherever it is counted from."""
        if is_a(node, "parentheses"):
            (node,) = node.children
        name = name_of(node)
        if name in self.indices:
            return self.indices[name]
        value = self.world[name] if name and self.world.notation.knows(name) else None
        if isinstance(value, Tensor) and value.dtype == torch.long and not value.dim():
            return int(value)
        return self.value(node)

    def _powers(self, value: Any, scripts: list[Node]) -> Any:
        for script in scripts:
            if script.data == "transpose":
                value = transposed(value)
            elif script.data == "sup":
                value = power(value, self.value(script.children[0]))
            else:
                raise FormulaError("only a symbol has an index, and only a limit a side")
        return value

    # Numbers and brackets

    def _number(self, node: Node) -> Tensor:
        return number(float(node.children[0]))

    def _symbol(self, node: Node) -> Any:
        return self._entry(str(name_of(node)), [])

    def _parentheses(self, node: Node) -> Any:
        values = [self.value(child) for child in node.children]
        if len(values) == 1:
            return values[0]
        if any(tensor(value).dim() for value in values):
            raise FormulaError("these are no arguments of a function, and no list of numbers")
        return torch.stack([tensor(value) for value in values])

    _braces = _brackets = _parentheses

    def _fraction(self, node: Node) -> Any:
        if derivative := derivative_of(node):
            return self._derivative(derivative, [])
        numerator, denominator = map(self.value, node.children)
        return combined(numerator, "/", denominator)

    def _root(self, node: Node) -> Any:
        degree, inner = node.children
        return power(tensor(self.value(inner)), 1 / float(degree or 2))

    def _absolute(self, node: Node) -> Any:
        value = tensor(self.value(node.children[0]))
        return value.sum().to(DTYPE) if value.dtype == torch.bool else value.abs()

    def _norm(self, node: Node) -> Any:
        inner, *scripts = node.children
        vector = self.value(inner)
        if not isinstance(vector, Tensor) or vector.dim() != 1:
            raise FormulaError("a norm is taken of a column")
        subs = [script for script in scripts if script.data == "sub"]
        order = float(tensor(self.value(subs[0].children[0]))) if subs else 2.0
        norm = torch.linalg.vector_norm(vector, order)
        return self._powers(norm, [script for script in scripts if script.data != "sub"])

    def _indicator(self, node: Node) -> Tensor:
        return number(self.holds(node.children[0]))

    def _cases(self, node: Node) -> Any:
        cases = [case.children for case in node.children]
        values = [self.value(v) for v, c in cases if not isinstance(c, Token) and self.holds(c)]
        values = values or [self.value(v) for v, c in cases if isinstance(c, Token)]
        if not values:
            raise FormulaError("no case applies")
        if not all(torch.equal(tensor(values[0]), tensor(value)) for value in values):
            raise FormulaError("cases that differ apply at once")
        return values[0]

    def _matrix(self, node: Node) -> Tensor:
        rows = [torch.stack([tensor(self.value(e)) for e in row.children]) for row in node.children]
        if len({len(row) for row in rows}) > 1:
            raise FormulaError("the rows of a matrix are equally long")
        matrix = torch.stack(rows)
        return matrix.squeeze(-1) if len(rows) > 1 else matrix


def _close(left: Tensor, right: Tensor, apart: float) -> bool:
    return torch.allclose(left, right, rtol=apart, atol=apart)


def _refuse_ambiguous(item: Node, sign: str, following: Node) -> None:
    """Refuse a factor behind `/`, a bare function, or a number that a number follows."""
    if sign == "/":
        raise FormulaError("a factor behind a / is ambiguous: write a fraction")
    if is_a(item, "bare_function") and not is_bracketed(item.children[-1]):
        raise FormulaError("a factor behind a function is ambiguous: use parentheses")
    if is_a(item, "number") and is_a(following, "number"):
        raise FormulaError(r"two numbers side by side are ambiguous: write \cdot")
