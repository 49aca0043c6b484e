import math
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from softmax_ce.figures import softmax

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


def test_a_gap_of_2_is_marked_with_its_ratio() -> None:
    (marked,) = [line for line in odds().lines if line.get_marker() == "D"]
    assert marked.get_xdata()[0] == 2
    assert marked.get_ydata()[0] == pytest.approx(math.e**2, rel=8 * EPS)
    assert "a gap of 2: 7.39 times as probable" in texts(odds())
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


def test_the_corners_are_named() -> None:
    assert {"buy", "hold", "sell"} <= set(texts(simplex()))
