"""Softmax at a temperature, and the entropy."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, inf, nan

from softmax_ce import cross_entropy, entropy, logsumexp, softmax_temperature

EPS = torch.finfo(torch.float64).eps
logits_of_two_or_more = st.lists(st.floats(-20, 20), min_size=2, max_size=8).map(
    lambda z: torch.tensor(z, dtype=torch.float64)
)
temperatures = st.floats(0.5, 20)
# Logits over T stay within 80 of each other: each exp is off by at most 40 eps, and a few sums
# and products of V <= 8 such numbers by less than 100 eps in all.
RTOL = 100 * EPS


def scale(logits: Tensor) -> float:
    """What a sum over the logits can lose to cancellation, for each unit of relative error."""
    return float(logits.abs().sum()) + 1


def moments(logits: Tensor, T: float) -> tuple[Tensor, Tensor, Tensor]:
    """Probabilities, mean and variance of the logits under them; torch is the oracle."""
    probs = torch.softmax(logits / T, -1)
    mean = (probs * logits).sum()
    return probs, mean, (probs * (logits - mean) ** 2).sum()


# Theorems about T


@pytest.mark.parametrize("T", [0.1, 0.5, 1, 2, 5, 10])
@pytest.mark.parametrize("dim", range(-2, 2))
def test_equals_torch_on_the_divided_logits(T: float, dim: int, device: str) -> None:
    logits = torch.tensor([[2.0, 1.0, 0.5, 0.1]] * 2, dtype=torch.float64, device=device)
    torch.testing.assert_close(
        softmax_temperature(logits, T, dim), torch.softmax(logits / T, dim), rtol=RTOL, atol=0
    )


def test_a_small_temperature_shares_between_all_the_largest_logits() -> None:
    assert softmax_temperature(torch.tensor([3.0, 1.0, 3.0, 2.9]), T=1e-4).tolist() == [
        0.5,
        0,
        0.5,
        0,
    ]


@given(logits_of_two_or_more)
def test_a_large_temperature_is_uniform_to_first_order(logits: Tensor) -> None:
    T, V = 1e6, len(logits)
    expected = 1 / V + (logits - logits.mean()) / (V * T)
    # The next order: second moments of at most 40**2 over T**2, and the roundings of numbers < 1.
    torch.testing.assert_close(
        softmax_temperature(logits, T), expected, rtol=0, atol=40**2 / T**2 + V * EPS
    )


@given(logits_of_two_or_more, temperatures)
def test_dp_dt_is_minus_p_times_the_centred_logit_over_t_squared(logits: Tensor, T: float) -> None:
    probs, mean, _ = moments(logits, T)
    expected = -probs * (logits - mean) / T**2
    t = torch.tensor(T, dtype=torch.float64)
    gradient = torch.func.jacrev(lambda t: softmax_temperature(logits, t))(t)
    torch.testing.assert_close(gradient, expected, rtol=RTOL, atol=RTOL * scale(logits) / T**2)


@given(logits_of_two_or_more, temperatures)
def test_dh_dt_is_the_variance_over_t_cubed(logits: Tensor, T: float) -> None:
    *_, variance = moments(logits, T)
    t = torch.tensor(T, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(entropy(logits / t), t)
    torch.testing.assert_close(
        gradient, variance / T**3, rtol=RTOL, atol=RTOL * scale(logits) ** 2 / T**3
    )


@given(logits_of_two_or_more, temperatures)
def test_the_loss_at_a_temperature_has_gradients_over_t_and_t_squared(
    logits: Tensor, T: float
) -> None:
    probs, mean, _ = moments(logits, T)
    logits.requires_grad_()
    t = torch.tensor(T, dtype=torch.float64, requires_grad=True)
    dlogits, dt = torch.autograd.grad(cross_entropy(logits / t, 0), (logits, t))
    truth = torch.eye(len(logits), dtype=torch.float64)[0]
    torch.testing.assert_close(dlogits, (probs - truth) / T, rtol=RTOL, atol=RTOL / T)
    atol = RTOL * scale(logits.detach()) / T**2
    torch.testing.assert_close(dt, (logits[0].detach() - mean) / T**2, rtol=RTOL, atol=atol)


@given(logits_of_two_or_more, temperatures)
def test_logsumexp_is_expected_logit_plus_t_times_entropy(logits: Tensor, T: float) -> None:
    expected_logit = (softmax_temperature(logits, T) * logits).sum()
    free = expected_logit + T * entropy(logits / T)
    atol = RTOL * (scale(logits) + T * math.log(len(logits)))
    torch.testing.assert_close(T * logsumexp(logits / T), free, rtol=0, atol=atol)


@given(logits_of_two_or_more, temperatures)
def test_softmax_is_lipschitz_with_one_over_two_t(logits: Tensor, T: float) -> None:
    other = logits.flip(0)
    moved = softmax_temperature(logits, T) - softmax_temperature(other, T)
    assert moved.norm() <= (logits - other).norm() / (2 * T) + RTOL


# IEEE facts


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("offset", [0, 100])
def test_the_shift_before_the_division_keeps_a_tiny_temperature_finite(
    dtype: torch.dtype, offset: int
) -> None:
    result = softmax_temperature(torch.tensor([10, 9], dtype=dtype) + offset, T=1e-4)
    assert result.dtype == dtype
    assert result.tolist() == [1, 0]


# A refused temperature


@pytest.mark.parametrize("T", [0, 0.0, 1e-46, -1.0, nan, inf, torch.tensor(0.0), torch.tensor(nan)])
def test_a_temperature_that_is_not_positive_and_finite_is_refused_with_the_limits(
    T: float | Tensor,
) -> None:
    message = (
        rf"^T must be at least 2\*\*-126 and finite; got .*{float(T):g}.*\. As T goes to 0, "
        r"softmax goes to an equal share for each of the largest logits\.$"
    )
    with pytest.raises(ValueError, match=message):
        softmax_temperature(torch.tensor([2.0, 1.0]), T)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_the_smallest_temperature_still_gives_the_limit(dtype: torch.dtype) -> None:
    assert softmax_temperature(torch.tensor([10, 9], dtype=dtype), T=2**-126).tolist() == [1, 0]


@pytest.mark.parametrize("T", ["warm", None, True, torch.tensor([1.0, 2.0]), torch.tensor([1.0])])
def test_a_temperature_that_is_no_number_is_refused(T: Any) -> None:
    with pytest.raises(TypeError, match=r"^T must be a number or a tensor of shape \(\); got "):
        softmax_temperature(torch.tensor([2.0, 1.0]), T)


# Entropy


def torch_entropy(logits: Tensor) -> Tensor:
    result: Tensor = torch.distributions.Categorical(logits=logits).entropy()  # type: ignore[no-untyped-call]
    return result


@pytest.mark.parametrize("dim", range(-3, 3))
def test_entropy_equals_torch_in_every_dimension(dim: int, device: str) -> None:
    logits = torch.randn(2, 3, 4, dtype=torch.float64, device=device)
    expected = torch_entropy(logits.movedim(dim, -1))
    torch.testing.assert_close(entropy(logits, dim), expected, rtol=RTOL, atol=0)


@given(logits_of_two_or_more)
def test_entropy_lies_between_zero_and_log_v(logits: Tensor) -> None:
    V = len(logits)
    assert 0 <= entropy(logits) <= math.log(V) + RTOL
    assert abs(entropy(torch.zeros(V, dtype=torch.float64)) - math.log(V)) <= RTOL


@pytest.mark.parametrize(
    "lost", [-inf, -800.0], ids=["masked", "underflowed"]
)  # exp(-800) is 0 even in float64
def test_a_class_of_probability_zero_adds_nothing_to_entropy_or_its_gradient(lost: float) -> None:
    kept = torch.tensor([2.0, 1.0, 0.1], dtype=torch.float64, requires_grad=True)
    logits = torch.cat([kept.detach(), kept.new_tensor([lost])]).requires_grad_()
    (expected,) = torch.autograd.grad(torch_entropy(kept), kept)
    (gradient,) = torch.autograd.grad(entropy(logits), logits)
    torch.testing.assert_close(entropy(logits), torch_entropy(kept), rtol=RTOL, atol=0)
    torch.testing.assert_close(gradient[:3], expected, rtol=RTOL, atol=RTOL)
    assert gradient[3] == 0


@pytest.mark.parametrize("function", [softmax_temperature, entropy])
def test_a_row_of_masked_classes_only_is_nan(function: Callable[[Tensor], Tensor]) -> None:
    assert function(torch.full((3,), -inf)).isnan().all()
