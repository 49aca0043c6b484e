"""Numbers, columns, rows and matrices, as torch has them, and what may be done with them."""

from functools import cache
from typing import Any

import torch
from torch import Tensor

from softmax_ce.verify.equations.latex import FormulaError

DTYPE = torch.float64


class Row:
    """A row vector: the transpose of a column."""

    def __init__(self, column: Tensor) -> None:
        self.column = column


@cache
def number(value: float) -> Tensor:
    """A number as a tensor."""
    return torch.tensor(float(value), dtype=DTYPE)


def tensor(value: Any) -> Tensor:
    """A value that must not be a row."""
    if isinstance(value, Row):
        raise FormulaError("a row stands where a column or a number was expected")
    return value if isinstance(value, Tensor) else number(value)


def signed(sign: Any, value: Any) -> Any:
    """A value behind the sign that stands before it, if one does."""
    return times(number(-1), value) if sign == "-" else value


def plus(left: Any, right: Any) -> Any:
    """A sum, of equal shapes or with a number."""
    if isinstance(left, Row) and isinstance(right, Row):
        return Row(plus(left.column, right.column))
    left, right = tensor(left), tensor(right)
    if left.dim() and right.dim() and left.shape != right.shape:
        raise FormulaError(f"cannot add the shapes {[*left.shape]} and {[*right.shape]}")
    return left + right


def combined(left: Any, sign: str, right: Any) -> Any:
    r"""Two factors with `/`, `\cdot`, `\odot`, `\times` or nothing between them."""
    if sign == "/":
        if tensor(right).dim():
            raise FormulaError("cannot divide by a vector")
        return Row(left.column / right) if isinstance(left, Row) else tensor(left) / right
    if isinstance(left, Row) or isinstance(right, Row):
        return times(left, right)
    left, right = tensor(left), tensor(right)
    if sign in (r"\cdot", r"\odot") and left.dim() == right.dim() == 1:
        return (left * right).sum() if sign == r"\cdot" else left * right
    return times(left, right)


def times(left: Any, right: Any) -> Any:
    """The product that linear algebra has for these shapes."""
    if isinstance(left, Row):
        if isinstance(right, Row):
            raise FormulaError("two rows have no product")
        right = tensor(right)
        product = left.column @ right if right.dim() else left.column * right
        return product if right.dim() == 1 else Row(product)
    left = tensor(left)
    if isinstance(right, Row):
        if left.dim() > 1:
            raise FormulaError("a matrix has no product with a row")
        return left.unsqueeze(-1) * right.column if left.dim() else Row(left * right.column)
    right = tensor(right)
    if left.dim() and right.dim():
        if left.dim() + right.dim() == 2:
            raise FormulaError(r"two columns have no product: write p^\top z, or \odot")
        return left @ right
    for factor, other in ((left, right), (right, left)):
        # 0 log 0 is 0: a logarithm is what is −inf here. A quotient by 0 is +inf, and stays wrong.
        if not factor.dim() and factor.item() == 0 and (other == -torch.inf).any():
            return torch.where(other == -torch.inf, 0, factor * other)
    return left * right


def power(base: Any, exponent: Any) -> Tensor:
    """A power; of a column by entries, of a matrix by its product with itself."""
    base, exponent = tensor(base), tensor(exponent)
    if base.dim() < 2 and exponent.dim() < 2:
        return torch.pow(base, exponent)
    if exponent.dim() or exponent != exponent.round():
        raise FormulaError("a matrix has whole powers only, and is no exponent")
    product: Tensor = torch.linalg.matrix_power(base, int(exponent))
    return product


def transposed(value: Any) -> Any:
    """A column as a row, a row as a column, a matrix mirrored."""
    if isinstance(value, Row):
        return value.column
    value = tensor(value)
    if not value.dim():
        raise FormulaError("a number has no transpose")
    return value.T if value.dim() == 2 else Row(value)


def gradient_of(value: Any, variable: Any, name: str, is_input: bool) -> Tensor:
    """The derivatives of a value by all entries of a variable, through the graph of its world."""
    value = tensor(value)
    if not isinstance(variable, Tensor) or not variable.is_floating_point():
        raise FormulaError(f"nothing is differentiable by {name}")
    if value.dim():
        return torch.stack([gradient_of(entry, variable, name, is_input) for entry in value])
    gradient = None
    if value.requires_grad and variable.requires_grad:
        (gradient,) = torch.autograd.grad(value, variable, create_graph=True, allow_unused=True)
    if gradient is None and not is_input:
        raise FormulaError(f"the notation does not compute this from {name}: see its rows")
    return torch.zeros_like(variable) if gradient is None else gradient
