import math
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from matplotlib.quiver import Quiver
from torch import Tensor

from softmax_ce import softmax_jacobian
from softmax_ce.figures import geometry, look

EPS = torch.finfo(torch.float64).eps
CLASSES = ("buy", "hold", "sell")


@cache
def field() -> Any:
    return geometry.field().axes[0]


@cache
def bars() -> Any:
    return geometry.one_step().axes


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts]


def barycentric(x: Tensor, y: Tensor) -> Tensor:
    """Of a point its probabilities; of a motion how each of them moves, but for the constant 1."""
    buy = y / math.sqrt(0.75)
    sell = x - buy / 2
    return torch.stack([buy, -buy - sell, sell], dim=-1)


def probabilities(points: Any) -> Tensor:
    found = barycentric(*torch.as_tensor(points, dtype=torch.float64).T)
    return found + torch.tensor([0, 1, 0])


def motion(p: Tensor) -> Tensor:
    """Minus J g, by the definition of both: a row of p is a row of the answer."""
    g = p - torch.tensor([1, 0, 0])
    return -(softmax_jacobian(p.log()) @ g.unsqueeze(-1)).squeeze(-1)


def regions() -> dict[str, Any]:
    """The hatched regions by the name that their sample in the legend has."""
    _, *patches = field().patches
    samples = [patch for patch in patches if isinstance(patch, Rectangle)]
    found = {}
    for sample in samples:
        (name,) = [
            text.get_text()
            for text in field().texts
            if text.get_position()[1] == pytest.approx(sample.get_y() + sample.get_height() / 2)
        ]
        (found[name],) = [
            patch
            for patch in patches
            if not isinstance(patch, Rectangle) and patch.get_hatch() == sample.get_hatch()
        ]
        assert found[name].get_facecolor() == sample.get_facecolor()
    return found


def test_an_arrow_is_minus_j_g() -> None:
    (arrows,) = [one for one in field().collections if isinstance(one, Quiver)]
    starts = probabilities(arrows.get_offsets())
    assert (starts > 0).all()
    assert len(starts) == 45  # 10 * 9 / 2 points inside a grid of 11
    assert (arrows.angles, arrows.scale_units, arrows.scale) == ("xy", "xy", 1)
    moves = barycentric(torch.as_tensor(arrows.U), torch.as_tensor(arrows.V))
    # Rates of at most 1 and a triangle of side 1: some roundings of 1.
    torch.testing.assert_close(moves / geometry.LENGTH, motion(starts), rtol=0, atol=64 * EPS)


def test_in_a_hatched_region_and_nowhere_else_a_wrong_class_rises() -> None:
    found = regions()
    assert set(found) == {"sell rises", "hold rises"}
    generator = torch.Generator().manual_seed(0)
    p = torch.rand(2000, 3, generator=generator, dtype=torch.float64).log().neg()
    p = p / p.sum(-1, keepdim=True)
    rates = motion(p)
    for riser in (1, 2):
        path = found[f"{CLASSES[riser]} rises"].get_path()
        inside = torch.as_tensor(path.contains_points((p @ geometry.CORNERS).numpy()))
        decided = rates[:, riser].abs() > 1e-3  # the edge is drawn as 32 straight pieces
        assert torch.equal(inside[decided], (rates[:, riser] > 0)[decided])
        assert inside.any()


def test_on_the_edge_of_a_region_its_class_stands_still() -> None:
    for name, region in regions().items():
        edge = probabilities(region.get_xy()[1:-1])
        assert edge[0].tolist() == pytest.approx([0.5, 0.5, 0] if "sell" in name else [0.5, 0, 0.5])
        assert edge[-1].tolist() == pytest.approx([0, 0.5, 0.5])
        inner = edge[1:-1]
        rate = motion(inner)[:, CLASSES.index(name.split()[0])]
        assert rate.abs().max() <= 64 * EPS


def test_the_regions_differ_by_their_hatch_too() -> None:
    hatches = [region.get_hatch() for region in regions().values()]
    assert len(set(hatches)) == 2
    assert all(hatches)


def test_the_marked_points_are_the_centre_and_the_example_with_its_rates() -> None:
    marked = [line for line in field().lines if line.get_marker() == "o"]
    centre, example = probabilities([line.get_xydata()[0].tolist() for line in marked])
    assert centre.tolist() == pytest.approx([1 / 3] * 3, abs=16 * EPS)
    assert example.tolist() == pytest.approx([0.2, 0.7, 0.1], abs=16 * EPS)
    buy, hold, sell = motion(centre).tolist()
    assert hold == pytest.approx(sell, abs=16 * EPS)  # straight to buy
    assert buy > 0 > hold
    said = ", ".join(f"{rate:+.3f}".replace("-", "−") for rate in motion(example).tolist())
    assert said == "+0.228, −0.252, +0.024"
    assert {said, "0.20, 0.70, 0.10", "equal shares of 0.33:"} <= set(texts(field()))


