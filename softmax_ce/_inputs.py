"""What the mathematics accepts. A refusal says what came, what was expected and what to do."""

import inspect
from collections.abc import Callable
from functools import wraps
from numbers import Real
from typing import Any, ParamSpec

import torch
from torch import Tensor

P = ParamSpec("P")

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
INTEGERS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
REDUCTIONS = ("mean", "sum", "none")


def takes_logits(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Check `logits`, `dim` and the type of `T` before `function` sees them."""
    signature = inspect.signature(function)

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        given = signature.bind(*args, **kwargs).arguments
        _check_logits(given["logits"], given.get("dim", -1))
        _check_temperature(given.get("T", 1.0))
        return function(*args, **kwargs)

    return checked


def takes_targets(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Check logits, targets and reduction, and hand `function` the targets as an int64 tensor."""
    signature = inspect.signature(function)

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        call = signature.bind(*args, **kwargs)
        call.apply_defaults()
        given = call.arguments
        _check_logits(given["logits"], dim=-1)
        if given.get("reduction", "mean") not in REDUCTIONS:
            raise ValueError(f"reduction must be one of {REDUCTIONS}; got {given['reduction']!r}")
        given["targets"] = _class_indices(
            given["targets"], given["logits"], given.get("ignore_index")
        )
        return function(*call.args, **call.kwargs)

    return checked


def at_least_float32(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Compute in float32 where the logits hold fewer digits; round the result to their dtype."""
    signature = inspect.signature(function)

    @wraps(function)
    def widened(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        call = signature.bind(*args, **kwargs)
        logits: Tensor = call.arguments["logits"]
        if logits.dtype not in (torch.float16, torch.bfloat16):
            return function(*args, **kwargs)
        call.arguments["logits"] = logits.float()
        return function(*call.args, **call.kwargs).to(logits.dtype)

    return widened


def takes_shards(function: Callable[P, Tensor]) -> Callable[P, Tensor]:
    """Check the log-sum-exps of two shards before `function` sees them."""
    signature = inspect.signature(function)

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Tensor:
        _check_shards(**signature.bind(*args, **kwargs).arguments)
        return function(*args, **kwargs)

    return checked


def _check_shards(first: Any, second: Any) -> None:
    """Refuse what are not the log-sum-exps of two parts of the same rows."""
    for shard in (first, second):
        if not isinstance(shard, Tensor) or shard.dtype not in FLOATS:
            came = _name(shard.dtype) if isinstance(shard, Tensor) else type(shard).__name__
            raise TypeError(
                f"the log-sum-exps of two shards must be floating-point tensors; got {came}. "
                "Write logsumexp(logits) of each shard."
            )
    if first.shape != second.shape or first.dtype != second.dtype:
        raise ValueError(
            "the log-sum-exps of two shards must have one shape and one dtype: one number for each "
            f"row; got {tuple(first.shape)} in {_name(first.dtype)} and {tuple(second.shape)} in "
            f"{_name(second.dtype)}."
        )


def _check_logits(logits: Any, dim: int) -> None:
    if not isinstance(logits, Tensor):
        raise TypeError(
            f"logits must be a torch.Tensor; got {type(logits).__name__}. "
            "Write torch.tensor(logits, dtype=torch.float32)."
        )
    if logits.dtype not in FLOATS:
        raise TypeError(
            "logits must be float16, bfloat16, float32 or float64; "
            f"got {_name(logits.dtype)}. Write logits.float()."
        )
    if logits.ndim == 0:
        raise ValueError(
            "logits must have a class dimension; got a single number. "
            "One row of V classes has shape (V,)."
        )
    if not isinstance(dim, int) or not -logits.ndim <= dim < logits.ndim:
        raise IndexError(
            f"dim must be an integer in [{-logits.ndim}, {logits.ndim}) for logits of shape "
            f"{tuple(logits.shape)}; got {dim!r}. The classes are usually last: dim=-1."
        )
    if logits.shape[dim] == 0:
        raise ValueError(
            f"logits must have at least one class; got shape {tuple(logits.shape)} "
            f"with none in dimension {dim}."
        )


def _check_temperature(T: Any) -> None:
    if isinstance(T, Tensor):
        fits, came = T.ndim == 0, f"a tensor of shape {tuple(T.shape)}"
    else:
        fits, came = isinstance(T, Real) and not isinstance(T, bool), repr(T)
    if not fits:
        raise TypeError(f"T must be a number or a tensor of shape (); got {came}.")


def _class_indices(targets: Any, logits: Tensor, ignore_index: int | None) -> Tensor:
    if isinstance(targets, int) and not isinstance(targets, bool):
        targets = torch.tensor(targets, device=logits.device)
    if not isinstance(targets, Tensor):
        raise TypeError(
            "targets must be an int (for a single row) or an integer torch.Tensor; "
            f"got {type(targets).__name__}. Write torch.tensor(targets)."
        )
    if targets.dtype not in INTEGERS:
        raise TypeError(
            "targets must be class indices (integers), not probabilities or a mask; "
            f"got {_name(targets.dtype)}. Turn one-hot rows into indices with "
            "targets.float().argmax(-1), or integers stored as floats with targets.long()."
        )
    if targets.shape != logits.shape[:-1]:
        raise ValueError(_misfit(tuple(logits.shape), tuple(targets.shape)))
    targets, classes = targets.long(), logits.shape[-1]
    checked: Tensor = (
        targets.clone()
        if _are_classes(targets, classes)
        else _InRange.apply(targets, classes, ignore_index)
    )
    return checked


def _are_classes(targets: Tensor, classes: int) -> bool:
    """Whether nothing is left to check: the usual case, in a quarter of the time."""
    try:
        return bool(((targets >= 0) & (targets < classes)).all())
    except RuntimeError:  # under vmap no one can tell
        return False


def _misfit(logits: tuple[int, ...], targets: tuple[int, ...]) -> str:
    message = (
        f"logits of shape {logits} have {logits[-1]} classes (the last dimension) and take targets "
        f"of shape {logits[:-1]}; got targets of shape {targets}."
    )
    if len(logits) > 2 and targets == logits[:1] + logits[2:]:
        message += (
            f" If the {logits[1]} classes are the second dimension, move them last: "
            "logits.movedim(1, -1)."
        )
    return message


class _InRange(torch.autograd.Function):
    """The targets themselves, once all are classes; a Function, so that vmap may call it too."""

    @staticmethod
    def forward(targets: Tensor, classes: int, ignore_index: int | None) -> Tensor:
        wrong = (targets < 0) | (targets >= classes)
        if ignore_index is not None:
            wrong &= targets != ignore_index
        if wrong.any():
            where = tuple(wrong.nonzero()[0].tolist())
            at = f" at index {where[0] if len(where) == 1 else where}" if where else ""
            ignored = "" if ignore_index is None else f" or be ignore_index ({ignore_index})"
            raise IndexError(
                f"targets must lie in [0, {classes}){ignored}; got {targets[where].item()}{at}. "
                "Classes count from 0; check the labels, or give the logits more classes."
            )
        return targets.clone()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.mark_non_differentiable(output)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[None, None, None]:
        return None, None, None

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, ...], targets: Tensor, *rest: Any
    ) -> tuple[Tensor, int | None]:
        checked: Tensor = _InRange.apply(targets, *rest)
        return checked, in_dims[0]


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
