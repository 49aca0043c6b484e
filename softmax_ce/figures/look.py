"""The look of every figure, without matplotlib: its colours, its settings, its SVG in a page."""

import re
from typing import Any

INK = "#1b1b1b"
MUTED = "#6b6b6b"
RULE = "#c9c9c9"
FIRST = "#0072b2"
SECOND = "#d55e00"
THIRD = "#009e73"
FOURTH = "#cc79a7"

PALETTE: dict[str, str] = {
    INK: "currentColor",
    MUTED: "var(--fig-muted)",
    RULE: "var(--fig-rule)",
    FIRST: "var(--fig-1)",
    SECOND: "var(--fig-2)",
    THIRD: "var(--fig-3)",
    FOURTH: "var(--fig-4)",
}

WIDTH = 6.0  # inches, or 432 units of SVG: text of 12 is 15 px at a desk and 10 px on a phone

STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],  # ships with matplotlib: every machine measures the same
    "font.size": 12,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.labelcolor": INK,
    "axes.labelsize": 12,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 12,
    "axes.axisbelow": True,
    "figure.facecolor": "none",
    "figure.labelsize": 12,
    "figure.constrained_layout.w_pad": 0.08,
    "figure.constrained_layout.h_pad": 0.08,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "hatch.linewidth": 0.8,
    "lines.linewidth": 2,
    "lines.solid_capstyle": "round",
    "xtick.color": RULE,
    "xtick.labelcolor": MUTED,
    "xtick.labelsize": 11,
    "ytick.color": RULE,
    "ytick.labelcolor": MUTED,
    "ytick.labelsize": 11,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "softmax_ce",
}


def for_page(svg: str) -> str:
    """What matplotlib has written, without what would reach beyond the figure in a page."""
    svg = svg[svg.index("<svg ") :]
    svg = re.sub(r"\s*<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = svg.replace("<g ", '<g style="stroke-linejoin: round; stroke-linecap: butt" ', 1)
    svg = svg.replace("'DejaVu Sans', sans-serif", "sans-serif")
    svg = re.sub(r' transform="rotate\(-0 [^"]+"', "", svg)
    return re.sub(r"<[^>]+>", _short_numbers, svg)


def _short_numbers(tag: re.Match[str]) -> str:
    """Two decimals of a unit are finer than any screen."""
    return re.sub(r"-?\d+\.\d{3,}", lambda long: f"{float(long[0]):.2f}", tag[0])
