"""Tries a formula in many worlds: both sides of every relation must agree in all of them."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

import torch

from softmax_ce.verify.equations import latex
from softmax_ce.verify.equations.arithmetic import DTYPE, Row, tensor
from softmax_ce.verify.equations.chains import Relation
from softmax_ce.verify.equations.comparison import agree, half_a_unit, room
from softmax_ce.verify.equations.evaluate import Evaluator, UnboundIndexError
from softmax_ce.verify.equations.latex import FormulaError, Node
from softmax_ce.verify.equations.nodes import INDICES, input_of, is_a, scripts_of, symbols
from softmax_ce.verify.equations.worlds import World

ORDER_POINTS = (2, 3, 4)  # powers of ten at which a remainder is compared with its order
ERRORS = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)


class DoesNotHoldError(Exception):
    """A relation is wrong: both values, the world that shows it, where its right side begins."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@contextmanager
def _one_thread() -> Iterator[None]:
    """Of tensors as small as these a second thread only waits for the first."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@_one_thread()
def hold(found: list[Relation], drawn: list[World], text: str) -> None:
    """Try the relations of a formula in these worlds; raise where one does not hold."""
    for world in drawn:
        world.sides.clear()
    for relation in found:
        if not relation.claims_something(drawn[0].notation):
            continue
        try:
            texts = [latex.source(side, text) for side in (relation.left, relation.right)]
            tried = sum(_try_simply(world, relation, texts) for world in drawn)
        except (FormulaError, DoesNotHoldError):
            raise
        except ERRORS as error:
            raise FormulaError(f"{type(error).__name__}: {error}") from error
        if not tried:
            raise FormulaError("its conditions hold in no world")


def _try_simply(world: World, relation: Relation, texts: list[str]) -> int:
    """The same as `_try_in`; what fails is shown with the roundest logits that show it."""
    try:
        return _try_in(world, relation, texts)
    except DoesNotHoldError:
        for digits in range(3):
            rows = {name: world[name].detach().round(decimals=digits) for name in ("z", "z_n")}
            rounded = world.with_(**{name: row.requires_grad_() for name, row in rows.items()})
            with suppress(FormulaError):
                _try_in(rounded, relation, texts)
        raise


def _try_in(world: World, relation: Relation, texts: list[str]) -> int:
    """In how many ways the relation was tried in a world: for all values of its free indices."""
    free: list[str] = []
    while True:
        tried = 0
        try:
            domains = [Evaluator(world).domain(name) for name in free]
            for positions in itertools.product(*domains):
                trial = _Trial(world, dict(zip(free, positions, strict=True)), relation, texts)
                tried += trial.run()
        except UnboundIndexError as unbound:
            free.append(unbound.args[0])
        else:
            return tried


class Side(NamedTuple):
    """What a side of a relation is in a world."""

    value: Any
    slack: float
    orders: list[Node]


class _Trial:
    """One relation in one world, with its free indices fixed."""

    def __init__(
        self, world: World, indices: dict[str, int], relation: Relation, texts: list[str]
    ) -> None:
        self.world = world
        self.indices = indices
        self.relation = relation
        self.texts = texts

    def run(self) -> bool:
        """Whether the conditions were met; raises if they are and the relation does not hold."""
        if not self._meets_conditions():
            return False
        left, right, slack, *orders = self._sides(self.world)
        if any(orders):
            self._compare_orders(*orders)
        elif not agree(self.relation.sign, left, right, self._room(slack)):
            self._refuse(left, right, self.world)
        return True

    def _meets_conditions(self) -> bool:
        """Whether the conditions hold; of `T = ...`, T an input, it is seen to that they do."""
        set_: set[str] = set()
        for condition in self.relation.conditions:
            evaluator = Evaluator(self.world, self.indices)
            name = None
            if is_a(condition, "chain") and [*map(str, condition.children[1::2])] == ["="]:
                name = input_of(condition.children[0], self.world.notation)
            if name in self.world.numbers():
                if name in set_:
                    raise FormulaError(f"{name} is set twice")
                set_.add(str(name))
                value = tensor(evaluator.value(condition.children[2]))
                self.world = self.world.with_(**{str(name): value.detach().requires_grad_()})
                continue
            is_entry = name not in INDICES and scripts_of(condition.children[0])
            if name and is_entry:
                raise FormulaError(f"a condition cannot set an entry of {name}: bind a symbol")
            if not evaluator.holds(condition):
                return False
        return True

    def _sides(self, world: World) -> tuple[Any, Any, float, list[Node], list[Node]]:
        """Both values, the slack of the limits in them, and the orders O(...) of each side."""
        on_left, on_right = (
            self._side(world, side) for side in (self.relation.left, self.relation.right)
        )
        return (
            on_left.value,
            on_right.value,
            on_left.slack + on_right.slack,
            on_left.orders,
            on_right.orders,
        )

    def _side(self, world: World, node: Node) -> Side:
        """A side in a world, which in a chain ends one relation and begins the next."""
        key = id(node), *self.indices.items()
        if key not in world.sides:
            evaluator = Evaluator(world, self.indices)
            value = evaluator.value(node)
            world.sides[key] = Side(value, evaluator.slack, evaluator.orders)
        side: Side = world.sides[key]
        return side

    def _room(self, slack: float) -> Callable[[float, float], float]:
        """How far apart the sides may be: a rounding, what is written, or what `within` says."""
        names = symbols(self.relation.left) | symbols(self.relation.right)
        notation = self.world.notation
        is_drawn = any(notation.knows(name) and self._is_drawn(name) for name in names)
        if self.relation.tolerance is not None:
            within = Evaluator(self.world, self.indices).value(self.relation.tolerance)
            slack += float(tensor(within).detach())
        elif written := max(map(half_a_unit, self.texts)):
            slack += written
        elif self.relation.sign == r"\approx":
            raise FormulaError(r"an \approx needs its tolerance: \text{within} h^2")
        return lambda left, right: room(left, right, is_drawn) + slack

    def _is_drawn(self, name: str) -> bool:
        value = self.world[name]
        return not isinstance(value, int | float) and bool(value.requires_grad or value.dim())

    def _compare_orders(self, on_left: list[Node], on_right: list[Node]) -> None:
        """Of A = B + O(f): that the difference over f stays bounded where f goes to 0."""
        if self.relation.sign != "=" or not on_right:
            raise FormulaError("O(...) stands in an equation, on its right side")
        order = on_right[0]
        names = {name for name in symbols(order) if self.world.notation.is_input(name)}
        if len(names) != 1:
            raise FormulaError("what stands in O(...) has one input, which goes to its limit")
        (name,) = names

        def at(point: float) -> World:
            leaf = torch.tensor(point, dtype=DTYPE, requires_grad=True)
            return self.world.with_(**{name: leaf})

        def size(of: Node, point: float) -> float:
            return float(tensor(Evaluator(at(point), self.indices).value(of)).detach().abs())

        towards = 10.0 if size(order, 10.0) < size(order, 1.0) else 0.1
        far = towards ** ORDER_POINTS[-1]
        order = max(on_right, key=lambda each: size(each, far))
        if any(size(each, far) > 1.5 * size(order, far) for each in on_left):
            raise FormulaError("the left side is known to a larger O(...) than the right one says")
        ratios = []
        for power in ORDER_POINTS:
            world = at(towards**power)
            left, right, *_ = self._sides(world)
            gap = (tensor(left) - tensor(right)).detach().abs().max()
            ratios.append(float(gap) / size(order, towards**power))
        _, before, last = ratios
        if not last <= 1.5 * before + 1e-5:  # which also refuses nan, and inf beside inf
            self._refuse(left, right, world)

    def _refuse(self, left: Any, right: Any, world: World) -> None:
        """Raise what a reader needs to see that two sides differ."""
        digits = 6 if _shown(left, 6) != _shown(right, 6) else 17
        rows = [
            f"    {_shown(value, digits):>22}  is  {text}"
            for value, text in zip((left, right), self.texts, strict=True)
        ]
        fresh = world.with_()  # so that it notes what these two sides use
        self._sides(fresh)
        where = [f"{name} = {_shown(value)}" for name, value in sorted(fresh.used.items())]
        where += [f"{name} = {position}" for name, position in self.indices.items()]
        if where:
            rows.append(f"    where {', '.join(where)}")
        raise DoesNotHoldError("\n".join(rows), self.relation.right.meta.start_pos)


def _shown(value: Any, digits: int = 6) -> str:
    value = value.column if isinstance(value, Row) else tensor(value)
    value = value.detach()
    if value.dim():
        return f"[{', '.join(_shown(entry, digits) for entry in value)}]"
    return f"{float(value):.{digits}g}"
