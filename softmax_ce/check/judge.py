"""Say whether a learner's function is right, and if not, which idea it breaks and on what."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import Tensor

from softmax_ce.check.idea import Arguments, Function, Idea, Lesson, Misconception, Rung
from softmax_ce.check.message import failed, passed
from softmax_ce.check.shrink import shrink
from softmax_ce.check.trial import Outcome, TooLongError, attempt

SLOW, SECONDS = 200, 0.02  # times torch's own time, and in all: below that, nobody waits

PATIENCE = 5.0  # seconds, to tell one known mistake from another


@dataclass(frozen=True)
class Verdict:
    """What was found: the key of the lesson, or "right", and the message for the learner."""

    rung: str
    key: str
    text: str
    slow: bool = False

    @property
    def right(self) -> bool:
        """Whether nothing is wrong; a slow function may be right."""
        return self.key == "right"


def judge(rung: Rung, function: Function) -> Verdict:
    """Try the ideas of a rung in order, and stop at the first that is broken."""
    if not callable(function):
        lesson = generic(rung, "not-callable", f"A function is asked for; {function!r} is none.")
        return Verdict(rung.name, lesson.key, failed(rung, lesson))
    inputs = 0
    for idea in rung.ideas:
        for arguments in idea.inputs:
            outcome = attempt(function, arguments, gradient=idea.gradient)
            lesson = fault(rung, idea, arguments, outcome)
            if lesson:
                return explain(rung, function, idea, arguments, first=outcome, lesson=lesson)
            inputs += 1
    slow = slowness(rung, function)
    return Verdict(rung.name, "right", passed(rung, inputs, slow), slow is not None)


def explain(
    rung: Rung,
    function: Function,
    idea: Idea,
    arguments: Arguments,
    *,
    first: Outcome,
    lesson: Lesson,
) -> Verdict:
    """Recognise the mistake, find a small input that shows it, and write the message."""
    known = recognise(rung, function, idea, arguments, first, lesson)
    # Of two mistakes that the first input tells apart, the smaller input must not show both.
    rivals = [
        rival
        for rival in rung.misconceptions
        if known and rival.lesson != known.lesson and differs(rung, idea, arguments, first, rival)
    ]

    def fails(smaller: Arguments) -> bool:
        outcome = attempt(function, smaller, gradient=idea.gradient)
        again = fault(rung, idea, smaller, outcome)
        if again is None:
            return False
        if known is not None:
            return matches(rung, idea, smaller, outcome, known) and not any(
                agrees(rung, idea, smaller, outcome, rival) for rival in rivals
            )
        return again.key == lesson.key and type(outcome.error) is type(first.error)

    outcome = first
    if lesson.key not in ("too-long", "not-written"):
        arguments = shrink(arguments, fails)
        outcome = attempt(function, arguments, gradient=idea.gradient)
    # What happens only sometimes may be gone: then the first finding stands.
    lesson = known.lesson if known else fault(rung, idea, arguments, outcome) or lesson
    expected = answer(rung.right, idea, arguments)
    return Verdict(rung.name, lesson.key, failed(rung, lesson, idea, arguments, outcome, expected))


def recognise(
    rung: Rung,
    function: Function,
    idea: Idea,
    arguments: Arguments,
    outcome: Outcome,
    lesson: Lesson,
) -> Misconception | None:
    """The known mistake that explains most of what the function does, this failure included."""
    if lesson.key in ("too-long", "not-written", "none", "changed", "type"):
        return None
    fitting = [
        known
        for known in rung.misconceptions
        if matches(rung, idea, arguments, outcome, known)
        and passes_before(rung, idea, arguments, known)
    ]
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    scores = dict.fromkeys(range(len(fitting)), 0)
    end = time.monotonic() + PATIENCE
    for other, tried in every_input(rung):
        if time.monotonic() > end:
            break
        outcome = attempt(function, tried, gradient=other.gradient)
        for place, known in enumerate(fitting):
            scores[place] += agrees(rung, other, tried, outcome, known)
    return fitting[max(scores, key=lambda place: (scores[place], -place))]


def passes_before(rung: Rung, idea: Idea, arguments: Arguments, known: Misconception) -> bool:
    """Whether a known mistake would have come as far as this input."""
    for earlier, tried in every_input(rung):
        if earlier is idea and tried is arguments:
            return True
        wrong = ours(known.wrong, earlier, tried)
        if fault(rung, earlier, tried, wrong):
            return False
    return False


def every_input(rung: Rung) -> Iterator[tuple[Idea, Arguments]]:
    """All inputs of a rung, each with its idea."""
    return ((idea, arguments) for idea in rung.ideas for arguments in idea.inputs)


def matches(
    rung: Rung, idea: Idea, arguments: Arguments, outcome: Outcome, known: Misconception
) -> bool:
    """Whether a known mistake fails here as well, and in the same way."""
    wrong = ours(known.wrong, idea, arguments)
    return agrees(rung, idea, arguments, outcome, known) and bool(
        fault(rung, idea, arguments, wrong)
    )


def differs(
    rung: Rung, idea: Idea, arguments: Arguments, outcome: Outcome, known: Misconception
) -> bool:
    """Whether a known mistake fails here as well, but in another way."""
    wrong = ours(known.wrong, idea, arguments)
    return not agrees(rung, idea, arguments, outcome, known) and bool(
        fault(rung, idea, arguments, wrong)
    )


def agrees(
    rung: Rung, idea: Idea, arguments: Arguments, outcome: Outcome, known: Misconception
) -> bool:
    """Whether a known mistake comes to the same result, or to the same kind of error."""
    wrong = ours(known.wrong, idea, arguments)
    if outcome.error or wrong.error:
        return repr(outcome.error) == repr(wrong.error)
    if outcome.cut_off or wrong.cut_off:
        return outcome.cut_off and wrong.cut_off
    came, theirs = listed(outcome.result), listed(wrong.result)
    if len(came) != len(theirs) or len(came) <= idea.output:
        return False
    mine, other = came[idea.output], theirs[idea.output]
    return (
        mine.shape == other.shape
        and mine.dtype == other.dtype
        and close(mine, other, rung.tolerance(arguments, other.double()))
    )


def fault(rung: Rung, idea: Idea, arguments: Arguments, outcome: Outcome) -> Lesson | None:
    """What is wrong with an outcome, before any mistake is recognised."""
    if outcome.error is not None:
        return refused(rung, idea, outcome.error, outcome.line)
    if outcome.result is None:
        return generic(rung, "none", "It returns None: end it with `return` and the answer.")
    if outcome.cut_off:
        return None if rung.optional_gradient else idea.lesson
    came = listed(outcome.result)
    if not all(isinstance(value, Tensor) for value in came):
        return generic(
            rung, "type", f"A torch.Tensor is asked for; this is {named(outcome.result)}."
        )
    if len(came) != len(rung.outputs) and not idea.gradient:
        names = ", ".join(rung.outputs)
        return generic(rung, "outputs", f"Return {names}, in this order; {len(came)} came.")
    expected, value = answer(rung.right, idea, arguments), came[idea.output]
    if isinstance(expected, Exception):
        return idea.lesson
    if value.shape != expected.shape:
        asked = tuple(expected.shape) if expected.ndim else "one number, ()"
        shapes = f"{asked} is asked for; {tuple(value.shape)} came"
        return generic(rung, "shape", f"The shape is not the right one: {shapes}.")
    dtype = arguments[0].dtype
    if value.dtype != dtype:
        types = f"{short(dtype)} came in and {short(value.dtype)} came out"
        return generic(rung, "dtype", f"The answer has the dtype of the logits; {types}.")
    if not close(value, expected, rung.tolerance(arguments, expected)):
        return idea.lesson
    if outcome.changed:
        return generic(
            rung,
            "changed",
            "The answer is right, but the caller's tensor is changed: methods that end in _ and "
            "operators like -= write into it. Work on a new tensor, or on logits.clone().",
        )
    return None


def refused(rung: Rung, idea: Idea, error: BaseException, line: str) -> Lesson | None:
    """What an exception means."""
    if isinstance(error, idea.refusal):
        return None
    if isinstance(error, NotImplementedError):
        return generic(rung, "not-written", "It is not written yet.")
    if isinstance(error, TooLongError):
        return generic(
            rung,
            "too-long",
            f"It does not end: {error}. Look for a loop whose condition stays true.",
        )
    where = f", at `{line}`" if line else ""
    raised = f"It raises {type(error).__name__}{where}."
    if idea.errors_miss_it:
        return replace(idea.lesson, sentence=f"{raised} {idea.lesson.sentence}")
    return generic(rung, "error", raised)


@lru_cache(maxsize=4096)  # a shrinking input is compared with every known mistake
def ours(function: Function, idea: Idea, arguments: Arguments) -> Outcome:
    """What one of our own functions does; tensors are told apart by their identity."""
    return attempt(function, arguments, gradient=idea.gradient)


@lru_cache(maxsize=4096)
def answer(function: Function, idea: Idea, arguments: Arguments) -> Tensor | Exception:
    """The right answer, in float64, or the refusal that is the only one."""
    double = tuple(
        value.double() if isinstance(value, Tensor) and value.is_floating_point() else value
        for value in arguments
    )
    outcome = attempt(function, double, gradient=idea.gradient)
    if isinstance(outcome.error, idea.refusal):
        return outcome.error
    if outcome.error:
        raise outcome.error
    return listed(outcome.result)[idea.output]


def listed(result: object) -> list[Tensor]:
    """A function's results, one or several."""
    return list(result) if isinstance(result, tuple | list) else [result]  # type: ignore[list-item]


