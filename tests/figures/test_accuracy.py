import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import mpmath as mp
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from softmax_ce import cross_entropy
from softmax_ce.figures import accuracy

DTYPES = ["float16", "bfloat16", "float32", "float64"]
SIDES = ["loss", "gradient"]
LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "log(softmax)": lambda z: -torch.softmax(z, -1)[0].log(),
    "F.cross_entropy": lambda z: F.cross_entropy(z, torch.tensor(0)),
    "third form": lambda z: cross_entropy(z, 0),
}
# The first exponents at which exp is 0 and inf, as in the tests of stability.where_exp_ends.
EXP_IS_0 = {
    "float16": -17.34375,
    "bfloat16": -93.0,
    "float32": -103.972084,
    "float64": -745.1332191,
}
EXP_IS_INF = {"float16": 11.09375, "bfloat16": 89.0, "float32": 88.7228394, "float64": 709.7827129}
every_panel = pytest.mark.parametrize("side", SIDES)
every_dtype = pytest.mark.parametrize("name", DTYPES)


@cache
def atlas() -> Any:
    return accuracy.atlas()


@cache
def axes(name: str, side: str) -> Any:
    found = {panel.get_title(loc="left"): panel for panel in atlas().axes}
    return found[f"{name}: {side}"]


@cache
def legend() -> dict[str, Any]:
    """By what is written beside it, the look of a key."""
    (legend,) = atlas().legends
    keys = zip(legend.get_texts(), legend.get_patches(), strict=True)
    return {text.get_text(): look(patch) for text, patch in keys}


def look(patch: Any) -> Any:
    return patch.get_hatch(), patch.get_alpha(), patch.get_facecolor(), patch.get_edgecolor()


def meaning(panel: Any, patch: Any) -> str:
    """What a reader takes a rectangle for: by the word in it, its key, or a neighbour's word."""
    if look(patch) in legend().values():
        return next(name for name, key in legend().items() if key == look(patch))
    words = {
        text.get_text()
        for other in panel.patches
        for text in panel.texts
        if look(other) == look(patch)
        and other.get_x() < text.get_position()[0] < other.get_x() + other.get_width()
        and other.get_y() < text.get_position()[1] < other.get_y() + other.get_height()
    }
    (word,) = words
    return str(word)


def measured(form: str, side: str, dtype: torch.dtype, gap: float) -> tuple[float, float]:
    """A loss or its gradient at the target, and its relative error against mpmath."""
    logits = torch.tensor([gap, 0.0], dtype=dtype, requires_grad=True)
    loss = LOSSES[form](logits)
    (gradient,) = torch.autograd.grad(loss, logits)
    with mp.workprec(100):
        odds = mp.exp(-mp.mpf(logits[0].item()))
        exact = mp.log1p(odds) if side == "loss" else -odds / (1 + odds)
        found = loss.item() if side == "loss" else gradient[0].item()
        return found, float(abs(found / exact - 1))


@every_dtype
@every_panel
def test_each_strip_says_what_is_measured_in_it(name: str, side: str) -> None:
    panel, dtype = axes(name, side), getattr(torch, name)
    rows = [tick.get_text() for tick in axes(name, "loss").get_yticklabels()]
    tolerance = 4 * torch.finfo(dtype).eps
    for patch in panel.patches:
        form = rows[round(patch.get_y() + patch.get_height() / 2)]
        said = meaning(panel, patch)
        left, right = patch.get_x(), patch.get_x() + patch.get_width()
        # An edge is off by as much as the gaps are apart, in bfloat16 by up to a unit more.
        edge = panel.get_xlim()[1] / accuracy.STEPS + (1 if dtype == torch.bfloat16 else 0)
        inside = torch.linspace(left + 2 * edge, right - 2 * edge, 15).tolist()
        found = [measured(form, side, dtype, gap) for gap in inside if right - left > 4 * edge]
        for value, error in found:
            wrong = f"accuracy.atlas: {name}, {side}, {form}: {value} stands under {said}"
            held = {
                # Between two gaps that the figure looks at an error may be a little larger.
                "within 4 eps": error <= 1.5 * tolerance,
                "digits lost": value != 0 and error <= 0.15,
                "off by more than 10 %": value != 0 and error <= 1,
                "0": value == 0,
                "inf": math.isinf(value),
                "nan": math.isnan(value),
            }
            assert held[said], wrong
        if said == "digits lost" and found:
            assert max(error for _, error in found) > tolerance


@every_dtype
@every_panel
def test_the_strips_of_a_form_cover_its_row_without_a_hole(name: str, side: str) -> None:
    panel = axes(name, side)
    for row in range(3):
        strips = [patch for patch in panel.patches if round(patch.get_y() + 0.42) == row]
        edges = [(strip.get_x(), strip.get_x() + strip.get_width()) for strip in strips]
        assert edges[0][0] == panel.get_xlim()[0]
        assert edges[-1][1] == panel.get_xlim()[1]
        assert all(a[1] == pytest.approx(b[0]) for a, b in pairwise(edges))


@every_dtype
@every_panel
def test_no_meaning_is_carried_by_colour_alone(name: str, side: str) -> None:
    panel = axes(name, side)
    said = {meaning(panel, patch): patch.get_hatch() for patch in panel.patches}
    hatched = {"digits lost", "off by more than 10 %"}
    assert {word for word, hatch in said.items() if hatch} == hatched & said.keys()
    assert len({hatch for hatch in said.values() if hatch}) == len(hatched & said.keys())


@every_dtype
def test_the_ticks_are_the_ends_of_exp_and_of_one_plus_a_small_number(name: str) -> None:
    dtype = getattr(torch, name)
    inf, zero = axes(name, "loss").get_xticks()
    nan, zero_gradient = axes(name, "gradient").get_xticks()
    assert inf == round(EXP_IS_0[name], 1)
    assert nan == round(-EXP_IS_INF[name], 1)
    # The next number of the dtype, rounded to a decimal.
    end = math.log(2 / torch.finfo(dtype).eps)
    assert 0 <= zero + 0.05 - end <= 0.1 + end * torch.finfo(dtype).eps
    assert zero_gradient == zero


@every_dtype
@every_panel
def test_the_forms_stand_beside_their_strips_and_the_gap_is_named(name: str, side: str) -> None:
    panel = axes(name, side)
    assert panel.get_xlabel() == "gap", "accuracy.atlas"
    labels = [tick.get_text() for tick in axes(name, "loss").get_yticklabels()]
    assert labels == list(LOSSES), "accuracy.atlas"


@every_dtype
def test_the_alt_text_gives_each_dtype_its_own_ends(name: str, states: Callable[..., None]) -> None:
    inf, zero = (tick.get_text() for tick in axes(name, "loss").get_xticklabels())
    nan, _ = (tick.get_text() for tick in axes(name, "gradient").get_xticklabels())
    for end in (inf, nan, zero):
        states("accuracy.atlas", end, name)
