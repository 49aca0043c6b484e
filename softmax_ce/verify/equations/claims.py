r"""Runs the equations of a page: both sides of every relation, in worlds that differ.

A display formula, and an inline one that holds a relation, is read and evaluated as it stands. A
relation between inputs and numbers, `T = 5` or `i \ne j`, claims nothing: it is a setting. The
comment `<!-- not run: reason -->` behind a formula exempts it; exemptions are counted.
"""

import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch

from softmax_ce.verify.equations import latex
from softmax_ce.verify.equations.arithmetic import column
from softmax_ce.verify.equations.evaluate import COMPARISONS, Evaluator, UnboundIndexError
from softmax_ce.verify.equations.latex import FormulaError, Node
from softmax_ce.verify.equations.nodes import input_of, is_setting, relation, symbols
from softmax_ce.verify.equations.notation import Notation, book_of
from softmax_ce.verify.equations.worlds import DTYPE, World, worlds
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import Formula, Page

HOLDS_RELATION = re.compile(r"[=<>]|\\(?:leq?|geq?|neq?|approx|in|to|sim)(?![A-Za-z])")
# A side takes at most some 2**10 roundings, and a rounding of an exponent grows with the exponent,
# which stays below 2**10 wherever exp is finite.
TOLERANCE = 2**20 * torch.finfo(DTYPE).eps
DECIMAL = re.compile(r"(-?\d+)(?:\.(\d+))?(?: *\\cdot *10\^\{?(-?\d+)\}?)?")


@dataclass
class Claim:
    """Sides, the relations between them, and the conditions under which they hold."""

    sides: list[Node]
    signs: list[str] = field(default_factory=list)
    conditions: list[Node] = field(default_factory=list)
    tolerance: Node | None = None


class Result(NamedTuple):
    """What became of a formula: it "held", is a "setting" or "exempt", or "failed"."""

    formula: Formula
    outcome: str
    fault: Fault | None = None


class DoesNotHoldError(Exception):
    """A claim is wrong: the number of the relation, both values, and the world that shows it."""


def of(page: Page) -> list[Formula]:
    """The formulas of a page that may claim something."""
    return [f for f in page.formulas if f.display or HOLDS_RELATION.search(f.latex)]


def count(page: Page) -> int:
    """How many formulas of the page may claim something."""
    return len(of(page))


def check(page: Page) -> Iterator[Fault]:
    """Run the page's equations in the notation of its book."""
    return (result.fault for result in results(page, book_of(page)) if result.fault)


def results(page: Page, notation: Notation) -> Iterator[Result]:
    """Run the page's equations, and say what became of each."""
    drawn = list(worlds(notation.of(page)))
    return (_result(page, formula, drawn) for formula in of(page))


def _result(page: Page, formula: Formula, drawn: list[World]) -> Result:
    if formula.reason:
        return Result(formula, "exempt")
    line, problem = formula.line, ""
    try:
        found = claims(latex.parse(formula.latex))
        if formula.display and any(len(claim.sides) == 1 for claim in found):
            raise FormulaError("a row claims nothing: write a relation, or a reason behind it")
        held = [_try(claim, drawn, formula) for claim in found]
        return Result(formula, "held" if any(held) else "setting")
    except FormulaError as error:
        problem = f"cannot run this formula: {error}\n    {formula.latex}"
    except DoesNotHoldError as error:
        offset, message = error.args
        line += formula.latex.count("\n", 0, offset)
        problem = f"this equation does not hold:\n{message}"
    return Result(formula, "failed", Fault(page.path, line, problem))


def claims(tree: Node) -> list[Claim]:
    """The claims of a formula; a row that begins with a relation goes on with the row above."""
    found: list[Claim] = []
    main = last = None
    for row in rows(tree):
        for position, item in enumerate(row):
            if item.data == "chain":
                last = Claim(item.children[::2], [relation(sign) for sign in item.children[1::2]])
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


def rows(tree: Node) -> Iterator[list[Node]]:
    """The rows of a formula, of which all that is not aligned is one."""
    row = []
    for piece in tree.children:
        if piece.data == "aligned":
            yield from (inner.children for inner in piece.children)
        else:
            row.append(piece)
    yield row


def _try(claim: Claim, drawn: list[World], formula: Formula) -> bool:
    """Whether the claim is one; raises where it does not hold."""
    if len(claim.sides) > 1 and is_setting(claim.sides, drawn[0]):
        return False
    tried = sum(_try_in(world, claim, formula) for world in drawn)
    if not tried:
        raise FormulaError("its conditions hold in no world")
    return len(claim.sides) > 1


