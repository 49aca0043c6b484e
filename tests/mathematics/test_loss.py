"""The value of the loss: as torch's in float64, better than torch's in float32."""

import math

import mpmath as mp
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, inf, nan

from softmax_ce import cross_entropy, cross_entropy_manual, softmax_stable

F16, BF16, F32, F64 = torch.float16, torch.bfloat16, torch.float32, torch.float64
V = 5
SHAPES = [(), (0,), (1,), (7,), (2, 3), (2, 3, 4)]
REDUCTIONS = ["mean", "sum", "none"]

rows = st.lists(st.floats(-40, 40), min_size=1, max_size=9).map(
    lambda z: torch.tensor(z, dtype=F64)
)


def value_and_gradient(loss: Tensor, logits: Tensor) -> tuple[Tensor, Tensor]:
    weights = torch.arange(1, loss.numel() + 1, device=loss.device).reshape(loss.shape).to(loss)
    return loss.detach(), torch.autograd.grad(loss, logits, weights)[0]


def assert_equals_torch(logits: Tensor, targets: Tensor, **options: object) -> None:
    """Value and gradient, each row of the gradient with a weight of its own."""
    logits = logits.clone().requires_grad_()
    classes_second = logits.movedim(-1, min(1, logits.ndim - 1))
    ours: Tensor = cross_entropy(logits, targets, **options)  # type: ignore[arg-type]
    torchs: Tensor = F.cross_entropy(classes_second, targets, **options)  # type: ignore[arg-type]
    # Torch subtracts numbers as large as the logits: a rounding of those, for each row and weight.
    size = float(logits.detach().nan_to_num(0, 0, 0).abs().sum()) + logits.shape[-1]
    atol = 2 * size * max(torchs.numel(), 1) * torch.finfo(F64).eps
    for got, expected in zip(
        value_and_gradient(ours, logits), value_and_gradient(torchs, logits), strict=True
    ):
        torch.testing.assert_close(got, expected, rtol=0, atol=atol, equal_nan=True)


# Equal to torch in float64


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("ignore_index", [-100, -1, 1, V + 3])
def test_equals_torch_on_every_leading_shape(
    shape: tuple[int, ...], reduction: str, ignore_index: int, device: str
) -> None:
    logits = 10 * torch.randn(*shape, V, dtype=F64, device=device)
    targets = torch.randint(V, shape, device=device)
    for some_ignored in (
        targets,
        targets.where(torch.rand(shape, device=device) < 0.6, ignore_index),
    ):
        assert_equals_torch(logits, some_ignored, reduction=reduction, ignore_index=ignore_index)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_equals_torch_with_everything_ignored(shape: tuple[int, ...], reduction: str) -> None:
    assert_equals_torch(
        torch.randn(*shape, V, dtype=F64), torch.full(shape, -100), reduction=reduction
    )


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_equals_torch_with_masked_classes(reduction: str) -> None:
    logits, targets = torch.randn(50, V, dtype=F64), torch.randint(V, (50,))
    masked = logits.masked_fill(torch.rand(50, V) < 0.4, -inf)
    kept = masked.scatter(-1, targets[:, None], 1.0)  # the targets themselves stay
    assert_equals_torch(kept, targets, reduction=reduction)
    assert_equals_torch(masked, targets, reduction=reduction)  # some losses are inf, some rows nan


@pytest.mark.parametrize(
    "row",
    [
        *([-inf, 0], [0, -inf], [-inf, -inf], [inf, 0], [0, inf], [inf, inf]),
        *([inf, -inf], [-inf, inf], [nan, 0], [0, nan], [0], [-inf]),
    ],
)
def test_extreme_logits_behave_as_in_torch(row: list[float]) -> None:
    assert_equals_torch(
        torch.tensor([row, [1.0] * len(row)], dtype=F64), torch.tensor([0, 0]), reduction="none"
    )


def test_a_masked_target_costs_infinity_and_an_empty_count_is_nan_or_zero() -> None:
    logits, ignored = torch.tensor([[-inf, 0.0], [1.0, 2.0]]), torch.tensor([-100, -100])
    assert cross_entropy(logits, torch.tensor([0, 0]), reduction="none")[0] == inf
    assert cross_entropy(logits, ignored).isnan()
    assert cross_entropy(logits, ignored, reduction="sum") == 0
    assert cross_entropy(logits, ignored, reduction="none").tolist() == [0, 0]


