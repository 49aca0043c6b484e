"""The figures of the chapter Cross-entropy: surprisal, and the loss before training."""

import math

import torch
from matplotlib.figure import Figure
from torch import Tensor

from softmax_ce import cross_entropy
from softmax_ce.figures.look import FIRST, MUTED, SECOND
from softmax_ce.figures.style import label, note, number, panels, styled, ticks

V = 27
ROWS = 20_000


@styled
def surprisal() -> Figure:
    """Minus the logarithm of the probability given to the target, with four values in nats."""
    figure, axes = panels(height=3.2)
    probs = torch.logspace(math.log10(0.006), 0, 101, dtype=torch.float64)
    axes.plot(probs, _surprisal(probs), color=FIRST)

    marked = torch.tensor([1, 0.5, 0.1, 0.01], dtype=torch.float64)
    for p, nats in zip(marked.tolist(), _surprisal(marked).tolist(), strict=True):
        axes.plot(p, nats, "o", color=FIRST, ms=7, clip_on=False, zorder=5)
        aside, ha = ((0, 10), "right") if p == 1 else ((9, 4), "left")
        text = f"p = {p:g}: {number(nats, '.3f' if nats else 'g')} nats"
        note(axes, text, (p, nats), aside, ha=ha)
    label(axes, x="probability of the target, p", y="−log p (nats)")
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 5.3)
    ticks(axes.xaxis, [0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.grid(axis="y")
    return figure


@styled
def initial_loss() -> Figure:
    """The mean loss of random normal logits of 27 classes against their standard deviation σ.

    Measured points beside log V + σ²/2 (dashed) and log V (level).
    """
    figure, axes = panels(height=3.4)
    generator = torch.Generator().manual_seed(0)
    half = torch.randn(ROWS // 2, V, generator=generator)
    noise = torch.cat([half, -half])  # mirrored: the mean of the targets' logits is 0, as its limit
    targets = torch.randint(V, (ROWS // 2,), generator=generator).repeat(2)
    sigmas = torch.linspace(0, 3, 13)
    losses = torch.stack([cross_entropy(sigma * noise, targets) for sigma in sigmas])

    level = cross_entropy(torch.zeros(V, dtype=torch.float64), 0).item()
    smooth = torch.linspace(0, 3, 61, dtype=torch.float64)
    axes.axhline(level, color=MUTED, lw=1)
    axes.plot(smooth, level + smooth**2 / 2, color=SECOND, dashes=(5, 3))
    axes.plot(sigmas, losses, "o", color=FIRST, ms=6)

    one = losses[sigmas == 1].item()
    note(axes, "log V + σ²/2", (2.5, level + 2.5**2 / 2), (-10, 4), ha="right")
    note(axes, "measured", (sigmas[-4], losses[-4]), (8, -14))
    note(axes, f"σ = 1: {one:.2f}", (1, one), (8, -12))
    note(axes, f"log V = {level:.2f}", (3, level), (0, -14), ha="right")
    label(axes, x="standard deviation of the logits, σ", y=f"mean loss of {V} classes (nats)")
    axes.set_xlim(-0.08, 3.08)
    axes.set_ylim(2.5, 8.2)
    axes.grid(axis="y")
    return figure


def _surprisal(probs: Tensor) -> Tensor:
    logits = torch.stack([probs, 1 - probs], dim=-1).log()
    return cross_entropy(logits, torch.zeros(len(probs), dtype=torch.int64), reduction="none")
