"""Call a learner's function once, on copies, with a limit of time, and keep what happened."""

import io
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from softmax_ce.check.idea import Arguments, Function, IgnoreIndex

SECONDS = 10.0  # a call takes milliseconds; a busy machine may take a hundred times as long


class TooLongError(BaseException):
    """Raised inside a function at its limit; no `except Exception` in there swallows it."""


@dataclass(frozen=True)
class Outcome:
    """What a function returned, or raised, and whether it changed what it was given."""

    result: Any = None
    error: BaseException | None = None
    changed: bool = False
    cut_off: bool = False  # its gradient was asked for, and it has none
    line: str = ""  # of the function's file, which raised
    printed: str = ""


def attempt(function: Function, arguments: Arguments, *, gradient: bool = False) -> Outcome:
    """Call a function; with `gradient`, the result is autograd's by the first argument."""
    given, before = copied(arguments), copied(arguments)
    if gradient:
        given[0].requires_grad_()
    said = io.StringIO()  # a function is called a hundred times; what it prints is for one of them
    try:
        with redirect_stdout(said), limit(SECONDS), torch.enable_grad():
            result = call(function, given)
            if gradient and isinstance(result, Tensor):
                if not result.requires_grad:
                    return Outcome(result, cut_off=True, printed=said.getvalue())
                (result,) = torch.autograd.grad(result.sum(), given[0])
    except (Exception, SystemExit, TooLongError) as error:
        return Outcome(error=error, line=line_of(function, error), printed=said.getvalue())
    changed = not all(map(same, given, before))
    return Outcome(result, changed=changed, printed=said.getvalue())


def call(function: Function, given: Arguments) -> Any:
    """Call a function, an ignore_index by its name."""
    *others, last = given
    if isinstance(last, IgnoreIndex):
        return function(*others, ignore_index=int(last))
    return function(*given)


def line_of(function: Function, error: BaseException) -> str:
    """The last line in the function's own file that an exception went through."""
    code = getattr(function, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if code and frame.filename == code.co_filename]
    return (own[-1].line or "") if own else ""


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise TooLongError inside the block once it has run too long.

    An alarm of the operating system does it (Linux, macOS), and only in the main thread; elsewhere
    there is no limit. It waits for the end of a single call into C, however long that takes. It
    comes again every second, but a loop that catches even BaseException outlives it.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        yield
        return

    def stop(_: int, __: FrameType | None) -> None:
        raise TooLongError(f"no result after {seconds:g} seconds")

    earlier = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)


def copied(arguments: Arguments) -> Arguments:
    """The arguments, each tensor a new one."""
    return tuple(
        value.detach().clone() if isinstance(value, Tensor) else value for value in arguments
    )


def same(value: Any, before: Any) -> bool:
    """Whether an argument is what it was; a nan stays one."""
    if not isinstance(before, Tensor):
        return True  # Python's numbers cannot be changed
    value = value.detach()
    return value.shape == before.shape and torch.equal(value.nan_to_num(), before.nan_to_num())
