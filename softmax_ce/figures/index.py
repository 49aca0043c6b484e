"""The figure of the home page: three forms of one loss."""

import math

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from softmax_ce import cross_entropy, cross_entropy_manual
from softmax_ce.figures.look import FIRST, FOURTH, SECOND
from softmax_ce.figures.style import number, panels, power_of_ten, styled, ticks

SAMPLES = 128  # in a step of two units of gap, of which the worst is drawn
GAPS = torch.arange(-60 * SAMPLES, 60 * SAMPLES) * 2 / SAMPLES
FLOOR = 1e-18  # where an error of exactly 0 is drawn: float64 shows no other error this small
SUBNORMAL = -math.log(torch.finfo(torch.float32).tiny)  # the gap that leaves so small a loss


@styled
def three_forms() -> Figure:
    """The relative error of three forms of the float32 loss against the gap between two logits.

    Each step is the worst of 128 gaps; the reference is the third form in float64.
    """
    logits = torch.stack([GAPS, torch.zeros_like(GAPS)], dim=-1)
    targets = torch.zeros(len(GAPS), dtype=torch.int64)
    exact = cross_entropy(logits.double(), targets, reduction="none")
    manual = cross_entropy_manual(logits, targets)
    fused = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
    third = cross_entropy(logits, targets, reduction="none")

    figure, (top, middle, bottom) = panels(3, height=5.4, sharex=True, sharey=True)
    top.set_yscale("log")
    _steps(top, _error(manual, exact), SECOND, "cross_entropy_manual: −log of softmax")
    _steps(middle, _error(fused, exact), FOURTH, "F.cross_entropy: −log_softmax at the target")
    _steps(
        bottom, _error(third, exact), FIRST, "softmax_ce.cross_entropy: softplus of the log-odds"
    )

    dies = GAPS[manual.isinf()].max().item()
    top.axvspan(GAPS[0].item(), dies, facecolor="none", edgecolor=SECOND, hatch="////", lw=0)
    top.text(dies + 5, 0.4, f"← loss inf below {number(dies, '.1f')}", va="top")
    for axes, loss in ((top, manual), (middle, fused)):
        zero = number(GAPS[loss == 0].min().item(), ".1f")
        axes.text(22, 1e-4, f"loss 0 from {zero} on", va="top")
    worst = _error(third, exact)[GAPS < SUBNORMAL].max().item()
    exponent = math.floor(math.log10(worst))
    at_most = f"at most {number(worst / 10**exponent, '.1f')} · {power_of_ten(exponent)}"
    bottom.text(22, 1e-9, at_most, va="top")
    bottom.text(83, 0.4, f"subnormal from {number(SUBNORMAL, '.1f')} on →", ha="right", va="top")

    ticks(
        bottom.yaxis,
        [1, 1e-6, 1e-12, FLOOR],
        ["100 %", power_of_ten(-6), power_of_ten(-12), "exactly 0"],
    )
    bottom.set_ylim(FLOOR / 4, 4)
    bottom.set_xlim(-120, 120)
    ticks(bottom.xaxis, range(-120, 121, 40), map(number, range(-120, 121, 40)))
    middle.set_ylabel("relative error of the float32 loss")
    bottom.set_xlabel("gap: the target's logit minus the other logit")
    return figure


def _error(loss: Tensor, exact: Tensor) -> Tensor:
    return ((loss.double() - exact) / exact).abs()


def _steps(axes: Axes, errors: Tensor, colour: str, name: str) -> None:
    steps = errors.view(-1, SAMPLES)
    drawn = steps.isfinite().any(-1)
    heights = steps.where(steps.isfinite(), 0).amax(-1)[drawn].clamp(min=FLOOR)
    edges = torch.cat([GAPS[::SAMPLES][drawn], -GAPS[:1]])
    axes.stairs(heights, edges, baseline=FLOOR / 4, fill=True, color=colour, alpha=0.2, lw=0)
    axes.stairs(heights, edges, baseline=None, color=colour, lw=1.4)
    axes.set_title(name, loc="left", weight="bold")
