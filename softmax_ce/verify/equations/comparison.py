r"""When two sides agree: to a tolerance that comes from eps, or to the digits written.

A side takes at most some 2**10 roundings, and a rounding of an exponent grows with the exponent,
which stays below 2**10 wherever exp is finite: hence 2**20 eps, of the larger side. Sides that
hold letters of a world may cancel from numbers of the size of 1, so there it is at least 2**20
eps; sides that are written in numbers alone must agree relatively.
"""

import math
import operator
import re
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from softmax_ce.verify.equations.arithmetic import DTYPE, Row, tensor
from softmax_ce.verify.equations.latex import FormulaError

EPS = torch.finfo(DTYPE).eps
TOLERANCE = 2**20 * EPS
OF_WHOLE = {
    "=": operator.eq,
    r"\ne": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    r"\le": operator.le,
    r"\ge": operator.ge,
}
DECIMAL = re.compile(
    r"-? *(?P<whole>\d+)(?:\.(?P<decimals>\d+))?(?: *\\(?:cdot|times) *10\^\{?(?P<power>-?\d+)\}?)?"
)


def room(left: float, right: float, is_drawn: bool) -> float:
    """How far apart equal sides may be."""
    size = max(abs(left), abs(right))
    return TOLERANCE * (max(size, 1.0) if is_drawn else size)


def half_a_unit(text: str) -> float:
    """Half a unit of the last digit of a number as it is written; 0 of what is exact."""
    found = DECIMAL.fullmatch(text)
    if not found or not (found["decimals"] or found["power"]):
        return 0.0
    return 0.5 * 10.0 ** (int(found["power"] or 0) - len(found["decimals"] or ""))


def agree(sign: str, left: Any, right: Any, room: Callable[[float, float], float]) -> bool:
    """Whether the relation holds, with as much room as equal sides need."""
    if sign == r"\in":
        return _is_member(left, right)
    if isinstance(left, int) and isinstance(right, int) and sign in OF_WHOLE:
        return bool(OF_WHOLE[sign](left, right))
    if isinstance(left, Row) != isinstance(right, Row):
        raise FormulaError("a row is compared with what is none")
    if isinstance(left, Row):
        left, right = left.column, right.column
    pairs = _pairs(tensor(left).detach(), tensor(right).detach())
    if sign in (">", r"\ge"):
        pairs = [(b, a) for a, b in pairs]
    if any(math.isnan(a) or math.isnan(b) for a, b in pairs):
        return False
    if any(math.isinf(a) or math.isinf(b) for a, b in pairs):
        return sign in ("<", ">") and all(a < b for a, b in pairs)
    if sign in ("=", r"\approx"):
        return all(abs(a - b) <= room(a, b) for a, b in pairs)
    if sign == r"\ne":
        return not any(abs(a - b) <= room(a, b) for a, b in pairs)
    if sign in (r"\le", r"\ge"):
        return all(a < b or abs(a - b) <= room(a, b) for a, b in pairs)
    if sign in "<>":  # apart by more than a rounding
        return all(b - a > 4 * EPS * max(abs(a), abs(b)) for a, b in pairs)
    raise FormulaError(f"{sign} cannot be run: say why in a comment behind the formula")


def _pairs(left: Tensor, right: Tensor) -> list[tuple[float, float]]:
    """The entries of two sides that are to be compared, of which one may be a number for all."""
    if left.dim() and right.dim() and left.shape != right.shape:
        raise FormulaError(f"cannot compare the shapes {[*left.shape]} and {[*right.shape]}")
    shape = left.shape or right.shape
    if not shape:
        return [(float(left), float(right))]
    flat = (side.expand(shape).flatten().tolist() for side in (left, right))
    return [*zip(*flat, strict=True)]


def _is_member(element: Any, members: Any) -> bool:
    if not isinstance(members, Tensor) or members.dtype != torch.bool:
        raise FormulaError(r"\in is run for a set of classes only: bind it as z == z.max()")
    place = float(tensor(element))
    if place != int(place) or not 0 <= place < len(members):
        raise FormulaError(f"{place} is no class")
    return bool(members[int(place)])
