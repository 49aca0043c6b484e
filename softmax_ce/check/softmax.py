"""The rungs on softmax: from the log-odds of two classes to the log-sum-exp of shards."""

import math
from typing import Any

import torch
from torch import Tensor

from softmax_ce import log_softmax
from softmax_ce import logsumexp as right_logsumexp
from softmax_ce import merge_logsumexp as right_merge
from softmax_ce import softmax_stable as right_softmax
from softmax_ce.check import lessons as say
from softmax_ce.check.idea import (
    Arguments,
    Function,
    Idea,
    Misconception,
    Rung,
    in_float32,
    in_float64,
    row,
    rows,
)

INF = math.inf
EXAMPLE = row(2.0, 1.0, 0.1)


def relative_to_probabilities(arguments: Arguments, expected: Tensor) -> Tensor:
    """Four times what rounding costs a probability, relative to it.

    An exponent as large as the logits is rounded to eps times its size, which is the relative
    error of its exponential; adding V of them costs V more. Below the smallest normal number
    floats have fewer digits.
    """
    logits, T = arguments[0], arguments[1] if len(arguments) > 1 else 1.0
    finite = logits[logits.isfinite()].double()
    largest = min((finite.abs().max() / T).item(), 1000.0) if finite.numel() and T else 0.0
    float_type = torch.finfo(logits.dtype)
    relative: float = 4 * float_type.eps * (logits.shape[-1] + 4 + 2 * largest)
    return relative * expected.abs() + 4 * float_type.tiny


def relative_to_logits(arguments: Arguments, expected: Tensor) -> Tensor:
    """Eight roundings of numbers as large as the logits, and of a sum of V terms."""
    numbers = [value for value in arguments if isinstance(value, Tensor)]
    finite = torch.cat([value[value.isfinite()].double() for value in numbers])
    largest = finite.abs().max().item() if finite.numel() else 0.0
    logits = arguments[0]
    eps = torch.finfo(logits.dtype).eps
    return torch.full_like(
        expected, 8 * eps * (largest + logits.shape[-1] + 1), dtype=torch.float64
    )


def naive(z: Tensor) -> Tensor:
    """Softmax without a shift."""
    return z.exp() / z.exp().sum(-1, keepdim=True)


def with_shift(shift: Function) -> Function:
    """Softmax with another shift than the maximum."""

    def wrong(z: Tensor) -> Any:
        exps = (z - shift(z)).exp()
        return exps / exps.sum(-1, keepdim=True)

    return wrong


log_odds = Rung(
    name="log_odds",
    parameters="logits, i, j",
    task="The log-odds of class i against class j, for logits of shape (V,).",
    place=say.ODDS,
    right=lambda z, i, j: z[i] - z[j],
    tolerance=relative_to_logits,
    ideas=(
        Idea(say.gap, ((EXAMPLE, 0, 1), (EXAMPLE, 2, 0), (row(-1.0, 0.5, 3.0, 2.0), 1, 2))),
        Idea(say.underflow, ((row(1000.0, 0.0, 1.0), 0, 1), (row(-200.0, 0.0), 0, 1))),
        Idea(say.float32, in_float64(((EXAMPLE, 0, 1),))),
    ),
    misconceptions=(
        Misconception(say.swapped, lambda z, i, j: z[j] - z[i]),
        Misconception(say.odds, lambda z, i, j: (z[i] - z[j]).exp()),
        Misconception(say.odds, lambda z, i, j: naive(z)[i] / naive(z)[j]),
        Misconception(say.difference, lambda z, i, j: right_softmax(z)[i] - right_softmax(z)[j]),
        Misconception(say.against_rest, lambda z, i, j: right_softmax(z).logit()[i]),
        Misconception(say.off_by_one, lambda z, i, j: z[i - 1] - z[j - 1]),
        Misconception(say.bits, lambda z, i, j: (z[i] - z[j]) / math.log(2)),
        Misconception(
            say.underflow, lambda z, i, j: right_softmax(z)[i].log() - right_softmax(z)[j].log()
        ),
        Misconception(
            say.underflow, lambda z, i, j: (right_softmax(z)[i] / right_softmax(z)[j]).log()
        ),
        Misconception(say.underflow, lambda z, i, j: (naive(z)[i] / naive(z)[j]).log()),
        Misconception(say.underflow, lambda z, i, j: (z[i].exp() / z[j].exp()).log()),
        Misconception(
            say.epsilon,
            lambda z, i, j: ((right_softmax(z)[i] + 1e-8) / (right_softmax(z)[j] + 1e-8)).log(),
        ),
        Misconception(say.float32, in_float32(lambda z, i, j: z[i] - z[j])),
    ),
)

SIZES = (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5)  # that people add to be safe