def test_an_ignored_row_counts_for_nothing_even_where_its_logits_are_nan() -> None:
    logits = torch.tensor([[nan, inf, -inf], [2.0, 1.0, 0.1]], requires_grad=True)
    loss = cross_entropy(logits, torch.tensor([-100, 0]))
    assert loss == cross_entropy(logits[1], 0)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert gradient[0].tolist() == [0, 0, 0]
    assert gradient.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8])
def test_every_integer_type_can_name_a_class(dtype: torch.dtype) -> None:
    logits, targets = torch.randn(3, 100), torch.tensor([0, 99, 7])
    loss = cross_entropy(logits, targets.to(dtype))
    assert torch.equal(loss, cross_entropy(logits, targets))


def test_an_int_is_a_target_for_a_single_row() -> None:
    logits = torch.tensor([2.0, 1.0, 0.1])
    for y in range(3):
        assert torch.equal(cross_entropy(logits, y), cross_entropy(logits, torch.tensor(y)))
    assert cross_entropy(logits, 1, ignore_index=1).isnan()


def test_worked_examples() -> None:
    logits = torch.tensor([[2.0, 1.0, 0.1], [0.5, 2.5, 0.3]])
    half_digit = 0.5e-6  # six decimals are quoted
    assert abs(cross_entropy(logits[0], 0).item() - 0.417030) <= half_digit
    assert abs(cross_entropy_manual(logits[0], 0).item() - 0.417030) <= half_digit
    assert abs(cross_entropy(logits, torch.tensor([0, 1])).item() - 0.318540) <= half_digit


# Theorems


@given(rows, st.data())
def test_the_loss_lies_between_the_gap_and_log_v_above_it(row: Tensor, data: st.DataObject) -> None:
    y = data.draw(st.integers(0, len(row) - 1))
    gap = row.max() - row[y]
    loss = cross_entropy(row, y)
    slack = 4 * 100 * torch.finfo(F64).eps  # a few roundings of numbers below 100
    assert loss >= 0
    assert gap - slack <= loss <= gap + math.log(len(row)) + slack


@pytest.mark.parametrize("classes", [1, 2, 10, 27, 50_257])
def test_equal_logits_cost_log_v(classes: int) -> None:
    loss = cross_entropy(torch.full((classes,), 3.0, dtype=F64), 0).item()
    assert math.isclose(loss, math.log(classes), rel_tol=4 * torch.finfo(F64).eps)


@given(rows.filter(lambda z: len(z) > 1))
def test_the_loss_is_the_binary_one_on_the_log_odds_of_not_y(row: Tensor) -> None:
    m = torch.logsumexp(row[1:], -1) - row[0]
    # m carries a few roundings of numbers below 100, and the slope of softplus is at most 1.
    # (F.softplus is no oracle: it is the identity from 20 on.)
    atol = 4 * 100 * torch.finfo(F64).eps
    torch.testing.assert_close(cross_entropy(row, 0), torch.logaddexp(m, m * 0), rtol=0, atol=atol)


@given(st.lists(st.integers(-640, 640), min_size=1, max_size=9), st.integers(-100_000, 100_000))
def test_a_shift_that_float32_adds_exactly_changes_not_one_bit(z: list[int], c: int) -> None:
    logits = torch.tensor(z) / 16
    assert torch.equal(cross_entropy(logits + c, 0), cross_entropy(logits, 0))


# Accuracy in float32, against exact arithmetic


def exact_odds(row: list[float], y: int) -> mp.mpf:
    """e^m: the odds against y. The loss is log1p of it, its target gradient -e^m / (1 + e^m)."""
    return mp.fsum(mp.exp(mp.mpf(z) - row[y]) for j, z in enumerate(row) if j != y)


