"""Wrong solutions, as learners write them: each is caught, with the message it must get."""

import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from softmax_ce import check
from softmax_ce.check import shrink
from softmax_ce.check.ladder import LADDER

Function = Callable[..., Any]
MUTANTS: list[tuple[str, str, Function]] = []


def mutant(rung: str, key: str) -> Callable[[Function], Function]:
    """Name the rung that a wrong solution is for, and the key of the message it must get."""

    def kept(function: Function) -> Function:
        MUTANTS.append((rung, key, function))
        return function

    return kept


def m(logits: Tensor, targets: Tensor) -> Tensor:
    """The log-odds of "not y", right, for mutants that go wrong elsewhere."""
    shifted = logits - logits.gather(1, targets[:, None])
    return shifted.scatter(1, targets[:, None], -math.inf).logsumexp(-1)


@mutant("log_odds", "odds")
def log_odds_odds_without_the_logarithm(logits: Tensor, i: int, j: int) -> Any:
    return logits[i].exp() / logits[j].exp()


@mutant("log_odds", "swapped")
def log_odds_the_other_way_round(logits: Tensor, i: int, j: int) -> Any:
    return logits[j] - logits[i]


@mutant("log_odds", "difference")
def log_odds_difference_of_probabilities(logits: Tensor, i: int, j: int) -> Any:
    p = torch.softmax(logits, -1)
    return p[i] - p[j]


@mutant("log_odds", "against-rest")
def log_odds_odds_against_the_rest(logits: Tensor, i: int, j: int) -> Any:
    p = torch.softmax(logits, -1)[i]
    return (p / (1 - p)).log()


@mutant("log_odds", "off-by-one")
def log_odds_classes_that_count_from_one(logits: Tensor, i: int, j: int) -> Any:
    return logits[i - 1] - logits[j - 1]


@mutant("log_odds", "bits")
def log_odds_in_bits(logits: Tensor, i: int, j: int) -> Any:
    return (logits[i] - logits[j]) / math.log(2)


@mutant("log_odds", "underflow")
def log_odds_quotient_of_probabilities(logits: Tensor, i: int, j: int) -> Any:
    p = torch.softmax(logits, -1)
    return (p[i] / p[j]).log()


@mutant("log_odds", "underflow")
def log_odds_logarithms_of_probabilities(logits: Tensor, i: int, j: int) -> Any:
    p = torch.softmax(logits, -1).log()
    return p[i] - p[j]


@mutant("log_odds", "type")
def log_odds_a_number_of_python(logits: Tensor, i: int, j: int) -> Any:
    return logits[i].item() - logits[j].item()


@mutant("softmax_naive", "linear")
def softmax_naive_shares_of_the_logits(logits: Tensor) -> Any:
    return logits / logits.sum()


@mutant("softmax_naive", "no-division")
def softmax_naive_exponentials_alone(logits: Tensor) -> Any:
    return logits.exp()


@mutant("softmax_naive", "by-maximum")
def softmax_naive_over_the_largest(logits: Tensor) -> Any:
    exps = logits.exp()
    return exps / exps.max()


@mutant("softmax_naive", "squares")
def softmax_naive_squares_over_their_sum(logits: Tensor) -> Any:
    return logits**2 / (logits**2).sum()


@mutant("softmax_naive", "sigmoid")
def softmax_naive_a_sigmoid_each(logits: Tensor) -> Any:
    return 1 / (1 + torch.exp(-logits))


@mutant("softmax_naive", "base-two")
def softmax_naive_powers_of_two(logits: Tensor) -> Any:
    powers = 2**logits
    return powers / powers.sum()


@mutant("softmax_naive", "negated")
def softmax_naive_smaller_is_better(logits: Tensor) -> Any:
    exps = torch.exp(-logits)
    return exps / exps.sum()


@mutant("softmax_naive", "softmax-twice")
def softmax_naive_softmax_of_softmax(logits: Tensor) -> Any:
    return F.softmax(F.softmax(logits, 0), 0)


@mutant("softmax_naive", "logarithm")
def softmax_naive_log_softmax(logits: Tensor) -> Any:
    return logits - logits.exp().sum().log()


@mutant("softmax_naive", "epsilon")
def softmax_naive_epsilon_below_the_line(logits: Tensor) -> Any:
    exps = logits.exp()
    return exps / (exps.sum() + 1e-8)


@mutant("softmax_naive", "changed")
def softmax_naive_in_place(logits: Tensor) -> Any:
    logits.exp_()
    return logits / logits.sum()


@mutant("softmax_naive", "none")
def softmax_naive_forgotten_return(logits: Tensor) -> None:
    exps = logits.exp()
    exps /= exps.sum()


@mutant("softmax_naive", "dtype")
def softmax_naive_always_float32(logits: Tensor) -> Any:
    exps = logits.float().exp()
    return exps / exps.sum()