def above(z: Tensor) -> Tensor:
    """The exponentials, shifted."""
    return (z - z.amax(-1, keepdim=True)).exp()


def total(z: Tensor) -> Tensor:
    """Their sum; 1 for a row of −inf, whose log-sum-exp has no need of it."""
    return above(z).sum(-1, keepdim=True).nan_to_num(1)


SHARED = (
    Misconception(say.linear, lambda z: z / z.sum(-1, keepdim=True)),
    Misconception(say.no_division, lambda z: z.exp()),
    Misconception(say.by_maximum, lambda z: z.exp() / z.exp().amax(-1, keepdim=True)),
    Misconception(say.squares, lambda z: z**2 / (z**2).sum(-1, keepdim=True)),
    Misconception(say.sigmoid, torch.sigmoid),
    Misconception(say.base_two, lambda z: 2**z / (2**z).sum(-1, keepdim=True)),
    Misconception(say.negated, lambda z: right_softmax(-z)),
    Misconception(say.twice, lambda z: right_softmax(right_softmax(z))),
    Misconception(say.logarithm, log_softmax),
    Misconception(
        say.half_shift,
        lambda z: (z - z.amax(-1, keepdim=True)).exp() / z.exp().sum(-1, keepdim=True),
    ),
    Misconception(
        say.half_shift,
        lambda z: z.exp() / (z - z.amax(-1, keepdim=True)).exp().sum(-1, keepdim=True),
    ),
    Misconception(say.scaled, lambda z: right_softmax(z / z.amax(-1, keepdim=True))),
    *(
        Misconception(say.epsilon, lambda z, size=size: above(z) / (total(z) + size))
        for size in SIZES
    ),
    Misconception(say.float32, in_float32(right_softmax)),
)

BASICS = (Idea(say.definition, ((EXAMPLE,), (row(1.0, 2.0, 3.0),), (row(-1.0, 0.0, 2.0, 0.5),))),)

softmax_naive = Rung(
    name="softmax_naive",
    parameters="logits, dim=-1",
    task="Softmax as it is defined, for logits of shape (V,) that are not large.",
    place=say.SOFTMAX,
    right=right_softmax,
    tolerance=relative_to_probabilities,
    ideas=(
        *BASICS,
        Idea(say.small_sum, ((row(-20.0, -21.0),), (row(-30.0, -30.0, -31.0),))),
        Idea(say.float32, in_float64(((EXAMPLE,),))),
    ),
    misconceptions=(
        *SHARED,
        *(
            Misconception(
                say.epsilon, lambda z, size=size: z.exp() / (z.exp().sum(-1, keepdim=True) + size)
            )
            for size in SIZES
        ),
    ),
)

LARGE = (
    Misconception(say.nan_to_num, lambda z: naive(z).nan_to_num()),
    Misconception(say.nan_to_num, lambda z: naive(z).nan_to_num(1.0)),
    Misconception(say.overflow, naive),
    Misconception(say.mean_shift, with_shift(lambda z: z.mean(-1, keepdim=True))),
    Misconception(say.min_shift, with_shift(lambda z: z.amin(-1, keepdim=True))),
    *(
        Misconception(say.clamped, lambda z, top=top: naive(z.clamp(-top, top)))
        for top in (10.0, 20.0, 50.0, 80.0, 88.0)
    ),
    *(
        Misconception(say.clamped, lambda z, top=top: naive(z.clamp(max=top)))
        for top in (10.0, 20.0, 50.0, 80.0, 88.0)
    ),
)

softmax_stable = Rung(
    name="softmax_stable",
    parameters="logits, dim=-1",
    task="Softmax of logits of shape (V,), however large or small they are.",
    place=say.SHIFT,
    right=right_softmax,
    tolerance=relative_to_probabilities,
    ideas=(
        *BASICS,
        Idea(say.overflow, ((row(1000.0, 1001.0, 1002.0),), (row(90.0, 0.0),))),
        Idea(say.low, ((row(-1000.0, -1001.0, -1002.0),), (row(-104.0, -104.0),))),
        Idea(
            say.peak, ((row(400.0, 0.0, 0.0),), (row(0.0, -400.0),), (row(100.0, -10.0, -100.0),))
        ),
        Idea(say.mask, ((row(1.0, -INF, 0.0),),)),
        Idea(say.float32, in_float64(((EXAMPLE,), (row(1000.0, 1001.0),)))),
    ),
    misconceptions=(*SHARED, *LARGE),
)

SQUARE = rows([2.0, 1.0], [0.0, 3.0])
WIDE = rows([2.0, 1.0, 0.1], [0.5, 2.5, 0.3])
DEEP = torch.stack([WIDE, WIDE.flip(-1) - 1])
FAR = rows([2.0, 1.0], [-98.0, -99.0])
FARTHER = rows([2.0, 1.0], [-200.0, -201.0])


