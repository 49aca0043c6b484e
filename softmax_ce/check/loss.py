"""The rungs on the loss: cross-entropy, and the form that keeps its digits at both ends."""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from softmax_ce import cross_entropy as right_cross_entropy
from softmax_ce import log_softmax, logsumexp, softmax_naive, softmax_stable
from softmax_ce.check import lessons as say
from softmax_ce.check.idea import (
    Arguments,
    Function,
    Idea,
    IgnoreIndex,
    Misconception,
    Rung,
    classes,
    in_float32,
    in_float64,
    rows,
)

IGNORE = -100
ONE = (rows([2.0, 1.0, 0.1]), classes(0))
TWO = (rows([2.0, 1.0, 0.1], [0.5, 2.5, 0.3]), classes(0, 1))
THREE = (rows([2.0, 1.0, 0.1], [0.5, 2.5, 0.3], [-1.0, 0.0, 3.0]), classes(1, 0, 2))
PADDED = (rows([2.0, 1.0, 0.1], [0.5, 2.5, 0.3], [-1.0, 0.0, 3.0]), classes(1, IGNORE, 0))
OTHERWISE_PADDED = (
    (PADDED[0], classes(1, 0, 2), IgnoreIndex(0)),
    (PADDED[0], classes(1, -1, 0), IgnoreIndex(-1)),
)
HIGH = 10_000.0
LARGE = (
    torch.linspace(-4, 4, 256 * 64).sin().view(256, 64),
    torch.arange(256) % 64,
)


def relative_to_gaps(arguments: Arguments, expected: Tensor) -> Tensor:
    """Eight roundings of the largest gap in a row, or of a sum of V terms."""
    gap = largest_gap(arguments[0])
    V = arguments[0].shape[-1]
    eps = torch.finfo(arguments[0].dtype).eps
    return torch.full_like(expected, 8 * eps * (gap + V + 1), dtype=torch.float64)


def relative_to_loss(arguments: Arguments, expected: Tensor) -> Tensor:
    """Four roundings of an exponent as large as the gap, relative to the loss."""
    gap, V = largest_gap(arguments[0]), arguments[0].shape[-1]
    float_type = torch.finfo(arguments[0].dtype)
    relative: float = 4 * float_type.eps * (gap + V + 4)
    return relative * expected.abs() + 4 * float_type.tiny


def largest_gap(logits: Tensor) -> float:
    """The largest gap between two logits of a row."""
    z = logits.double()
    return float((z.amax(-1) - z.amin(-1)).max())


def averaged(loss_of_each: Function) -> Function:
    """The mean over the examples that count."""

    def loss(z: Tensor, y: Tensor, ignore_index: int = IGNORE) -> Any:
        counts = y != ignore_index
        losses = loss_of_each(z, y.where(counts, 0)).where(counts, 0)
        return losses.sum() / counts.sum()

    return loss


def at(x: Tensor, y: Tensor) -> Tensor:
    """The entry at each row's target."""
    return x.gather(-1, y.unsqueeze(-1)).squeeze(-1)


def minus_log_softmax(z: Tensor, y: Tensor) -> Tensor:
    """The loss of each example, as PyTorch computes it."""
    return -at(log_softmax(z), y)


def narrow_one_hot(z: Tensor, y: Tensor) -> Tensor:
    """The loss with a one-hot matrix as wide as the largest target."""
    return -(F.one_hot(y) * log_softmax(z)).sum(-1).mean()


