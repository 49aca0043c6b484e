r"""Evaluates a parsed formula in a world: the LaTeX itself is the program.

Values are float64 tensors: numbers, vectors (columns), matrices. A row, `p^\top`, is a Row.
Derivatives are autograd's. A product with a factor 0 is 0, as the book counts `0 \log 0`.
"""

import itertools
import math
import operator
from collections.abc import Callable, Iterator
from typing import Any

import torch
from lark import Token, Tree
from torch import Tensor

from softmax_ce.verify.equations.arithmetic import (
    combined,
    gradient_of,
    number,
    plus,
    signed,
    tensor,
    transposed,
)
from softmax_ce.verify.equations.latex import FormulaError, Node
from softmax_ce.verify.equations.nodes import (
    CLASSES,
    CONSTANTS,
    EXAMPLES,
    Binder,
    Derivative,
    derivative_of,
    differential,
    is_bare,
    is_bracketed,
    is_index,
    name_of,
    only,
    power_of,
    relation,
    symbol_of,
    symbols,
)
from softmax_ce.verify.equations.notation import ANYTHING, family, identifier
from softmax_ce.verify.equations.worlds import DTYPE, World

COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
    r"\le": operator.le,
    r"\ge": operator.ge,
    r"\ne": operator.ne,
    r"\in": lambda element, members: members[int(element)],
}
REDUCTIONS: dict[str, Callable[..., Tensor]] = {
    r"\sum": torch.sum,
    r"\prod": torch.prod,
    r"\max": torch.amax,
    r"\min": torch.amin,
}
SETTLED = 1e-6  # a sequence that moves no more than this, relative to its value, has a limit
FUNCTIONS = {r"\log": torch.log, r"\ln": torch.log, r"\exp": torch.exp}


class UnboundIndexError(Exception):
    """An index that nothing binds: the formula holds for each of its values."""


