"""What holds for every figure. They are found by walking the modules: a new one is tested too."""

import hashlib
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from itertools import combinations
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

import softmax_ce.figures
from softmax_ce.figures import look, style

MODULES = [
    importlib.import_module(f"softmax_ce.figures.{module.name}")
    for module in pkgutil.iter_modules(softmax_ce.figures.__path__)
    if module.name not in ("look", "style")
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
    assert set(colours) <= {*look.PALETTE, "none"}
    assert set(re.findall(r"#[0-9a-f]{6}\b", svg)) <= set(look.PALETTE)


@every_figure
def test_what_is_hatched_has_no_face_which_would_hide_the_hatch_in_a_page(name: str) -> None:
    artists: Any = drawn(name).findobj(lambda artist: hasattr(artist, "get_hatch"))
    hatched = [artist for artist in artists if artist.get_hatch()]
    faces = [np.atleast_2d(artist.get_facecolor())[..., 3].max() for artist in hatched]
    assert not any(faces), f"{name}: draw the face and the hatch as two patches"


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
def test_no_text_is_cut_off_and_none_covers_another(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure, seen = drawn(name), texts(name)
    monkeypatch.setattr(figure, "dpi", 72)  # of its SVG, for which the texts were measured
    boxes = {text: text.get_window_extent() for text in seen}
    for text, box in boxes.items():
        assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1, text
    for one, other in combinations(boxes, 2):
        # Lines of text may touch, for a glyph does not fill the height of its box; words may not.
        assert not boxes[one].padded(0.8, -1).overlaps(boxes[other].padded(0.8, -1)), (one, other)


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


# 10⁻⁶ and 1.5 · 10⁻⁷ are one number each; the 16 of float16 is none.
NUMBER = re.compile(r"(?<![\w.])[−+]?\d+(?:\.\d+)?(?:(?: · 10)?[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")
POWER = re.compile(r"(?:(.+) · )?10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)")
PLAIN = str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789")


def value(text: str) -> float | None:
    """Of a number as it is written in a figure; None if it is a name."""
    plain = POWER.sub(lambda power: f"{power[1] or 1}e{power[2]}", text).translate(PLAIN)
    try:
        return float(plain.removesuffix(" %")) / (100 if plain.endswith(" %") else 1)
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("−0.5", -0.5),
        ("2.0", 2),
        ("10⁻⁶", 1e-6),
        ("1.5 · 10⁻⁷", 1.5e-7),
        ("100 %", 1),
        ("hold", None),
    ],
)
def test_the_value_of_a_text_is_the_number_that_a_reader_sees(
    text: str, expected: float | None
) -> None:
    assert value(text) == expected


def bars(axes: Axes, orientation: str) -> list[Rectangle]:
    containers = [one for one in axes.containers if isinstance(one, BarContainer)]
    return [bar for one in containers if one.orientation == orientation for bar in one]


def middle(bar: Rectangle, orientation: str) -> float:
    start, width = (
        (bar.get_x(), bar.get_width())
        if orientation == "vertical"
        else (bar.get_y(), bar.get_height())
    )
    return round(float(start + width / 2), 9)


@every_figure
def test_a_tick_that_is_labelled_with_a_number_stands_at_that_number(name: str) -> None:
    rendered(name)
    for axes in drawn(name).axes:
        for which, orientation in (("x", "vertical"), ("y", "horizontal")):
            if any(bars(other, orientation) for other in shared(axes, which)):
                continue  # there a number is the name of a bar
            axis = axes.xaxis if which == "x" else axes.yaxis
            for tick in axis.get_major_ticks():
                text, place = tick.label1.get_text(), float(tick.get_loc())
                assert value(text) in (None, pytest.approx(place, rel=1e-9, abs=1e-30)), (
                    f"{name}: the tick at {place} of the {which}-axis is labelled {text}"
                )


