"""The chapter Accuracy: what a stable form still loses, and the bound on it.

`test_loss` has the third form's own accuracy and the deaths of the textbook composition,
`test_softmax` the bound of the shifted form.
"""

import math

import mpmath as mp
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, inf

from softmax_ce import cross_entropy, softmax_naive, softmax_stable

F16, BF16, F32, F64 = torch.float16, torch.bfloat16, torch.float32, torch.float64
U = torch.finfo(F32).eps / 2

rows = st.lists(st.floats(-40, 40, width=32), min_size=2, max_size=9).map(torch.tensor)


def relative_errors(probs: Tensor, logits: Tensor) -> Tensor:
    """Of each probability, against mpmath."""
    exps = [mp.exp(mp.mpf(z)) for z in logits.tolist()]
    exact = [e / mp.fsum(exps) for e in exps]
    return torch.tensor(
        [float(abs(p / e - 1)) for p, e in zip(probs.tolist(), exact, strict=True)], dtype=F64
    )


# Theorems


@given(rows)
def test_the_gradient_at_the_target_is_minus_sigmoid_of_the_log_odds(row: Tensor) -> None:
    logits = row.double().requires_grad_()
    (gradient,) = torch.autograd.grad(cross_entropy(logits, 0), logits)
    m = torch.logsumexp(logits[1:], -1) - logits[0]
    # m carries a few roundings of numbers below 100, and sigma's logarithm has slope at most 1.
    rtol = 8 * 100 * torch.finfo(F64).eps
    torch.testing.assert_close(gradient[0], -torch.sigmoid(m), rtol=rtol, atol=0)
    others = torch.sigmoid(m) * torch.softmax(logits[1:], -1)
    torch.testing.assert_close(gradient[1:], others, rtol=rtol, atol=0)


@given(rows, st.data())
def test_the_sum_inherits_the_mean_of_the_errors_weighted_by_p(
    row: Tensor, data: st.DataObject
) -> None:
    drawn = st.lists(st.floats(-1, 1), min_size=len(row), max_size=len(row))
    eta = 1e-3 * torch.tensor(data.draw(drawn), dtype=F64)
    exps = (row.double() - row.double().max()).exp()
    left = (exps * (1 + eta)).sum() / exps.sum()
    right = 1 + softmax_stable(row.double()) @ eta
    torch.testing.assert_close(left, right, rtol=32 * torch.finfo(F64).eps, atol=0)


# IEEE facts


@given(rows)
def test_the_naive_softmax_obeys_a_bound_without_the_spread(row: Tensor) -> None:
    # An exp that is right to one ulp errs by 2 u and not by u: 2 more, once above and once below.
    # What the first order leaves out is of the size of its square.
    first_order = (len(row) + 4) * U
    assert relative_errors(softmax_naive(row), row).max() <= first_order * (1 + first_order)


def test_the_shift_buys_range_and_costs_accuracy() -> None:
    logits = 10 * torch.randn(200, 1000, generator=torch.Generator().manual_seed(14))
    exact = torch.softmax(logits.double(), -1)
    shifted = (softmax_stable(logits).double() / exact - 1).abs().max() / U
    naive = (softmax_naive(logits).double() / exact - 1).abs().max() / U
    # Exponents from 64 to 128 are rounded by up to 64 u; the rest is some ten roundings.
    assert 64 / 2 < shifted < 64 + 16
    assert naive < 16


@pytest.mark.parametrize(
    ("c", "difference"), [(1e4, 0.048828125), (1e6, 0.0625), (1e7, 0.0), (0.0, 0.0485873)]
)
def test_an_offset_takes_digits_from_the_difference_and_none_from_the_shifted_form(
    c: float, difference: float
) -> None:
    logits = torch.tensor([2.0, -1.0]) + c
    ulp_of_the_logits = max(c, 2) * 2 * U
    assert (logits.logsumexp(0) - logits[0]).item() == pytest.approx(
        difference, abs=ulp_of_the_logits if c == 0 else 0
    )
    exact = math.log1p(math.exp(-3))
    # The gap 3 is exact; exp, 1 + x and log are right to an ulp, which is 2 U of 1 / 16 and less.
    for loss in (F.cross_entropy(logits, torch.tensor(0)), cross_entropy(logits, 0)):
        assert loss.item() == pytest.approx(exact, abs=4 * U)


