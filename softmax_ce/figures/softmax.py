"""The figures of the chapter Softmax: the odds, and where three probabilities live."""

import torch
from matplotlib.figure import Figure
from torch import Tensor

from softmax_ce import softmax_stable
from softmax_ce.figures.look import FIRST, MUTED, RULE, SECOND
from softmax_ce.figures.style import label, note, number, panels, styled

LOGITS = torch.tensor([2.0, 1.0, 0.1], dtype=torch.float64)
OFFSETS = (1.0, 100.0)
CORNERS = torch.tensor([[0.5, 0.75**0.5], [0.0, 0.0], [1.0, 0.0]], dtype=torch.float64)


@styled
def odds() -> Figure:
    """The ratio of two probabilities, e to the gap between their logits; a gap of 2 is marked."""
    figure, axes = panels(height=3.2)
    gaps = torch.linspace(0, 4, 101, dtype=torch.float64)
    axes.plot(gaps, _ratio(gaps), color=FIRST)

    whole = torch.arange(5, dtype=torch.float64)
    for gap, ratio in zip(whole.tolist(), _ratio(whole).tolist(), strict=True):
        marker, color = ("D", SECOND) if gap == 2 else ("o", FIRST)
        axes.plot(gap, ratio, marker, color=color, ms=7, clip_on=False, zorder=5)
        if gap == 2:
            text = f"{ratio:.2f} times as probable"
            note(axes, text, (gap, ratio), (11, -10), weight="bold")
        else:
            note(axes, number(ratio, ".3g"), (gap, ratio), (-7, 8), ha="right")
    label(axes, x="gap between two logits", y="ratio of their probabilities")
    axes.set_xlim(-0.25, 4.1)
    axes.set_ylim(0, 60)
    axes.set_xticks(range(5))
    axes.set_yticks(range(0, 61, 20))
    axes.grid(axis="y")
    return figure


@styled
def simplex() -> Figure:
    """Three probabilities as a point in a triangle, and its path as the logits are scaled up.

    Adding a constant to the logits leaves the point in place.
    """
    figure, axes = panels(height=3.8)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_xlim(-0.15, 1.5)
    axes.set_ylim(-0.1, 0.94)
    axes.fill(*CORNERS.T, facecolor="none", edgecolor=MUTED, lw=1)
    for name, (x, y), below in zip(
        ("buy", "hold", "sell"), CORNERS, (0.03, -0.09, -0.09), strict=True
    ):
        axes.text(x, y + below, name, ha="center", weight="bold")

    scales = torch.linspace(0, 12, 121, dtype=torch.float64)
    axes.plot(*(softmax_stable(scales.unsqueeze(-1) * LOGITS) @ CORNERS).mT, color=FIRST)
    axes.text(0.88, 0.85, "logits t · [2, 1, 0.1]", va="center")
    for scale in (0.0, 0.5, 1.0, 2.0):
        probs = softmax_stable(scale * LOGITS)
        x, y = probs @ CORNERS
        axes.plot([x, 0.86], [y, y], color=RULE, lw=0.8, zorder=0)
        axes.plot(x, y, "o", color=FIRST, ms=6)
        shares = ", ".join(number(p, ".2f") for p in probs.tolist())
        weight = "bold" if scale == 1 else "normal"
        axes.text(0.88, y, f"t = {scale:g}: {shares}", va="center", weight=weight)

    for offset in OFFSETS:
        axes.plot(*(softmax_stable(LOGITS + offset) @ CORNERS), "D", mfc="none", mec=SECOND, ms=11)
    x, y = softmax_stable(LOGITS) @ CORNERS
    axes.plot([0.21, x - 0.04], [y, y], color=RULE, lw=0.8, zorder=0)
    for line, text in enumerate(
        ("{:g} or {:g} added".format(*OFFSETS), "to each logit:", "the same point")
    ):
        axes.text(0.19, y + 0.06 * (1 - line), text, ha="right", va="center")
    return figure


def _ratio(gaps: Tensor) -> Tensor:
    probs = softmax_stable(torch.stack([gaps, torch.zeros_like(gaps)], dim=-1))
    return probs[..., 0] / probs[..., 1]