class Evaluator:
    """Evaluates formulas in one world, for one choice of their free indices."""

    def __init__(self, world: World, indices: dict[str, int] | None = None) -> None:
        self.world = world
        self.indices = dict(indices or {})  # positions in a tensor
        self.orders: list[Node] = []  # what stands in each O(...) met, which counts as 0
        self.slack = 0.0  # how far a limit met may be from the value it was given

    def value(self, node: Node) -> Any:
        """The value of an expression."""
        return getattr(self, f"_{node.data}")(node)

    def holds(self, chain: Node) -> bool:
        """Whether a condition holds, to the last bit."""
        sides = [self.value(side) for side in chain.children[::2]]
        signs = [relation(token) for token in chain.children[1::2]]
        if not signs:
            raise FormulaError(r"a condition needs a relation, such as i \ne j")
        return all(
            bool(COMPARISONS[sign](left, right))
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

    def _chain(self, node: Node) -> Any:
        (side,) = node.children
        return self.value(side)

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
        slash = items.index("/") if "/" in items else 0
        if slash and differential(items[0]) and differential(items[slash + 1]):
            return self._derivative(Derivative.read(items[:slash], items[slash + 1 :]), [])
        total, sign = None, ""
        while items:
            item = items.pop(0)
            if derivative := derivative_of(item):
                value, items = self._derivative(derivative, items), []
            elif symbol_of(item) == "nabla":
                value, items = self._nabla(item, items), []
            elif items and self._takes(item, items[0]):
                value = self._call(item, items.pop(0))
            elif items and self._takes(item.children[-1], items[0]):  # \log \sigma(x)
                value = self._applied(item, self._call(item.children[-1], items.pop(0)))
            else:
                value = self.value(item)
            total = value if total is None else combined(total, sign, value)
            if not items:
                break
            following = relation(items.pop(0)) if isinstance(items[0], Token) else ""
            if not following and sign == "/":
                raise FormulaError("a factor behind a / is ambiguous: write a fraction")
            if not following and is_bare(item):
                raise FormulaError("a factor behind a function is ambiguous: use parentheses")
            sign = following
        return total

    def _big(self, node: Node) -> Any:
        name, *scripts, body = node.children
        if name == r"\lim":
            return self._limit(scripts, body)
        if not scripts:  # \max(a, b)
            arguments = only(body.children[1], "parentheses")
            if arguments is None:
                raise FormulaError(rf"{name} needs an index below it, or arguments behind it")
            values = [tensor(self.value(argument)) for argument in arguments.children]
        else:
            values = self._over(scripts, body)
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
        before, values = self.indices, []
        domains: list[Any] = [self.domain(name) for name in binder.names]
        if binder.upper is not None:
            first, last = (int(self.value(end)) for end in (binder.lower, binder.upper))
            domains = [range(0 if first else first, last + (not first))]
        for positions in itertools.product(*domains):
            self.indices = before | dict(zip(binder.names, positions, strict=True))
            if all(self.holds(condition) for condition in binder.conditions):
                values.append(self.value(body))
        self.indices = before
        return values

    # Functions

    def _takes(self, item: Node, arguments: Any) -> bool:
        """Whether the table says that a symbol is a function of the parenthesis behind it."""
        symbol = symbol_of(item)
        if symbol is None or not is_bracketed(arguments):
            return False
        count = len(arguments.children[0].children)
        function = self.world.notation.functions.get((symbol, count))
        if function is None:
            return symbol in ("O", "E", "Var")
        if function.argument == ANYTHING or not self.world.notation.knows(symbol):
            return True
        names = [name_of(argument) for argument in arguments.children[0].children]
        return names == function.parameters

    def _call(self, item: Node, bracketed: Node) -> Any:
        brackets, *powers = bracketed.children
        name, subs = str(symbol_of(item)), item.children[1:]
        if name == "O":
            self.orders.append(brackets.children[0])
            return number(0)
        if subs and r"\sim" in subs[0].children[0].children:
            return self._powers(self._expectation(name, subs[0], brackets.children[0]), powers)
        if subs and (len(subs[0].children[0].children) > 1 or not self.world.notation.knows(name)):
            (body,) = brackets.children
            arguments = [torch.stack(self._over(subs, body))]
            subs = []
        else:
            arguments = [self.value(argument) for argument in brackets.children]
        value = self.world.call(name, arguments)
        indices = [index for sub in subs for index in self._subscripts(sub)]
        return self._powers(value[tuple(indices)] if indices else value, powers)

    def _expectation(self, name: str, sub: Node, body: Node) -> Tensor:
        r"""Mean or variance of `body`, as in \operatorname{E}_{i \sim p}[z_i]."""
        index, _, distribution = sub.children[0].children
        weights = tensor(self.value(distribution))
        values = torch.stack(self._over([Tree("sub", [index])], body))
        mean = (weights * values).sum()
        if name == "E":
            return mean
        if name == "Var":
            return (weights * (values - mean) ** 2).sum()
        raise FormulaError(f"{name} is no expectation: E and Var are")

    def _bare_function(self, node: Node) -> Any:
        return self._applied(node, self.value(node.children[-1]))

    def _applied(self, node: Node, argument: Any) -> Any:
        """The logarithm, or whatever function the node names, of its argument."""
        name, *scripts, _ = node.children
        value = FUNCTIONS[name](tensor(argument))
        for script in scripts:
            if script.data != "sub" or name != r"\log":
                raise FormulaError(f"write the power of {name} behind a parenthesis around it")
            value = value / torch.log(self._number_of(script))
        return value

    _function_of_big = _bare_function

    def _number_of(self, script: Node) -> Tensor:
        return tensor(self.value(script.children[0]))

    # Derivatives and limits

    def _derivative(self, derivative: Derivative, rest: list[Any]) -> Any:
        value = self._product(derivative.body or rest)
        for symbol in derivative.variables:
            value = self._gradient(value, symbol)
        if derivative.body and rest:
            return combined(value, "", self._product(rest))
        return value

    def _nabla(self, nabla: Node, rest: list[Any]) -> Any:
        (variable,) = (s.children[0] for s in nabla.children[1:] if s.data == "sub")
        value = self._product(rest)
        for _ in range(power_of(nabla)):
            value = self._gradient(value, Tree("scripted", [only(variable, "symbol")]))
        return value

    def _gradient(self, value: Any, variable: Node) -> Any:
        base, *scripts = variable.children
        name = identifier(str(base.children[0]))
        name, indices = self._resolved(name, [script for script in scripts if is_index(script)])
        node = self.world[name]
        gradient = gradient_of(value, node, name, self.world.notation.is_input(name))
        entry: Any = (..., *indices)  # the last dimensions are the variable's
        return gradient[entry] if indices else gradient

    def _limit(self, scripts: list[Node], body: Node) -> Any:
        r"""The value that `body` settles at along a sequence, as in \lim_{T \to 0^+}."""
        ((chain,),) = (script.children for script in scripts)
        variable, arrow, end = chain.children
        name = name_of(variable)
        if arrow != r"\to" or name is None:
            raise FormulaError(r"a limit has the form \lim_{T \to 0^+}")
        target = float(self.value(end))
        sides = [script.children[0] for script in end.find_data("side")]
        step = -1.0 if sides == ["-"] else 1.0
        world, values = self.world, []
        for power in range(1, 13):
            point = 10.0**power if math.isinf(target) else target + step * 10.0**-power
            leaf = torch.tensor(point, dtype=DTYPE, requires_grad=True)
            self.world = world.with_(**{name: leaf})
            values.append(tensor(self.value(body)).detach())
        self.world = world
        moves = [float((b - a).abs().max()) for a, b in itertools.pairwise(values)]
        move, number = min((move, -number) for number, move in enumerate(moves))
        limit = values[1 - number]
        settled = SETTLED * max(1.0, float(limit.abs().max()))
        if not move <= settled:
            raise FormulaError(f"no limit: it still moves by {move:.2g} in the end")
        self.slack = max(self.slack, settled)
        return limit

    # Symbols, and what stands on them

    def _scripted(self, node: Node) -> Any:
        base, *scripts = node.children
        if base.data != "symbol":
            return self._powers(self.value(base), scripts)
        name = identifier(str(base.children[0]))
        places = [script for script in scripts if is_index(script)]
        powers = [script for script in scripts if not is_index(script)]
        return self._powers(self._entry(name, places), powers)

    def _entry(self, name: str, places: list[Node]) -> Any:
        if not places:
            if name in self.indices:
                return number(self.indices[name])
            if not self.world.notation.knows(name):
                if name in CONSTANTS:
                    return number(CONSTANTS[name])
                if name in CLASSES | EXAMPLES:
                    raise UnboundIndexError(name)
            value = self.world[name]
            is_whole = not isinstance(value, Tensor) or value.dtype == torch.long
            return number(value) if is_whole else value
        if name == "delta":
            first, second = (index for place in places for index in self._subscripts(place))
            return number(first == second)
        name, indices = self._resolved(name, places)
        value = self.world[name]
        try:
            return value[tuple(indices)]
        except (IndexError, TypeError):
            raise FormulaError(f"{name} has no entry {indices}") from None

    def _resolved(self, name: str, places: list[Node]) -> tuple[str, list[int]]:
        """The tensor and the indices that a symbol with subscripts means: z_j, or z^{(n)}_j."""
        indices: list[int] = []
        for place in sorted(places, key=lambda place: place.data == "sub"):  # (n) comes first
            indices += self._subscripts(place)
        notation, value = self.world.notation, None
        if notation.knows(name) and not any(place.data == "sup" for place in places):
            value = self.world[name]
        if (value is None or value.dim() < len(indices)) and notation.knows(family(name)):
            return family(name), indices
        return name, indices

    def _subscripts(self, place: Node) -> Iterator[int]:
        for child in place.children:
            term = only(child, "term") if place.data == "sub" else child
            factors = term.children if term is not None else [child]
            for factor in factors:  # of z_{ij} both
                if isinstance(factor, Token):
                    raise FormulaError("an index is a symbol or a number")
                yield self._index(factor)

    def _index(self, node: Node) -> int:
        return int(self.value(node))

    def _powers(self, value: Any, scripts: list[Node]) -> Any:
        for script in scripts:
            if script.data == "transpose":
                value = transposed(value)
            elif script.data == "sup":
                value = tensor(value) ** self._number_of(script)
            elif script.data != "side":
                raise FormulaError("only a symbol can have an index")
        return value

    # Numbers and brackets

    def _number(self, node: Node) -> Tensor:
        return number(float(node.children[0]))

    def _symbol(self, node: Node) -> Any:
        return self._entry(identifier(str(node.children[0])), [])

    def _parentheses(self, node: Node) -> Any:
        values = [self.value(child) for child in node.children]
        return values[0] if len(values) == 1 else torch.stack([tensor(v) for v in values])

    _braces = _parentheses

    def _brackets(self, node: Node) -> Any:
        return self._parentheses(node)

    def _fraction(self, node: Node) -> Any:
        numerator, denominator = map(self.value, node.children)
        return combined(numerator, "/", denominator)

    def _root(self, node: Node) -> Any:
        return torch.sqrt(tensor(self.value(node.children[0])))

    def _absolute(self, node: Node) -> Any:
        value = tensor(self.value(node.children[0]))
        return value.sum().to(DTYPE) if value.dtype == torch.bool else value.abs()

    def _norm(self, node: Node) -> Any:
        vector, *scripts = node.children
        subs = [script for script in scripts if script.data == "sub"]
        order = float(self._number_of(subs[0])) if subs else 2.0
        norm = torch.linalg.vector_norm(self.value(vector), order)
        return self._powers(norm, [script for script in scripts if script.data != "sub"])

    def _indicator(self, node: Node) -> Tensor:
        return number(self.holds(node.children[0]))

    def _cases(self, node: Node) -> Any:
        for case in node.children:
            value, condition = case.children
            if isinstance(condition, Token) or self.holds(condition):
                return self.value(value)
        raise FormulaError("no case applies")

    def _matrix(self, node: Node) -> Tensor:
        rows = [torch.stack([tensor(self.value(e)) for e in row.children]) for row in node.children]
        return rows[0] if len(rows) == 1 else torch.stack(rows).squeeze(-1)
