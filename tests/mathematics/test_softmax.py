"""Softmax, its logarithm and the log-sum-exp."""

import math
from collections.abc import Callable

import mpmath as mp
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, inf, nan

from softmax_ce import (
    entropy,
    log_softmax,
    logsumexp,
    softmax_naive,
    softmax_stable,
    softmax_temperature,
)

F16, BF16, F32, F64 = torch.float16, torch.bfloat16, torch.float32, torch.float64
PAIRS = [
    (softmax_naive, torch.softmax),
    (softmax_stable, torch.softmax),
    (log_softmax, torch.log_softmax),
    (logsumexp, torch.logsumexp),
]
LIMITS = [  # the last logit whose exp is finite and the next float, the first whose exp is 0
    (F16, 11.0859375, 11.09375, -17.34375),
    (BF16, 88.5, 89.0, -93.0),
    (F32, 88.7228317, 88.7228394, -103.972084),
    (F64, 709.782712893384, 709.7827128933841, -745.1332191019412),
]

# Sixteenths and whole numbers below 2**20: float32 adds and subtracts them without rounding.
sixteenths = st.lists(st.integers(-640, 640), min_size=1, max_size=9).map(
    lambda z: torch.tensor(z, dtype=F32) / 16
)
offsets = st.integers(-100_000, 100_000)
floats = st.lists(st.floats(-40, 40, width=32), min_size=1, max_size=9)


def spread(logits: Tensor) -> float:
    return float(logits.max() - logits.min())


def unit_roundoff(dtype: torch.dtype) -> float:
    return torch.finfo(dtype).eps / 2


# Theorems


@pytest.mark.parametrize("function", [softmax_stable, log_softmax, softmax_temperature, entropy])
@given(logits=sixteenths, c=offsets)
def test_a_shift_changes_not_one_bit(
    function: Callable[[Tensor], Tensor], logits: Tensor, c: int
) -> None:
    assert torch.equal(function(logits + c), function(logits))


@given(sixteenths, offsets)
def test_logsumexp_moves_with_a_shift(logits: Tensor, c: int) -> None:
    # Each side rounds once at the end, to half an ulp of a number below 2**17.
    expected = logsumexp(logits).double() + c
    assert abs(logsumexp(logits + c) - expected) <= 2 * 2**17 * unit_roundoff(F32)


@given(sixteenths)
def test_softmax_keeps_the_order_of_the_logits(logits: Tensor) -> None:
    probs = softmax_stable(logits)
    assert torch.equal(probs[:, None] < probs, logits[:, None] < logits)


@given(sixteenths)
def test_the_odds_are_exp_of_the_gap(logits: Tensor) -> None:
    logits = logits.double()
    probs = softmax_stable(logits)
    odds, expected = probs[:, None] / probs, (logits[:, None] - logits).exp()
    # The gaps are exact: three exps of 1 ulp and three divisions of half an ulp.
    torch.testing.assert_close(odds, expected, rtol=9 * unit_roundoff(F64), atol=0)


@pytest.mark.parametrize("function", [softmax_naive, softmax_stable])
@given(logits=sixteenths)
def test_probabilities_are_positive_and_sum_to_one(
    function: Callable[[Tensor], Tensor], logits: Tensor
) -> None:
    probs = function(logits)
    assert (probs > 0).all()
    # Two sums of V numbers and a division, each within a unit roundoff a step.
    assert abs(probs.sum() - 1) <= 2 * (len(logits) + 1) * unit_roundoff(F32)


@given(sixteenths)
def test_logsumexp_lies_between_the_maximum_and_log_v_above_it(logits: Tensor) -> None:
    lse, top = logsumexp(logits.double()), logits.max().double()
    slack = 100 * unit_roundoff(F64)  # numbers below 50: one rounding of the log, one of the sum
    assert top <= lse <= top + math.log(len(logits)) + slack


@given(sixteenths)
def test_the_gradient_of_logsumexp_is_softmax(logits: Tensor) -> None:
    logits = logits.double().requires_grad_()
    (gradient,) = torch.autograd.grad(logsumexp(logits), logits)
    # Both divide the same exps by their sum, in another order; a tied maximum may not count twice.
    tolerance = 2 * (len(logits) + 3) * unit_roundoff(F64)
    torch.testing.assert_close(gradient, softmax_stable(logits), rtol=tolerance, atol=tolerance)


# Against exact arithmetic


@given(floats)
def test_stable_softmax_is_as_close_as_theory_promises(row: list[float]) -> None:
    logits = torch.tensor(row)
    total = sum(mp.exp(z) for z in row)
    # Blanchard, Higham and Higham (2021): V + 2 + 2 spread; 2 + 2 more as exp is right to 1 ulp.
    bound = (len(row) + 6 + 2 * spread(logits)) * unit_roundoff(F32)
    for p, z in zip(softmax_stable(logits).tolist(), row, strict=True):
        assert abs(p / (mp.exp(z) / total) - 1) <= bound


