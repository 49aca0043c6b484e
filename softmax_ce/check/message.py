"""What a learner reads."""

import math
import textwrap
from typing import Any

import torch
from torch import Tensor

from softmax_ce.check.idea import Arguments, Idea, IgnoreIndex, Lesson, Rung
from softmax_ce.check.trial import Outcome

PRINTED = 8  # lines of what a function prints, to find its mistake by


def passed(rung: Rung, inputs: int, slow: float | None) -> str:
    """One line, and a second one for a loop that took long."""
    line = f"{rung.name}: right, on {inputs} inputs"
    if slow is None:
        return line
    return f"{line}\n  but slow, {slow:,.0f} times torch: a Python loop? Tensors do it at once."


def failed(
    rung: Rung,
    lesson: Lesson,
    idea: Idea | None = None,
    arguments: Arguments = (),
    outcome: Outcome | None = None,
    expected: Tensor | Exception | None = None,
) -> str:
    """The input that shows it, both answers, the idea that is broken, and where to read on."""
    if lesson.key == "not-written":
        return f"{rung.name}: not written yet"
    lines = [f"{rung.name}: not right yet"]
    if idea and outcome and expected is not None:
        what = f"gradient of {rung.name}" if idea.gradient else rung.name
        lines.append(f"  {what}({', '.join(map(written, arguments))})")
        name = rung.outputs[idea.output]
        of = f"{name}: " if name else ""
        if lesson.key != "changed":
            lines += [f"  printed   {line}" for line in outcome.printed.splitlines()[:PRINTED]]
            lines += compared(came_of(rung, outcome, idea), expected, of, arguments[0].dtype)
    lines += textwrap.wrap(
        lesson.sentence, 88, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
    )
    lines.append(f"  Read {title(lesson.page)}, “{lesson.heading}” ({lesson.page}#{lesson.anchor})")
    return "\n".join(lines)


def title(page: str) -> str:
    """What the book calls a page."""
    name = page.removesuffix(".md")
    return {"language-model": "Language model"}.get(name, name.capitalize())


def compared(
    came: Tensor | str, expected: Tensor | Exception, name: str, dtype: torch.dtype
) -> list[str]:
    """What came above what was expected, in the dtype, with digits that tell them apart."""
    texts: list[str] = []
    if isinstance(expected, Tensor):
        expected = expected.to(dtype)
    for digits in (6, 9, 12, 17):
        texts = [
            nested(value, digits) if isinstance(value, Tensor) else said(value)
            for value in (came, expected)
        ]
        if texts[0] != texts[1]:
            break
    return [f"  came      {name}{texts[0]}", f"  expected  {name}{texts[1]}"]


def said(value: str | Exception) -> str:
    """A text as it is, and the kind of a refusal."""
    return value if isinstance(value, str) else f"a {type(value).__name__}"


def came_of(rung: Rung, outcome: Outcome, idea: Idea) -> Tensor | str:
    """What a function returned or raised."""
    if outcome.error is not None:
        return f"{type(outcome.error).__name__}: {outcome.error}".splitlines()[0]
    if outcome.cut_off:
        return "no gradient at all"
    result = outcome.result
    if isinstance(result, tuple | list) and len(rung.outputs) == len(result) > 1:
        result = result[idea.output]
    return result if isinstance(result, Tensor) else repr(result)


def nested(value: Any, digits: int) -> str:
    """Numbers in their brackets."""
    if isinstance(value, Tensor):
        return nested(value.detach().tolist(), digits)
    if isinstance(value, list):
        return f"[{', '.join(nested(one, digits) for one in value)}]"
    return f"{value + 0.0:.{digits}g}"  # + 0.0: no minus before a zero


def written(value: Any) -> str:
    """An argument as one would type it."""
    if isinstance(value, IgnoreIndex):
        return f"ignore_index={value}"
    if not isinstance(value, Tensor):
        return repr(value) if math.isfinite(value) else typed(value)
    dtype = "" if value.dtype in (torch.float32, torch.int64) else f", dtype={value.dtype}"
    return f"torch.tensor({typed(value.tolist())}{dtype})"


def typed(value: Any) -> str:
    """Numbers as Python reads them; the shortest that is the same float32 or float64."""
    if isinstance(value, list):
        return f"[{', '.join(map(typed, value))}]"
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return f'float("{value}")'
    # The shortest that is the same float32; a float64 with more digits is written in full.
    for text in (f"{value:.{digits}g}" for digits in range(1, 10)):
        exactly = float(text) == value
        if exactly or torch.tensor(float(text), dtype=torch.float32).item() == value:
            return repr(float(text))
    return repr(float(value))
