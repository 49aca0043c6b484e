"""Right solutions in many styles pass: a checker that cries wolf teaches nothing."""

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

import softmax_ce
from softmax_ce import check
from softmax_ce.check.ladder import LADDER

Function = Callable[..., Any]
RIGHT: list[tuple[str, Function]] = []


def right(*rungs: str) -> Callable[[Function], Function]:
    """Name the rungs that a solution is right for."""

    def kept(function: Function) -> Function:
        RIGHT.extend((rung, function) for rung in rungs)
        return function

    return kept


SOFTMAXES = ("softmax_naive", "softmax_stable", "softmax_batched")


@right("log_odds")
def gap(logits: Tensor, i: int, j: int) -> Tensor:
    return logits[i] - logits[j]


@right("log_odds")
def difference_of_log_probabilities(logits: Tensor, i: int, j: int) -> Tensor:
    log_probs = torch.log_softmax(logits, 0)
    return log_probs[i] - log_probs[j]


@right("log_odds")
def gap_by_einsum(logits: Tensor, i: int, j: int) -> Tensor:
    weights = torch.zeros_like(logits)
    weights[i], weights[j] = 1, -1
    return torch.einsum("v,v->", logits, weights)


@right("softmax_naive")
def definition(logits: Tensor) -> Tensor:
    exps = torch.exp(logits)
    return exps / torch.sum(exps)


@right("softmax_naive", "softmax_stable")
def python_loop(logits: Tensor) -> Tensor:
    top = max(logits.tolist())
    exps = [math.exp(z - top) for z in logits.tolist()]
    return torch.tensor([e / sum(exps) for e in exps], dtype=logits.dtype)


@right(*SOFTMAXES)
def torch_softmax(logits: Tensor) -> Tensor:
    return torch.softmax(logits, dim=-1)


@right(*SOFTMAXES)
def module(logits: Tensor) -> Any:
    return torch.nn.Softmax(dim=-1)(logits)


@right(*SOFTMAXES)
def max_with_values(logits: Tensor) -> Tensor:
    exps = torch.exp(logits - logits.max(dim=-1, keepdim=True).values)
    return exps / exps.sum(dim=-1, keepdim=True)


@right(*SOFTMAXES)
def detached_maximum(logits: Tensor) -> Tensor:
    exps = (logits - logits.detach().amax(-1)[..., None]).exp()
    return exps / exps.sum(-1)[..., None]


@right(*SOFTMAXES)
def einsum(logits: Tensor) -> Tensor:
    exps = (logits - logits.amax(-1, keepdim=True)).exp()
    return torch.einsum("...v,...->...v", exps, 1 / torch.einsum("...v->...", exps))


@right(*SOFTMAXES)
def float64_inside(logits: Tensor) -> Tensor:
    z = logits.double()
    exps = (z - z.amax(-1, keepdim=True)).exp()
    return (exps / exps.sum(-1, keepdim=True)).to(logits.dtype)


@right(*SOFTMAXES)
def in_place_on_a_clone(logits: Tensor) -> Tensor:
    z = logits.clone()
    z -= z.amax(-1, keepdim=True)
    z.exp_()
    z /= z.sum(-1, keepdim=True)
    return z


@right(*SOFTMAXES)
def through_numpy(logits: Tensor) -> Tensor:
    z = logits.numpy()
    exps = np.exp(z - z.max(axis=-1, keepdims=True))
    return torch.from_numpy(exps / exps.sum(axis=-1, keepdims=True))


@right(*SOFTMAXES)
def exponential_of_log_softmax(logits: Tensor) -> Tensor:
    return F.log_softmax(logits, -1).exp()


@right(*SOFTMAXES)
def exponential_of_a_difference(logits: Tensor) -> Tensor:
    return (logits - torch.logsumexp(logits, -1, keepdim=True)).exp()


@right(*SOFTMAXES)
def gradient_of_logsumexp(logits: Tensor) -> Any:
    return torch.func.grad(lambda z: z.logsumexp(-1).sum())(logits)


@right("softmax_stable")
def sorted_sum(logits: Tensor) -> Tensor:
    exps = (logits - logits.max()).exp()
    return exps / exps.sort().values.cumsum(0)[-1]


@right("softmax_stable")
def one_over_sum_of_gaps(logits: Tensor) -> Tensor:
    finite = logits.clamp(min=-1e30)
    return 1 / (finite[None, :] - finite[:, None]).exp().sum(1)


@right("softmax_batched")
def rows_in_a_loop(logits: Tensor) -> Tensor:
    flat = logits.reshape(-1, logits.shape[-1])
    each = [(z - z.max()).exp() / (z - z.max()).exp().sum() for z in flat]
    return torch.stack(each).view(logits.shape)


@right("softmax_batched")
def vmapped(logits: Tensor) -> Any:
    function: Function = torch_softmax
    for _ in range(logits.ndim - 1):
        function = torch.func.vmap(function)
    return function(logits)