def test_an_offset_that_rounds_the_logits_costs_what_it_has_rounded_away() -> None:
    logits = torch.tensor([2.1, -1.0]) + 1e6
    assert (logits - 1e6).tolist() == [2.125, -1.0]


@pytest.mark.parametrize(("gap", "gradient"), [(20.0, -0.17), (50.0, -1.9e-14)])
def test_a_guard_inside_the_logarithm_caps_the_loss_and_silences_the_gradient(
    gap: float, gradient: float
) -> None:
    logits = torch.tensor([-gap, 0.0], requires_grad=True)
    loss = -(torch.softmax(logits, -1)[0] + 1e-8).log()
    (found,) = torch.autograd.grad(loss, logits)
    # The cap is below 32, where an ulp is 32 U; p + 1e-8 and the logarithm round once each.
    assert loss.item() <= -math.log(1e-8) + 2 * 32 * U
    assert found[0].item() == pytest.approx(gradient, rel=0.02)  # two digits are quoted
    p = mp.exp(-gap) / (1 + mp.exp(-gap))
    exact = float(-p * (1 - p) / (p + 1e-8))
    assert found[0].item() == pytest.approx(exact, rel=16 * U)  # some roundings


def test_bfloat16_loses_the_gradient_when_it_subtracts_1() -> None:
    assert (torch.tensor(0.99, dtype=BF16) - 1).item() == -3 / 256  # a sixth more than -0.01
    assert (torch.tensor(0.999, dtype=BF16) - 1).item() == 0
    others = torch.tensor([0.0006, 0.0004], dtype=BF16)
    # Each is right to half an eps, and so is their sum.
    assert others.sum().item() == pytest.approx(0.001, rel=torch.finfo(BF16).eps)


@pytest.mark.parametrize(("dtype", "end"), [(F16, 2048), (BF16, 256), (F32, 2**24)])
def test_a_running_sum_of_ones_stalls_at_2_over_eps(dtype: torch.dtype, end: int) -> None:
    assert end == 2 / torch.finfo(dtype).eps
    total = torch.tensor(end, dtype=dtype)
    assert total - 1 + 1 == total
    assert total + 1 == total


def test_the_sum_of_65536_equal_exponentials_overflows_in_float16() -> None:
    logits = torch.zeros(65_536, dtype=F16)
    assert logits.exp().sum() == inf


# Pinned torch behaviour


@pytest.mark.parametrize("dtype", [F16, BF16, F32, F64])
def test_torch_loses_value_and_target_gradient_from_log_2_over_eps_on(dtype: torch.dtype) -> None:
    # On the CPU one plus e to the -gap is rounded to the dtype of the logits, float16 included.
    end = math.log(2 / torch.finfo(dtype).eps)
    ulp = end * torch.finfo(dtype).eps
    for gap in (end - ulp, end + ulp):
        logits = torch.tensor([gap, 0.0], dtype=dtype, requires_grad=True)
        loss = F.cross_entropy(logits, torch.tensor(0))
        (gradient,) = torch.autograd.grad(loss, logits)
        assert (loss == 0) == (gradient[0] == 0) == (gap > end)
        assert gradient[1] > 0


def test_torch_sums_half_precision_in_float32_for_softmax_but_not_for_the_loss() -> None:
    logits = torch.zeros(65_536, dtype=F16)
    assert torch.softmax(logits, -1)[0] == 2**-16
    assert F.cross_entropy(logits, torch.tensor(0)) == inf
    # Ours: log V, rounded once.
    assert cross_entropy(logits, 0).item() == torch.tensor(math.log(65_536), dtype=F16)
