"""The figures of the chapter Stability: naive beside stable, and where exp ends."""

import math
from collections.abc import Callable
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from softmax_ce import softmax_naive, softmax_stable
from softmax_ce.figures.look import FIRST, INK, MUTED, SECOND
from softmax_ce.figures.style import bare_inside, note, number, panels, styled, ticks

OFFSETS = (0.0, 85.5, 87.0, 99.0)
BITS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
DTYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


@styled
def naive_and_stable() -> Figure:
    """The bars of the naive and of the stable softmax as a common offset makes the logits large."""
    figure, axes = panels(2, len(OFFSETS), height=3.8, sharey=True, sharex="col")
    for (naive, stable), offset in zip(axes.T, OFFSETS, strict=True):
        logits = torch.tensor([1.0, 2.0, 3.0]) + offset
        _bars(naive, softmax_naive(logits), facecolor="none", edgecolor=SECOND, hatch="////")
        _bars(stable, softmax_stable(logits), facecolor=FIRST, alpha=0.85)
        lost = int(logits.exp().isinf().sum())
        sums = "the sum is inf" if logits.exp().sum().isinf() else "all is finite"
        naive.set_title(f"{lost} exps are inf" if lost else sums)
        ticks(stable.xaxis, range(3), map(number, logits.tolist()))
        stable.set_xlabel("logits")
    for row, name in zip(axes[:, 0], ("naive", "stable"), strict=True):
        row.text(-0.4, 0.7, name, weight="bold")
        row.set_ylabel("probability")
    axes[0, 0].set_ylim(0, 0.8)
    bare_inside(axes)
    return figure


@styled
def where_exp_ends() -> Figure:
    """For each dtype where exp is a normal number, subnormal (hatched), 0 or inf; ends measured."""
    figure, axes = panels(height=3.0)
    for row, dtype in enumerate(DTYPES):
        zero = -_first(dtype, lambda z: (-z).exp() == 0)
        inf = _first(dtype, lambda z: z.exp().isinf())
        normal = math.log(torch.finfo(dtype).smallest_normal)
        axes.barh(row, inf - normal, left=normal, height=0.4, color=FIRST, alpha=0.85)
        hatched = {"facecolor": "none", "edgecolor": SECOND, "hatch": "/////"}
        axes.barh(row, normal - zero, left=zero, height=0.4, **hatched)
        for end, side, ha in ((zero, -1, "right"), (inf, 1, "left")):
            note(axes, number(end, ".9g"), (end, row), (5 * side, 0), ha=ha, va="center")
            if row == 0:
                name = "exp is 0 up to" if end < 0 else "exp is inf from"
                note(axes, name, (end, -0.75), (5 * side, 0), ha=ha, color=MUTED)
    note(axes, "hatched: subnormal", (0, 3.7), (-8, 0), ha="right", va="center", color=MUTED)
    axes.axvline(0, color=MUTED, lw=0.6, dashes=(4, 4), zorder=0)
    axes.set_xscale("symlog", linthresh=10, linscale=0.6)
    axes.set_xlim(-150_000, 20_000)
    axes.set_ylim(4.1, -1.2)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    ticks(axes.yaxis, range(4), (str(dtype).removeprefix("torch.") for dtype in DTYPES))
    powers = [-1000, -100, -10, 0, 10, 100, 1000]
    ticks(axes.xaxis, powers, map(number, powers))
    axes.spines.left.set_visible(False)
    axes.set_xlabel("logit (logarithmic beyond ±10)")
    axes.set_ylabel("dtype", rotation=0, ha="right", color=MUTED)
    axes.yaxis.set_label_coords(-0.01, 0.9)
    return figure


def _bars(axes: Axes, probs: Tensor, **look: Any) -> None:
    for place, p in enumerate(probs.tolist()):
        if math.isnan(p):
            axes.text(place, 0.03, "nan", ha="center", weight="bold")
            continue
        axes.bar(place, p, width=0.8, **look)
        axes.text(place, p + 0.03, number(p, ".2f" if p else "g"), ha="center")
    axes.tick_params(axis="x", length=0)


def _first(dtype: torch.dtype, broken: Callable[[Tensor], Tensor]) -> float:
    """The smallest positive number of the dtype that is broken; by bisection over its bits."""
    bits = BITS[dtype.itemsize]
    whole, dead = 0, int(torch.tensor(torch.inf, dtype=dtype).view(bits))
    while dead - whole > 1:
        middle = (whole + dead) // 2
        if broken(torch.tensor(middle, dtype=bits).view(dtype)):
            dead = middle
        else:
            whole = middle
    return torch.tensor(dead, dtype=bits).view(dtype).item()
