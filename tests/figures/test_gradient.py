import ast
import math
import re
from collections.abc import Callable
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from matplotlib.colors import to_hex

from softmax_ce.figures import gradient, look, style
from softmax_ce.verify.page import Page

EPS = torch.finfo(torch.float64).eps


@cache
def graph() -> Any:
    return gradient.nodes().axes[0]


@cache
def forward() -> str:
    """The forward pass of the chapter's block that goes node by node."""
    page = Page(Path(__file__).parents[2] / "docs" / "gradient.md")
    (code,) = [block.code for block in page.blocks if "# forward\n" in block.code]
    return code.partition("nodes = [")[0]


def boxes() -> dict[str, Any]:
    """The boxes by the name that stands in each."""
    inside = {
        text.get_text(): [
            box for box in graph().patches if box.get_bbox().contains(*text.get_position())
        ]
        for text in graph().texts[: 2 * len(gradient.NODES)]
        if text.get_text() in gradient.NODES
    }
    assert all(len(found) == 1 for found in inside.values()), f"gradient.nodes: {inside}"
    return {name: box for name, (box,) in inside.items()}


@cache
def heat() -> Any:
    return gradient.dlogits().axes[0]


@cache
def steps() -> Any:
    return gradient.step_size().axes[0]


def line(name: str) -> tuple[torch.Tensor, torch.Tensor]:
    place = ("rounding", "truncation", "errors", "best").index(name)
    h, error = steps().lines[place].get_data()
    return torch.as_tensor(h), torch.as_tensor(error)


def autograd() -> torch.Tensor:
    logits = gradient.LOGITS.clone().requires_grad_()
    loss = F.cross_entropy(logits, gradient.TARGETS, reduction="sum")
    return torch.autograd.grad(loss, logits)[0]


def cells(framed: bool) -> dict[tuple[int, int], Any]:
    """The rectangles by row and column: the frames, or the cells below them."""
    rectangles = [p for p in heat().patches if (to_hex(p.get_edgecolor()) == look.INK) == framed]
    return {(int(patch.get_y()), int(patch.get_x())): patch for patch in rectangles}


def slope(h: torch.Tensor, errors: torch.Tensor) -> float:
    x, y = h.log(), errors.log()
    return (((x - x.mean()) * y).sum() / (x - x.mean()).square().sum()).item()


def test_the_arrows_lead_along_the_statements_of_the_chapters_code() -> None:
    fed = set()
    for statement in ast.parse(forward().partition("# forward\n")[2]).body:
        left, right = ast.unparse(statement).split(" = ")
        fed |= {
            (start, end)
            for start in re.findall(r"\w+", right)
            for end in re.findall(r"\w+", left)
            if {start, end} <= gradient.NODES.keys()
        }
    assert set(gradient.ARROWS) == fed, "gradient.nodes: its arrows are not the code's"

    drawn = [one for one in graph().texts if getattr(one, "arrow_patch", None)]
    ends = [(gradient.NODES[start], gradient.NODES[end]) for start, end in gradient.ARROWS]
    assert [(one.xyann, one.xy) for one in drawn] == ends, "gradient.nodes: an arrow leads astray"


def test_each_box_says_the_shape_that_its_node_has_in_the_chapters_code() -> None:
    nodes: dict[str, Any] = {}
    exec(compile(forward(), "gradient.md", "exec"), nodes)
    for name, box in boxes().items():
        shape = " × ".join(map(str, nodes[name].shape)) or "1"
        written = [
            text.get_text()
            for text in graph().texts
            if box.get_bbox().contains(*text.get_position()) and text.get_text()
        ]
        assert written == [name, shape], f"gradient.nodes: {name} is {shape}; there is {written}"


def test_a_box_is_dashed_where_a_row_is_a_single_number() -> None:
    dashed = [name for name, box in boxes().items() if box.get_linestyle() != "solid"]
    assert sorted(dashed) == ["counts_sum", "counts_sum_inv", "logit_maxes"]