@mutant("softmax_naive", "float32")
def softmax_naive_float32_inside(logits: Tensor) -> Any:
    exps = logits.float().exp()
    return (exps / exps.sum()).to(logits.dtype)


@mutant("softmax_naive", "error")
def softmax_naive_a_dimension_that_is_not_there(logits: Tensor) -> Any:
    return torch.softmax(logits, dim=1)


@mutant("softmax_naive", "type")
def softmax_naive_a_list(logits: Tensor) -> Any:
    exps = [math.exp(z) for z in logits.tolist()]
    return [e / sum(exps) for e in exps]


@mutant("softmax_naive", "shape")
def softmax_naive_keeps_a_dimension(logits: Tensor) -> Any:
    exps = logits.exp()
    return (exps / exps.sum()).unsqueeze(0)


@mutant("softmax_stable", "overflow")
def softmax_stable_no_shift(logits: Tensor) -> Any:
    exps = logits.exp()
    return exps / exps.sum()


@mutant("softmax_stable", "mean-shift")
def softmax_stable_minus_the_mean(logits: Tensor) -> Any:
    exps = (logits - logits.mean()).exp()
    return exps / exps.sum()


@mutant("softmax_stable", "min-shift")
def softmax_stable_minus_the_minimum(logits: Tensor) -> Any:
    exps = (logits - logits.min()).exp()
    return exps / exps.sum()


@mutant("softmax_stable", "half-shift")
def softmax_stable_shifted_above_only(logits: Tensor) -> Any:
    return (logits - logits.max()).exp() / logits.exp().sum()


@mutant("softmax_stable", "scaled")
def softmax_stable_divided_by_the_maximum(logits: Tensor) -> Any:
    exps = (logits / logits.max()).exp()
    return exps / exps.sum()


@mutant("softmax_stable", "clamped")
def softmax_stable_clamped_logits(logits: Tensor) -> Any:
    exps = logits.clamp(max=80).exp()
    return exps / exps.sum()


@mutant("softmax_stable", "nan-to-num")
def softmax_stable_painted_over(logits: Tensor) -> Any:
    exps = logits.exp()
    return torch.nan_to_num(exps / exps.sum())


@mutant("softmax_stable", "epsilon")
def softmax_stable_epsilon_below_the_line(logits: Tensor) -> Any:
    exps = (logits - logits.max()).exp()
    return exps / (exps.sum() + 1e-8)


@mutant("softmax_stable", "changed")
def softmax_stable_minus_in_place(logits: Tensor) -> Any:
    logits -= logits.max()
    exps = logits.exp()
    return exps / exps.sum()


@mutant("softmax_stable", "float32")
def softmax_stable_float32_inside(logits: Tensor) -> Any:
    exps = (logits - logits.max()).float().exp()
    return (exps / exps.sum()).to(logits.dtype)


@mutant("softmax_stable", "mask")
def softmax_stable_zero_times_infinity(logits: Tensor) -> Any:
    shifted = logits - logits.max()
    return torch.softmax(shifted * (shifted > -1e9), 0)


@mutant("softmax_stable", "dtype")
def softmax_stable_always_float64(logits: Tensor) -> Any:
    return torch.softmax(logits.double(), 0)


@mutant("softmax_batched", "wrong-dim")
def softmax_batched_down_the_columns(logits: Tensor) -> Any:
    return torch.softmax(logits, dim=0)


@mutant("softmax_batched", "whole-batch")
def softmax_batched_one_sum(logits: Tensor) -> Any:
    exps = (logits - logits.max()).exp()
    return exps / exps.sum()


@mutant("softmax_batched", "whole-batch")
def softmax_batched_one_sum_of_naive(logits: Tensor) -> Any:
    return logits.exp() / torch.sum(logits.exp())


@mutant("softmax_batched", "keepdim-sum")
def softmax_batched_sum_without_keepdim(logits: Tensor) -> Any:
    exps = logits.exp()
    return exps / exps.sum(-1)


@mutant("softmax_batched", "keepdim-sum")
def softmax_batched_sum_without_keepdim_of_shifted(logits: Tensor) -> Any:
    exps = (logits - logits.amax(-1, keepdim=True)).exp()
    return exps / exps.sum(-1)


@mutant("softmax_batched", "keepdim-max")
def softmax_batched_maximum_without_keepdim(logits: Tensor) -> Any:
    exps = (logits - logits.amax(-1)).exp()
    return exps / exps.sum(-1, keepdim=True)


@mutant("softmax_batched", "keepdim-sum")
def softmax_batched_nowhere_keepdim(logits: Tensor) -> Any:
    exps = (logits - logits.amax(-1)).exp()
    return exps / exps.sum(-1)


@mutant("softmax_batched", "fixed-dim")
def softmax_batched_dimension_one(logits: Tensor) -> Any:
    return torch.softmax(logits, dim=1)


@mutant("softmax_batched", "global-max")
def softmax_batched_one_maximum(logits: Tensor) -> Any:
    exps = (logits - logits.max()).exp()
    return exps / exps.sum(-1, keepdim=True)


