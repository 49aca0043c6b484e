"""A refusal says what came, what was expected and what to do."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch

import softmax_ce
from softmax_ce import cross_entropy, cross_entropy_manual, cross_entropy_softmax_gradient

WITH_TARGETS = [cross_entropy, cross_entropy_manual, cross_entropy_softmax_gradient]
WITH_REDUCTION = [cross_entropy, cross_entropy_softmax_gradient]
WITH_DIM = [
    softmax_ce.softmax_naive,
    softmax_ce.softmax_stable,
    softmax_ce.logsumexp,
    softmax_ce.log_softmax,
    softmax_ce.softmax_temperature,
    softmax_ce.entropy,
]
Z = torch.zeros(4, 3)


def refuses(
    error: type[Exception], message: str, function: Callable[..., Any], *args: Any, **options: Any
) -> None:
    with pytest.raises(error, match="^" + re.escape(message) + "$"):
        function(*args, **options)


WRONG_DTYPE = "logits must be float16, bfloat16, float32 or float64; got {}. Write logits.float()."


@pytest.mark.parametrize("name", sorted({*softmax_ce.__all__} - {"merge_logsumexp"}))
@pytest.mark.parametrize(
    ("logits", "error", "message"),
    [
        (
            [1.0, 2.0],
            TypeError,
            "logits must be a torch.Tensor; got list. "
            "Write torch.tensor(logits, dtype=torch.float32).",
        ),
        (torch.tensor([1, 2]), TypeError, WRONG_DTYPE.format("int64")),
        (torch.tensor([True, False]), TypeError, WRONG_DTYPE.format("bool")),
        (torch.tensor([1j, 2]), TypeError, WRONG_DTYPE.format("complex64")),
        (
            torch.tensor(1.0),
            ValueError,
            "logits must have a class dimension; got a single number. "
            "One row of V classes has shape (V,).",
        ),
        (
            torch.zeros(4, 0),
            ValueError,
            "logits must have at least one class; got shape (4, 0) with none in dimension -1.",
        ),
    ],
    ids=["list", "integers", "booleans", "complex", "number", "no classes"],
)
def test_every_function_refuses_what_is_no_logits(
    name: str, logits: Any, error: type[Exception], message: str
) -> None:
    function = getattr(softmax_ce, name)
    refuses(error, message, function, logits, *[0] * (function in WITH_TARGETS))


@pytest.mark.parametrize("function", WITH_DIM)
@pytest.mark.parametrize("dim", [2, -3, 1.0, "last", None])
def test_a_wrong_dim_is_refused(function: Callable[..., Any], dim: Any) -> None:
    message = (
        "dim must be an integer in [-2, 2) for logits of shape (4, 3); "
        f"got {dim!r}. The classes are usually last: dim=-1."
    )
    refuses(IndexError, message, function, Z, dim=dim)


@pytest.mark.parametrize("function", WITH_DIM)
def test_no_classes_are_refused_in_the_named_dimension(function: Callable[..., Any]) -> None:
    message = "logits must have at least one class; got shape (0, 3) with none in dimension 0."
    refuses(ValueError, message, function, torch.zeros(0, 3), dim=0)


@pytest.mark.parametrize("function", WITH_TARGETS)
@pytest.mark.parametrize(
    ("targets", "came"),
    [
        (torch.zeros(4), "float32"),
        (torch.zeros(4, 3), "float32"),
        (torch.zeros(4, dtype=torch.bool), "bool"),
    ],
)
def test_targets_are_class_indices_and_neither_probabilities_nor_a_mask(
    function: Callable[..., Any], targets: Any, came: str
) -> None:
    message = (
        "targets must be class indices (integers), not probabilities or a mask; "
        f"got {came}. Turn one-hot rows into indices with targets.float().argmax(-1), "
        "or integers stored as floats with targets.long()."
    )
    refuses(TypeError, message, function, Z, targets)


@pytest.mark.parametrize("function", WITH_TARGETS)
@pytest.mark.parametrize(
    ("targets", "came"),
    [([0, 1, 2, 0], "list"), (1.0, "float"), (True, "bool"), (None, "NoneType")],
)
def test_targets_that_are_no_tensor_are_refused(
    function: Callable[..., Any], targets: Any, came: str
) -> None:
    message = (
        "targets must be an int (for a single row) or an integer torch.Tensor; "
        f"got {came}. Write torch.tensor(targets)."
    )
    refuses(TypeError, message, function, Z, targets)


@pytest.mark.parametrize("function", WITH_TARGETS)
@pytest.mark.parametrize(
    ("logits", "targets", "hint"),
    [
        ((4, 3), (3,), ""),
        ((4, 3), (4, 1), ""),
        ((4, 3), (4, 3), ""),
        ((4, 3), (), ""),
        ((3,), (1,), ""),
        ((2, 3, 4), (2, 4), "3"),
        ((2, 3, 4, 5), (2, 4, 5), "3"),
        ((4, 3, 3), (3, 4), ""),
    ],
)
def test_shapes_that_do_not_fit_are_both_printed(
    function: Callable[..., Any], logits: tuple[int, ...], targets: tuple[int, ...], hint: str
) -> None:
    message = (
        f"logits of shape {logits} have {logits[-1]} classes (the last dimension) and take "
        f"targets of shape {logits[:-1]}; got targets of shape {targets}."
    )
    if hint:
        message += (
            f" If the {hint} classes are the second dimension, move them last: "
            "logits.movedim(1, -1)."
        )
    refuses(
        ValueError, message, function, torch.zeros(logits), torch.zeros(targets, dtype=torch.long)
    )


def test_the_hint_on_a_second_class_dimension_is_right() -> None:
    logits, targets = torch.randn(2, 3, 4, dtype=torch.float64), torch.randint(3, (2, 4))
    expected = torch.nn.functional.cross_entropy(logits, targets)
    # A mean of 8 losses below 20, a few roundings each.
    atol = 4 * 20 * torch.finfo(torch.float64).eps
    torch.testing.assert_close(
        cross_entropy(logits.movedim(1, -1), targets), expected, rtol=0, atol=atol
    )


@pytest.mark.parametrize("function", WITH_TARGETS)
def test_an_int_target_does_not_fit_a_batch(function: Callable[..., Any]) -> None:
    message = (
        "logits of shape (4, 3) have 3 classes (the last dimension) and take targets of shape "
        "(4,); got targets of shape ()."
    )
    refuses(ValueError, message, function, Z, 1)


@pytest.mark.parametrize("function", WITH_TARGETS)
@pytest.mark.parametrize(
    ("targets", "which"),
    [
        (torch.tensor([0, 1, 7, 9]), "7 at index 2"),
        (torch.tensor([0, 3, 1, 1]), "3 at index 1"),
        (torch.tensor([-1, 3, 1, 1]), "-1 at index 0"),
        (torch.tensor([0, 1, 2, 255], dtype=torch.uint8), "255 at index 3"),
        (torch.tensor([[0, 1], [2, 3]]), "3 at index (1, 1)"),
        (3, "3"),
        (-1, "-1"),
    ],
)
def test_a_target_out_of_range_is_named_with_its_index_and_the_classes(
    function: Callable[..., Any], targets: Any, which: str
) -> None:
    shape = targets.shape if isinstance(targets, torch.Tensor) else ()
    ignored = " or be ignore_index (-100)" if function in WITH_REDUCTION else ""
    message = (
        f"targets must lie in [0, 3){ignored}; got {which}. "
        "Classes count from 0; check the labels, or give the logits more classes."
    )
    refuses(IndexError, message, function, torch.zeros(*shape, 3), targets)


@pytest.mark.parametrize("function", WITH_REDUCTION)
def test_ignore_index_excuses_only_itself(function: Callable[..., Any]) -> None:
    targets = torch.tensor([0, -1, 5, -100])
    message = (
        "targets must lie in [0, 3) or be ignore_index (-1); got 5 at index 2. "
        "Classes count from 0; check the labels, or give the logits more classes."
    )
    refuses(IndexError, message, function, Z, targets, ignore_index=-1)
    assert (
        function(Z, targets.clamp(max=2).where(targets != -100, 0), ignore_index=-1)
        .isfinite()
        .all()
    )


def test_the_manual_loss_ignores_nothing() -> None:
    with pytest.raises(IndexError, match=r"targets must lie in \[0, 3\); got -100 at index 0\."):
        cross_entropy_manual(Z, torch.full((4,), -100))


@pytest.mark.parametrize("function", WITH_REDUCTION)
@pytest.mark.parametrize("reduction", ["avg", "", None, "Mean"])
def test_an_unknown_reduction_is_refused(function: Callable[..., Any], reduction: Any) -> None:
    message = f"reduction must be one of ('mean', 'sum', 'none'); got {reduction!r}"
    refuses(ValueError, message, function, Z, torch.zeros(4, dtype=torch.long), reduction=reduction)
