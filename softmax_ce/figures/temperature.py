"""The figures of the chapter Temperature: the spectrum, and entropy and loss along it."""

import math

import torch
from matplotlib.figure import Figure
from torch import Tensor

import softmax_ce
from softmax_ce import cross_entropy, softmax_temperature
from softmax_ce.figures import style
from softmax_ce.figures.look import FIRST, MUTED, SECOND
from softmax_ce.figures.style import bare_inside, label, note, number, styled, ticks

LOGITS = torch.tensor([2.0, 1.0, 0.5, 0.1], dtype=torch.float64)
TEMPERATURES = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
CHORD = (1.0, 3.0)  # the temperatures that it joins


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


@styled
def loss() -> Figure:
    """The loss of the first class above its chord, against T, and below it, against 1/T."""
    figure, axes = style.panels(1, 2, height=3.2, sharey=True)
    ends = torch.tensor(CHORD, dtype=torch.float64)
    T = torch.linspace(0.25, 5, 96, dtype=torch.float64)
    beta = torch.linspace(0.1, 2, 96, dtype=torch.float64)
    for panel, place, name, along, up in (
        (axes[0], torch.positive, "temperature T", T, 1),  # place and its inverse are the same
        (axes[1], torch.reciprocal, "inverse temperature 1/T", beta, -1),
    ):
        middle = place(ends).mean()
        chord, curve = _loss(ends).mean().item(), _loss(place(middle)).item()
        panel.plot(along, _loss(place(along)), color=FIRST)
        panel.plot(place(ends), _loss(ends), "o", color=SECOND, ms=6, lw=1.5, ls="--")
        panel.plot(middle, chord, "o", color=SECOND, ms=6)
        panel.plot(middle, curve, "s", color=FIRST, ms=6)
        note(panel, f"{chord:.3f}", (middle, chord), (9, -9 * up), va="center")
        note(panel, f"{curve:.3f}", (middle, curve), (-9, 9 * up), ha="right", va="center")
        panel.set_xlabel(name)
        panel.grid(axis="y")
    axes[0].set_ylabel("loss (nats)")
    axes[0].set_ylim(0, 1.35)
    ticks(axes[0].xaxis, range(6), map(number, range(6)))
    ticks(axes[1].xaxis, [0, 0.5, 1, 1.5, 2], ["0", "0.5", "1", "1.5", "2"])
    bare_inside(axes.reshape(1, 2))
    return figure


def _loss(T: Tensor) -> Tensor:
    logits = LOGITS / T.reshape(-1, 1)
    targets = torch.zeros(len(logits), dtype=torch.long)
    return cross_entropy(logits, targets, reduction="none").reshape(T.shape)


def _entropy(T: Tensor) -> Tensor:
    return softmax_ce.entropy(LOGITS / T.unsqueeze(-1))


def _share(p: float) -> str:
    """Two digits; a probability that rounds to 0 or 1 is not quite that."""
    return f"≈{p:.0f}" if p < 0.005 or p >= 0.995 else f"{p:.2f}"