@mutant("softmax_batched", "overflow")
def softmax_batched_no_shift(logits: Tensor) -> Any:
    exps = logits.exp()
    return exps / exps.sum(-1, keepdim=True)


@mutant("softmax_batched", "mean-shift")
def softmax_batched_minus_the_mean(logits: Tensor) -> Any:
    exps = (logits - logits.mean(-1, keepdim=True)).exp()
    return exps / exps.sum(-1, keepdim=True)


@mutant("softmax_batched", "min-shift")
def softmax_batched_minus_the_minimum(logits: Tensor) -> Any:
    exps = (logits - logits.amin(-1, keepdim=True)).exp()
    return exps / exps.sum(-1, keepdim=True)


@mutant("softmax_batched", "changed")
def softmax_batched_in_place(logits: Tensor) -> Any:
    logits.sub_(logits.amax(-1, keepdim=True)).exp_()
    return logits / logits.sum(-1, keepdim=True)


@mutant("softmax_batched", "error")
def softmax_batched_two_dimensions_only(logits: Tensor) -> Any:
    N, V = logits.shape
    return torch.softmax(logits.view(N, V), -1)


@mutant("logsumexp", "not-added-back")
def logsumexp_forgets_the_maximum(logits: Tensor) -> Any:
    top = logits.amax(-1, keepdim=True)
    return (logits - top).exp().sum(-1).log()


@mutant("logsumexp", "overflow")
def logsumexp_no_shift(logits: Tensor) -> Any:
    return logits.exp().sum(-1).log()


@mutant("logsumexp", "only-maximum")
def logsumexp_the_maximum(logits: Tensor) -> Any:
    return logits.amax(-1)


@mutant("logsumexp", "log-mean")
def logsumexp_logarithm_of_the_mean(logits: Tensor) -> Any:
    return logits.exp().mean(-1).log()


@mutant("logsumexp", "wrong-dim")
def logsumexp_down_the_columns(logits: Tensor) -> Any:
    return torch.logsumexp(logits, 0)


@mutant("logsumexp", "whole-batch")
def logsumexp_one_number(logits: Tensor) -> Any:
    top = logits.max()
    return top + (logits - top).exp().sum().log()


@mutant("logsumexp", "bits")
def logsumexp_in_bits(logits: Tensor) -> Any:
    return torch.logsumexp(logits, -1) / math.log(2)


@mutant("logsumexp", "global-max")
def logsumexp_one_maximum(logits: Tensor) -> Any:
    top = logits.max()
    return top + (logits - top).exp().sum(-1).log()


@mutant("logsumexp", "keepdim-max")
def logsumexp_maximum_without_keepdim(logits: Tensor) -> Any:
    top = logits.amax(-1)
    return top + (logits - top).exp().sum(-1).log()


@mutant("logsumexp", "empty")
def logsumexp_minus_infinity_minus_itself(logits: Tensor) -> Any:
    top = logits.amax(-1, keepdim=True)
    return top.squeeze(-1) + (logits - top).exp().sum(-1).log()


@mutant("logsumexp", "lse-gradient")
def logsumexp_half_detached(logits: Tensor) -> Any:
    top = logits.detach().amax(-1, keepdim=True).clamp(min=-1e30)
    return logits.amax(-1) + (logits - top).exp().sum(-1).log()


@mutant("logsumexp", "shape")
def logsumexp_keeps_the_dimension(logits: Tensor) -> Any:
    return torch.logsumexp(logits, -1, keepdim=True)


@mutant("logsumexp", "overflow")
def logsumexp_epsilon_in_the_logarithm(logits: Tensor) -> Any:
    return (logits.exp().sum(-1) + 1e-8).log()


@mutant("logsumexp", "epsilon")
def logsumexp_epsilon_beside_the_shift(logits: Tensor) -> Any:
    top = logits.amax(-1, keepdim=True).clamp(min=-1e9)
    total = (logits - top).exp().sum(-1)
    return torch.where(total == 0, -math.inf, top.squeeze(-1) + (total + 1e-8).log())


@mutant("softmax_stable", "overflow")
def softmax_stable_epsilon_instead_of_a_shift(logits: Tensor) -> Any:
    exps = logits.exp()
    return exps / (exps.sum() + 1e-8)


@mutant("logsumexp", "float32")
def logsumexp_float32_inside(logits: Tensor) -> Any:
    return torch.logsumexp(logits.float(), -1).to(logits.dtype)


@mutant("logsumexp", "mean-shift")
def logsumexp_minus_the_mean(logits: Tensor) -> Any:
    m = logits.mean(-1, keepdim=True)
    return m.squeeze(-1) + (logits - m).exp().sum(-1).log()


