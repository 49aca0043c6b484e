"""Tries a formula in many worlds: both sides of every relation must agree."""

import itertools
import math
import re
from typing import Any

import torch

from softmax_ce.verify.equations import latex
from softmax_ce.verify.equations.arithmetic import column
from softmax_ce.verify.equations.chains import Chain
from softmax_ce.verify.equations.evaluate import COMPARISONS, Evaluator, UnboundIndexError
from softmax_ce.verify.equations.latex import FormulaError, Node
from softmax_ce.verify.equations.nodes import input_of, symbols
from softmax_ce.verify.equations.worlds import DTYPE, World

# A side takes at most some 2**10 roundings, and a rounding of an exponent grows with the exponent,
# which stays below 2**10 wherever exp is finite.
TOLERANCE = 2**20 * torch.finfo(DTYPE).eps
DECIMAL = re.compile(r"(-?\d+)(?:\.(\d+))?(?: *\\cdot *10\^\{?(-?\d+)\}?)?")


class DoesNotHoldError(Exception):
    """A relation is wrong: both values, the world that shows it, where its right side begins."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


def hold(found: list[Chain], drawn: list[World], text: str) -> None:
    """Try the chains of a formula in these worlds; raise where one does not hold."""
    for chain in found:
        if chain.claims_something(drawn[0].notation):
            tried = sum(_try_in(world, chain, text) for world in drawn)
            if not tried:
                raise FormulaError("its conditions hold in no world")


def _try_in(world: World, chain: Chain, text: str) -> int:
    """In how many ways the chain was tried in a world: for all values of its free indices."""
    free: list[str] = []
    while True:
        tried = 0
        try:
            domains = [Evaluator(world).domain(name) for name in free]
            for positions in itertools.product(*domains):
                evaluator = Evaluator(world, dict(zip(free, positions, strict=True)))
                if _meets(evaluator, chain.conditions):
                    _compare(evaluator, chain, text)
                    tried += 1
        except UnboundIndexError as unbound:
            free.append(unbound.args[0])
        else:
            return tried


def _meets(evaluator: Evaluator, conditions: list[Node]) -> bool:
    """Whether the conditions hold; of `T = ...`, T an input, it is seen to that they do."""
    for condition in conditions:
        sides, signs = condition.children[::2], condition.children[1::2]
        name = input_of(sides[0], evaluator.world.notation)
        if signs == ["="] and name in evaluator.world.numbers():
            value = evaluator.value(sides[1]).detach().requires_grad_()
            evaluator.world = evaluator.world.with_(**{name: value})
        elif not evaluator.holds(condition):
            return False
    return True


def _compare(evaluator: Evaluator, chain: Chain, text: str) -> None:
    values = [evaluator.value(side) for side in chain.sides]
    if evaluator.orders:
        _compare_orders(evaluator, chain, text)
        return
    for number, sign in enumerate(chain.signs):
        left, right = values[number : number + 2]
        texts = [latex.source(side, text) for side in chain.sides[number : number + 2]]
        within = None if chain.tolerance is None else evaluator.value(chain.tolerance)
        if not _holds(left, sign, right, texts, within, evaluator.slack):
            _refuse(evaluator, chain, number, values, text)


def _holds(left: Any, sign: str, right: Any, texts: list[str], within: Any, slack: float) -> bool:
    if sign in (r"\in", r"\ne"):
        return bool(COMPARISONS[sign](left, right))
    if sign not in ("=", r"\approx", "<", ">", r"\le", r"\ge"):
        raise FormulaError(f"{sign} cannot be run: say why in a comment behind the formula")
    left, right = column(left), column(right)
    if not (left.isfinite().all() and right.isfinite().all()):
        return False
    room = TOLERANCE * torch.maximum(left.abs(), right.abs()).clamp(min=1) + slack
    if sign in ("=", r"\approx"):
        written = [unit for text in texts if (unit := half_a_unit(text)) is not None]
        if written:
            room = room + max(written)
        elif sign == r"\approx":
            if within is None:
                raise FormulaError(r"an \approx needs its tolerance: \text{within} h^2")
            room = room + within
        return bool(((left - right).abs() <= room).all())
    if sign in (">", r"\ge"):
        left, right = right, left
    return bool((left < right).all() if sign in "<>" else (left <= right + room).all())


def half_a_unit(text: str) -> float | None:
    """Half a unit of the last digit of a number as written; None of what is exact."""
    found = DECIMAL.fullmatch(text)
    if not found or not (found[2] or found[3]):
        return None
    return 0.5 * 10.0 ** (int(found[3] or 0) - len(found[2] or ""))


def _compare_orders(evaluator: Evaluator, chain: Chain, text: str) -> None:
    """Of A = B + O(f): that the difference over f stays bounded where f goes to 0."""
    order = evaluator.orders[0]
    world, indices = evaluator.world, evaluator.indices
    names = {name for name in symbols(order) if world.notation.is_input(name)}
    if len(names) != 1:
        raise FormulaError("what stands in O(...) must have one input, which goes to its limit")
    (name,) = names

    def at(point: float) -> tuple[Evaluator, float]:
        leaf = torch.tensor(point, dtype=DTYPE, requires_grad=True)
        there = Evaluator(world.with_(**{name: leaf}), indices)
        return there, float(column(there.value(order)).detach())

    towards = 10.0 if at(10.0)[1] < at(1.0)[1] else 0.1
    for number in range(len(chain.signs)):
        ratios = []
        for power in (2, 3, 4):
            there, size = at(towards**power)
            left, right = (
                column(there.value(s)).detach() for s in chain.sides[number : number + 2]
            )
            ratios.append(float((left - right).abs().max()) / abs(size))
        if not ratios[2] <= 4 * ratios[1] + math.sqrt(TOLERANCE):
            _refuse(there, chain, number, [there.value(side) for side in chain.sides], text)


def _refuse(evaluator: Evaluator, chain: Chain, number: int, values: list[Any], text: str) -> None:
    """Raise what a reader needs to see that two sides differ."""
    sides, pair = chain.sides[number : number + 2], values[number : number + 2]
    digits = 6 if _shown(pair[0], 6) != _shown(pair[1], 6) else 17
    rows = [
        f"    {_shown(value, digits):>22}  is  {latex.source(side, text)}"
        for side, value in zip(sides, pair, strict=True)
    ]
    world = evaluator.world.with_()
    again = Evaluator(world, evaluator.indices)
    for side in sides:
        again.value(side)
    where = [f"{name} = {_shown(value)}" for name, value in sorted(world.used.items())]
    where += [f"{name} = {position}" for name, position in evaluator.indices.items()]
    message = "\n".join([*rows, f"    where {', '.join(where)}"])
    raise DoesNotHoldError(message, sides[1].meta.start_pos)


def _shown(value: Any, digits: int = 6) -> str:
    value = column(value).detach()
    if value.dim():
        return f"[{', '.join(_shown(entry, digits) for entry in value)}]"
    return f"{float(value):.{digits}g}"