cross_entropy = Rung(
    name="cross_entropy",
    parameters="logits, targets, ignore_index=-100",
    task="The mean loss of logits of shape (N, V) and targets of shape (N,), in nats. "
    "Targets equal to ignore_index do not count.",
    place=say.LIKELIHOOD,
    right=right_cross_entropy,
    tolerance=relative_to_gaps,
    ideas=(
        Idea(say.likelihood, (ONE, (rows([0.5, 2.5, 0.3, 1.0]), classes(2)))),
        Idea(say.mean, (TWO, THREE)),
        Idea(say.overflow, ((rows([1000.0, 1001.0]), classes(0)), (rows([90.0, 0.0]), classes(0)))),
        Idea(
            say.underflow,
            ((rows([0.0, 30.0]), classes(0)), (rows([0.0, 200.0]), classes(0))),
        ),
        Idea(say.far_rows, ((rows([2.0, 1.0], [-200.0, -201.0]), classes(0, 0)),)),
        Idea(
            say.offset,
            (
                (rows([HIGH + 2, HIGH - 1]), classes(0)),
                (rows([HIGH + 2, HIGH - 1, HIGH]), classes(2)),
            ),
        ),
        Idea(say.detached, (ONE, THREE), gradient=True),
        Idea(say.ignored, (PADDED,), errors_miss_it=True),
        Idea(say.float32, in_float64((TWO,))),
        Idea(say.any_ignored, OTHERWISE_PADDED),
    ),
    misconceptions=(
        Misconception(say.sign, averaged(lambda z, y: -minus_log_softmax(z, y))),
        Misconception(say.no_log, averaged(lambda z, y: 1 - at(softmax_stable(z), y))),
        Misconception(say.no_log, averaged(lambda z, y: -at(softmax_stable(z), y))),
        Misconception(say.raw_logit, averaged(lambda z, y: -at(z, y))),
        Misconception(say.largest, averaged(lambda z, y: minus_log_softmax(z, z.argmax(-1)))),
        Misconception(say.bits, averaged(lambda z, y: minus_log_softmax(z, y) / math.log(2))),
        Misconception(say.twice, averaged(lambda z, y: minus_log_softmax(softmax_stable(z), y))),
        Misconception(say.one_hot_width, narrow_one_hot),
        Misconception(
            say.off_by_one, averaged(lambda z, y: minus_log_softmax(z, (y - 1) % z.shape[-1]))
        ),
        Misconception(
            say.off_by_one, averaged(lambda z, y: minus_log_softmax(z, (y + 1) % z.shape[-1]))
        ),
        Misconception(say.wrong_dim, averaged(lambda z, y: -at(log_softmax(z, dim=0), y))),
        Misconception(say.whole_batch, averaged(lambda z, y: logsumexp(z.flatten()) - at(z, y))),
        Misconception(say.summed, lambda z, y: minus_log_softmax(z, y).sum()),
        Misconception(say.divided_twice, lambda z, y: minus_log_softmax(z, y).mean() / len(y)),
        Misconception(say.by_classes, lambda z, y: minus_log_softmax(z, y).mean() / z.shape[-1]),
        Misconception(say.all_pairs, lambda z, y: -log_softmax(z)[:, y].mean()),
        Misconception(
            say.nan_to_num, averaged(lambda z, y: -at(softmax_naive(z).nan_to_num(), y).log())
        ),
        Misconception(
            say.nan_to_num, averaged(lambda z, y: -at(softmax_naive(z), y).log().nan_to_num())
        ),
        Misconception(
            say.nan_to_num,
            averaged(lambda z, y: (-at(softmax_naive(z), y).log()).nan_to_num(0, 0, 0)),
        ),
        Misconception(
            say.nan_to_num,
            averaged(lambda z, y: (-at(softmax_stable(z), y).log()).nan_to_num(0, 0, 0)),
        ),
        Misconception(
            say.nan_to_num, averaged(lambda z, y: (-at(softmax_stable(z), y).log()).nan_to_num())
        ),
        Misconception(say.overflow, averaged(lambda z, y: -at(softmax_naive(z), y).log())),
        Misconception(say.overflow, averaged(lambda z, y: z.exp().sum(-1).log() - at(z, y))),
        Misconception(
            say.not_added_back,
            averaged(lambda z, y: logsumexp(z - z.amax(-1, keepdim=True)) - at(z, y)),
        ),
        Misconception(say.underflow, averaged(lambda z, y: -at(softmax_stable(z), y).log())),
        *(
            Misconception(say.epsilon, averaged(loss))
            for size in (1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5)
            for loss in (
                lambda z, y, size=size: -(at(softmax_stable(z), y) + size).log(),
                lambda z, y, size=size: -at(softmax_stable(z), y).clamp(min=size).log(),
            )
        ),
        Misconception(
            say.global_max,
            averaged(
                lambda z, y: -at((z - z.max()) - (z - z.max()).exp().sum(-1, keepdim=True).log(), y)
            ),
        ),
        Misconception(say.offset, averaged(lambda z, y: logsumexp(z) - at(z, y))),
        Misconception(
            say.ignored_below,
            lambda z, y: averaged(minus_log_softmax)(z, y) * (y != IGNORE).sum() / len(y),
        ),
        Misconception(
            say.ignored_above,
            lambda z, y: minus_log_softmax(z, y.clamp(min=0)).sum() / (y != IGNORE).sum(),
        ),
        Misconception(
            say.ignored_above,
            lambda z, y: minus_log_softmax(z, y % z.shape[-1]).sum() / (y != IGNORE).sum(),
        ),
        Misconception(say.ignored, lambda z, y: minus_log_softmax(z, y.clamp(min=0)).mean()),
        Misconception(say.ignored, lambda z, y: -log_softmax(z)[torch.arange(len(y)), y].mean()),
        Misconception(say.ignored, lambda z, y: minus_log_softmax(z, y).mean()),
        Misconception(say.float32, in_float32(right_cross_entropy)),
    ),
    large=LARGE,
)