@right("softmax_batched")
def with_a_dim(logits: Tensor, dim: int = -1) -> Tensor:
    return softmax_ce.softmax_stable(logits, dim)


@right("logsumexp")
def torch_logsumexp(logits: Tensor) -> Tensor:
    return torch.logsumexp(logits, dim=-1)


@right("logsumexp")
def the_package(logits: Tensor) -> Tensor:
    return softmax_ce.logsumexp(logits)


@right("logsumexp")
def folded_by_logaddexp(logits: Tensor) -> Tensor:
    total = logits[..., 0]
    for z in logits.unbind(-1)[1:]:
        total = torch.logaddexp(total, z)
    return total


@right("logsumexp")
def both_detached(logits: Tensor) -> Tensor:
    top = logits.detach().amax(-1, keepdim=True)
    top = torch.where(top == -math.inf, 0.0, top)
    return top.squeeze(-1) + (logits - top).exp().sum(-1).log()


@right("logsumexp")
def logsumexp_through_numpy(logits: Tensor) -> Tensor:
    return torch.from_numpy(np.asarray(np.logaddexp.reduce(logits.detach().numpy(), axis=-1)))


@right("cross_entropy")
def library(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    return F.cross_entropy(logits, targets, ignore_index=ignore_index)


@right("cross_entropy")
def indexed(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    keep = targets != ignore_index
    logits, targets = logits[keep], targets[keep]
    log_probs = torch.log_softmax(logits, -1)
    return -log_probs[torch.arange(len(targets)), targets].mean()


@right("cross_entropy")
def one_hot(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    keep = (targets != ignore_index).to(logits.dtype)
    z = logits - logits.amax(-1, keepdim=True)
    truth = F.one_hot(targets.clamp(min=0), logits.shape[-1]).to(logits.dtype)
    losses = z.exp().sum(-1).log() - torch.einsum("nv,nv->n", z, truth)
    return (losses * keep).sum() / keep.sum()


@right("cross_entropy")
def rows_of_losses(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    losses = [
        (z - z[y]).logsumexp(0)
        for z, y in zip(logits, targets.tolist(), strict=True)
        if y != ignore_index
    ]
    return torch.stack(losses).mean()


@right("cross_entropy")
def in_float64(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    log_probs = logits.double().log_softmax(-1)
    return F.nll_loss(log_probs, targets, ignore_index=ignore_index).to(logits.dtype)


@right("cross_entropy")
def third_form_on_average(logits: Tensor, targets: Tensor, **options: Any) -> Tensor:
    return softmax_ce.cross_entropy(logits, targets, **options)


@right("backward_by_hand")
def retained_by_autograd(logits: Tensor, targets: Tensor) -> list[Tensor]:
    logits = logits.clone().requires_grad_()
    maxes = logits.max(1, keepdim=True).values
    norm_logits = logits - maxes
    counts = norm_logits.exp()
    counts_sum = counts.sum(1, keepdim=True)
    inverse = counts_sum**-1
    probs = counts * inverse
    logprobs = probs.log()
    loss = -logprobs[range(len(targets)), targets].mean()
    nodes = (logprobs, probs, inverse, counts_sum, counts, norm_logits, maxes, logits)
    return list(torch.autograd.grad(loss, nodes))


@right("backward_by_hand")
def as_makemore_does(logits: Tensor, targets: Tensor) -> tuple[Tensor, ...]:
    n = logits.shape[0]
    logit_maxes = logits.max(1, keepdim=True).values
    counts = (logits - logit_maxes).exp()
    counts_sum = counts.sum(1, keepdim=True)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv
    dlogprobs = torch.zeros_like(probs)
    dlogprobs[range(n), targets] = -1.0 / n
    dprobs = (1.0 / probs) * dlogprobs
    dcounts_sum_inv = (counts * dprobs).sum(1, keepdim=True)
    dcounts = counts_sum_inv * dprobs
    dcounts_sum = (-(counts_sum**-2)) * dcounts_sum_inv
    dcounts += torch.ones_like(counts) * dcounts_sum
    dnorm_logits = counts * dcounts
    dlogits = dnorm_logits.clone()
    dlogit_maxes = (-dnorm_logits).sum(1, keepdim=True)
    top = logits.max(1).indices
    dlogits += F.one_hot(top, num_classes=logits.shape[1]) * dlogit_maxes
    return (
        dlogprobs,
        dprobs,
        dcounts_sum_inv,
        dcounts_sum,
        dcounts,
        dnorm_logits,
        dlogit_maxes,
        dlogits,
    )


@right("backward_by_hand")
def with_an_exact_zero(logits: Tensor, targets: Tensor) -> tuple[Tensor, ...]:
    *nodes, maxes, dlogits = as_makemore_does(logits, targets)
    return (*nodes, torch.zeros_like(maxes), dlogits)


@right("cross_entropy_softmax_gradient")
def prediction_minus_truth(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    keep = targets != ignore_index
    dlogits = torch.softmax(logits, -1)
    dlogits[torch.arange(len(targets)), targets.clamp(min=0)] -= 1
    return dlogits * keep[:, None] / keep.sum()


@right("cross_entropy_softmax_gradient")
def by_autograd(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    logits = logits.clone().requires_grad_()
    loss = F.cross_entropy(logits, targets, ignore_index=ignore_index)
    return torch.autograd.grad(loss, logits)[0]


@right("cross_entropy_softmax_gradient")
def by_torch_func(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    return torch.func.grad(F.cross_entropy)(logits, targets, ignore_index=ignore_index)


@right("cross_entropy_softmax_gradient")
def row_by_row(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Tensor:
    out = torch.zeros_like(logits)
    count = int((targets != ignore_index).sum())
    for n, y in enumerate(targets.tolist()):
        if y != ignore_index:
            out[n] = torch.softmax(logits[n], 0) / count
            out[n, y] -= 1 / count
    return out


@right("cross_entropy_third_form")
def softplus_of_m(logits: Tensor, targets: Tensor) -> Tensor:
    index = targets.unsqueeze(-1)
    z = logits - logits.gather(-1, index)
    return F.softplus(z.scatter(-1, index, -math.inf).logsumexp(-1))


@right("cross_entropy_third_form")
def logaddexp_with_zero(logits: Tensor, targets: Tensor) -> Tensor:
    truth = F.one_hot(targets, logits.shape[-1]).bool()
    z = logits - logits[truth][:, None]
    m = z.masked_fill(truth, -torch.inf).logsumexp(-1)
    return m.clamp(min=0) + torch.log1p(torch.exp(-m.abs()))


@right("cross_entropy_third_form")
def others_row_by_row(logits: Tensor, targets: Tensor) -> Tensor:
    losses = []
    for z, y in zip(logits, targets.tolist(), strict=True):
        others = torch.cat([z[:y], z[y + 1 :]]) - z[y]
        losses.append(torch.logaddexp(torch.logsumexp(others, 0), torch.zeros_like(z[y])))
    return torch.stack(losses)


@right("cross_entropy_third_form")
def of_the_package(logits: Tensor, targets: Tensor) -> Tensor:
    return softmax_ce.cross_entropy(logits, targets, reduction="none")


@right("softmax_temperature")
def shift_then_divide(logits: Tensor, T: float) -> Tensor:
    if T <= 0:
        raise ValueError("T must be positive")
    return torch.softmax((logits - logits.amax(-1, keepdim=True)) / T, -1)


@right("softmax_temperature")
def with_its_limit(logits: Tensor, T: float) -> Tensor:
    z = logits - logits.amax(-1, keepdim=True)
    if T < 0:
        raise ValueError("T must not be negative")
    exps = (z / T).exp() if T else (z == 0).to(z.dtype)
    return exps / exps.sum(-1, keepdim=True)


@right("softmax_temperature")
def divided_in_float64(logits: Tensor, T: float) -> Tensor:
    assert T > 0, "T must be positive"
    return torch.softmax(logits.double() / T, -1).to(logits.dtype)


@right("softmax_temperature")
def times_the_inverse(logits: Tensor, T: float) -> Tensor:
    beta = 1 / T
    assert beta > 0
    return torch.softmax(beta * (logits - logits.amax(-1, keepdim=True)), -1)


@right("merge_logsumexp")
def logaddexp(first: Tensor, second: Tensor) -> Tensor:
    return torch.logaddexp(first, second)


@right("merge_logsumexp")
def stacked(first: Tensor, second: Tensor) -> Tensor:
    return torch.logsumexp(torch.stack([first, second], dim=-1), dim=-1)


@right("merge_logsumexp")
def merged_through_numpy(first: Tensor, second: Tensor) -> Tensor:
    return torch.from_numpy(np.logaddexp(first.numpy(), second.numpy()))


@right("merge_logsumexp")
def larger_first(first: Tensor, second: Tensor) -> Tensor:
    top = torch.maximum(first, second)
    safe = torch.where(top.isinf(), 0.0, top)
    return safe + ((first - safe).exp() + (second - safe).exp()).log()


@pytest.mark.parametrize(
    ("rung", "function"), RIGHT, ids=[f"{rung}-{function.__name__}" for rung, function in RIGHT]
)
def test_a_right_solution_passes(rung: str, function: Function) -> None:
    verdict = check.verdict(rung, function)
    assert verdict.right, verdict.text
    assert verdict.text.startswith(f"{rung}: right, on ")


def test_there_are_at_least_twenty_five_and_one_for_every_rung() -> None:
    assert len({function for _, function in RIGHT}) >= 25
    assert set(Counter(rung for rung, _ in RIGHT)) == set(LADDER)


def test_the_own_answer_of_a_rung_passes_without_a_warning() -> None:
    for name, rung in LADDER.items():
        verdict = check.verdict(name, rung.right)
        assert verdict.text.count("\n") == 0
        assert verdict.right
        assert not verdict.slow
