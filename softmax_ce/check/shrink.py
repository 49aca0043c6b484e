"""Make an input that fails smaller: fewer rows and classes, and numbers of few digits."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from softmax_ce.check.idea import Arguments, IgnoreIndex

SECONDS = 5.0  # a slow function is not worth more waiting


def shrink(arguments: Arguments, fails: Callable[[Arguments], bool]) -> Arguments:
    """The smallest input found, going down step by step, that still fails."""
    end = time.monotonic() + SECONDS
    found = True
    while found:
        found = False
        for smaller in sorted(steps(arguments), key=size):
            if time.monotonic() > end:
                return arguments
            if size(smaller) < size(arguments) and fails(smaller):
                arguments, found = smaller, True
                break
    return arguments


def size(arguments: Arguments) -> tuple[int, int, float]:
    """Fewer numbers are smaller, then fewer digits, then nearer to 0."""
    numbers = [number for value in arguments for number in listed(value)]
    written = sum(len(f"{number:.17g}") for number in numbers)
    return len(numbers), written, sum(abs(n) for n in numbers if math.isfinite(n))


def listed(value: Any) -> list[float]:
    """The numbers of an argument."""
    return value.flatten().tolist() if isinstance(value, Tensor) else [value]


def steps(arguments: Arguments) -> Iterator[Arguments]:
    """All inputs that are one step smaller."""
    logits = arguments[0]
    for dim in range(logits.ndim):
        last = dim == logits.ndim - 1
        for index in range(logits.shape[dim]):
            if logits.shape[dim] > (2 if last else 1):
                yield from without(arguments, dim, index, is_class=last)
    for place, value in enumerate(arguments):
        if isinstance(value, Tensor) and value.is_floating_point():
            for flat, number in enumerate(value.flatten().tolist()):
                for rounder in rounded(number):
                    changed = value.clone()
                    changed.view(-1)[flat] = rounder
                    yield (*arguments[:place], changed, *arguments[place + 1 :])
        elif isinstance(value, float):
            for rounder in rounded(value):
                if rounder > 0:  # a temperature
                    yield (*arguments[:place], rounder, *arguments[place + 1 :])


def without(arguments: Arguments, dim: int, index: int, *, is_class: bool) -> Iterator[Arguments]:
    """The input less one row, or less one class where no index names it."""
    logits = arguments[0]
    keep = [other for other in range(logits.shape[dim]) if other != index]
    ignored = next((value for value in arguments if isinstance(value, IgnoreIndex)), -100)
    if is_class and ignored == index:
        return
    smaller: list[Any] = []
    for value in arguments:
        if isinstance(value, Tensor) and value.shape == logits.shape:
            smaller.append(value[(slice(None),) * dim + (keep,)])
        elif isinstance(value, IgnoreIndex):
            smaller.append(value)
        elif isinstance(value, int | Tensor) and is_class:
            if (torch.as_tensor(value) == index).any():
                return
            above = value > index
            smaller.append(value - (above.long() if isinstance(above, Tensor) else above))
        elif isinstance(value, Tensor):
            smaller.append(value[(slice(None),) * dim + (keep,)])
        else:
            smaller.append(value)
    tensors = [value for value in smaller if isinstance(value, Tensor)]
    targets = [value for value in tensors if not value.is_floating_point()]
    if all((value != ignored).any() for value in targets):  # one example at least counts
        yield tuple(smaller)


def rounded(number: float) -> Iterator[float]:
    """Numbers near one that are easier to read."""
    if not math.isfinite(number) or number == 0:
        return
    yield from (0.0, 1.0, math.copysign(2.0, number))
    yield float(f"{number:.0e}")
    yield float(f"{number / 2:.0e}")
    yield float(round(number))
    yield float(f"{number:.1e}")
