"""The figure of the chapter Accuracy: which form of the loss fails where, in which float type."""

import math
from collections.abc import Callable
from typing import Any

import mpmath as mp
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle
from torch import Tensor

from softmax_ce import cross_entropy
from softmax_ce.figures.look import FIRST, FOURTH, SECOND, THIRD
from softmax_ce.figures.style import number, panels, styled, ticks

Form = Callable[[Tensor, Tensor], Tensor]
FORMS: dict[str, Form] = {
    "log(softmax)": lambda z, y: -torch.softmax(z, -1).gather(-1, y[:, None])[:, 0].log(),
    "F.cross_entropy": lambda z, y: F.cross_entropy(z, y, reduction="none"),
    "third form": lambda z, y: cross_entropy(z, y, reduction="none"),
}
REACH = {torch.float16: 24, torch.bfloat16: 140, torch.float32: 140, torch.float64: 1000}
STEPS = 240  # gaps on each side of 0; both sides have two for each pixel of a wide screen
TOLERANCE = 4  # eps
WRONG = 0.1
RIGHT, LOST, FALSE, ZERO, INF, NAN = range(6)  # from bad to worse
LOOKS: dict[int, tuple[str, dict[str, Any]]] = {
    RIGHT: (f"within {TOLERANCE} eps", {"facecolor": FIRST, "alpha": 0.3}),
    LOST: ("digits lost", {"facecolor": "none", "edgecolor": THIRD, "hatch": "////"}),
    FALSE: (
        f"off by more than {100 * WRONG:g} %",
        {"facecolor": "none", "edgecolor": SECOND, "hatch": "xxxxxx"},
    ),
    ZERO: ("0", {"facecolor": SECOND, "alpha": 0.3}),
    INF: ("inf", {"facecolor": FOURTH, "alpha": 0.35}),
    NAN: ("nan", {"facecolor": FOURTH, "alpha": 0.3}),
}


@styled
def atlas() -> Figure:
    """How wrong the loss and its gradient are in three forms and four float types, by the gap.

    The reference is mpmath. A place is as bad as the worst one between it and a gap of 0.
    """
    textbook, library, _ = FORMS.values()
    figure, rows = panels(4, 2, height=6.4, sharey=True)
    for (dtype, reach), (left, right) in zip(REACH.items(), rows, strict=True):
        name = str(dtype).removeprefix("torch.")
        left.set_title(f"{name}: loss", loc="left", weight="bold")
        right.set_title(f"{name}: gradient", loc="left", weight="bold")
        gaps = _gaps(dtype, reach)
        exact = _exact(gaps)
        found = [_loss_and_gradient(form, gaps) for form in FORMS.values()]
        for which, axes in enumerate((left, right)):
            for row, values in enumerate(found):
                classes = _worst_from_0(gaps, _classes(values[which], exact[which]))
                _strip(axes, row, gaps.tolist(), classes, reach)
            ends = [_end(textbook, dtype, which, -1), _end(library, dtype, which, 1)]
            ticks(axes.xaxis, [round(end, 1) for end in ends], [number(end, ".1f") for end in ends])
            axes.set_xlim(-reach, reach)
            axes.set_ylim(2.5, -0.5)
            ticks(axes.yaxis, range(3), FORMS)
            axes.tick_params(left=False)
            axes.spines[:].set_visible(False)
            axes.set_xlabel("gap", loc="right", labelpad=-11)
    keys = [Patch(lw=0, label=name, **look) for name, look in list(LOOKS.values())[: FALSE + 1]]
    figure.legend(handles=keys, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _gaps(dtype: torch.dtype, reach: float) -> Tensor:
    steps = torch.linspace(-reach, reach, 2 * STEPS + 1, dtype=torch.float64)
    gaps: Tensor = torch.unique(steps.to(dtype))
    return gaps


def _exact(gaps: Tensor) -> tuple[list[mp.mpf], list[mp.mpf]]:
    """The loss, and its gradient at the target."""
    with mp.workprec(100):
        against = [mp.exp(-mp.mpf(gap)) for gap in gaps.tolist()]
        return [mp.log1p(x) for x in against], [-x / (1 + x) for x in against]


def _loss_and_gradient(form: Form, gaps: Tensor) -> tuple[Tensor, Tensor]:
    logits = torch.stack([gaps, torch.zeros_like(gaps)], dim=-1).requires_grad_()
    losses = form(logits, torch.zeros(len(gaps), dtype=torch.int64))
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    return losses.detach(), gradient[:, 0]


def _classes(values: Tensor, exact: list[mp.mpf]) -> Tensor:
    tolerance = TOLERANCE * torch.finfo(values.dtype).eps
    pairs = zip(values.tolist(), exact, strict=True)
    with mp.workprec(100):
        errors = torch.tensor([float(abs(value / truth - 1)) for value, truth in pairs])
    classes = torch.full(values.shape, RIGHT)
    classes[errors > tolerance] = LOST
    classes[errors > WRONG] = FALSE
    classes[values == 0] = ZERO
    classes[values.isinf()] = INF
    classes[values.isnan()] = NAN
    return classes


def _worst_from_0(gaps: Tensor, classes: Tensor) -> list[int]:
    left, right = classes[gaps <= 0], classes[gaps > 0]
    return [*left.flip(0).cummax(0).values.flip(0).tolist(), *right.cummax(0).values.tolist()]


def _strip(axes: Axes, row: int, gaps: list[float], classes: list[int], reach: float) -> None:
    starts = [i for i in range(len(gaps)) if i == 0 or classes[i] != classes[i - 1]]
    for start, stop in zip(starts, [*starts[1:], len(gaps) - 1], strict=True):
        left, width = gaps[start], gaps[stop] - gaps[start]
        name, look = LOOKS[classes[start]]
        axes.add_patch(Rectangle((left, row - 0.42), width, 0.84, lw=0, **look))
        if classes[start] >= ZERO and width > reach / 5:
            axes.text(left + width / 2, row, name, ha="center", va="center_baseline", size=11)


def _end(form: Form, dtype: torch.dtype, which: int, side: int) -> float:
    """The gap closest to 0 on this side at which the loss or its gradient is 0, inf or nan."""
    alive, dead = 0.0, float(side * REACH[dtype])
    while True:
        middle = torch.tensor([(alive + dead) / 2], dtype=dtype)
        if middle.item() in (alive, dead):
            return dead
        value = _loss_and_gradient(form, middle)[which].item()
        if value == 0 or not math.isfinite(value):
            dead = middle.item()
        else:
            alive = middle.item()