@given(floats)
def test_logsumexp_and_log_softmax_are_right_to_a_few_roundings(row: list[float]) -> None:
    logits = torch.tensor(row)
    exact = mp.log(sum(mp.exp(z) for z in row))
    # The sum's relative error is the log's absolute one; then the results themselves are rounded.
    bound = (len(row) + 6 + 2 * spread(logits)) * unit_roundoff(F32)
    largest = max(map(abs, row)) + math.log(len(row))
    assert abs(logsumexp(logits).item() - exact) <= bound + 2 * largest * unit_roundoff(F32)
    for log_p, z in zip(log_softmax(logits).tolist(), row, strict=True):
        assert abs(log_p - (z - exact)) <= bound + 2 * abs(z - exact) * unit_roundoff(F32)


def test_log_softmax_outlives_the_probability() -> None:
    logits = torch.tensor([0.0, -1000.0])
    assert softmax_stable(logits)[1] == 0
    assert log_softmax(logits).tolist() == [0, -1000]


# Against torch


@pytest.mark.parametrize(("ours", "torchs"), PAIRS)
@pytest.mark.parametrize("dim", range(-3, 3))
def test_equals_torch_in_every_dimension(
    ours: Callable[..., Tensor], torchs: Callable[..., Tensor], dim: int, device: str
) -> None:
    logits = torch.randn(2, 3, 4, dtype=F64, device=device)
    # Two results, each within the bound for V of at most 4.
    tolerance = 2 * (10 + 2 * spread(logits)) * unit_roundoff(F64)
    torch.testing.assert_close(
        ours(logits, dim=dim), torchs(logits, dim=dim), rtol=tolerance, atol=tolerance
    )


@pytest.mark.parametrize(("ours", "torchs"), PAIRS[1:])
@pytest.mark.parametrize("row", [[-inf, 0.0], [-inf, -inf], [inf, 0.0], [inf, -inf], [nan, 0.0]])
def test_infinities_behave_as_in_torch(
    ours: Callable[..., Tensor], torchs: Callable[..., Tensor], row: list[float]
) -> None:
    logits = torch.tensor([row, [1.0, 1.0]], dtype=F64)
    tolerance = 2 * 8 * unit_roundoff(F64)  # V = 2, equal logits
    torch.testing.assert_close(
        ours(logits), torchs(logits, dim=-1), rtol=tolerance, atol=0, equal_nan=True
    )


def test_the_empty_sum_has_logarithm_minus_infinity() -> None:
    assert logsumexp(torch.full((3, 2), -inf)).tolist() == [-inf] * 3


@pytest.mark.parametrize("dtype", [F16, BF16, F32, F64])
@pytest.mark.parametrize("function", [ours for ours, _ in PAIRS] + [softmax_temperature, entropy])
def test_shape_dtype_and_device_are_kept(
    function: Callable[[Tensor], Tensor], dtype: torch.dtype, device: str
) -> None:
    reduces = function in (logsumexp, entropy)
    for shape in [(3,), (0, 3), (2, 4, 3)]:
        result = function(torch.zeros(shape, dtype=dtype, device=device))
        assert (result.dtype, result.device.type) == (dtype, device)
        assert result.shape == (shape[:-1] if reduces else shape)


# IEEE facts


def test_small_logits_need_no_shift() -> None:
    logits = torch.tensor([1.0, 2.0, 3.0])
    expected = torch.tensor([0.0900, 0.2447, 0.6652])
    for function in (softmax_naive, softmax_stable):
        torch.testing.assert_close(function(logits), expected, rtol=0, atol=0.5e-4)  # four decimals


@pytest.mark.parametrize(
    ("logits", "naive", "stable"),
    [
        ([1000.0, 1001.0, 1002.0], [nan, nan, nan], [0.0900, 0.2447, 0.6652]),  # inf / inf
        ([88.5, 88.5], [0.0, 0.0], [0.5, 0.5]),  # finite exps, an infinite sum
        ([-104.0, -104.0], [nan, nan], [0.5, 0.5]),  # 0 / 0
        ([-100.0, -101.0], [27 / 37, 10 / 37], [0.7311, 0.2689]),  # 27 and 10 subnormal steps
    ],
)
def test_naive_softmax_fails_in_four_ways_without_an_exception(
    logits: list[float], naive: list[float], stable: list[float]
) -> None:
    z = torch.tensor(logits)
    torch.testing.assert_close(
        softmax_naive(z), torch.tensor(naive), rtol=torch.finfo(F32).eps, atol=0, equal_nan=True
    )
    torch.testing.assert_close(
        softmax_stable(z), torch.tensor(stable), rtol=0, atol=0.5e-4
    )  # four decimals


@pytest.mark.parametrize(("dtype", "last", "first", "zero"), LIMITS)
def test_naive_softmax_dies_where_exp_does(
    dtype: torch.dtype, last: float, first: float, zero: float
) -> None:
    assert softmax_naive(torch.tensor([last, -inf], dtype=dtype)).tolist() == [1, 0]
    dead = softmax_naive(torch.tensor([first, 0.0], dtype=dtype))
    assert dead[0].isnan()
    assert dead[1] == 0
    assert softmax_naive(torch.tensor([zero, zero], dtype=dtype)).isnan().all()


@pytest.mark.parametrize(("dtype", "last", "first", "zero"), LIMITS)
def test_stable_softmax_lives_where_exp_dies(
    dtype: torch.dtype, last: float, first: float, zero: float
) -> None:
    for z in (last, first, zero):
        assert softmax_stable(torch.tensor([z, z], dtype=dtype)).tolist() == [0.5, 0.5]