def close(came: Tensor, expected: Tensor, tolerance: Tensor) -> bool:
    """Whether each entry is within its tolerance, or the same infinity or nan."""
    came = came.detach().cpu().double()
    expected = expected.detach().double()
    near = (came - expected).abs() <= tolerance
    return bool((near | (came == expected) | (came.isnan() & expected.isnan())).all())


def slowness(rung: Rung, function: Function) -> float | None:
    """How many times slower than torch a function is, if that is worth a word."""
    if not rung.large:
        return None
    times = []
    for tried in (rung.right, function):
        attempt(tried, rung.large)  # the first call of anything is slow
        start = time.thread_time()
        attempt(tried, rung.large)
        times.append(time.thread_time() - start)
    ours, theirs = times
    return theirs / ours if theirs > max(SECONDS, SLOW * ours) else None


def generic(rung: Rung, key: str, sentence: str) -> Lesson:
    """A lesson that is no idea of the book: the place is that of the rung."""
    return Lesson(key, sentence, *rung.place)


def named(value: object) -> str:
    """The type of what came, with what to do if that is easily said."""
    advice = {
        "ndarray": " of NumPy: torch.from_numpy(it) is a tensor",
        "float": ", a number of Python: leave out .item()",
        "function": ": call it",
    }
    return type(value).__name__ + advice.get(type(value).__name__, "")


def short(dtype: torch.dtype) -> str:
    """The name of a dtype."""
    return str(dtype).removeprefix("torch.")