def _try_in(world: World, claim: Claim, formula: Formula) -> int:
    """In how many ways the claim was tried in a world: for all values of its free indices."""
    free: list[str] = []
    while True:
        tried = 0
        try:
            domains = [Evaluator(world).domain(name) for name in free]
            for positions in itertools.product(*domains):
                evaluator = Evaluator(world, dict(zip(free, positions, strict=True)))
                if _meets(evaluator, claim.conditions):
                    _compare(evaluator, claim, formula)
                    tried += 1
        except UnboundIndexError as unbound:
            free.append(unbound.args[0])
        else:
            return tried


def _meets(evaluator: Evaluator, conditions: list[Node]) -> bool:
    """Whether the conditions hold; of `T = ...`, T an input, it is seen to that they do."""
    for condition in conditions:
        sides, signs = condition.children[::2], condition.children[1::2]
        name = input_of(sides[0], evaluator.world)
        if signs == ["="] and name and evaluator.world.is_number(name):
            value = evaluator.value(sides[1]).detach().requires_grad_()
            evaluator.world = evaluator.world.with_(**{name: value})
        elif not evaluator.holds(condition):
            return False
    return True


def _compare(evaluator: Evaluator, claim: Claim, formula: Formula) -> None:
    values = [evaluator.value(side) for side in claim.sides]
    if evaluator.orders:
        _compare_orders(evaluator, claim, formula)
        return
    for number, sign in enumerate(claim.signs):
        left, right = values[number : number + 2]
        texts = [latex.source(side, formula.latex) for side in claim.sides[number : number + 2]]
        within = None if claim.tolerance is None else evaluator.value(claim.tolerance)
        if not _holds(left, sign, right, texts, within, evaluator.slack):
            _refuse(evaluator, claim, number, values, formula)


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


def _compare_orders(evaluator: Evaluator, claim: Claim, formula: Formula) -> None:
    """Of A = B + O(f): that the difference over f stays bounded where f goes to 0."""
    order = evaluator.orders[0]
    world, indices = evaluator.world, evaluator.indices
    names = {name for name in symbols(order) if world.is_input(name)}
    if len(names) != 1:
        raise FormulaError("what stands in O(...) must have one input, which goes to its limit")
    (name,) = names

    def at(point: float) -> tuple[Evaluator, float]:
        leaf = torch.tensor(point, dtype=DTYPE, requires_grad=True)
        there = Evaluator(world.with_(**{name: leaf}), indices)
        return there, float(column(there.value(order)).detach())

    towards = 10.0 if at(10.0)[1] < at(1.0)[1] else 0.1
    for number in range(len(claim.signs)):
        ratios = []
        for power in (2, 3, 4):
            there, size = at(towards**power)
            left, right = (
                column(there.value(s)).detach() for s in claim.sides[number : number + 2]
            )
            ratios.append(float((left - right).abs().max()) / abs(size))
        if not ratios[2] <= 4 * ratios[1] + math.sqrt(TOLERANCE):
            _refuse(there, claim, number, [there.value(side) for side in claim.sides], formula)


def _refuse(
    evaluator: Evaluator, claim: Claim, number: int, values: list[Any], formula: Formula
) -> None:
    """Raise what a reader needs to see that two sides differ."""
    sides, pair = claim.sides[number : number + 2], values[number : number + 2]
    digits = 6 if _shown(pair[0], 6) != _shown(pair[1], 6) else 17
    rows = [
        f"    {_shown(value, digits):>22}  is  {latex.source(side, formula.latex)}"
        for side, value in zip(sides, pair, strict=True)
    ]
    world = evaluator.world.with_()
    again = Evaluator(world, evaluator.indices)
    for side in sides:
        again.value(side)
    where = [f"{name} = {_shown(value)}" for name, value in sorted(world.used.items())]
    where += [f"{name} = {position}" for name, position in evaluator.indices.items()]
    raise DoesNotHoldError(
        sides[1].meta.start_pos, "\n".join([*rows, f"    where {', '.join(where)}"])
    )


def _shown(value: Any, digits: int = 6) -> str:
    value = column(value).detach()
    if value.dim():
        return f"[{', '.join(_shown(entry, digits) for entry in value)}]"
    return f"{float(value):.{digits}g}"