def no_keepdim_sum(z: Tensor) -> Tensor:
    """Sums along the wrong dimension, where the batch is square."""
    exps = (z - z.amax(-1, keepdim=True)).exp()
    return exps / exps.sum(-1)


def no_keepdim_at_all(z: Tensor) -> Tensor:
    """Maxima and sums along the wrong dimension, where the batch is square."""
    exps = (z - z.amax(-1)).exp()
    return exps / exps.sum(-1)


def whole_batch(z: Tensor) -> Tensor:
    """One sum for all rows."""
    exps = (z - z.max()).exp()
    return exps / exps.sum()


softmax_batched = Rung(
    name="softmax_batched",
    parameters="logits",
    task="Softmax of each row of logits of shape (..., V): any number of dimensions, classes last.",
    place=say.WRONG_DIM,
    right=right_softmax,
    tolerance=relative_to_probabilities,
    ideas=(
        Idea(say.definition, ((rows([2.0, 1.0, 0.1]),),)),
        Idea(
            say.by_row,
            ((SQUARE,), (rows([2.0, 1.0, 0.1], [0.5, 2.5, 0.3], [-1.0, 0.0, 3.0]),), (WIDE,)),
        ),
        Idea(say.leading, ((DEEP,), (EXAMPLE,))),
        Idea(
            say.overflow,
            (
                (rows([1000.0, 1001.0], [2.0, 1.0]),),
                (rows([100.0, 0.0]),),
                (rows([400.0, 0.0], [0.0, 1.0]),),
            ),
        ),
        Idea(say.far_rows, ((FAR,), (FARTHER,), (rows([500.0, 501.0], [0.0, 1.0]),))),
        Idea(say.float32, in_float64(((WIDE,),))),
    ),
    misconceptions=(
        Misconception(say.keepdim_sum, no_keepdim_sum),
        Misconception(say.keepdim_sum, lambda z: z.exp() / z.exp().sum(-1)),
        Misconception(say.keepdim_sum, no_keepdim_at_all),
        Misconception(say.keepdim_max, with_shift(lambda z: z.amax(-1))),
        Misconception(
            say.keepdim_max,
            lambda z: (
                (z - z.amax(-1)).exp() / (z - z.amax(-1, keepdim=True)).exp().sum(-1, keepdim=True)
            ),
        ),
        Misconception(say.whole_batch, whole_batch),
        Misconception(say.whole_batch, lambda z: right_softmax(z.flatten()).view_as(z)),
        Misconception(say.whole_batch, lambda z: z.exp() / z.exp().sum()),
        Misconception(say.wrong_dim, lambda z: right_softmax(z, dim=0)),
        Misconception(say.fixed_dim, lambda z: torch.softmax(z, dim=1)),
        Misconception(
            say.fixed_dim,
            lambda z: (
                (z - z.amax(1, keepdim=True)).exp()
                / (z - z.amax(1, keepdim=True)).exp().sum(1, keepdim=True)
            ),
        ),
        Misconception(say.global_max, with_shift(lambda z: z.max())),
        *SHARED,
        *LARGE,
    ),
    large=(torch.linspace(-4, 4, 256 * 64).sin().view(256, 64),),
)

