"""The figures of the chapter Gradient: its nodes, dlogits, and the step size that checks them."""

import math
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from softmax_ce import cross_entropy, cross_entropy_softmax_gradient, softmax_stable
from softmax_ce.figures.look import FIRST, INK, MUTED, SECOND
from softmax_ce.figures.style import label, number, panels, power_of_ten, styled, ticks

CLASSES = ("buy", "hold", "sell")
LOGITS = torch.tensor([[2.0, 1.0, 0.1], [0.5, 2.5, 0.3]], dtype=torch.float64)
TARGETS = torch.tensor([0, 1])

EXAMPLES, V = 32, 27
NODES = {  # the middle of each box
    "logits": (0.37, 1.5),
    "norm_logits": (1.54, 1.5),
    "counts": (2.71, 1.5),
    "probs": (3.66, 1.5),
    "logprobs": (4.69, 1.5),
    "loss": (5.61, 1.5),
    "logit_maxes": (0.95, 0.4),
    "counts_sum": (2.3, 0.4),
    "counts_sum_inv": (3.9, 0.4),
}
ARROWS = (
    ("logits", "norm_logits"),
    ("logits", "logit_maxes"),
    ("logit_maxes", "norm_logits"),
    ("norm_logits", "counts"),
    ("counts", "probs"),
    ("counts", "counts_sum"),
    ("counts_sum", "counts_sum_inv"),
    ("counts_sum_inv", "probs"),
    ("probs", "logprobs"),
    ("logprobs", "loss"),
)


@styled
def nodes() -> Figure:
    """The stable loss as a graph of single operations: the shape of each node, what feeds it.

    A dashed box holds one number for each row.
    """
    figure, axes = panels(height=1.95)
    axes.set_axis_off()
    axes.set_xlim(0, 5.9)
    axes.set_ylim(0, 1.9)
    boxes = {}
    for name, shape in _shapes().items():
        x, y = NODES[name]
        width = 0.094 * max(len(name), len(_times(shape)) - 0.7) + 0.1
        by_row = shape[-1:] == (1,)
        look: Any = {"ls": (0, (4, 2)), "edgecolor": SECOND} if by_row else {"edgecolor": FIRST}
        box = Rectangle((x - width / 2, y - 0.28), width, 0.56, facecolor="none", lw=1.2, **look)
        boxes[name] = axes.add_patch(box)
        axes.text(x, y + 0.12, name, ha="center", va="center", size=11)
        axes.text(x, y - 0.13, _times(shape), ha="center", va="center", size=11, color=MUTED)
    for start, end in ARROWS:
        ends = {"patchA": boxes[start], "patchB": boxes[end], "shrinkA": 0, "shrinkB": 1.5}
        arrow = {"arrowstyle": "-|>", "color": MUTED, "lw": 1.2, "mutation_scale": 10} | ends
        axes.annotate("", NODES[end], NODES[start], arrowprops=arrow)
    return figure


@styled
def dlogits() -> Figure:
    """Prediction minus truth for a batch of two: every cell's value, targets framed, row sums."""
    figure, axes = panels(height=2.6)
    gradient = cross_entropy_softmax_gradient(LOGITS, TARGETS, reduction="none")
    largest = gradient.abs().max().item()
    for row, values in enumerate(gradient.tolist()):
        for column, value in enumerate(values):
            colour, arrow = (FIRST, "↑") if value < 0 else (SECOND, "↓")
            _cell(axes, row, column, facecolor=colour, alpha=0.35 * abs(value) / largest)
            _middle(axes, row, column + 0.5, f"{number(value, '+.4f')} {arrow}")
        _cell(axes, row, int(TARGETS[row]), facecolor="none", edgecolor=INK, lw=2)
        total = number(gradient[row].sum().item(), "z.4f")
        _middle(axes, row, 3.45, total, color=MUTED)
    axes.set_xlim(0, 3.9)
    axes.set_ylim(2, 0)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, labelcolor=INK)
    axes.xaxis.tick_top()
    axes.set_xticks([0.5, 1.5, 2.5, 3.45], [*CLASSES, "row sum"])
    axes.set_yticks([0.5, 1.5], ["example 1", "example 2"])
    axes.set_xlabel("p − onehot; a step raises ↑ or lowers ↓ the logit", loc="left")
    return figure


