"""The gradient in closed form, and the Jacobian of softmax."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, inf

from softmax_ce import (
    cross_entropy,
    cross_entropy_softmax_gradient,
    softmax_jacobian,
    softmax_stable,
)

F64 = torch.float64
EPS = torch.finfo(F64).eps
REDUCTIONS = ["mean", "sum", "none"]
# Logits within 20 of each other, at most 8 of them: each probability is right to
# (V + 6 + 2 * 20) / 2 eps, and a sum of 8 to twice that.
TOLERANCE = (8 + 6 + 2 * 20) * EPS

rows = st.lists(st.floats(-10, 10), min_size=2, max_size=8).map(
    lambda z: torch.tensor(z, dtype=F64)
)
examples = rows.flatmap(lambda z: st.tuples(st.just(z), st.integers(0, len(z) - 1)))


def close(got: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(got, expected, rtol=0, atol=TOLERANCE)


# Against autograd


@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (2, 3), (2, 3, 4)])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("ignore_index", [-100, -1, 1])
def test_equals_autograd_of_both_losses(
    shape: tuple[int, ...], reduction: str, ignore_index: int, device: str
) -> None:
    logits = torch.rand(*shape, 5, dtype=F64, device=device).mul_(20).requires_grad_()
    targets = torch.randint(5, shape, device=device)
    targets = targets.where(torch.rand(shape, device=device) < 0.6, ignore_index)
    options = {"reduction": reduction, "ignore_index": ignore_index}
    got = cross_entropy_softmax_gradient(logits, targets, **options)  # type: ignore[arg-type]
    ours = cross_entropy(logits, targets, **options)  # type: ignore[arg-type]
    classes_second = logits.movedim(-1, min(1, logits.ndim - 1))
    torchs = F.cross_entropy(classes_second, targets, **options)  # type: ignore[arg-type]
    for loss in (ours, torchs):
        close(got, torch.autograd.grad(loss.sum(), logits)[0])


def test_everything_ignored_has_gradient_zero() -> None:
    gradient = cross_entropy_softmax_gradient(torch.randn(3, 4), torch.full((3,), -100))
    assert torch.equal(gradient, torch.zeros(3, 4))


def test_masked_classes_have_gradient_zero_and_a_masked_target_the_full_one() -> None:
    logits = torch.tensor([[-inf, 0.0, 0.0], [0.0, -inf, 0.0]])
    gradient = cross_entropy_softmax_gradient(logits, torch.tensor([0, 0]), reduction="none")
    assert gradient.tolist() == [[-1, 0.5, 0.5], [-0.5, 0, 0.5]]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_low_precision_is_the_exact_gradient_rounded_once(dtype: torch.dtype, device: str) -> None:
    logits = (4 * torch.randn(16, 20, device=device)).to(dtype)
    targets = torch.randint(20, (16,), device=device)
    got = cross_entropy_softmax_gradient(logits, targets)
    exact = cross_entropy_softmax_gradient(logits.double(), targets)
    assert (got.dtype, got.device) == (logits.dtype, logits.device)
    # Half an ulp of the format or of its subnormals, beside what float32 loses on the way.
    info = torch.finfo(dtype)
    work = (20 + 6 + 2 * 40) * torch.finfo(torch.float32).eps
    rtol, atol = 0.5 * info.eps + work, info.eps * info.smallest_normal
    torch.testing.assert_close(got.double(), exact, rtol=rtol, atol=atol)


def test_the_target_keeps_its_gradient_where_p_minus_one_rounds_to_zero() -> None:
    logits = torch.tensor([20.0, 0.0])
    assert softmax_stable(logits)[0] - 1 == 0
    expected = math.exp(-20) / (1 + math.exp(-20))
    got = cross_entropy_softmax_gradient(logits, 0).tolist()
    # An exp of 1 ulp, a sum and a quotient of half an ulp each.
    for entry, sign in zip(got, (-1, 1), strict=True):
        assert math.isclose(entry, sign * expected, rel_tol=2 * torch.finfo(torch.float32).eps)


# Worked examples


def test_prediction_minus_truth() -> None:
    got = cross_entropy_softmax_gradient(torch.tensor([2.0, 1.0, 0.1]), 0)
    torch.testing.assert_close(got, torch.tensor([-0.3410, 0.2424, 0.0986]), rtol=0, atol=0.5e-4)


def test_without_one_over_n_the_batch_gradient_is_off_by_exactly_n() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.1], [0.5, 2.5, 0.3]], requires_grad=True)
    targets = torch.tensor([0, 1])
    with_n = cross_entropy_softmax_gradient(logits, targets)
    assert torch.equal(cross_entropy_softmax_gradient(logits, targets, reduction="sum"), 2 * with_n)


def test_the_mean_counts_only_the_counted() -> None:
    logits, targets = torch.randn(4, 3, dtype=F64), torch.tensor([0, -100, 2, -100])
    mean = cross_entropy_softmax_gradient(logits, targets)
    assert torch.equal(mean * 2, cross_entropy_softmax_gradient(logits, targets, reduction="sum"))


# Theorems


@given(examples)
def test_gradient_rows_sum_to_zero(example: tuple[Tensor, int]) -> None:
    close(cross_entropy_softmax_gradient(*example).sum(), torch.tensor(0.0, dtype=F64))


@given(examples)
def test_only_the_target_is_pulled_up(example: tuple[Tensor, int]) -> None:
    logits, y = example
    gradient = cross_entropy_softmax_gradient(logits, y)
    assert gradient[y] < 0
    assert (gradient > 0).sum() == len(logits) - 1


@given(examples)
def test_the_norms_of_the_gradient_follow_from_p_y(example: tuple[Tensor, int]) -> None:
    logits, y = example
    V, miss = len(logits), 1 - torch.softmax(logits, -1)[y]
    gradient = cross_entropy_softmax_gradient(logits, y)
    close(gradient.abs().max(), miss)
    close(-torch.expm1(-cross_entropy(logits, y)), miss)
    close(gradient.abs().sum(), 2 * miss)
    low, high = miss * math.sqrt(V / (V - 1)), miss * math.sqrt(2)
    assert low - TOLERANCE <= gradient.norm() <= high + TOLERANCE


@given(rows)
def test_the_jacobian_is_symmetric_with_rows_that_sum_to_zero(logits: Tensor) -> None:
    jacobian = softmax_jacobian(logits)
    assert torch.equal(jacobian, jacobian.T)
    close(jacobian.sum(-1), torch.zeros_like(logits))


@given(rows)
def test_the_jacobian_is_positive_semidefinite_and_at_most_one_half(logits: Tensor) -> None:
    eigenvalues = torch.linalg.eigvalsh(softmax_jacobian(logits))
    assert -TOLERANCE <= eigenvalues[0] <= TOLERANCE  # the null direction: all ones
    assert eigenvalues[-1] <= 0.5 + TOLERANCE


@given(rows)
def test_the_jacobian_has_rank_one_less_than_v(logits: Tensor) -> None:
    # Interlacing: the second eigenvalue is at least the smallest probability, e^-20 / 8 or more.
    eigenvalues = torch.linalg.eigvalsh(softmax_jacobian(logits))
    assert eigenvalues[1] >= softmax_stable(logits).min() - TOLERANCE
    assert math.exp(-20) / 8 > 1000 * TOLERANCE


@given(rows)
def test_the_jacobian_is_the_derivative_of_softmax(logits: Tensor) -> None:
    expected = torch.func.jacrev(lambda z: torch.softmax(z, -1))(logits)
    close(softmax_jacobian(logits), expected)


def test_leading_dimensions_hold_one_jacobian_each(device: str) -> None:
    logits = torch.randn(2, 3, 4, dtype=F64, device=device)
    jacobians = softmax_jacobian(logits)
    assert jacobians.shape == (2, 3, 4, 4)
    assert softmax_jacobian(logits[:0]).shape == (0, 3, 4, 4)
    for i in range(2):
        for j in range(3):
            close(jacobians[i, j], softmax_jacobian(logits[i, j]))


@given(rows, rows)
def test_the_loss_is_convex(a: Tensor, b: Tensor) -> None:
    V = min(len(a), len(b))
    a, b = a[:V], b[:V]
    # Three losses of at most 23, a few roundings each.
    middle, mean = cross_entropy((a + b) / 2, 0), (cross_entropy(a, 0) + cross_entropy(b, 0)) / 2
    assert middle <= mean + 4 * 23 * EPS
