"""The rungs on the gradient: node by node, and in closed form."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from softmax_ce import cross_entropy_softmax_gradient as right_gradient
from softmax_ce import softmax_naive, softmax_stable
from softmax_ce.check import lessons as say
from softmax_ce.check.idea import (
    Arguments,
    Idea,
    Lesson,
    Misconception,
    Rung,
    classes,
    in_float32,
    in_float64,
    rows,
)
from softmax_ce.check.loss import (
    IGNORE,
    LARGE,
    ONE,
    OTHERWISE_PADDED,
    PADDED,
    THREE,
    TWO,
    largest_gap,
)

NODES = (
    "dlogprobs",
    "dprobs",
    "dcounts_sum_inv",
    "dcounts_sum",
    "dcounts",
    "dnorm_logits",
    "dlogit_maxes",
    "dlogits",
)
FORWARD = """\
N, V = logits.shape
rows = torch.arange(N)
logit_maxes, top = logits.max(1, keepdim=True)
norm_logits = logits - logit_maxes
counts = norm_logits.exp()
counts_sum = counts.sum(1, keepdim=True)
counts_sum_inv = counts_sum**-1
probs = counts * counts_sum_inv
logprobs = probs.log()
loss = -logprobs[rows, targets].mean()
"""


def relative_to_largest(arguments: Arguments, expected: Tensor) -> Tensor:
    """Sixteen roundings of the largest entry, or of 1 where it is a difference that cancels.

    An exponent as large as the gap in a row is rounded to eps times the gap.
    """
    scale = max(expected.abs().max().item(), 1.0) * (1 + largest_gap(arguments[0]))
    eps = torch.finfo(arguments[0].dtype).eps
    return torch.full_like(expected, 16 * eps * scale, dtype=torch.float64)


def walk(logits: Tensor, targets: Tensor, **changed: Any) -> tuple[Tensor, ...]:
    """Go back through the nodes, with the lines that are changed taken from `changed`."""
    V = logits.shape[1]
    logit_maxes, top = logits.max(1, keepdim=True)
    counts = (logits - logit_maxes).exp()
    counts_sum = counts.sum(1, keepdim=True)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv
    truth = F.one_hot(targets, V).to(logits.dtype)
    known: dict[str, Tensor] = {
        "counts": counts,
        "counts_sum": counts_sum,
        "counts_sum_inv": counts_sum_inv,
        "probs": probs,
        "truth": truth,
        "top": F.one_hot(top.squeeze(1), V).to(logits.dtype),
    }
    for node in NODES:
        known[node] = changed.get(node, LINES[node])(known)
    return tuple(known[node] for node in NODES)


LINES: dict[str, Any] = {
    "dlogprobs": lambda k: -k["truth"] / len(k["truth"]),
    "dprobs": lambda k: k["dlogprobs"] / k["probs"],
    "dcounts_sum_inv": lambda k: (k["counts"] * k["dprobs"]).sum(1, keepdim=True),
    "dcounts_sum": lambda k: -(k["counts_sum"] ** -2) * k["dcounts_sum_inv"],
    "dcounts": lambda k: k["counts_sum_inv"] * k["dprobs"] + k["dcounts_sum"],
    "dnorm_logits": lambda k: k["counts"] * k["dcounts"],
    "dlogit_maxes": lambda k: -k["dnorm_logits"].sum(1, keepdim=True),
    "dlogits": lambda k: k["dnorm_logits"] + k["top"] * k["dlogit_maxes"],
}


def mistake(lesson: Lesson, node: str, line: Any) -> Misconception:
    """A walk with another line at one node."""
    return Misconception(lesson, lambda z, y: walk(z, y, **{node: line}))


BACKWARD_INPUTS = (TWO, THREE, (rows([0.5, 2.5, 0.3, 1.0]), classes(2)))

NODE_LESSONS = (
    say.node_logprobs,
    say.node_probs,
    say.node_inverse,
    say.node_sum,
    say.node_counts,
    say.node_norm,
    say.node_maxes,
    say.node_logits,
)

backward_by_hand = Rung(
    name="backward_by_hand",
    parameters="logits, targets",
    task="The gradient of the mean loss at each node, from the loss back to the logits of shape "
    "(N, V).",
    place=say.NODES,
    right=walk,
    tolerance=relative_to_largest,
    ideas=(
        *(Idea(lesson, BACKWARD_INPUTS, output=place) for place, lesson in enumerate(NODE_LESSONS)),
        Idea(say.float32, in_float64((TWO,)), output=7),
    ),
    misconceptions=(
        mistake(say.one_over_n, "dlogprobs", lambda k: -k["truth"]),
        mistake(say.by_classes, "dlogprobs", lambda k: -k["truth"] / k["truth"].numel()),
        mistake(say.divided_twice, "dlogprobs", lambda k: -k["truth"] / len(k["truth"]) ** 2),
        mistake(say.node_sign, "dlogprobs", lambda k: k["truth"] / len(k["truth"])),
        mistake(say.no_chain, "dprobs", lambda k: 1 / k["probs"]),
        mistake(say.node_probs, "dprobs", lambda k: k["dlogprobs"] * k["probs"]),
        mistake(say.not_summed, "dcounts_sum_inv", lambda k: k["counts"] * k["dprobs"]),
        mistake(
            say.node_sign, "dcounts_sum", lambda k: k["counts_sum"] ** -2 * k["dcounts_sum_inv"]
        ),
        mistake(say.no_chain, "dcounts_sum", lambda k: -(k["counts_sum"] ** -2)),
        mistake(say.one_path, "dcounts", lambda k: k["counts_sum_inv"] * k["dprobs"]),
        mistake(say.one_path, "dcounts", lambda k: k["dcounts_sum"].expand_as(k["counts"])),
        mistake(say.one_path, "dcounts", lambda k: k["dcounts_sum"] * torch.ones_like(k["counts"])),
        mistake(
            say.node_sign, "dcounts", lambda k: k["counts_sum_inv"] * k["dprobs"] - k["dcounts_sum"]
        ),
        mistake(say.no_chain, "dnorm_logits", lambda k: k["counts"]),
        mistake(say.node_norm, "dnorm_logits", lambda k: k["dcounts"]),
        mistake(say.not_summed, "dlogit_maxes", lambda k: -k["dnorm_logits"]),
        mistake(say.node_sign, "dlogits", lambda k: -k["dnorm_logits"]),
        mistake(say.divided_twice, "dlogits", lambda k: k["dnorm_logits"] / len(k["truth"])),
        Misconception(say.float32, lambda z, y: tuple(d.to(z.dtype) for d in walk(z.float(), y))),
    ),
    outputs=NODES,
    given=FORWARD,
)


def averaged(dlogits_of_each: Any) -> Any:
    """The gradient of a mean, from that of each example."""

    def gradient(z: Tensor, y: Tensor) -> Tensor:
        counts = y != IGNORE
        each: Tensor = dlogits_of_each(z, y.where(counts, 0))
        return each.where(counts.unsqueeze(-1), 0) / counts.sum()

    return gradient


def minus_truth(p: Tensor, y: Tensor) -> Tensor:
    """Prediction minus truth."""
    return p - F.one_hot(y, p.shape[-1])


def each(z: Tensor, y: Tensor) -> Tensor:
    """The gradient of each example's own loss."""
    return minus_truth(softmax_stable(z), y)