logsumexp = Rung(
    name="logsumexp",
    parameters="logits, dim=-1",
    task="The logarithm of the sum of exponentials of each row of logits of shape (..., V).",
    place=say.LSE_ROAD,
    right=right_logsumexp,
    tolerance=relative_to_logits,
    ideas=(
        Idea(say.lse, ((rows([2.0, 1.0, 0.1]),), (SQUARE,), (WIDE,), (EXAMPLE,), (DEEP,))),
        Idea(say.overflow, ((row(1000.0, 1000.0),), (row(90.0, 0.0),))),
        Idea(say.low, ((row(-1000.0, -1000.0),), (row(-104.0, -104.0),))),
        Idea(say.peak, ((row(400.0, 0.0, 0.0),), (row(0.0, -400.0),))),
        Idea(say.far_rows, ((FARTHER,),)),
        Idea(say.mask, ((row(1.0, -INF, 0.0),),)),
        Idea(say.empty, ((row(-INF, -INF),),)),
        Idea(say.gradient_lse, ((EXAMPLE,), (WIDE,)), gradient=True),
        Idea(say.float32, in_float64(((WIDE,),))),
    ),
    misconceptions=(
        Misconception(say.not_added_back, lambda z: right_logsumexp(z - z.amax(-1, keepdim=True))),
        Misconception(say.overflow, lambda z: z.exp().sum(-1).log()),
        Misconception(say.nan_to_num, lambda z: z.exp().sum(-1).log().nan_to_num()),
        Misconception(say.nan_to_num, lambda z: z.exp().sum(-1).log().nan_to_num(0, 0, 0)),
        Misconception(say.only_maximum, lambda z: z.amax(-1)),
        Misconception(say.log_mean, lambda z: right_logsumexp(z) - math.log(z.shape[-1])),
        Misconception(say.bits, lambda z: right_logsumexp(z) / math.log(2)),
        Misconception(say.wrong_dim, lambda z: right_logsumexp(z, dim=0)),
        Misconception(say.whole_batch, lambda z: right_logsumexp(z.flatten())),
        Misconception(say.fixed_dim, lambda z: torch.logsumexp(z, dim=1)),
        Misconception(say.keepdim_max, lambda z: z.amax(-1) + (z - z.amax(-1)).exp().sum(-1).log()),
        Misconception(say.global_max, lambda z: z.max() + (z - z.max()).exp().sum(-1).log()),
        Misconception(
            say.mean_shift,
            lambda z: z.mean(-1) + (z - z.mean(-1, keepdim=True)).exp().sum(-1).log(),
        ),
        Misconception(
            say.min_shift, lambda z: z.amin(-1) + (z - z.amin(-1, keepdim=True)).exp().sum(-1).log()
        ),
        *(
            Misconception(
                say.epsilon,
                lambda z, size=size: right_logsumexp(z) + (size / total(z).squeeze(-1)).log1p(),
            )
            for size in SIZES
        ),
        *(
            Misconception(say.clamped, lambda z, top=top: z.clamp(-top, top).exp().sum(-1).log())
            for top in (10.0, 20.0, 50.0, 80.0, 88.0)
        ),
        Misconception(
            say.empty, lambda z: z.amax(-1) + (z - z.amax(-1, keepdim=True)).exp().sum(-1).log()
        ),
        Misconception(say.float32, in_float32(right_logsumexp)),
    ),
    large=(torch.linspace(-4, 4, 256 * 64).sin().view(256, 64),),
    optional_gradient=True,
)


def gap(s: Tensor, t: Tensor) -> Tensor:
    """The exponential of the gap between two shards."""
    return (-(s - t).abs()).nan_to_num(0, neginf=-INF).exp()


merge_logsumexp = Rung(
    name="merge_logsumexp",
    parameters="first, second",
    task="The log-sum-exp over two parts of the classes, from that of each; tensors of one shape.",
    place=say.SHARDS,
    right=right_merge,
    tolerance=relative_to_logits,
    ideas=(
        Idea(
            say.merged, ((row(1.0), row(1.0)), (row(2.0, 0.0), row(0.5, 3.0)), (SQUARE, SQUARE.T))
        ),
        Idea(
            say.overflow,
            (
                (row(1000.0), row(1001.0)),
                (row(1001.0), row(1000.0)),
                (row(0.0), row(100.0)),
                (row(100.0), row(0.0)),
            ),
        ),
        Idea(say.low, ((row(-1000.0), row(-1001.0)), (row(-104.0), row(-104.0)))),
        Idea(
            say.empty_shard, ((row(2.0), row(-INF)), (row(-INF), row(2.0)), (row(-INF), row(-INF)))
        ),
        Idea(say.float32, in_float64(((row(2.0), row(0.5)),))),
    ),
    misconceptions=(
        Misconception(say.added, lambda s, t: s + t),
        Misconception(say.averaged, lambda s, t: (s + t) / 2),
        Misconception(say.log_mean, lambda s, t: torch.logaddexp(s, t) - math.log(2)),
        Misconception(say.only_maximum, torch.maximum),
        Misconception(say.no_maximum, lambda s, t: (-(s - t).abs()).exp().log1p()),
        Misconception(
            say.turned_gap, lambda s, t: torch.maximum(s, t) + (s - t).abs().exp().log1p()
        ),
        Misconception(say.first_on_top, lambda s, t: s + (t - s).exp().log1p()),
        Misconception(say.first_on_top, lambda s, t: s + (1 + (t - s).exp()).log()),
        Misconception(say.first_on_top, lambda s, t: t + (s - t).exp().log1p()),
        Misconception(say.overflow, lambda s, t: (s.exp() + t.exp()).log()),
        Misconception(say.nan_to_num, lambda s, t: (s.exp() + t.exp()).log().nan_to_num(0, 0, 0)),
        Misconception(say.bits, lambda s, t: torch.logaddexp(s, t) / math.log(2)),
        *(
            Misconception(
                say.epsilon,
                lambda s, t, size=size: right_merge(s, t) + (size / (1 + gap(s, t))).log1p(),
            )
            for size in SIZES
        ),
        Misconception(
            say.empty_shard, lambda s, t: torch.maximum(s, t) + (-(s - t).abs()).exp().log1p()
        ),
        Misconception(say.float32, in_float32(right_merge)),
    ),
)
