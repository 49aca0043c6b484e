"""The geometry of the loss: its curvature, its gradient's length, and what one step does."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor

from softmax_ce import (
    cross_entropy,
    cross_entropy_softmax_gradient,
    softmax_jacobian,
    softmax_stable,
    softmax_temperature,
)

F64 = torch.float64
EPS = torch.finfo(F64).eps
# Logits within 20 of each other, at most 8 of them: each probability is right to
# (V + 6 + 2 * 20) / 2 eps, and a sum of 8 to twice that.
TOLERANCE = (8 + 6 + 2 * 20) * EPS
SIZES = st.integers(2, 8)


def vectors(V: int) -> st.SearchStrategy[Tensor]:
    return st.lists(st.floats(-10, 10), min_size=V, max_size=V).map(
        lambda z: torch.tensor(z, dtype=F64)
    )


rows = SIZES.flatmap(vectors)
pairs = SIZES.flatmap(lambda V: st.tuples(vectors(V), vectors(V)))
examples = SIZES.flatmap(lambda V: st.tuples(vectors(V), st.integers(0, V - 1)))
segments = SIZES.flatmap(
    lambda V: st.tuples(vectors(V), vectors(V), st.integers(0, V - 1), st.floats(0, 1))
)
steps = st.floats(0.01, 10)


def close(got: Tensor, expected: Tensor, tolerance: float = TOLERANCE) -> None:
    torch.testing.assert_close(got, expected, rtol=0, atol=tolerance)


def largest_eigenvalue(logits: Tensor) -> float:
    return float(torch.linalg.eigvalsh(softmax_jacobian(logits))[-1])


# The Hessian


@given(examples)
def test_the_hessian_of_the_loss_is_the_jacobian_of_softmax(example: tuple[Tensor, int]) -> None:
    logits, y = example
    hessian = torch.func.jacrev(torch.func.jacrev(lambda z: F.cross_entropy(z, torch.tensor(y))))(
        logits
    )
    close(softmax_jacobian(logits), hessian)


@given(rows)
def test_the_jacobian_is_the_covariance_of_a_one_hot_draw(logits: Tensor) -> None:
    p, draws = softmax_stable(logits), torch.eye(len(logits), dtype=F64)
    centred = draws - p  # a draw k has the row k, and the probability p_k
    close(softmax_jacobian(logits), (p[:, None] * centred).T @ centred, 2 * TOLERANCE)


@given(pairs)
def test_the_quadratic_form_is_a_variance(pair: tuple[Tensor, Tensor]) -> None:
    logits, v = pair
    p = softmax_stable(logits)
    variance = (p * (v - (p * v).sum()) ** 2).sum()
    # Squares of at most 10 ** 2, or of 20 ** 2 once centred, each with its probability's error.
    close(v @ softmax_jacobian(logits) @ v, variance, 20**2 * TOLERANCE)


@given(pairs)
def test_the_only_null_direction_is_all_ones(pair: tuple[Tensor, Tensor]) -> None:
    logits, v = pair
    J, p = softmax_jacobian(logits), softmax_stable(logits)
    ones = torch.ones_like(v)
    close(J @ ones, 0 * ones)
    # Of two entries that are r apart, one is r / 2 from the mean: the variance is p_min r² / 4.
    apart = v.max() - v.min()
    assert v @ J @ v >= p.min() * apart**2 / 4 - 20**2 * TOLERANCE


@given(segments)
def test_the_loss_is_convex_along_a_segment(segment: tuple[Tensor, Tensor, int, float]) -> None:
    a, b, y, t = segment
    chord = (1 - t) * cross_entropy(a, y) + t * cross_entropy(b, y)
    # Losses of at most 20 + log 8 < 23, four roundings of one; a logit of 10 moves it by 1 more.
    assert cross_entropy((1 - t) * a + t * b, y) <= chord + 8 * 23 * EPS


@given(segments)
def test_the_slope_along_a_segment_never_falls(
    segment: tuple[Tensor, Tensor, int, float],
) -> None:
    a, b, y, t = segment
    middle, direction = (1 - t) * a + t * b, b - a
    slopes = [cross_entropy_softmax_gradient(z, y) @ direction for z in (a, middle, b)]
    # Entries of a direction are at most 20, and a gradient's are each right to the tolerance.
    room = 8 * 20 * TOLERANCE
    assert slopes[0] <= slopes[1] + room
    assert slopes[1] <= slopes[2] + room


@given(examples, st.floats(-10, 10))
def test_the_loss_is_not_strictly_convex(example: tuple[Tensor, int], c: float) -> None:
    logits, y = example
    # Logits of at most 20 are rounded by 16 eps at most, and a loss of 23 by a few of its own.
    close(cross_entropy(logits + c, y), cross_entropy(logits, y), 8 * 23 * EPS)


@given(segments)
def test_the_loss_is_strictly_convex_in_every_other_direction(
    segment: tuple[Tensor, Tensor, int, float],
) -> None:
    a, b, y, _ = segment
    v = b - a
    assume(v.max() - v.min() > 1)
    middle, chord = cross_entropy((a + b) / 2, y), (cross_entropy(a, y) + cross_entropy(b, y)) / 2
    # The second derivative, a variance, is at least p_min r² / 4; the chord lies an eighth of its
    # minimum above the middle, and every probability on the way is at least e^-20 / 8.
    gap = math.exp(-20) / 8 / 4 / 8
    assert gap > 40 * 8 * 23 * EPS
    assert middle < chord - gap + 8 * 23 * EPS


# How far softmax can move


@given(rows)
def test_no_eigenvalue_exceeds_one_half(logits: Tensor) -> None:
    assert largest_eigenvalue(logits) <= 0.5 + TOLERANCE


@given(pairs, st.floats(0.1, 10))
def test_softmax_at_a_temperature_is_lipschitz_with_1_over_2_t(
    pair: tuple[Tensor, Tensor], T: float
) -> None:
    a, b = pair
    moved = (softmax_temperature(a, T) - softmax_temperature(b, T)).norm()
    # Gaps of at most 20 / T = 200.
    assert moved <= (a - b).norm() / (2 * T) + (8 + 6 + 2 * 200) * EPS


@given(pairs)
def test_softmax_is_one_half_lipschitz(pair: tuple[Tensor, Tensor]) -> None:
    a, b = pair
    assert (softmax_stable(a) - softmax_stable(b)).norm() <= (a - b).norm() / 2 + TOLERANCE


@given(st.floats(-10, 10))
def test_two_classes_attain_one_half_at_equal_logits(z: float) -> None:
    assert abs(largest_eigenvalue(torch.tensor([z, z], dtype=F64)) - 0.5) <= 4 * EPS


@given(st.floats(0.01, 10))
def test_two_classes_do_not_attain_one_half_at_other_logits(gap: float) -> None:
    largest = largest_eigenvalue(torch.tensor([gap, 0.0], dtype=F64))
    # 2 p (1 − p) = 1 / (2 cosh²(gap / 2)), and cosh² x ≥ 1 + x².
    assert largest <= 0.5 / (1 + gap**2 / 4) + 4 * EPS
    assert largest < 0.5


@given(rows)
def test_more_classes_never_attain_one_half(logits: Tensor) -> None:
    logits = torch.cat([logits, logits.min().unsqueeze(0)])
    # Nearest come two equal logits with a third 20 behind: 1 / (2 + e^-20), 5e-10 below one half.
    assert largest_eigenvalue(logits) < 0.5 - TOLERANCE


@pytest.mark.parametrize("V", [3, 5, 27])
def test_more_classes_come_as_near_to_one_half_as_one_likes(V: int) -> None:
    below = []
    for behind in (1.0, 5.0, 10.0, 20.0):
        logits = torch.full((V,), -behind, dtype=F64)
        logits[:2] = 0
        below.append(0.5 - largest_eigenvalue(logits))
        # The vector (1, −1, 0, …) is an eigenvector: its eigenvalue is p_0 = 1 / (2 + (V − 2)e^−d).
        expected = 0.5 - 1 / (2 + (V - 2) * math.exp(-behind))
        assert abs(below[-1] - expected) <= V * EPS
    assert below == sorted(below, reverse=True)
    assert 0 < below[-1] < 1e-7


@given(vectors(2), vectors(2))
def test_no_two_points_attain_the_lipschitz_constant(a: Tensor, b: Tensor) -> None:
    apart = (a - b).norm()
    assume(apart > 0.1)
    ratio = (softmax_stable(a) - softmax_stable(b)).norm() / apart
    # Points that mirror each other come nearest, with a = −b = (x, −x) / 2 and p_0 = σ(x).
    x = apart / math.sqrt(8)
    assert ratio <= x.tanh() / (2 * x) + 10 * TOLERANCE  # the probabilities' error over 0.1
    assert ratio < 0.5


# The length of the gradient


@pytest.mark.parametrize("V", [2, 3, 27])
def test_the_lower_bound_of_the_2_norm_is_attained_by_equal_wrong_classes(V: int) -> None:
    logits = torch.zeros(V, dtype=F64)
    logits[0] = -1.0
    g = cross_entropy_softmax_gradient(logits, 0)
    bound = (1 - softmax_stable(logits)[0]) * math.sqrt(V / (V - 1))
    close(g.norm(), bound, V * EPS)


@given(st.floats(-10, 10))
def test_with_two_classes_both_bounds_meet(z: float) -> None:
    logits = torch.tensor([z, 0.0], dtype=F64)
    g = cross_entropy_softmax_gradient(logits, 0)
    close(g.norm(), math.sqrt(2) * (1 - softmax_stable(logits)[0]))


@given(examples)
def test_the_upper_bound_of_the_2_norm_is_not_attained_by_more_classes(
    example: tuple[Tensor, int],
) -> None:
    logits, y = example
    assume(len(logits) > 2)
    g = cross_entropy_softmax_gradient(logits, y)
    miss, others = -g[y], torch.cat([g[:y], g[y + 1 :]])
    # Of 2 miss² the norm lacks the mixed terms 2 p_i p_j of the wrong classes.
    lacks = (others.sum() ** 2 - others.square().sum()).item()
    assert lacks > 0
    close(2 * miss**2 - g.square().sum(), torch.tensor(lacks, dtype=F64))


def test_the_loss_grows_without_bound_while_the_gradient_saturates() -> None:
    for below in (1e1, 1e2, 1e3):
        logits = torch.tensor([-below, 0.0, -1e4], dtype=F64)
        assert cross_entropy(logits, 0) >= below
        assert cross_entropy_softmax_gradient(logits, 0).norm() <= math.sqrt(2) + 2 * EPS


# One step

# Logits within 20 + 2 * 10 of each other, themselves rounded by some eps: twice the error, twice.
STEPPED = 4 * TOLERANCE


def step(logits: Tensor, y: int, eta: float) -> tuple[Tensor, Tensor, Tensor]:
    """The gradient, and the probabilities before and after a step along its opposite."""
    g = cross_entropy_softmax_gradient(logits, y)
    return g, softmax_stable(logits), softmax_stable(logits - eta * g)


@given(examples, steps)
def test_the_first_order_is_within_half_the_square_of_the_step(
    example: tuple[Tensor, int], eta: float
) -> None:
    logits, y = example
    g, p, after = step(logits, y, eta)
    first_order = p - eta * softmax_jacobian(logits) @ g
    # The second derivative of p_i is p_i ((g_i − ḡ)² − Var g), at most Var g in size; the entries
    # of g are less than 2 apart, so that is at most 1.
    assert (after - first_order).abs().max() <= eta**2 / 2 + (1 + 8 * eta) * 2 * TOLERANCE


@given(examples)
def test_minus_j_g_compares_each_entry_with_the_mean_entry(example: tuple[Tensor, int]) -> None:
    logits, y = example
    g, p, _ = step(logits, y, 0)
    rates = -softmax_jacobian(logits) @ g
    mean = p.square().sum() - p[y]
    close((p * g).sum(), mean)
    close(rates, p * (mean - g), 2 * TOLERANCE)
    wrong = torch.arange(len(p)) != y
    close(rates[wrong], (p * (mean - p))[wrong], 2 * TOLERANCE)
    assert rates[y] >= p[y] * (1 - p[y]) ** 2 - TOLERANCE


@given(examples, steps)
def test_a_step_multiplies_each_probability_by_a_power_of_e(
    example: tuple[Tensor, int], eta: float
) -> None:
    logits, y = example
    g, p, after = step(logits, y, eta)
    theta = -(p * (-eta * g).exp()).sum().log() / eta
    # Exponents of at most 2 eta = 20, and logits within 40: see the first tolerance.
    torch.testing.assert_close(
        after, p * (eta * (theta - g)).exp(), rtol=2 * (8 + 6 + 2 * 40 + 40) * EPS, atol=0
    )
    # A threshold is a logarithm over eta, which is at least 0.01.
    room = 100 * TOLERANCE
    assert g[y] - room <= theta <= (p * g).sum() + room


@given(examples, steps)
def test_the_target_never_falls_in_a_step_of_any_length(
    example: tuple[Tensor, int], eta: float
) -> None:
    logits, y = example
    before, after = (
        cross_entropy(logits, y),
        cross_entropy(logits - eta * step(logits, y, eta)[0], y),
    )
    assert after <= before + 8 * 40 * EPS


@given(examples, steps, steps)
def test_a_longer_step_never_adds_a_riser(
    example: tuple[Tensor, int], one: float, other: float
) -> None:
    logits, y = example
    short, long = sorted((one, other))
    g, p, after_short = step(logits, y, short)
    after_long = step(logits, y, long)[2]
    rises = after_long > p * (1 + STEPPED)
    assert (after_short > p * (1 - STEPPED))[rises].all()
    assert (g < (p * g).sum() + TOLERANCE)[rises].all()


@given(examples)
def test_exactly_the_classes_below_the_threshold_rise_in_a_small_step(
    example: tuple[Tensor, int],
) -> None:
    logits, y = example
    eta = 1e-5
    _, p, after = step(logits, y, eta)
    threshold = p.square().sum() - p[y]
    wrong = torch.arange(len(p)) != y
    # The threshold of the step is lower by eta Var(g) / 2 ≤ eta / 2; nearer than that is undecided.
    decided = wrong & ((p - threshold).abs() > eta)
    assert torch.equal((after > p)[decided], (p < threshold)[decided])


@pytest.mark.parametrize("V", [2, 3, 27])
@pytest.mark.parametrize("eta", [0.01, 0.1, 1.0, 10.0])
def test_from_uniform_logits_no_wrong_class_rises(V: int, eta: float) -> None:
    _, p, after = step(torch.zeros(V, dtype=F64), 0, eta)
    assert (after[1:] < p[1:]).all()


@given(vectors(2), steps)
def test_with_two_classes_no_wrong_class_rises(logits: Tensor, eta: float) -> None:
    _, p, after = step(logits, 0, eta)
    assert after[1] <= p[1] * (1 + STEPPED)


@given(rows, steps)
def test_no_wrong_class_rises_when_the_target_is_the_most_probable(
    logits: Tensor, eta: float
) -> None:
    y = int(logits.argmax())
    _, p, after = step(logits, y, eta)
    wrong = torch.arange(len(p)) != y
    assert (after <= p * (1 + STEPPED))[wrong].all()


@given(examples, steps)
def test_the_most_probable_wrong_class_never_rises(example: tuple[Tensor, int], eta: float) -> None:
    logits, y = example
    _, p, after = step(logits, y, eta)
    top = p.where(torch.arange(len(p)) != y, 0).argmax()
    assert after[top] <= p[top] * (1 + STEPPED)


def test_of_27_normal_logits_most_wrong_classes_rise() -> None:
    rows, eta = 100_000, 0.1
    logits = torch.randn(rows, 27, dtype=F64)
    g = cross_entropy_softmax_gradient(
        logits, torch.zeros(rows, dtype=torch.int64), reduction="none"
    )
    p, after = softmax_stable(logits), softmax_stable(logits - eta * g)
    rises, first_order = (after > p)[:, 1:], (g < (p * g).sum(-1, keepdim=True))[:, 1:]
    # Three million rows gave these; the standard error of a share of 1e5 rows is at most 0.16 %.
    for share, expected in (
        (first_order.double().mean(), 0.631),
        (first_order.any(-1).double().mean(), 0.857),
        (rises.double().mean(), 0.619),
        (rises.any(-1).double().mean(), 0.846),
        ((rises == first_order).double().mean(), 0.988),
    ):
        assert abs(share.item() - expected) <= 5 * 0.0016
    assert not (rises & ~first_order).any()