def relative_errors(logits: Tensor, targets: Tensor) -> tuple[float, float]:
    """The largest errors of the losses and of the gradients at the target, against mpmath."""
    logits = logits.clone().requires_grad_()
    losses = cross_entropy(logits, targets, reduction="none")
    (gradients,) = torch.autograd.grad(losses.sum(), logits)
    worst = [0.0, 0.0]
    for row, y, loss, gradient in zip(
        logits.tolist(), targets.tolist(), losses.tolist(), gradients.tolist(), strict=True
    ):
        odds = exact_odds(row, y)
        pairs = [(loss, mp.log1p(odds)), (gradient[y], -odds / (1 + odds))]
        worst = [
            max(w, float(abs(got / exact - 1)))
            for w, (got, exact) in zip(worst, pairs, strict=True)
        ]
    return worst[0], worst[1]


GRID = [-1e4, -1e3, -104.0, -88.8, -17.0, -1.0, -1e-3, -1e-30, 0.0, 1e-30, 1e-3, 0.5, 1.0]
GRID += [2.0, 7.0, 15.0, 16.5, 16.63, 16.64, 17.4, 40.0, 60.0, 80.0, 85.0]
# The gap itself is exact. Exp and log1p are right to 1 eps each; where the target is behind, the
# sum and its log (at least log 2 of a loss) can double what exp and the sum's rounding bring.
TWO_CLASSES = 4 * torch.finfo(F32).eps


@pytest.mark.parametrize("y", [0, 1])
@given(gaps=st.lists(st.floats(-1e4, 85, width=32), max_size=40))
def test_two_classes_keep_every_digit_at_every_gap(y: int, gaps: list[float]) -> None:
    ahead = torch.tensor(GRID + gaps)
    logits = torch.zeros(len(ahead), 2)
    logits[:, y] = ahead
    errors = relative_errors(logits, torch.full(ahead.shape, y))
    assert TWO_CLASSES <= 3e-6  # what the lesson promises
    assert max(errors) <= TWO_CLASSES


@pytest.mark.parametrize("c", [-1e6, -1e4, 1e4, 1e6, 1e7])
def test_a_common_offset_costs_no_digit_that_the_logits_still_have(c: float, device: str) -> None:
    logits = torch.tensor([[2.0, -1.0], [0.3, 0.1], [-7.7, 9.2], [0.0, 15.1]], device=device) + c
    assert max(relative_errors(logits, torch.tensor([0, 1, 0, 1], device=device))) <= TWO_CLASSES


@pytest.mark.parametrize("classes", [10, 1000])
@pytest.mark.parametrize("lead", [0.0, 30.0])
def test_many_classes_are_right_to_a_few_roundings(classes: int, lead: float, device: str) -> None:
    logits = 5 * torch.randn(8, classes, device=device)
    targets = torch.randint(classes, (8,), device=device)
    logits.scatter_add_(-1, targets[:, None], torch.full((8, 1), lead, device=device))
    # As Blanchard, Higham and Higham (2021), but torch sums in pairs: log2(V) steps instead of V.
    spread = float((logits.amax(-1) - logits.amin(-1)).max())
    bound = (math.log2(classes) + 8 + 2 * spread) * torch.finfo(F32).eps / 2
    assert max(relative_errors(logits, targets)) <= bound


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=9))
def test_the_target_gradient_is_never_zero_before_the_others(row: list[float]) -> None:
    logits = torch.tensor(row, requires_grad=True)
    (gradient,) = torch.autograd.grad(cross_entropy(logits, 0), logits)
    assert (gradient[0] == 0) == (gradient[1:] == 0).all()
    assert gradient[0] <= 0


@pytest.mark.parametrize(("gap", "zero"), [(16.63, False), (16.64, True), (60.0, True)])
def test_torch_itself_is_exactly_zero_from_16_64(gap: float, zero: bool) -> None:
    # Pinned torch behaviour: one minus p_y falls below half an eps.
    logits = torch.tensor([gap, 0.0], requires_grad=True)
    loss = F.cross_entropy(logits, torch.tensor(0))
    (gradient,) = torch.autograd.grad(loss, logits)
    assert (loss.item() == 0) is zero
    assert (gradient[0].item() == 0) is zero
    assert gradient[1] > 0
    assert cross_entropy(logits, 0) > 0


