"""Draws in the look of the book, and makes of a figure the SVG that stands in a page."""

import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from softmax_ce.figures.look import STYLE, WIDTH, for_page

P = ParamSpec("P")
R = TypeVar("R")

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
    if engine := figure.get_layout_engine():
        engine.execute(figure)
        figure.set_layout_engine("none")  # or a second call would move everything by a hair

    file = io.StringIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    canvas, dpi = figure.canvas, figure.dpi
    FigureCanvasSVG(figure).print_svg(file, metadata=nothing)  # savefig would draw it twice
    figure.set_canvas(canvas)
    figure.dpi = dpi
    return for_page(file.getvalue())
