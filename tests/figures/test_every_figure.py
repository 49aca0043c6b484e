"""What holds for every figure. They are found by walking the modules: a new one is tested too."""

import hashlib
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.text import Text

import softmax_ce.figures
from softmax_ce.figures import style

MODULES = [
    importlib.import_module(f"softmax_ce.figures.{module.name}")
    for module in pkgutil.iter_modules(softmax_ce.figures.__path__)
    if module.name != "style"
]
FIGURES: dict[str, Callable[[], Figure]] = {
    f"{module.__name__.rpartition('.')[2]}.{name}": function
    for module in MODULES
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if function.__module__ == module.__name__ and not name.startswith("_")
}
every_figure = pytest.mark.parametrize("name", FIGURES)


@cache
def drawn(name: str) -> Figure:
    return FIGURES[name]()


@cache
def rendered(name: str) -> str:
    return style.render_svg(drawn(name))


def texts(name: str) -> list[Text]:
    """The texts that are seen: ticks outside of an axis's limits are not."""
    tree = ElementTree.fromstring(rendered(name))
    seen = {"".join(element.itertext()) for element in tree.iter() if element.tag.endswith("text")}
    everything = drawn(name).findobj(Text)
    return [text for text in everything if text.get_visible() and text.get_text() in seen]


def test_every_module_has_a_figure() -> None:
    assert {name.partition(".")[0] for name in FIGURES} == {
        module.__name__.rpartition(".")[2] for module in MODULES
    }


@every_figure
def test_a_figure_takes_nothing_returns_a_figure_and_says_what_it_shows(name: str) -> None:
    assert not inspect.signature(FIGURES[name]).parameters
    assert isinstance(drawn(name), Figure)
    assert FIGURES[name].__doc__


@every_figure
def test_only_the_colours_of_the_palette_appear(name: str) -> None:
    svg = rendered(name)
    colours = re.findall(r"(?:fill|stroke|color)(?:: |=\")(?!url)([^;\"]+)", svg)
    assert set(colours) <= {*style.PALETTE, "none"}
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= set(style.PALETTE)


@every_figure
def test_every_text_has_a_colour_and_is_text(name: str) -> None:
    svg = rendered(name)
    elements = re.findall(r"<text[^>]*>", svg)
    assert elements
    assert all("fill: #" in element and "sans-serif" in element for element in elements)
    assert "<tspan" not in svg  # what mathtext would leave


@every_figure
def test_rendering_a_figure_twice_gives_the_same_text(name: str) -> None:
    assert style.render_svg(drawn(name)) == rendered(name)


def test_another_process_draws_the_same_text_and_never_loads_pyplot() -> None:
    program = f"""
import hashlib, importlib, sys
from softmax_ce.figures.style import render_svg
for name in {list(FIGURES)}:
    module, _, function = name.partition(".")
    figure = getattr(importlib.import_module("softmax_ce.figures." + module), function)()
    print(hashlib.sha256(render_svg(figure).encode()).hexdigest())
assert "matplotlib.pyplot" not in sys.modules
"""
    found = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": "7", "SOURCE_DATE_EPOCH": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    here = [hashlib.sha256(rendered(name).encode()).hexdigest() for name in FIGURES]
    assert found.stdout.split() == here


def test_a_callers_settings_neither_change_a_figure_nor_are_changed() -> None:
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        before = dict(matplotlib.rcParams)
        assert style.render_svg(FIGURES["softmax.odds"]()) == rendered("softmax.odds")
        assert dict(matplotlib.rcParams) == before


@every_figure
def test_the_svg_stands_in_a_page_and_styles_nothing_beyond_itself(name: str) -> None:
    svg = rendered(name)
    assert svg.startswith("<svg ")
    assert "<style" not in svg
    assert "<metadata" not in svg
    tree = ElementTree.fromstring(svg)
    known = {element.get("id") for element in tree.iter()}
    assert set(re.findall(r'(?:url\(#|href="#)([^)"]+)', svg)) <= known


@every_figure
def test_no_coordinate_is_nan_or_infinite(name: str) -> None:
    for element in ElementTree.fromstring(rendered(name)).iter():
        assert not re.search(r"\b(nan|inf)\b", " ".join(element.attrib.values()))


@every_figure
def test_a_figure_fits_a_column_and_no_text_is_smaller_than_9_points(name: str) -> None:
    assert drawn(name).get_figwidth() <= 7.2
    assert all(float(text.get_fontsize()) >= 9 for text in texts(name))


@every_figure
def test_no_text_is_cut_off_and_none_covers_another(name: str) -> None:
    figure = drawn(name)
    boxes = {text: text.get_window_extent() for text in texts(name)}
    for text, box in boxes.items():
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1, text
    for one, other in combinations(boxes, 2):
        # Lines of text may touch: a glyph does not fill the height of its box.
        assert not boxes[one].padded(-1).overlaps(boxes[other].padded(-1)), (one, other)


@every_figure
def test_every_axis_is_named(name: str) -> None:
    for axes in drawn(name).axes:
        if not axes.axison:  # then texts name what is there
            assert len(axes.texts) > 3
            continue
        assert any(is_named(other.xaxis) for other in shared(axes, "x"))
        assert any(is_named(other.yaxis) for other in shared(axes, "y"))


def is_named(axis: Axis) -> bool:
    """By its label, or by ticks that are names and not numbers."""
    ticks = [tick.get_text() for tick in axis.get_ticklabels()]
    return bool(axis.get_label_text()) or all(text[:1].isalpha() for text in ticks)


def shared(axes: Axes, which: str) -> list[Axes]:
    group = axes.get_shared_x_axes() if which == "x" else axes.get_shared_y_axes()
    siblings: list[Axes] = group.get_siblings(axes)
    return siblings


def test_numbers_are_written_with_a_true_minus_sign() -> None:
    assert style.number(-0.5, ".2f") == "−0.50"
    assert style.power_of_ten(-12) == "10⁻¹²"


IMAGE = re.compile(r"^!\[([^\]]*)\]\(figure:([\w.]+) \"[^\"]+\"\)$", re.MULTILINE)
NUMBER = re.compile(r"[−+]?\d+(?:\.\d+)?(?: · 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")
PAGES = sorted((Path(__file__).parents[2] / "docs").glob("*.md"))
ON_PAGES = {
    name: (page.name, alt)
    for page in PAGES
    for alt, name in IMAGE.findall(page.read_text())
    if name != "chapter.function"  # the contributor's example
}


def test_every_figure_is_on_a_page_and_every_figure_on_a_page_exists() -> None:
    assert sorted(ON_PAGES) == sorted(FIGURES)


def test_every_figure_is_placed_once_on_a_line_of_its_own_with_a_caption() -> None:
    places = sum(page.read_text().count("](figure:") for page in PAGES)
    assert places == len(ON_PAGES) + 1


@every_figure
def test_every_number_of_an_alt_text_is_written_in_the_figure(name: str) -> None:
    page, alt = ON_PAGES[name]
    written = {n for text in texts(name) for n in NUMBER.findall(text.get_text())}
    stated = set(NUMBER.findall(alt))
    assert len(stated) >= 3, f"docs/{page}: the alt text of {name} states too little"
    strange = stated - written
    assert not strange, f"docs/{page}: the alt text of {name} states {strange}, not in the figure"
