import math
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from softmax_ce.figures import look, softmax

EPS = torch.finfo(torch.float64).eps


@cache
def odds() -> Any:
    return softmax.odds().axes[0]


@cache
def simplex() -> Any:
    return softmax.simplex().axes[0]


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def probabilities(x: Tensor, y: Tensor) -> Tensor:
    """The three probabilities of a point: the corners are buy (½, √¾), hold (0, 0), sell (1, 0)."""
    buy = y / math.sqrt(0.75)
    sell = x - buy / 2
    return torch.stack([buy, 1 - buy - sell, sell], dim=-1)


def points(line: int | str) -> Tensor:
    """The probabilities of the path (0), or of all the points drawn with a marker."""
    lines = [simplex().lines[line]] if isinstance(line, int) else []
    lines = lines or [one for one in simplex().lines if one.get_marker() == line]
    data = torch.cat([torch.as_tensor(one.get_xydata()) for one in lines])
    return probabilities(*data.T)


def test_odds_are_e_to_the_gap() -> None:
    gaps, ratios = (torch.as_tensor(data) for data in odds().lines[0].get_data())
    assert gaps[[0, -1]].tolist() == [0, 4]
    # Two probabilities of 3 roundings and an exp each, then a division.
    torch.testing.assert_close(ratios, gaps.exp(), rtol=8 * EPS, atol=0)


def test_every_marker_stands_on_the_curve_with_its_ratio_beside_it() -> None:
    markers = [(line.get_xdata()[0], line.get_ydata()[0]) for line in odds().lines[1:]]
    assert markers == [(gap, pytest.approx(math.exp(gap), rel=8 * EPS)) for gap in range(5)], (
        "softmax.odds: a marker is off the curve"
    )
    for marker, text in zip(markers, odds().texts, strict=True):
        assert text.xy == marker, f"softmax.odds: {text} stands beside no marker"
        assert f"{marker[1]:.3g}" in text.get_text(), f"softmax.odds: {text} stands at {marker}"


def test_a_gap_of_2_is_marked_with_its_ratio() -> None:
    (marked,) = [line for line in odds().lines if line.get_marker() == "D"]
    assert marked.get_xdata()[0] == 2
    assert marked.get_ydata()[0] == pytest.approx(math.e**2, rel=8 * EPS)
    assert "7.39 times as probable" in texts(odds())
    assert {"1", "2.72", "20.1", "54.6"} <= set(texts(odds()))


def test_the_path_goes_from_the_centre_through_softmax_of_the_scaled_logits() -> None:
    path = points(0)
    scales = torch.linspace(0, 12, 121, dtype=torch.float64)
    expected = torch.softmax(scales[:, None] * softmax.LOGITS, dim=-1)
    # Probabilities up to 1, and back through a triangle of side 1: some roundings of 1.
    torch.testing.assert_close(path, expected, rtol=0, atol=16 * EPS)
    assert path[0].tolist() == pytest.approx([1 / 3] * 3, abs=16 * EPS)
    assert path[-1, 0] > 0.9999


def test_the_points_are_probabilities_and_their_labels_say_which() -> None:
    drawn = points("o")
    assert len(drawn) == 4
    torch.testing.assert_close(
        drawn.sum(-1), torch.ones(4, dtype=torch.float64), rtol=0, atol=16 * EPS
    )
    for t, point in zip((0, 0.5, 1, 2), drawn.tolist(), strict=True):
        assert f"t = {t:g}: {', '.join(f'{p:.2f}' for p in point)}" in texts(simplex())
    assert drawn[2].tolist() == pytest.approx([0.6590, 0.2424, 0.0986], abs=5e-5)


def test_adding_a_constant_leaves_the_point_in_place() -> None:
    running = torch.softmax(softmax.LOGITS, dim=-1)
    assert len(points("D")) == 2
    for shifted in points("D"):
        # A logit near 100 is rounded to a multiple of 64 eps: so far may a probability move.
        torch.testing.assert_close(shifted, running, rtol=0, atol=100 * EPS)
    assert "1 or 100 added" in texts(simplex())


def test_the_triangle_has_side_1() -> None:
    (triangle,) = simplex().patches
    corners = probabilities(*torch.as_tensor(triangle.get_xy()[:3]).T)
    off = (corners - torch.eye(3, dtype=torch.float64)).abs().max()
    assert off <= 4 * EPS, f"softmax.simplex: the corners of the triangle are {corners.tolist()}"


def test_each_name_stands_at_its_corner() -> None:
    for place, name in enumerate(("buy", "hold", "sell")):
        (text,) = [text for text in simplex().texts if text.get_text() == name]
        near = probabilities(*torch.tensor(text.get_position(), dtype=torch.float64))
        assert near[place] == pytest.approx(1, abs=0.15), (
            f"softmax.simplex: {name} stands where the probabilities are {near.tolist()}"
        )


def test_a_guide_leads_from_each_point_to_its_label() -> None:
    *guides, last = [line for line in simplex().lines if line.get_color() == look.RULE]
    markers = [line for line in simplex().lines if line.get_marker() == "o"]
    labels = [text for text in simplex().texts if text.get_text().startswith("t = ")]
    for guide, marker, text in zip(guides, markers, labels, strict=True):
        start, (x, y) = guide.get_xydata().tolist()
        wrong = f"softmax.simplex: the guide from {start} to {(x, y)} misses its point or {text}"
        assert start == marker.get_xydata()[0].tolist(), wrong
        assert x == pytest.approx(text.get_position()[0], abs=0.03), wrong
        assert y == text.get_position()[1], wrong

    (text,) = [text for text in simplex().texts if text.get_text() == "to each logit:"]
    diamond = next(line for line in simplex().lines if line.get_marker() == "D")
    ends = torch.tensor([text.get_position(), tuple(diamond.get_xydata()[0])])
    assert (torch.as_tensor(last.get_xydata()) - ends).abs().max() < 0.05, (
        f"softmax.simplex: the guide to the diamonds runs along {last.get_xydata().tolist()}"
    )


def test_the_axes_are_named() -> None:
    assert odds().get_xlabel() == "gap between two logits", "softmax.odds"
    assert odds().get_ylabel() == "ratio of their probabilities", "softmax.odds"


def test_the_alt_text_gives_each_gap_its_ratio(states: Callable[..., None]) -> None:
    states("softmax.odds", "1", "0", "2.72", "1", "7.39", "2", "20.1", "3", "54.6", "4")


def test_the_alt_text_follows_the_path(states: Callable[..., None]) -> None:
    states("softmax.simplex", "2", "1", "0.1", "centre", "0", "0.33", "0.66", "0.24", "0.10", "1")