def test_the_boxes_hold_their_texts_and_stand_apart() -> None:
    style.render_svg(graph().figure)  # lays it out
    drawn = {name: box.get_window_extent() for name, box in boxes().items()}
    for text in graph().texts:
        if not text.get_text():  # an arrow's
            continue
        ends = text.get_window_extent().get_points()
        held = [name for name, box in drawn.items() if all(box.contains(*end) for end in ends)]
        assert len(held) == 1, f"gradient.nodes: {text} reaches out of its box"
    for (one, box), (other, another) in combinations(drawn.items(), 2):
        assert not box.overlaps(another), f"gradient.nodes: {one} covers {other}"


def test_the_alt_text_gives_the_nodes_their_shapes(states: Callable[..., None]) -> None:
    states("gradient.nodes", "logits", "norm_logits", "counts", "probs", "logprobs", "32", "27")
    states("gradient.nodes", "logit_maxes", "counts_sum", "counts_sum_inv", "32", "1")


def test_the_cells_say_what_autograd_says() -> None:
    written = [text.get_text() for text in heat().texts if text.get_text()[-1] in "↑↓"]
    expected = [
        f"{value:+.4f} {'↑' if value < 0 else '↓'}".replace("-", "−")
        for value in autograd().flatten().tolist()
    ]
    assert written == expected
    assert written[:3] == ["−0.3410 ↑", "+0.2424 ↓", "+0.0986 ↓"]  # facts.md


def test_the_colour_of_a_cell_is_its_sign_and_its_depth_the_size() -> None:
    expected = autograd()
    deepest = cells(framed=False)[0, 0].get_alpha()
    assert len(cells(framed=False)) == 6
    for place, cell in cells(framed=False).items():
        value = expected[place].item()
        assert to_hex(cell.get_facecolor()) == (look.FIRST if value < 0 else look.SECOND)
        # A quotient of two gradients of a few roundings each.
        ratio = abs(value / expected[0, 0].item())
        assert cell.get_alpha() / deepest == pytest.approx(ratio, rel=32 * EPS)


def test_the_targets_are_framed() -> None:
    assert list(cells(framed=True)) == list(enumerate(gradient.TARGETS.tolist()))


def test_rows_and_columns_are_named_and_rows_sum_to_0() -> None:
    assert [t.get_text() for t in heat().get_yticklabels()] == ["example 1", "example 2"]
    assert [t.get_text() for t in heat().get_xticklabels()] == ["buy", "hold", "sell", "row sum"]
    assert [t.get_text() for t in heat().texts if t.get_text()[-1] == "0"].count("0.0000") == 2


def test_truncation_has_slope_2() -> None:
    # The next term, h⁴, is a thousandth of it at h = 0.1; rounding less than that from 1e-3 on.
    h, error = line("errors")
    assert slope(h[h > 1e-3], error[h > 1e-3]) == pytest.approx(2, abs=0.01)


def test_rounding_has_slope_minus_1_and_stays_below_its_bound() -> None:
    h, error = line("errors")
    left = h < 1e-6
    assert slope(h[left], error[left]) == pytest.approx(-1, abs=0.15)  # rounding is noise
    # Each of two losses below 3 is off by some halves of eps; their difference is divided by 2h.
    assert (error[left] < 4 * EPS / h[left]).all()


def test_the_errors_are_those_of_a_central_difference() -> None:
    z, exact = gradient.LOGITS[0], autograd()[0]
    for h, error in zip(*(data.tolist() for data in line("errors")), strict=True):
        if h < 1e-3:  # below, the two losses differ in their roundings
            continue
        shift = h * torch.eye(3, dtype=torch.float64)
        above, below = (
            F.cross_entropy(z + s, torch.tensor([0, 0, 0]), reduction="none")
            for s in (shift, -shift)
        )
        expected = ((above - below) / (2 * h) - exact).abs().max().item()
        assert error == pytest.approx(expected, abs=8 * EPS / h)


def test_the_guides_are_eps_over_h_and_the_third_derivative() -> None:
    h, bound = line("rounding")
    torch.testing.assert_close(bound, EPS / h, rtol=2 * EPS, atol=0)
    h, bound = line("truncation")
    z = gradient.LOGITS[0].clone().requires_grad_()
    third = autograd_third(z).abs().max()
    torch.testing.assert_close(bound, third * h**2 / 6, rtol=64 * EPS, atol=0)


