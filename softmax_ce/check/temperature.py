"""The rung on temperature."""

import math

import torch
from torch import Tensor

from softmax_ce import softmax_stable
from softmax_ce import softmax_temperature as right_temperature
from softmax_ce.check import lessons as say
from softmax_ce.check.idea import Idea, Misconception, Rung, in_float32, in_float64, row, rows
from softmax_ce.check.softmax import FARTHER, SQUARE, WIDE, naive, relative_to_probabilities

SPECTRUM = row(2.0, 1.0, 0.5, 0.1)
TIE = row(2.0, 2.0, 0.1)
REFUSALS = (ValueError, ZeroDivisionError, AssertionError)
SMALL = 2e-38  # a float32 with all its digits, and its inverse, too, is one


def with_limits(z: Tensor, T: float) -> Tensor:
    """Softmax at a temperature, with its limits at 0 and at infinity."""
    if T > 0 and math.isinf(T):
        return torch.full_like(z, 1 / z.shape[-1])
    if T == 0:
        largest = z == z.amax(-1, keepdim=True)
        return largest / largest.sum(-1, keepdim=True)
    return right_temperature(z, T)


def argmax(z: Tensor, T: float) -> Tensor:
    """The limit at 0 that forgets ties."""
    if T == 0:
        return torch.nn.functional.one_hot(z.argmax(-1), z.shape[-1]).to(z.dtype)
    return right_temperature(z, T)


softmax_temperature = Rung(
    name="softmax_temperature",
    parameters="logits, T=1.0, dim=-1",
    task="Softmax of each row of logits of shape (..., V) at the temperature T, a number. Raise a "
    "ValueError where T is negative; at 0 and at infinity, too, or return the limit.",
    place=say.LIMITS,
    right=with_limits,
    tolerance=relative_to_probabilities,
    ideas=(
        Idea(say.definition, ((SPECTRUM, 1.0),)),
        Idea(
            say.temperature,
            ((SPECTRUM, 2.0), (SPECTRUM, 0.5), (SPECTRUM, 10.0), (row(2e-4, 1e-4), 1e-4)),
        ),
        Idea(say.by_row, ((SQUARE, 2.0), (WIDE, 0.5))),
        Idea(
            say.overflow,
            ((row(1000.0, 1001.0), 1.0), (row(9.0, 10.0), 0.1), (row(400.0, 0.0), 2.0)),
        ),
        Idea(say.far_rows, ((FARTHER, 1.0),)),
        Idea(
            say.divides_first,
            ((row(10.0, 9.0, dtype=torch.float16), 1e-4), (row(10.0, 9.0), SMALL)),
        ),
        Idea(
            say.zero,
            ((row(2.0, 1.0, 0.0), 0.0), (rows([2.0, 1.0], [0.0, 3.0]), 0.0)),
            refusal=REFUSALS,
        ),
        Idea(say.ties, ((TIE, 0.0),), refusal=REFUSALS),
        Idea(say.negative, ((SPECTRUM, -1.0),), refusal=REFUSALS),
        Idea(say.infinite, ((SPECTRUM, math.inf),), refusal=REFUSALS),
        Idea(say.float32, in_float64(((SPECTRUM, 2.0),))),
    ),
    misconceptions=(
        Misconception(say.no_temperature, lambda z, T: softmax_stable(z)),
        Misconception(say.multiplied, lambda z, T: softmax_stable(z * T)),
        Misconception(say.divides_probs, lambda z, T: softmax_stable(z) / T),
        Misconception(say.twice, lambda z, T: softmax_stable(softmax_stable(z) / T)),
        Misconception(say.twice, lambda z, T: softmax_stable(softmax_stable(z / T))),
        Misconception(say.unnormalised, lambda z, T: softmax_stable(z) ** (1 / T)),
        Misconception(say.squared, lambda z, T: softmax_stable(z / T**2)),
        Misconception(say.logarithm, lambda z, T: softmax_stable(z / T).log()),
        Misconception(say.negated, lambda z, T: softmax_stable(-z / T)),
        Misconception(
            say.undivided,
            lambda z, T: (
                (z / T - z.amax(-1, keepdim=True)).exp()
                / (z / T - z.amax(-1, keepdim=True)).exp().sum(-1, keepdim=True)
            ),
        ),
        Misconception(say.wrong_dim, lambda z, T: torch.softmax(z / T, 0)),
        Misconception(say.whole_batch, lambda z, T: softmax_stable(z.flatten() / T).view_as(z)),
        Misconception(say.nan_to_num, lambda z, T: naive(z / T).nan_to_num()),
        Misconception(say.overflow, lambda z, T: naive(z / T)),
        Misconception(say.global_max, lambda z, T: naive((z - z.max()) / T)),
        *(
            Misconception(say.t_epsilon, lambda z, T, size=size: right_temperature(z, T + size))
            for size in (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5)
        ),
        *(
            Misconception(say.t_epsilon, lambda z, T, size=size: softmax_stable(z / (T + size)))
            for size in (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5)
        ),
        *(
            Misconception(say.t_epsilon, lambda z, T, size=size: right_temperature(z, max(T, size)))
            for size in (1e-3, 1e-2, 0.1)
        ),
        Misconception(say.divides_first, lambda z, T: softmax_stable(z / T)),
        Misconception(say.zero, lambda z, T: softmax_stable((z - z.amax(-1, keepdim=True)) / T)),
        Misconception(say.ties, argmax),
        Misconception(say.float32, in_float32(with_limits)),
    ),
    large=(torch.linspace(-4, 4, 256 * 64).sin().view(256, 64), math.e),
)
