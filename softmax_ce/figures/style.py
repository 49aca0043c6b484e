"""The one look of every figure, and the way from a figure to the SVG that stands in a page."""

import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

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

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@contextmanager
def _in_style() -> Iterator[None]:
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever a matplotlibrc or a caller has set
        matplotlib.rcParams.update(STYLE)
        yield


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` in the style of the book; nothing of it remains afterwards."""

    @wraps(function)
    def in_style(*args: P.args, **kwargs: P.kwargs) -> R:
        with _in_style():
            return function(*args, **kwargs)

    return in_style


@styled
def panels(
    rows: int = 1, columns: int = 1, *, width: float = WIDTH, height: float, **subplots: Any
) -> tuple[Figure, Any]:
    """A figure and its axes, as `plt.subplots` returns them; width and height in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **subplots)


def label(axes: Axes, *, x: str, y: str) -> None:
    """Name both axes; y reads horizontally, above its axis."""
    axes.set_xlabel(x)
    axes.set_ylabel(y, rotation=0, ha="left", va="bottom")
    axes.yaxis.set_label_coords(0, 1.03)


def note(axes: Axes, text: str, at: Any, offset: tuple[float, float], **look: Any) -> None:
    """Write text beside a point of the data, `offset` units of SVG away from it."""
    axes.annotate(text, at, offset, textcoords="offset points", **look)


def ticks(axis: Axis, values: Iterable[float], labels: Iterable[str]) -> None:
    """Put ticks at these values and nowhere else, minor ones included."""
    axis.set_ticks(list(values), list(labels))
    axis.set_ticks([], minor=True)


def number(value: float, form: str = "g") -> str:
    """The value in the given format, with a true minus sign."""
    return format(value, form).replace("-", "−")


def power_of_ten(exponent: int) -> str:
    """For 10 to the −6: 10⁻⁶."""
    return "10" + str(exponent).translate(SUPERSCRIPT)


def bare_inside(axes: Any) -> None:
    """Of panels that share y, leave the vertical axis to the first of each row."""
    for panel in axes[:, 1:].flat:
        panel.spines.left.set_visible(False)
        panel.tick_params(left=False)


@styled
def render_svg(figure: Figure) -> str:
    """The figure as an `<svg>` element to stand in a page: the same text at every call."""
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # or a second call would move everything by a hair

    file = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    canvas, dpi = figure.canvas, figure.dpi
    FigureCanvasSVG(figure).print_svg(file, metadata=nothing)  # savefig would draw it twice
    figure.set_canvas(canvas)
    figure.dpi = dpi
    return for_page(file.getvalue())


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
