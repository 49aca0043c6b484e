"""The figures of the chapter Temperature: the spectrum, and the entropy along it."""

import math

import torch
from matplotlib.figure import Figure
from torch import Tensor

import softmax_ce
from softmax_ce import softmax_temperature
from softmax_ce.figures import style
from softmax_ce.figures.style import (
    FIRST,
    MUTED,
    SECOND,
    bare_inside,
    label,
    note,
    number,
    styled,
    ticks,
)

LOGITS = torch.tensor([2.0, 1.0, 0.5, 0.1], dtype=torch.float64)
TEMPERATURES = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)


@styled
def panels() -> Figure:
    """The softmax of four logits at six temperatures: from one class alone to nearly equal."""
    figure, axes = style.panels(2, 3, height=3.8, sharex=True, sharey=True)
    for panel, T in zip(axes.flat, TEMPERATURES, strict=True):
        probs = softmax_temperature(LOGITS, T).tolist()
        panel.bar(range(4), probs, width=0.8, color=FIRST, alpha=0.85)
        for place, p in enumerate(probs):
            panel.text(place, p + 0.03, _share(p), ha="center")
        panel.set_title(f"T = {T:g}", loc="left", weight="bold")
        panel.tick_params(axis="x", length=0)
    axes[0, 0].set_xticks(range(4), [number(z) for z in LOGITS.tolist()])
    axes[0, 0].set_yticks([0, 0.5, 1])
    axes[0, 0].set_ylim(0, 1.15)
    bare_inside(axes)
    for row in axes[:, 0]:
        row.set_ylabel("probability")
    for column in axes[1]:
        column.set_xlabel("logit")
    return figure


@styled
def entropy() -> Figure:
    """The entropy of the softmax against T, below its ceiling log V, with the tangent at T = 1."""
    figure, axes = style.panels(height=3.4)
    T = torch.logspace(math.log10(0.05), 1, 121, dtype=torch.float64)
    axes.set_xscale("log")
    axes.plot(T, _entropy(T), color=FIRST)

    ceiling = _entropy(torch.tensor(math.inf)).item()
    axes.axhline(ceiling, color=MUTED, lw=1, dashes=(5, 3))
    axes.text(0.05, ceiling + 0.03, f"log V = {ceiling:.3f}")
    marked = torch.tensor(TEMPERATURES, dtype=torch.float64)
    for t, nats in zip(TEMPERATURES, _entropy(marked).tolist(), strict=True):
        axes.plot(t, nats, "o", color=FIRST, ms=6, clip_on=False)
        aside = (0, 9) if t < 0.5 else (24, -8) if t < 2 else (9 if t == 2 else 0, -18)
        note(axes, f"{nats:.3f}", (t, nats), aside, ha="center")

    # Along log T, as the axis runs, a slope of Var/T³ is one of Var/T²: the same number at T = 1.
    p = softmax_temperature(LOGITS, 1)
    variance = (p * LOGITS**2).sum() - (p * LOGITS).sum() ** 2
    near = torch.tensor([0.45, 1.75], dtype=torch.float64)
    axes.plot(near, _entropy(marked[2]) + variance * near.log(), color=SECOND, dashes=(2, 2))
    axes.text(0.4, 0.87, "tangent at T = 1,", ha="right")
    axes.text(0.4, 0.75, f"slope Var/T³ = {variance:.3f}", ha="right")
    label(axes, x="temperature T (logit)", y="entropy H (nats)")
    axes.set_ylim(-0.06, 1.55)  # the curve runs above the axis, not under it
    ticks(axes.yaxis, [0, 0.5, 1], ["0", "0.5", "1"])
    ticks(axes.xaxis, [0.05, *TEMPERATURES], [f"{t:g}" for t in (0.05, *TEMPERATURES)])
    axes.grid(axis="y")
    return figure


def _entropy(T: Tensor) -> Tensor:
    return softmax_ce.entropy(LOGITS / T.unsqueeze(-1))


def _share(p: float) -> str:
    """Two digits; a probability that rounds to 0 or 1 is not quite that."""
    return f"≈{p:.0f}" if p < 0.005 or p >= 0.995 else f"{p:.2f}"