# Low precision: computed in float32, rounded once


@pytest.mark.parametrize("dtype", [F16, BF16])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_half_precision_is_the_float64_result_rounded_once(
    dtype: torch.dtype, reduction: str, device: str
) -> None:
    logits = (4 * torch.randn(64, 50, device=device)).to(dtype).requires_grad_()
    targets = torch.randint(50, (64,), device=device)
    exactly = logits.detach().double().requires_grad_()
    loss = cross_entropy(logits, targets, reduction=reduction)
    truth = F.cross_entropy(exactly, targets, reduction=reduction)
    (gradient,) = torch.autograd.grad(loss.sum(), logits)
    (true_gradient,) = torch.autograd.grad(truth.sum(), exactly)
    assert loss.dtype == gradient.dtype == dtype
    # Half an ulp of the format, or of its subnormals; float32's own error is a hundredth of that.
    info = torch.finfo(dtype)
    half_ulp = 0.51 * info.eps
    for got, exact in [(loss, truth), (gradient, true_gradient)]:
        torch.testing.assert_close(
            got.double(), exact, rtol=half_ulp, atol=half_ulp * info.smallest_normal
        )


@pytest.mark.parametrize("dtype", [F16, BF16, F32, F64])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_loss_has_the_dtype_and_device_that_torch_gives(
    dtype: torch.dtype, reduction: str, device: str
) -> None:
    logits = torch.zeros(2, 3, dtype=dtype, device=device)
    targets = torch.tensor([0, 1], device=device)
    ours = cross_entropy(logits, targets, reduction=reduction)
    torchs = F.cross_entropy(logits, targets, reduction=reduction)
    assert (ours.dtype, ours.device, ours.shape) == (torchs.dtype, torchs.device, torchs.shape)


# The textbook composition: where it holds, and where it dies (IEEE facts)


def test_the_textbook_loss_is_one_for_each_example() -> None:
    logits, targets = torch.randn(2, 3, 4, dtype=F64), torch.randint(4, (2, 3))
    expected = F.cross_entropy(logits.movedim(-1, 1), targets, reduction="none")
    # -log p loses an eps for each unit of 1 / loss: p is right to a few eps, absolutely.
    atol = 2 * (4 + 6 + 2 * 20) * torch.finfo(F64).eps
    torch.testing.assert_close(cross_entropy_manual(logits, targets), expected, rtol=0, atol=atol)


@pytest.mark.parametrize(
    ("dtype", "gradient_lives", "gradient_dies", "value_lives", "value_dies"),
    [
        (F16, 11.0859375, 11.09375, 17.3125, 17.34375),
        (BF16, 88.5, 89.0, 92.5, 93.0),
        (F32, 88.72283, 88.72284, 103.97, 103.98),
        (F64, 709.78271289338, 709.78271289339, 745.13, 745.14),
    ],
)
def test_the_textbook_gradient_dies_where_exp_overflows_and_its_value_where_exp_underflows(
    dtype: torch.dtype,
    gradient_lives: float,
    gradient_dies: float,
    value_lives: float,
    value_dies: float,
) -> None:
    for gap in (gradient_lives, gradient_dies, value_lives, value_dies):
        logits = torch.tensor([0.0, gap], dtype=dtype, requires_grad=True)
        loss = cross_entropy_manual(logits, 0)
        (gradient,) = torch.autograd.grad(loss, logits)
        assert loss.isinf() == (gap == value_dies)
        assert gradient.tolist() == [-1, 1] if gap == gradient_lives else gradient.isnan().all()
        # The form to use knows no end: the loss is the gap, to the last bit.
        right = cross_entropy(logits, 0)
        assert right == logits[1]
        assert torch.autograd.grad(right, logits)[0].tolist() == [-1, 1]


def test_near_certainty_the_textbook_loss_is_zero_and_the_third_form_is_not() -> None:
    logits = torch.tensor([20.0, 0.0])
    assert softmax_stable(logits)[0] == 1
    assert cross_entropy_manual(logits, 0) == 0
    assert math.isclose(cross_entropy(logits, 0).item(), math.exp(-20), rel_tol=TWO_CLASSES)