@styled
def step_size() -> Figure:
    """The error of a central difference against the closed form, for steps h from 1e-12 to 0.1.

    On the left it falls as rounding, ε/h; on the right it rises as truncation, h².
    """
    figure, axes = panels(height=3.8)
    z, y = LOGITS[0], 0
    h = torch.logspace(-12, -1, 67, dtype=torch.float64)
    shift = h[:, None, None] * torch.eye(3, dtype=torch.float64)
    targets = torch.zeros(len(h), 3, dtype=torch.int64)
    above = cross_entropy(z + shift, targets, reduction="none")
    below = cross_entropy(z - shift, targets, reduction="none")
    difference = (above - below) / (2 * h[:, None])
    errors = (difference - cross_entropy_softmax_gradient(z, y)).abs().amax(-1)

    p = softmax_stable(z)
    third = (p * (1 - p) * (1 - 2 * p)).abs().max()
    rounding = torch.finfo(torch.float64).eps / h
    truncation = third * h**2 / 6
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.plot(h[h < 1e-4], rounding[h < 1e-4], color=MUTED, lw=1.2, dashes=(5, 3))
    axes.plot(h[h > 1e-6], truncation[h > 1e-6], color=SECOND, lw=1.2, dashes=(1.5, 2))
    axes.plot(h, errors, "o", color=FIRST, ms=4)

    best = errors.argmin()
    axes.plot(h[best], errors[best], "o", mfc="none", mec=INK, ms=11)
    axes.text(h[best] / 3, errors[best] / 6, f"best h: {_scientific(h[best].item())}", ha="right")
    axes.text(1e-9, 3e-6, "rounding: ε/h, slope −1")
    axes.text(5e-4, 3e-10, "truncation: h²,")
    axes.text(5e-4, 5e-11, "slope 2")
    label(axes, x="step h (logit)", y="largest error of the gradient (nats per logit)")
    axes.set_ylim(1e-14, 2e-3)
    for axis, exponents in ((axes.xaxis, range(-12, 0, 2)), (axes.yaxis, range(-12, -3, 2))):
        ticks(axis, [10.0**e for e in exponents], map(power_of_ten, exponents))
    return figure


def _shapes() -> dict[str, tuple[int, ...]]:
    """The shapes of the nodes, from a forward pass."""
    node = {"logits": torch.zeros(EXAMPLES, V)}
    node["logit_maxes"] = node["logits"].amax(1, keepdim=True)
    node["norm_logits"] = node["logits"] - node["logit_maxes"]
    node["counts"] = node["norm_logits"].exp()
    node["counts_sum"] = node["counts"].sum(1, keepdim=True)
    node["counts_sum_inv"] = node["counts_sum"] ** -1
    node["probs"] = node["counts"] * node["counts_sum_inv"]
    node["logprobs"] = node["probs"].log()
    node["loss"] = -node["logprobs"][:, 0].mean()
    return {name: tuple(tensor.shape) for name, tensor in node.items()}


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) or "1"


def _cell(axes: Axes, row: int, column: int, **look: Any) -> None:
    axes.add_patch(Rectangle((column + 0.03, row + 0.04), 0.94, 0.92, **look))


def _middle(axes: Axes, row: int, x: float, text: str, **look: Any) -> None:
    axes.text(x, row + 0.5, text, ha="center", va="center_baseline", **look)


def _scientific(value: float) -> str:
    exponent = math.floor(math.log10(value))
    return f"{value / 10**exponent:.0f} · {power_of_ten(exponent)}"
