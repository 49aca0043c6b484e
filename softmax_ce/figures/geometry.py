"""The figures of the chapter Geometry: the motion of p on the simplex, and one step in bars."""

import math
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from torch import Tensor

from softmax_ce import cross_entropy_softmax_gradient, softmax_stable
from softmax_ce.figures.look import FIRST, INK, MUTED, RULE, SECOND, THIRD
from softmax_ce.figures.style import number, panels, styled

CLASSES = ("buy", "hold", "sell")
CORNERS = torch.tensor([[0.5, 0.75**0.5], [0.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
EXAMPLE = torch.tensor([0.2, 0.7, 0.1], dtype=torch.float64)
GRID = 11  # an arrow starts where every probability is a positive multiple of 1/11
LENGTH = 0.35  # of an arrow whose class moves at a rate of 1
HATCHES = {2: (SECOND, "////"), 1: (THIRD, "\\\\\\\\")}  # by the class that rises

LOGITS = torch.tensor([0, 2.5, 1.75, 1, 0.5, 0, -0.5, -1, -1.5, -2], dtype=torch.float64)
STEP = 1.0


@styled
def field() -> Figure:
    """The first-order motion of p on the simplex for target buy, as arrows from a grid of points.

    A wrong class rises in two regions, hatched; the example of the page lies in one of them.
    """
    figure, axes = panels(height=4.0)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_xlim(-0.1, 1.7)
    axes.set_ylim(-0.17, 0.97)
    axes.fill(*CORNERS.T, facecolor="none", edgecolor=MUTED, lw=1)
    names = ("buy, the target", *CLASSES[1:])
    for name, (x, y), below in zip(names, CORNERS, (0.03, -0.09, -0.09), strict=True):
        axes.text(x, y + below, name, ha="center", weight="bold")

    for riser, look in _looks().items():
        axes.add_patch(Polygon((_region(riser) @ CORNERS).numpy(), **look))
    whole = [(i, j, GRID - i - j) for i in range(1, GRID) for j in range(1, GRID - i)]
    starts = torch.tensor(whole, dtype=torch.float64) / GRID
    arrows = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.0045, "zorder": 3}
    axes.quiver(
        *(starts @ CORNERS).T, *(LENGTH * _rates(starts, 0) @ CORNERS).T, color=FIRST, **arrows
    )
    _explain(axes)
    return figure


def _explain(axes: Axes) -> None:
    """Name the regions, and lead from two points to what they are."""
    for riser, look in _looks().items():
        y = 0.8 - 0.11 * (2 - riser)
        axes.add_patch(Rectangle((0.92, y - 0.035), 0.13, 0.07, **look))
        axes.text(1.09, y, f"{CLASSES[riser]} rises", va="center")
    axes.text(0.92, 0.58, "elsewhere, only buy rises", va="center")

    centre = torch.full((3,), 1 / 3, dtype=torch.float64)
    moves = ", ".join(number(rate, "+.3f") for rate in _rates(EXAMPLE, 0).tolist())
    for probs, place, lines in (
        (centre, 0.4, ["equal shares of 0.33:", "straight to buy"]),
        (EXAMPLE, 0.2, [", ".join(f"{p:.2f}" for p in EXAMPLE.tolist()), "rates", moves]),
    ):
        x, y = probs @ CORNERS
        axes.plot([x, 1.05], [y, place], color=RULE, lw=0.8, zorder=2)
        axes.plot(x, y, "o", mfc="none", mec=INK, ms=9, mew=1.5, zorder=4)
        for line, text in enumerate(lines):
            axes.text(1.07, place - 0.07 * line, text, va="center")


def _looks() -> dict[int, dict[str, Any]]:
    """How a region looks, by the class that rises there."""
    return {
        riser: {"facecolor": "none", "edgecolor": colour, "hatch": hatch, "lw": 1}
        for riser, (colour, hatch) in HATCHES.items()
    }


def _region(riser: int) -> Tensor:
    """The corners, as probabilities, of the region where a wrong class rises; the target is 0.

    Of the rest, 1 − p_y, let r be the riser's share. It rises to first order where the rest is
    more than (1 + r) / (1 + r² + (1 − r)²), which is ½ at r = 0 and 1 at r = ½.
    """
    r = torch.linspace(0, 0.5, 33, dtype=torch.float64)
    rest = (1 + r) / (1 + r**2 + (1 - r) ** 2)
    edge = torch.stack([1 - rest, rest * (1 - r), rest * r], dim=-1)  # the riser last
    corner = torch.tensor([[0, 1, 0]], dtype=torch.float64)
    region = torch.cat([corner, edge])
    return region if riser == 2 else region[:, [0, 2, 1]]


@styled
def one_step() -> Figure:
    """Ten classes before and after a step of 1: their probabilities, and the change of each log p.

    The bars of the wrong classes that rise are hatched; a diamond is the change to first order.
    """
    shares = {"width_ratios": [1, 1.2]}
    figure, (left, right) = panels(1, 2, height=4.2, sharey=True, gridspec_kw=shares)
    g = cross_entropy_softmax_gradient(LOGITS, 0)
    before, after = softmax_stable(LOGITS), softmax_stable(LOGITS - STEP * g)
    places = range(len(LOGITS))
    for place, p, q in zip(places, before.tolist(), after.tolist(), strict=True):
        left.barh(place, p, height=0.62, color=MUTED, alpha=0.35)
        left.plot(q, place, "|", color=INK, ms=15, mew=2.5)
        left.text(max(p, q) + 0.03, place, f"{p:.3f} → {q:.3f}", va="center", fontsize=11)
        change = math.log(q / p)
        colour, hatch = (SECOND, "////") if change > 0 else (MUTED, None)
        if place == 0:  # the target
            colour, hatch = FIRST, None
        face = "none" if hatch else to_rgba(colour, 0.35)
        look = {"facecolor": face, "edgecolor": colour, "hatch": hatch}
        right.barh(place, change, height=0.62, **look)
        text = f"{number(change, '+.3f')} {'↑' if change > 0 else '↓'}"
        right.text(max(change, 0.2) + 0.18, place, text, va="center", fontsize=11)
    right.plot(STEP * _rates(before, 0) / before, places, "D", mfc="none", mec=INK, ms=6, mew=1.2)
    right.axvline(0, color=MUTED, lw=0.8)

    left.set_xlim(0, 1.02)
    left.set_xticks([0, 0.2, 0.4], ["0", "0.2", "0.4"])
    left.set_xlabel("p; bar: before, line: after")
    left.set_yticks(places, ["target 0", *(f"class {place}" for place in places[1:])])
    left.set_ylim(len(LOGITS) - 0.5, -0.5)
    left.tick_params(axis="y", length=0, labelcolor=INK)
    right.set_xlim(-0.4, 1.95)
    right.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
    right.set_xlabel("change of log p; ◇ to first order")
    right.spines.left.set_visible(False)
    right.tick_params(axis="y", length=0)
    return figure


def _rates(probs: Tensor, y: int) -> Tensor:
    """How fast each probability moves in a step along minus the gradient: p (ḡ − g)."""
    targets = torch.full(probs.shape[:-1], y)
    g = cross_entropy_softmax_gradient(probs.log(), targets, reduction="none")
    return probs * ((probs * g).sum(-1, keepdim=True) - g)