@every_figure
def test_nothing_that_is_drawn_is_cut_off_by_the_limits_of_its_axes(name: str) -> None:
    rendered(name)
    for axes in drawn(name).axes:
        inside = axes.bbox.padded(0.5)
        for patch in axes.patches:
            ends = patch.get_window_extent().get_points()
            assert all(inside.contains(*end) for end in ends), f"{name}: {patch} is cut off"
        for line in axes.lines:
            for point in np.asarray(line.get_xydata()):
                seen = line.get_transform().transform(point)
                assert inside.contains(*seen), f"{name}: the point {point} of {line} is cut off"


@every_figure
def test_bars_stand_on_their_ticks_in_the_order_in_which_they_are_drawn(name: str) -> None:
    for axes in drawn(name).axes:
        for axis, orientation in ((axes.xaxis, "vertical"), (axes.yaxis, "horizontal")):
            middles = [middle(bar, orientation) for bar in bars(axes, orientation)]
            assert middles == sorted(middles), f"{name}: the bars stand in the order {middles}"
            assert set(middles) <= set(axis.get_majorticklocs()), f"{name}: a bar is off its tick"


@every_figure
def test_above_each_upright_bar_stands_its_value(name: str) -> None:
    for axes in drawn(name).axes:
        for bar in bars(axes, "vertical"):
            place, height = middle(bar, "vertical"), bar.get_height()
            above = [
                text.get_text()
                for text in axes.texts
                if text.get_position()[0] == place and text.get_position()[1] > height
            ]
            written = [value(text.removeprefix("≈")) for text in above]
            assert written == [pytest.approx(height, abs=0.0051)], (
                f"{name}: above the bar of {height:.4f} at {place:g} stands {above}"
            )


def test_every_figure_is_on_a_page_and_every_figure_on_a_page_exists(places: Any) -> None:
    assert sorted(places) == sorted(FIGURES)


def test_every_figure_is_placed_once_on_a_line_of_its_own_with_a_caption(
    pages: dict[str, str], places: Any
) -> None:
    found = Counter(
        name for text in pages.values() for name in re.findall(r"figure:([\w.]+)", text)
    )
    assert found == Counter(places.keys())


def test_no_image_of_a_page_is_written_in_the_style_of_a_reference(pages: dict[str, str]) -> None:
    for page, text in pages.items():
        for number, line in enumerate(text.splitlines(), start=1):
            assert not re.search(r"!\[[^\]]*\](?!\()", line), (
                f"{page}:{number}: write the image as ![alt text](address): {line}"
            )


@every_figure
def test_every_number_of_an_alt_text_or_a_caption_is_written_in_the_figure(
    name: str, places: Any
) -> None:
    where, alt, caption = places[name]
    written = {value(n) for text in texts(name) for n in NUMBER.findall(text.get_text())}
    assert len(set(NUMBER.findall(alt))) >= 3, f"{where}: the alt text of {name} states too little"
    for kind, stated in (("alt text", alt), ("caption", caption)):
        strange = [n for n in NUMBER.findall(stated) if value(n) not in written]
        assert not strange, f"{where}: the {kind} of {name} states {strange}, not in the figure"


def test_no_two_captions_would_fit_better_if_they_were_swapped(places: Any) -> None:
    def words(text: str) -> set[str]:
        return set(re.findall(r"[^\W_]+", text.lower()))

    about = {
        name: words(
            " ".join(
                [name, str(function.__doc__), places[name].alt]
                + [text.get_text() for text in texts(name)]
            )
        )
        for name, function in FIGURES.items()
    }

    def fit(caption_of: str, name: str) -> int:
        return len(words(places[caption_of].caption) & about[name])

    gains = {
        (one, other): fit(one, other) + fit(other, one) - fit(one, one) - fit(other, other)
        for one, other in combinations(FIGURES, 2)
    }
    one, other = max(gains, key=lambda pair: gains[pair])
    assert gains[one, other] < 0, (
        f"{places[one].where}, {places[other].where}: the captions of {one} and {other} would "
        f"share no fewer words with their figures, alt texts and docstrings if they were swapped"
    )