def log_odds_against(z: Tensor, y: Tensor) -> Tensor:
    """The log-odds of "not y"."""
    z = z - at(z, y).unsqueeze(-1)
    return z.scatter(-1, y.unsqueeze(-1), -math.inf).logsumexp(-1)


def others_maximum(z: Tensor, y: Tensor) -> Tensor:
    """Softplus of the largest gap alone."""
    return F.softplus(z.scatter(-1, y.unsqueeze(-1), -math.inf).amax(-1) - at(z, y))


cross_entropy_third_form = Rung(
    name="cross_entropy_third_form",
    parameters="logits, targets",
    task="The loss of each row of logits of shape (N, V), with targets of shape (N,), as "
    "softplus(m): with all its digits for every gap.",
    place=say.THIRD,
    right=lambda z, y: right_cross_entropy(z, y, reduction="none"),
    tolerance=relative_to_loss,
    ideas=(
        Idea(say.third_form, (ONE, TWO, THREE)),
        Idea(
            say.textbook,
            (
                (rows([20.0, 0.0]), classes(0)),
                (rows([30.0, 0.0, 1.0]), classes(0)),
                (rows([0.0, 80.0], [50.0, 1.0]), classes(1, 0)),
            ),
        ),
        Idea(
            say.softplus_overflow,
            ((rows([0.0, 200.0]), classes(0)), (rows([1000.0, 1001.0, 0.0]), classes(2))),
        ),
        Idea(say.offset, ((rows([HIGH + 2, HIGH - 1, HIGH]), classes(0)),)),
        Idea(
            say.relative_gradient,
            (ONE, THREE, (rows([20.0, 0.0, 1.0]), classes(0))),
            gradient=True,
        ),
        Idea(say.float32, in_float64((TWO, (rows([60.0, 0.0]), classes(0))))),
    ),
    misconceptions=(
        Misconception(say.each, right_cross_entropy),
        Misconception(say.textbook, minus_log_softmax),
        Misconception(say.textbook, lambda z, y: logsumexp(z) - at(z, y)),
        Misconception(say.textbook, lambda z, y: -at(softmax_stable(z), y).log()),
        Misconception(say.textbook, lambda z, y: -at(softmax_naive(z), y).log()),
        Misconception(say.no_log1p, lambda z, y: (1 + log_odds_against(z, y).exp()).log()),
        Misconception(say.softplus_overflow, lambda z, y: log_odds_against(z, y).exp().log1p()),
        Misconception(say.with_target, lambda z, y: F.softplus(logsumexp(z) - at(z, y))),
        Misconception(say.turned_m, lambda z, y: F.softplus(-log_odds_against(z, y))),
        Misconception(say.sign, lambda z, y: -F.softplus(log_odds_against(z, y))),
        Misconception(
            say.zero_mask,
            lambda z, y: F.softplus(z.scatter(-1, y.unsqueeze(-1), 0).logsumexp(-1) - at(z, y)),
        ),
        Misconception(say.others_maximum, others_maximum),
        Misconception(say.no_softplus, log_odds_against),
        Misconception(say.bits, lambda z, y: F.softplus(log_odds_against(z, y)) / math.log(2)),
        Misconception(
            say.offset,
            lambda z, y: F.softplus(
                z.scatter(-1, y.unsqueeze(-1), -math.inf).logsumexp(-1) - at(z, y)
            ),
        ),
        Misconception(
            say.float32, in_float32(lambda z, y: right_cross_entropy(z, y, reduction="none"))
        ),
    ),
    large=LARGE,
)