@mutant("cross_entropy", "sign")
def cross_entropy_plus(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    return -F.cross_entropy(logits, targets)


@mutant("cross_entropy", "no-log")
def cross_entropy_one_minus_p(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    p = torch.softmax(logits, -1)
    return (1 - p[torch.arange(len(p)), targets]).mean()


@mutant("cross_entropy", "raw-logit")
def cross_entropy_the_logit(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    return -logits[torch.arange(len(logits)), targets].mean()


@mutant("cross_entropy", "largest")
def cross_entropy_the_largest_class(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return F.cross_entropy(logits, logits.argmax(1))


@mutant("cross_entropy", "softmax-twice")
def cross_entropy_probabilities_as_logits(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return F.cross_entropy(torch.softmax(logits, -1), targets)


@mutant("cross_entropy", "one-hot-width")
def cross_entropy_narrow_one_hot(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    return -(F.one_hot(targets) * F.log_softmax(logits, -1)).sum(-1).mean()


@mutant("cross_entropy", "off-by-one")
def cross_entropy_targets_from_one(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return -F.log_softmax(logits, -1)[torch.arange(len(logits)), targets - 1].mean()


@mutant("cross_entropy", "wrong-dim")
def cross_entropy_down_the_columns(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return F.nll_loss(F.log_softmax(logits, 0), targets)


@mutant("cross_entropy", "no-mean")
def cross_entropy_a_sum(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    return F.cross_entropy(logits, targets, reduction="sum")


@mutant("cross_entropy", "divided-twice")
def cross_entropy_mean_over_n(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    return F.cross_entropy(logits, targets) / len(logits)


@mutant("cross_entropy", "by-classes")
def cross_entropy_mean_of_the_matrix(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return -(F.one_hot(targets, logits.shape[1]) * F.log_softmax(logits, -1)).mean()


@mutant("cross_entropy", "all-pairs")
def cross_entropy_every_target_of_every_row(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return -F.log_softmax(logits, -1)[:, targets].mean()


@mutant("cross_entropy", "underflow")
def cross_entropy_logarithm_of_softmax(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return F.nll_loss(torch.softmax(logits, -1).log(), targets)


@mutant("cross_entropy", "overflow")
def cross_entropy_logarithm_of_naive(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    p = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return F.nll_loss(p.log(), targets)


@mutant("cross_entropy", "epsilon")
def cross_entropy_capped(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    p = torch.softmax(logits, -1)
    return F.nll_loss((p + 1e-8).log(), targets)


@mutant("cross_entropy", "epsilon")
def cross_entropy_clamped_probability(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    p = torch.softmax(logits, -1)
    return F.nll_loss(p.clamp(min=1e-7).log(), targets)


@mutant("cross_entropy", "nan-to-num")
def cross_entropy_painted_over(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    p = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return F.nll_loss(p.log().nan_to_num(), targets)


@mutant("cross_entropy", "offset")
def cross_entropy_difference_of_large_numbers(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return (logits.logsumexp(-1) - logits[torch.arange(len(logits)), targets]).mean()


@mutant("cross_entropy", "detached")
def cross_entropy_detached_denominator(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    z = logits - logits.amax(-1, keepdim=True)
    return F.nll_loss(z - z.exp().sum(-1, keepdim=True).log().detach(), targets)


@mutant("cross_entropy", "detached")
def cross_entropy_detached_target(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    z = F.log_softmax(logits, -1)
    return F.nll_loss(z.detach(), targets)


@mutant("cross_entropy", "detached")
def cross_entropy_out_of_autograd(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    return torch.tensor(F.cross_entropy(logits, targets).item(), dtype=logits.dtype)


@mutant("cross_entropy", "ignored-denominator")
def cross_entropy_divides_by_all(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    return F.cross_entropy(logits, targets, reduction="sum") / len(targets)


@mutant("cross_entropy", "ignored-numerator")
def cross_entropy_sums_all(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    return F.cross_entropy(logits, targets.clamp(min=0), reduction="sum") / (targets >= 0).sum()


@mutant("cross_entropy", "ignored")
def cross_entropy_counts_all(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    return F.cross_entropy(logits, targets.clamp(min=0))


@mutant("cross_entropy", "ignored")
def cross_entropy_indexes_by_every_target(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return -torch.log_softmax(logits, -1)[range(len(targets)), targets].mean()


@mutant("cross_entropy_softmax_gradient", "ignored")
def cross_entropy_softmax_gradient_indexes_by_every_target(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    p = torch.softmax(logits, -1)
    p[range(len(targets)), targets] -= 1
    return p / len(targets)


@mutant("cross_entropy", "ignore-index")
def cross_entropy_minus_one_hundred(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return F.cross_entropy(logits, targets)


@mutant("cross_entropy", "ignore-index")
def cross_entropy_negative_targets(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    keep = targets >= 0
    return F.cross_entropy(logits[keep], targets[keep])


@mutant("cross_entropy", "ignore-index")
def cross_entropy_divides_by_other_than_minus_one_hundred(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    total = F.cross_entropy(logits, targets, ignore_index=ignore_index, reduction="sum")
    return total / (targets != -100).sum()


@mutant("cross_entropy", "error")
def cross_entropy_without_the_argument(logits: Tensor, targets: Tensor) -> Any:
    return F.cross_entropy(logits, targets)


@mutant("cross_entropy", "bits")
def cross_entropy_in_bits(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    return F.cross_entropy(logits, targets) / math.log(2)


@mutant("cross_entropy", "global-max")
def cross_entropy_one_maximum(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    z = logits - logits.max()
    return F.nll_loss(z - z.exp().sum(-1, keepdim=True).log(), targets)


@mutant("cross_entropy", "shape")
def cross_entropy_one_each(logits: Tensor, targets: Tensor, ignore_index: int = -100) -> Any:
    return F.cross_entropy(logits, targets, reduction="none")


@mutant("cross_entropy", "changed")
def cross_entropy_targets_in_place(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    targets.clamp_(min=0)
    logits -= logits.amax(-1, keepdim=True)
    return F.cross_entropy(logits, targets)


@mutant("cross_entropy_softmax_gradient", "one-hot-width")
def cross_entropy_softmax_gradient_narrow_one_hot(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return (torch.softmax(logits, -1) - F.one_hot(targets)) / len(targets)


@mutant("cross_entropy_softmax_gradient", "turned")
def cross_entropy_softmax_gradient_truth_minus_prediction(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return (F.one_hot(targets, logits.shape[1]) - torch.softmax(logits, -1)) / len(targets)


@mutant("cross_entropy_softmax_gradient", "no-truth")
def cross_entropy_softmax_gradient_prediction_alone(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return torch.softmax(logits, -1) / len(targets)


@mutant("cross_entropy_softmax_gradient", "one-over-n")
def cross_entropy_softmax_gradient_no_division(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    p = torch.softmax(logits, -1)
    p[torch.arange(len(p)), targets] -= 1
    return p


@mutant("cross_entropy_softmax_gradient", "divided-twice")
def cross_entropy_softmax_gradient_divided_twice(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    N = len(targets)
    return (torch.softmax(logits, -1) - F.one_hot(targets, logits.shape[1])) / N / N


@mutant("cross_entropy_softmax_gradient", "by-classes")
def cross_entropy_softmax_gradient_divided_by_all(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return (torch.softmax(logits, -1) - F.one_hot(targets, logits.shape[1])) / logits.numel()


@mutant("cross_entropy_softmax_gradient", "all-pairs")
def cross_entropy_softmax_gradient_every_column(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    p = torch.softmax(logits, -1)
    p[:, targets] -= 1
    return p / len(p)


@mutant("cross_entropy_softmax_gradient", "target-only")
def cross_entropy_softmax_gradient_the_target_alone(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    y = F.one_hot(targets, logits.shape[1])
    return (torch.softmax(logits, -1) - 1) * y / len(targets)


@mutant("cross_entropy_softmax_gradient", "off-by-one")
def cross_entropy_softmax_gradient_targets_from_one(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    p = torch.softmax(logits, -1)
    p[torch.arange(len(p)), targets - 1] -= 1
    return p / len(p)


@mutant("cross_entropy_softmax_gradient", "wrong-dim")
def cross_entropy_softmax_gradient_down_the_columns(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return (torch.softmax(logits, 0) - F.one_hot(targets, logits.shape[1])) / len(targets)


@mutant("cross_entropy_softmax_gradient", "softmax-twice")
def cross_entropy_softmax_gradient_softmax_of_softmax(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    p = torch.softmax(torch.softmax(logits, -1), -1)
    return (p - F.one_hot(targets, logits.shape[1])) / len(p)


@mutant("cross_entropy_softmax_gradient", "overflow")
def cross_entropy_softmax_gradient_no_shift(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    p = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return (p - F.one_hot(targets, logits.shape[1])) / len(p)


@mutant("cross_entropy_softmax_gradient", "ignored")
def cross_entropy_softmax_gradient_like_any_class(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    p = torch.softmax(logits, -1)
    return (p - F.one_hot(targets.clamp(min=0), p.shape[1])) / len(p)


@mutant("cross_entropy_softmax_gradient", "ignored-denominator")
def cross_entropy_softmax_gradient_divides_by_all(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    p = torch.softmax(logits, -1)
    counts = (targets >= 0)[:, None]
    return (p - F.one_hot(targets.clamp(min=0), p.shape[1])) * counts / len(p)


@mutant("cross_entropy_softmax_gradient", "ignored-numerator")
def cross_entropy_softmax_gradient_keeps_the_rows(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    p = torch.softmax(logits, -1)
    return (p - F.one_hot(targets.clamp(min=0), p.shape[1])) / (targets >= 0).sum()


@mutant("cross_entropy_softmax_gradient", "ignore-index")
def cross_entropy_softmax_gradient_negative_targets(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    p = torch.softmax(logits, -1)
    keep = (targets >= 0)[:, None]
    return (p - F.one_hot(targets.clamp(min=0), p.shape[1])) * keep / keep.sum()


@mutant("cross_entropy_softmax_gradient", "raw-logits")
def cross_entropy_softmax_gradient_logits_minus_truth(
    logits: Tensor, targets: Tensor, ignore_index: int = -100
) -> Any:
    return (logits - F.one_hot(targets, logits.shape[1])) / len(targets)


@mutant("cross_entropy_third_form", "textbook")
def cross_entropy_third_form_as_pytorch_does(logits: Tensor, targets: Tensor) -> Any:
    return F.cross_entropy(logits, targets, reduction="none")


@mutant("cross_entropy_third_form", "each")
def cross_entropy_third_form_a_mean(logits: Tensor, targets: Tensor) -> Any:
    return F.softplus(m(logits, targets)).mean()


@mutant("cross_entropy_third_form", "no-log1p")
def cross_entropy_third_form_logarithm_of_a_sum(logits: Tensor, targets: Tensor) -> Any:
    return (1 + m(logits, targets).exp()).log()


@mutant("cross_entropy_third_form", "softplus-overflow")
def cross_entropy_third_form_exponential_of_m(logits: Tensor, targets: Tensor) -> Any:
    return m(logits, targets).exp().log1p()


@mutant("cross_entropy_third_form", "with-target")
def cross_entropy_third_form_target_left_in(logits: Tensor, targets: Tensor) -> Any:
    return F.softplus(logits.logsumexp(-1) - logits.gather(1, targets[:, None])[:, 0])


@mutant("cross_entropy_third_form", "turned-m")
def cross_entropy_third_form_minus_m(logits: Tensor, targets: Tensor) -> Any:
    return F.softplus(-m(logits, targets))


@mutant("cross_entropy_third_form", "zero-mask")
def cross_entropy_third_form_masked_by_zero(logits: Tensor, targets: Tensor) -> Any:
    z = logits * (1 - F.one_hot(targets, logits.shape[1]))
    return F.softplus(z.logsumexp(-1) - logits.gather(1, targets[:, None])[:, 0])


@mutant("cross_entropy_third_form", "others-maximum")
def cross_entropy_third_form_largest_other(logits: Tensor, targets: Tensor) -> Any:
    z = logits.scatter(1, targets[:, None], -math.inf)
    return F.softplus(z.amax(-1) - logits.gather(1, targets[:, None])[:, 0])


@mutant("cross_entropy_third_form", "no-softplus")
def cross_entropy_third_form_m_itself(logits: Tensor, targets: Tensor) -> Any:
    return m(logits, targets)


@mutant("cross_entropy_third_form", "offset")
def cross_entropy_third_form_unshifted(logits: Tensor, targets: Tensor) -> Any:
    z = logits.scatter(1, targets[:, None], -math.inf)
    return F.softplus(z.logsumexp(-1) - logits.gather(1, targets[:, None])[:, 0])


@mutant("cross_entropy_third_form", "sign")
def cross_entropy_third_form_minus(logits: Tensor, targets: Tensor) -> Any:
    return -F.softplus(m(logits, targets))


@mutant("cross_entropy_third_form", "sigmoid-gradient")
def cross_entropy_third_form_detached(logits: Tensor, targets: Tensor) -> Any:
    return F.softplus(m(logits.detach(), targets) + 0 * logits.sum(-1))


@mutant("cross_entropy_third_form", "float32")
def cross_entropy_third_form_float32_inside(logits: Tensor, targets: Tensor) -> Any:
    return F.softplus(m(logits.float(), targets)).to(logits.dtype)


@mutant("softmax_temperature", "no-temperature")
def softmax_temperature_without_t(logits: Tensor, T: float) -> Any:
    return torch.softmax(logits, -1)


@mutant("softmax_temperature", "multiplied")
def softmax_temperature_times_t(logits: Tensor, T: float) -> Any:
    return torch.softmax(logits * T, -1)


@mutant("softmax_temperature", "divides-probs")
def softmax_temperature_probabilities_over_t(logits: Tensor, T: float) -> Any:
    return torch.softmax(logits, -1) / T


@mutant("softmax_temperature", "unnormalised")
def softmax_temperature_powers(logits: Tensor, T: float) -> Any:
    return torch.softmax(logits, -1) ** (1 / T)


@mutant("softmax_temperature", "squared")
def softmax_temperature_over_t_squared(logits: Tensor, T: float) -> Any:
    return torch.softmax(logits / T / T, -1)


@mutant("softmax_temperature", "softmax-twice")
def softmax_temperature_softmax_of_probabilities(logits: Tensor, T: float) -> Any:
    return torch.softmax(torch.softmax(logits, -1) / T, -1)


@mutant("softmax_temperature", "wrong-dim")
def softmax_temperature_down_the_columns(logits: Tensor, T: float) -> Any:
    return torch.softmax(logits / T, 0)


@mutant("softmax_temperature", "overflow")
def softmax_temperature_no_shift(logits: Tensor, T: float) -> Any:
    exps = (logits / T).exp()
    return exps / exps.sum(-1, keepdim=True)


@mutant("softmax_temperature", "divides-first")
def softmax_temperature_divide_then_shift(logits: Tensor, T: float) -> Any:
    z = logits / T
    exps = (z - z.amax(-1, keepdim=True)).exp()
    return exps / exps.sum(-1, keepdim=True)


@mutant("softmax_temperature", "t-zero")
def softmax_temperature_nan_at_zero(logits: Tensor, T: float) -> Any:
    z = (logits - logits.amax(-1, keepdim=True)) / T
    return torch.softmax(z, -1)


@mutant("softmax_temperature", "t-negative")
def softmax_temperature_of_any_sign(logits: Tensor, T: float) -> Any:
    if T == 0:
        raise ValueError("T must not be 0")
    return torch.softmax((logits - logits.amax(-1, keepdim=True)) / T, -1)


@mutant("softmax_temperature", "t-infinite")
def softmax_temperature_nan_at_infinity(logits: Tensor, T: float) -> Any:
    if T <= 0:
        raise ValueError("T must be positive")
    z = logits - logits.amax(-1, keepdim=True)
    return torch.softmax(z * T / T / T, -1)


@mutant("softmax_temperature", "ties")
def softmax_temperature_argmax_at_zero(logits: Tensor, T: float) -> Any:
    z = logits - logits.amax(-1, keepdim=True)
    return torch.softmax(z / T, -1) if T else F.one_hot(z.argmax(-1), z.shape[-1]).to(z.dtype)


@mutant("softmax_temperature", "t-epsilon")
def softmax_temperature_epsilon_on_t(logits: Tensor, T: float) -> Any:
    z = logits - logits.amax(-1, keepdim=True)
    return torch.softmax(z / (T + 1e-8), -1)


@mutant("softmax_temperature", "undivided-maximum")
def softmax_temperature_maximum_not_divided(logits: Tensor, T: float) -> Any:
    exps = torch.exp(logits / T - logits.amax(-1, keepdim=True))
    return exps / exps.sum(-1, keepdim=True)


@mutant("softmax_temperature", "global-max")
def softmax_temperature_one_maximum(logits: Tensor, T: float) -> Any:
    exps = ((logits - logits.max()) / T).exp()
    return exps / exps.sum(-1, keepdim=True)


@mutant("softmax_temperature", "changed")
def softmax_temperature_in_place(logits: Tensor, T: float) -> Any:
    logits.div_(T)
    return torch.softmax(logits, -1)


@mutant("merge_logsumexp", "added")
def merge_logsumexp_a_sum(first: Tensor, second: Tensor) -> Any:
    return first + second


@mutant("merge_logsumexp", "averaged")
def merge_logsumexp_a_mean(first: Tensor, second: Tensor) -> Any:
    return (first + second) / 2


@mutant("merge_logsumexp", "only-maximum")
def merge_logsumexp_the_maximum(first: Tensor, second: Tensor) -> Any:
    return torch.maximum(first, second)


@mutant("merge_logsumexp", "no-maximum")
def merge_logsumexp_without_the_maximum(first: Tensor, second: Tensor) -> Any:
    return torch.log1p(torch.exp(-(first - second).abs()))


@mutant("merge_logsumexp", "turned-gap")
def merge_logsumexp_plus_the_gap(first: Tensor, second: Tensor) -> Any:
    return torch.maximum(first, second) + torch.log1p(torch.exp((first - second).abs()))


@mutant("merge_logsumexp", "overflow")
def merge_logsumexp_no_shift(first: Tensor, second: Tensor) -> Any:
    return (first.exp() + second.exp()).log()


@mutant("merge_logsumexp", "first-on-top")
def merge_logsumexp_shifted_by_the_first(first: Tensor, second: Tensor) -> Any:
    return first + torch.log1p(torch.exp(second - first))


@mutant("merge_logsumexp", "empty-shard")
def merge_logsumexp_nan_of_two_empty_ones(first: Tensor, second: Tensor) -> Any:
    return torch.maximum(first, second) + torch.log1p(torch.exp(-(first - second).abs()))


@mutant("merge_logsumexp", "log-mean")
def merge_logsumexp_logarithm_of_the_mean(first: Tensor, second: Tensor) -> Any:
    return torch.logaddexp(first, second) - math.log(2)


@mutant("merge_logsumexp", "shape")
def merge_logsumexp_both_at_once(first: Tensor, second: Tensor) -> Any:
    return torch.logsumexp(torch.stack([first, second]), 0, keepdim=True)


@mutant("merge_logsumexp", "type")
def merge_logsumexp_numbers_of_python(first: Tensor, second: Tensor) -> Any:
    return max(first.max().item(), second.max().item())


@mutant("merge_logsumexp", "epsilon")
def merge_logsumexp_epsilon_beside_the_shift(first: Tensor, second: Tensor) -> Any:
    top = torch.maximum(first, second).clamp(min=-1e9)
    total = (first - top).exp() + (second - top).exp()
    return torch.where(total == 0, -math.inf, top + (total + 1e-8).log())


@mutant("merge_logsumexp", "float32")
def merge_logsumexp_float32_inside(first: Tensor, second: Tensor) -> Any:
    return torch.logaddexp(first.float(), second.float()).to(first.dtype)


def backward(
    logits: Tensor, targets: Tensor, node: str = "", line: Function | None = None
) -> tuple[Tensor, ...]:
    """The walk back, right but for one line."""
    N, V = logits.shape
    norm_logits = logits - logits.amax(1, keepdim=True)
    counts = norm_logits.exp()
    counts_sum = counts.sum(1, keepdim=True)
    counts_sum_inv = counts_sum**-1
    probs = counts * counts_sum_inv
    k: dict[str, Any] = {"N": N, "V": V, "counts": counts, "counts_sum": counts_sum, "probs": probs}
    k |= {"counts_sum_inv": counts_sum_inv, "y": F.one_hot(targets, V).to(logits.dtype)}

    def step(name: str, right: Tensor) -> Any:
        k[name] = line(k) if line and name == node else right
        return k[name]

    dlogprobs = step("dlogprobs", -k["y"] / N)
    dprobs = step("dprobs", dlogprobs / probs)
    dinv = step("dcounts_sum_inv", (counts * dprobs).sum(1, keepdim=True))
    dsum = step("dcounts_sum", -dinv / counts_sum**2)
    dcounts = step("dcounts", counts_sum_inv * dprobs + dsum)
    dnorm = step("dnorm_logits", counts * dcounts)
    dmaxes = step("dlogit_maxes", -dnorm.sum(1, keepdim=True))
    dlogits = step("dlogits", dnorm + 0 * dmaxes)
    return dlogprobs, dprobs, dinv, dsum, dcounts, dnorm, dmaxes, dlogits


def broken(key: str, node: str, line: Function) -> None:
    """A mutant of the walk back with another line at one node."""

    def wrong(logits: Tensor, targets: Tensor) -> Any:
        return backward(logits, targets, node, line)

    wrong.__name__ = f"backward_{node}_{key}"
    mutant("backward_by_hand", key)(wrong)


broken("one-over-n", "dlogprobs", lambda k: -k["y"])
broken("by-classes", "dlogprobs", lambda k: -k["y"] / k["N"] / k["V"])
broken("divided-twice", "dlogprobs", lambda k: -k["y"] / k["N"] ** 2)
broken("node-sign", "dlogprobs", lambda k: k["y"] / k["N"])
broken("no-chain", "dprobs", lambda k: 1 / k["probs"])
broken("dprobs", "dprobs", lambda k: k["dlogprobs"] * k["probs"])
broken("not-summed", "dcounts_sum_inv", lambda k: k["counts"] * k["dprobs"])
broken("node-sign", "dcounts_sum", lambda k: k["dcounts_sum_inv"] / k["counts_sum"] ** 2)
broken("one-path", "dcounts", lambda k: k["counts_sum_inv"] * k["dprobs"])
broken("one-path", "dcounts", lambda k: k["dcounts_sum"] + 0 * k["counts"])
broken("dnorm_logits", "dnorm_logits", lambda k: k["dcounts"] * 1)
broken("not-summed", "dlogit_maxes", lambda k: -k["dnorm_logits"])
broken("node-sign", "dlogits", lambda k: -k["dnorm_logits"])
broken("dlogits-node", "dlogits", lambda k: k["probs"])


@mutant("backward_by_hand", "outputs")
def backward_by_hand_dlogits_alone(logits: Tensor, targets: Tensor) -> Any:
    return backward(logits, targets)[-1]


@pytest.mark.parametrize(
    ("rung", "key", "function"),
    MUTANTS,
    ids=[f"{rung}-{key}-{function.__name__}" for rung, key, function in MUTANTS],
)
def test_a_wrong_solution_gets_its_message(rung: str, key: str, function: Function) -> None:
    verdict = check.verdict(rung, function)
    assert verdict.key == key, verdict.text
    assert not verdict.right
    assert verdict.text.startswith(f"{rung}: ")


def test_every_rung_has_at_least_five_mutants_and_all_have_sixty() -> None:
    counts = Counter(rung for rung, _, _ in MUTANTS)
    assert set(counts) == set(LADDER)
    assert min(counts.values()) >= 5
    assert counts.total() >= 60


@pytest.mark.parametrize("rung", LADDER)
def test_every_mistake_that_a_rung_knows_is_caught_as_what_it_is(
    rung: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shrink, "SECONDS", 0)  # no need to search for the smallest input
    for known in LADDER[rung].misconceptions:
        verdict = check.verdict(rung, known.wrong)
        assert verdict.key == known.lesson.key, verdict.text