def all_pairs(z: Tensor, y: Tensor) -> Tensor:
    """One subtracted in every target's column, in every row."""
    p = softmax_stable(z)
    p[:, y] -= 1
    return p / len(y)


cross_entropy_softmax_gradient = Rung(
    name="cross_entropy_softmax_gradient",
    parameters="logits, targets, ignore_index=-100",
    task="The gradient of the mean loss by the logits of shape (N, V), without autograd. "
    "Rows whose target equals ignore_index get 0.",
    place=say.CLOSED,
    right=right_gradient,
    tolerance=relative_to_largest,
    ideas=(
        Idea(say.prediction, (ONE, (rows([0.5, 2.5, 0.3, 1.0]), classes(2)))),
        Idea(say.one_over_n, (TWO, THREE)),
        Idea(say.overflow, ((rows([1000.0, 1001.0]), classes(0)), (rows([90.0, 0.0]), classes(0)))),
        Idea(say.far_rows, ((rows([2.0, 1.0], [-200.0, -201.0]), classes(0, 0)),)),
        Idea(say.ignored, (PADDED,), errors_miss_it=True),
        Idea(say.float32, in_float64((TWO,))),
        Idea(say.any_ignored, OTHERWISE_PADDED),
    ),
    misconceptions=(
        Misconception(say.turned, averaged(lambda z, y: -each(z, y))),
        Misconception(say.no_truth, averaged(lambda z, y: softmax_stable(z))),
        Misconception(
            say.target_only, averaged(lambda z, y: each(z, y) * F.one_hot(y, z.shape[-1]))
        ),
        Misconception(say.one_hot_width, lambda z, y: (softmax_stable(z) - F.one_hot(y)) / len(y)),
        Misconception(say.raw_logit_gradient, averaged(minus_truth)),
        Misconception(say.off_by_one, averaged(lambda z, y: each(z, (y - 1) % z.shape[-1]))),
        Misconception(say.off_by_one, averaged(lambda z, y: each(z, (y + 1) % z.shape[-1]))),
        Misconception(
            say.twice, averaged(lambda z, y: minus_truth(softmax_stable(softmax_stable(z)), y))
        ),
        Misconception(
            say.wrong_dim, averaged(lambda z, y: minus_truth(softmax_stable(z, dim=0), y))
        ),
        Misconception(
            say.whole_batch,
            averaged(lambda z, y: minus_truth(softmax_stable(z.flatten()).view_as(z), y)),
        ),
        Misconception(say.one_over_n, each),
        Misconception(say.divided_twice, lambda z, y: each(z, y) / len(y) ** 2),
        Misconception(say.by_classes, lambda z, y: each(z, y) / z.numel()),
        Misconception(say.all_pairs, all_pairs),
        Misconception(say.overflow, averaged(lambda z, y: minus_truth(softmax_naive(z), y))),
        Misconception(
            say.nan_to_num, averaged(lambda z, y: minus_truth(softmax_naive(z).nan_to_num(), y))
        ),
        Misconception(
            say.nan_to_num, averaged(lambda z, y: minus_truth(softmax_naive(z), y).nan_to_num())
        ),
        Misconception(
            say.global_max,
            averaged(lambda z, y: minus_truth(softmax_naive(z - z.max()), y)),
        ),
        Misconception(
            say.ignored_below,
            lambda z, y: averaged(each)(z, y) * (y != IGNORE).sum() / len(y),
        ),
        Misconception(
            say.ignored_above, lambda z, y: each(z, y.clamp(min=0)) / (y != IGNORE).sum()
        ),
        Misconception(say.ignored, lambda z, y: each(z, y.clamp(min=0)) / len(y)),
        Misconception(say.ignored, lambda z, y: each(z, y) / len(y)),
        Misconception(say.float32, in_float32(right_gradient)),
    ),
    large=LARGE,
)
