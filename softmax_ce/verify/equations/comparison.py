r"""When two sides agree: to a tolerance that comes from eps, or to the digits written.

A side takes at most some 2**10 roundings, and a rounding of an exponent grows with the exponent,
which stays below 2**10 wherever exp is finite: hence 2**20 eps, of the larger side. Sides that
hold letters of a world may cancel from numbers of the size of 1, so there it is at least 2**20
eps; sides that are written in numbers alone must agree relatively.
"""

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


def room(left: Tensor, right: Tensor, is_drawn: bool) -> Tensor:
    """How far apart equal sides may be."""
    size = torch.maximum(left.abs(), right.abs())
    return TOLERANCE * (size.clamp(min=1) if is_drawn else size)


def half_a_unit(text: str) -> float:
    """Half a unit of the last digit of a number as it is written; 0 of what is exact."""
    found = DECIMAL.fullmatch(text)
    if not found or not (found["decimals"] or found["power"]):
        return 0.0
    return 0.5 * 10.0 ** (int(found["power"] or 0) - len(found["decimals"] or ""))


def agree(sign: str, left: Any, right: Any, room: Callable[[Tensor, Tensor], Tensor]) -> bool:
    """Whether the relation holds, with as much room as equal sides need."""
    if sign == r"\in":
        return _is_member(left, right)
    if isinstance(left, int) and isinstance(right, int) and sign in OF_WHOLE:
        return bool(OF_WHOLE[sign](left, right))
    if isinstance(left, Row) != isinstance(right, Row):
        raise FormulaError("a row is compared with what is none")
    if isinstance(left, Row):
        left, right = left.column, right.column
    left, right = tensor(left).detach(), tensor(right).detach()
    if left.dim() and right.dim() and left.shape != right.shape:
        raise FormulaError(f"cannot compare the shapes {[*left.shape]} and {[*right.shape]}")
    if sign in (">", r"\ge"):
        left, right = right, left
    if not _are_finite(left, right):
        if left.isnan().any() or right.isnan().any():
            return False
        return sign in ("<", ">") and bool((left < right).all())
    near = (left - right).abs() <= room(left, right)
    if sign in ("=", r"\approx"):
        return bool(near.all())
    if sign == r"\ne":
        return not near.any()
    if sign in (r"\le", r"\ge"):
        return bool(((left < right) | near).all())
    if sign in "<>":  # apart by more than a rounding
        return bool((right - left > 4 * EPS * torch.maximum(left.abs(), right.abs())).all())
    raise FormulaError(f"{sign} cannot be run: say why in a comment behind the formula")


def _are_finite(left: Tensor, right: Tensor) -> bool:
    # What is not finite stays so under a multiplication by 0, and in a sum.
    return bool(left.mul(0).sum() + right.mul(0).sum() == 0)


def _is_member(element: Any, members: Any) -> bool:
    if not isinstance(members, Tensor) or members.dtype != torch.bool:
        raise FormulaError(r"\in is run for a set of classes only: bind it as z == z.max()")
    place = float(tensor(element))
    if place != int(place) or not 0 <= place < len(members):
        raise FormulaError(f"{place} is no class")
    return bool(members[int(place)])
