"""The figures of a page: each is there, and says in words what it shows."""

import ast
import json
from collections.abc import Callable, Iterator
from functools import cache as cached
from pathlib import Path
from typing import Any, NamedTuple

from softmax_ce.verify import cache
from softmax_ce.verify.claim import Claim
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import Page
from softmax_ce.verify.sources import PACKAGE, fingerprint, load

FIGURES = PACKAGE / "figures"
STYLE = "softmax_ce.figures.style"
MANY = 30  # points, of which no reader tells the single one: a curve counts with its ends


def claims(page: Page) -> list[Claim]:
    """The figures that the page shows."""
    return [Claim("figure", image.line, image.name) for image in page.images]


def check(page: Page) -> Iterator[Fault]:
    """Look for the function that draws each figure, and for its alt text."""
    for image in page.images:
        chapter, _, function = image.name.partition(".")
        file = FIGURES / f"{chapter}.py"
        if not file.is_file() or function not in _functions(file):
            message = (
                f"there is no figure {image.name}: write a function {function} in "
                f"softmax_ce/figures/{chapter}.py"
            )
            yield Fault(page.path, image.line, message)
        if not image.alt.strip():
            message = f"figure {image.name} has no alt text: say between [ and ] what it shows"
            yield Fault(page.path, image.line, message)


def _functions(file: Path) -> list[str]:
    nodes = ast.parse(file.read_text(encoding="utf-8")).body
    return [node.name for node in nodes if isinstance(node, ast.FunctionDef)]


class NoFigureError(ValueError):
    """A page places a figure that no function draws."""


class Drawn(NamedTuple):
    """A figure: its data in rows, what is written in it, and its picture."""

    numbers: list[list[float]]
    texts: list[str]
    svg: str


def is_drawn(name: str) -> bool:
    """Whether the figure is in the cache, as it would be drawn now."""
    return cache.read(*_place(name)) is not None


def drawn(name: str) -> Drawn:
    """The figure `chapter.function`, from the cache unless something that it needs changed."""
    file, key = _place(name)
    if kept := cache.read(file, key):
        return Drawn(*json.loads(kept))
    figure = _alone(_function(name))
    svg = load(STYLE).render_svg(figure)  # which lays out what `of_texts` reads
    marks = [[*map(float, row)] for row in of_marks(figure)]
    result = Drawn(marks, [*of_texts(figure)], svg)
    if _place(name) == (file, key):  # nobody saved a source meanwhile
        cache.write(file, key, json.dumps(result).encode())
    return result


def _place(name: str) -> tuple[str, str]:
    """Where in the cache a figure is, and the key of its sources."""
    return f"figures/{name}.json", cache.key(fingerprint(_module(name)), _here())


@cached
def _here() -> bytes:
    """What reads the numbers of a figure."""
    return Path(__file__).read_bytes()


def _module(name: str) -> str:
    return f"softmax_ce.figures.{name.rpartition('.')[0]}"


def _alone(draw: Callable[[], Any]) -> Any:
    """What it returns on one core: the other is at work as well."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return draw()
    finally:
        torch.set_num_threads(threads)


def _function(name: str) -> Any:
    """The public function of that name which the module itself defines."""
    module, (chapter, _, function) = _module(name), name.rpartition(".")
    exists = (FIGURES / f"{chapter}.py").is_file()
    found: Any = getattr(load(module), function, None) if exists else None
    if function.startswith("_") or getattr(found, "__module__", None) != module:
        raise NoFigureError(
            f"there is no figure {name}: write a function {function} in "
            f"softmax_ce/figures/{chapter}.py that returns a Figure"
        )
    return found


def print_numbers() -> None:
    """Make `plt.show` print what the figures show, for a program that has no screen."""
    import matplotlib.pyplot as plt

    def show() -> None:
        for figure in map(plt.figure, plt.get_fignums()):
            figure.draw_without_rendering()
            for row in of_marks(figure):
                print(*row)
            print(*of_texts(figure), sep="\n")
        plt.close("all")

    plt.switch_backend("agg")
    plt.show = show


def of_marks(figure: Any) -> Iterator[list[float]]:
    """The data of the marks, in rows: points, bars, cells."""
    for axes in figure.axes:
        marks: list[list[float]] = []
        points = [line.get_xydata() for line in axes.lines]
        points += [collection.get_offsets() for collection in axes.collections]
        for row in points:
            ends = row if len(row) <= MANY else row[[0, -1]]
            yield from ends.T.tolist()
            marks += ends[:, ::-1].tolist() if len(row) <= MANY else []
        yield [number for mark in marks for number in mark]  # 1 at 0, 2.72 at 1
        bars = [patch for patch in axes.patches if hasattr(patch, "get_width")]
        yield [bar.get_height() for bar in bars]
        yield [end for bar in bars for end in (bar.get_x(), bar.get_x() + bar.get_width())]
        for image in [*axes.images, *axes.collections]:
            if image.get_array() is not None:
                yield image.get_array().ravel().tolist()


def of_texts(figure: Any) -> Iterator[str]:
    """The titles of a drawn figure, then all that is written: labels, ticks, notes at marks."""
    yield "\n".join(axes.get_title(loc) for loc in ("left", "center") for axes in figure.axes)
    written = figure.findobj(lambda artist: hasattr(artist, "get_text"))
    yield "\n".join(text.get_text() for text in written if text.get_visible())
