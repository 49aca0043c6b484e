"""What a rung of the ladder is made of: ideas with inputs that try them, and known mistakes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

Arguments = tuple[Any, ...]
Function = Callable[..., Any]


class IgnoreIndex(int):
    """The argument of that name, which is given by its name."""


@dataclass(frozen=True)
class Lesson:
    """What a learner is told: the idea in a sentence, and where the book explains it."""

    key: str
    sentence: str
    page: str
    heading: str
    anchor: str


@dataclass(frozen=True, eq=False)
class Idea:
    """Something that a right function does, and the inputs that show whether it does it.

    With `gradient`, autograd's gradient by the first argument is looked at, not the value.
    """

    lesson: Lesson
    inputs: tuple[Arguments, ...]
    gradient: bool = False
    output: int = 0  # which one, of a function that returns several
    refusal: tuple[type[Exception], ...] = ()  # raising one of these is an answer, too
    errors_miss_it: bool = False  # whoever has not thought of it meets an error


@dataclass(frozen=True, eq=False)
class Misconception:
    """A wrong function that people write; a learner's is known by computing the same."""

    lesson: Lesson
    wrong: Function


@dataclass(frozen=True, eq=False)
class Rung:
    """One function to write."""

    name: str
    parameters: str
    task: str
    place: tuple[str, str, str]  # where the book has it: page, heading, anchor
    right: Function
    tolerance: Callable[[Arguments, Tensor], Tensor]
    ideas: tuple[Idea, ...]
    misconceptions: tuple[Misconception, ...]
    large: Arguments = ()  # an input on which a Python loop is slow
    outputs: tuple[str, ...] = ("",)
    given: str = ""  # the lines that a skeleton starts from
    optional_gradient: bool = False  # NumPy may compute it


def row(*numbers: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """One row of logits."""
    return torch.tensor(numbers, dtype=dtype)


def rows(*lists: list[float], dtype: torch.dtype = torch.float32) -> Tensor:
    """A batch of logits."""
    return torch.tensor(lists, dtype=dtype)


def classes(*indices: int) -> Tensor:
    """The targets of a batch."""
    return torch.tensor(indices)


def in_float64(inputs: tuple[Arguments, ...]) -> tuple[Arguments, ...]:
    """The same logits with more digits: thirds, that float32 would round."""
    return tuple(
        tuple(
            value.double() / 3 if isinstance(value, Tensor) and value.is_floating_point() else value
            for value in arguments
        )
        for arguments in inputs
    )


def in_float32(function: Function) -> Function:
    """The function computed in float32, its result in the type of the logits again."""

    def narrowed(logits: Tensor, *rest: Any) -> Any:
        rest = tuple(
            value.float() if isinstance(value, Tensor) and value.is_floating_point() else value
            for value in rest
        )
        return function(logits.float(), *rest).to(logits.dtype)

    return narrowed