def test_a_guide_leads_from_each_marked_point_to_its_text() -> None:
    guides = [line.get_xydata() for line in field().lines if line.get_marker() != "o"]
    marked = [line.get_xydata()[0] for line in field().lines if line.get_marker() == "o"]
    for guide, point, text in zip(
        guides, marked, ("equal shares of 0.33:", "0.20, 0.70, 0.10"), strict=True
    ):
        assert guide[0].tolist() == point.tolist()
        (found,) = [one for one in field().texts if one.get_text() == text]
        assert guide[1].tolist() == pytest.approx(list(found.get_position()), abs=0.03)


def test_each_name_stands_at_its_corner() -> None:
    for place, name in enumerate(("buy, the target", "hold", "sell")):
        (text,) = [text for text in field().texts if text.get_text() == name]
        near = probabilities([text.get_position()])[0]
        assert near[place] == pytest.approx(1, abs=0.15)


def step() -> tuple[Tensor, Tensor, Tensor]:
    """p before, p after a step of 1, and the gradient before."""
    g = torch.softmax(geometry.LOGITS, -1)
    before = g.clone()
    g[0] -= 1
    return before, torch.softmax(geometry.LOGITS - g, -1), g


def changes() -> list[Any]:
    return [bar for container in bars()[1].containers for bar in container]


def test_bars_are_p_before_and_lines_p_after() -> None:
    left = bars()[0]
    before, after, _ = step()
    widths = [bar.get_width() for container in left.containers for bar in container]
    assert widths == pytest.approx(before.tolist(), abs=16 * EPS)
    marks = [line.get_xdata()[0] for line in left.lines]
    assert marks == pytest.approx(after.tolist(), abs=16 * EPS)
    assert [line.get_ydata()[0] for line in left.lines] == list(range(10))
    assert texts(left) == [f"{p:.3f} → {q:.3f}" for p, q in zip(before, after, strict=True)]


def test_the_bars_at_the_right_are_the_change_of_log_p() -> None:
    before, after, _ = step()
    expected = (after / before).log().tolist()
    assert [bar.get_width() for bar in changes()] == pytest.approx(expected, abs=64 * EPS)
    said = [f"{x:+.3f} {'↑' if x > 0 else '↓'}".replace("-", "−") for x in expected]
    assert texts(bars()[1]) == said
    assert said[:3] == ["+1.158 ↑", "−0.278 ↓", "−0.027 ↓"]


def test_wrong_classes_that_rise_are_hatched_and_no_others() -> None:
    before, after, _ = step()
    rises = (after > before).tolist()
    assert sum(rises) == 8
    for place, bar in enumerate(changes()):
        assert bool(bar.get_hatch()) == (place > 0 and rises[place])
    colours = [to_hex(bar.get_edgecolor()) for bar in changes()]
    assert colours == [look.FIRST, look.MUTED, look.MUTED, *[look.SECOND] * 7]


def test_a_diamond_is_the_change_to_first_order_and_class_2_alone_differs_in_sign() -> None:
    before, after, g = step()
    (diamonds,) = [line for line in bars()[1].lines if line.get_marker() == "D"]
    expected = (before * g).sum() - g
    found = torch.as_tensor(diamonds.get_xdata())
    torch.testing.assert_close(found, expected, rtol=0, atol=64 * EPS)
    assert list(diamonds.get_ydata()) == list(range(10))
    assert torch.nonzero((found > 0) != (after > before)).flatten().tolist() == [2]
    apart = found - (after / before).log()
    assert (apart - apart[0]).abs().max() <= 64 * EPS  # equally far to the right of every bar
    assert apart[0] > 0


def test_the_classes_and_the_axes_are_named() -> None:
    left, right = bars()
    names = [label.get_text() for label in left.get_yticklabels()]
    assert names == ["target 0", *(f"class {n}" for n in range(1, 10))]
    assert left.get_xlabel() == "p; bar: before, line: after"
    assert right.get_xlabel() == "change of log p; ◇ to first order"
    bottom, top = left.get_ylim()
    assert bottom > top  # the target is at the top


def test_the_alt_text_states_the_example_and_its_rates(states: Callable[..., None]) -> None:
    states("geometry.field", "0.33")
    states("geometry.field", "0.20", "0.70", "0.10", "rates", "+0.228", "−0.252", "+0.024")


def test_the_alt_text_goes_down_the_bars(states: Callable[..., None]) -> None:
    states("geometry.one_step", "0.039", "0.124", "1", "0.475", "0.360", "2", "0.224", "0.218")
    states("geometry.one_step", "+1.158", "−0.278", "−0.027", "shortest", "+0.091", "+0.192")