def autograd_third(z: torch.Tensor) -> torch.Tensor:
    (first,) = torch.autograd.grad(-z.log_softmax(-1)[0], z, create_graph=True)
    thirds = []
    for i in range(3):
        (second,) = torch.autograd.grad(first[i], z, create_graph=True)
        thirds.append(torch.autograd.grad(second[i], z, retain_graph=True)[0][i])
    return torch.stack(thirds)


def test_the_best_step_is_marked_near_the_cube_root_of_eps() -> None:
    h, error = line("errors")
    best = error.argmin()
    assert torch.stack(line("best")).flatten().tolist() == [h[best].item(), error[best].item()]
    assert abs(math.log10(h[best].item()) - math.log10(EPS) / 3) < 1
    digit, exponent = f"{h[best].item():.0e}".split("e")
    text = f"best h: {digit} · {style.power_of_ten(int(exponent))}"
    assert text in [text.get_text() for text in steps().texts]


def test_the_slopes_are_named() -> None:
    said = " ".join(text.get_text() for text in steps().texts)
    assert "rounding: ε/h, slope −1" in said
    assert "truncation: h², slope 2" in said


def test_the_deepest_cell_is_the_target_of_the_first_example() -> None:
    deepest = max(patch.get_alpha() for patch in cells(framed=False).values())
    assert cells(framed=False)[0, 0].get_alpha() == deepest == 0.35, (
        f"gradient.dlogits: the deepest alpha is {deepest}"
    )


def test_each_value_stands_in_its_cell() -> None:
    values = [text for text in heat().texts if text.get_text()[-1] in "↑↓"]
    for (place, cell), text in zip(cells(framed=False).items(), values, strict=True):
        assert cell.get_bbox().contains(*text.get_position()), (
            f"gradient.dlogits: {text} is not in cell {place}"
        )


def test_the_arrows_and_the_frames_are_explained_and_the_axes_named(places: Any) -> None:
    place = places["gradient.dlogits"]
    assert heat().get_xlabel() == "p − onehot; a step raises ↑ or lowers ↓ the logit", place.where
    assert "A framed cell is the target." in place.caption, place.where
    assert steps().get_xlabel() == "step h (logit)", "gradient.step_size"
    assert steps().get_ylabel() == "largest error of the gradient (nats per logit)", (
        "gradient.step_size"
    )


@pytest.mark.parametrize(
    ("text", "own", "other"),
    [
        ("rounding: ε/h, slope −1", "rounding", "truncation"),
        ("truncation: h²,", "truncation", "rounding"),
        ("slope 2", "truncation", "rounding"),
    ],
)
def test_the_name_of_a_guide_stands_nearest_to_its_own_line(
    text: str, own: str, other: str
) -> None:
    style.render_svg(steps().figure)  # lays it out
    (found,) = [one for one in steps().texts if one.get_text() == text]
    centre = torch.as_tensor(found.get_window_extent().get_points()).mean(0)

    def distance(name: str) -> float:
        points = torch.as_tensor(steps().transData.transform(torch.stack(line(name), dim=-1)))
        return float((points - centre).norm(dim=-1).min())

    assert distance(own) < distance(other), (
        f"gradient.step_size: '{text}' stands nearer to the guide of {other}"
    )


def test_the_guides_differ_by_colour_and_by_dashes() -> None:
    rounding, truncation = steps().lines[:2]
    wrong = "gradient.step_size: the two guides look alike"
    assert rounding.get_color() != truncation.get_color(), wrong
    dashes = re.findall(r"stroke-dasharray: ([^;]+)", style.render_svg(steps().figure))
    assert len(dashes) == len(set(dashes)) == 2, wrong


def test_the_alt_text_states_the_cells_row_by_row(states: Callable[..., None]) -> None:
    cells = [f"{value:+.4f}".replace("-", "−") for value in autograd().flatten().tolist()]
    states("gradient.dlogits", "1", "buy", *cells[:3], "2", "hold", *cells[3:], "0.0000")


def test_the_alt_text_gives_each_side_of_the_v_its_slope(states: Callable[..., None]) -> None:
    states("gradient.step_size", "left", "falls", "−1", "rounding")
    states("gradient.step_size", "right", "rises", "2", "truncation")
