import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from matplotlib.patches import StepPatch
from torch import Tensor

from softmax_ce import cross_entropy, cross_entropy_manual
from softmax_ce.figures import index

FORMS = {
    "manual": lambda z, y: cross_entropy_manual(z, y),
    "fused": lambda z, y: F.cross_entropy(z, y, reduction="none"),
    "third": lambda z, y: cross_entropy(z, y, reduction="none"),
}
EPS = torch.finfo(torch.float64).eps


@cache
def panel(form: str) -> Any:
    return dict(zip(FORMS, index.three_forms().axes, strict=True))[form]


def steps(form: str) -> list[tuple[float, float, float]]:
    """Left end, right end and height of every step that is drawn: filled, and as a line."""
    filled, line = (patch for patch in panel(form).patches if isinstance(patch, StepPatch))
    heights, edges, _ = line.get_data()
    same = map(np.array_equal, filled.get_data()[:2], (heights, edges))
    assert all(same), f"index.three_forms: the filled steps of {form} are not those of its line"
    return list(zip(edges[:-1], edges[1:], heights, strict=True))


def texts(form: str) -> list[str]:
    return [text.get_text() for text in panel(form).texts]


def errors(form: str, gaps: Tensor) -> Tensor:
    """With a reference of its own: log1p of e to the −|gap|, in float64."""
    exact = (-gaps.double()).clamp(min=0) + (-gaps.double().abs()).exp().log1p()
    logits = torch.stack([gaps, torch.zeros_like(gaps)], dim=-1)
    loss = FORMS[form](logits, torch.zeros(len(gaps), dtype=torch.int64))
    return ((loss.double() - exact) / exact).abs()


@pytest.mark.parametrize("form", FORMS)
def test_each_step_is_the_worst_error_of_its_gaps(form: str) -> None:
    for left, right, height in steps(form):
        found = errors(form, torch.arange(left * 64, right * 64) / 64)
        worst = found[found.isfinite()].max().item()
        # Both references are float64: a few of its eps lie between them, more is an error.
        assert height == pytest.approx(worst, abs=8 * EPS)


@pytest.mark.parametrize("form", FORMS)
def test_the_steps_cover_every_gap_where_the_loss_is_finite(form: str) -> None:
    ends = [(left, right) for left, right, _ in steps(form)]
    assert ends[0][0] == (-104 if form == "manual" else -120)
    assert ends[-1][1] == 120
    assert all(a[1] == b[0] for a, b in pairwise(ends))


def test_an_error_of_exactly_0_is_drawn_at_the_floor_and_named() -> None:
    assert {height for _, right, height in steps("fused") if right <= -38} == {index.FLOOR}
    bottom = panel("third").yaxis
    assert bottom.get_majorticklocs()[-1] == index.FLOOR
    assert bottom.get_ticklabels()[-1].get_text() == "exactly 0"


@pytest.mark.parametrize("form", ["manual", "fused"])
def test_the_first_two_forms_are_exactly_0_from_log_of_2_over_eps_on(form: str) -> None:
    gap = math.log(2 / torch.finfo(torch.float32).eps)  # facts.md: 16.636
    assert f"loss 0 from {gap:.1f} on" in texts(form)
    assert {height for left, _, height in steps(form) if left >= gap} == {1}


def test_the_manual_form_is_inf_where_exp_underflows() -> None:
    (hatched,) = [patch for patch in panel("manual").patches if patch.get_hatch()]
    left, right = hatched.get_x(), hatched.get_x() + hatched.get_width()
    assert left == -120
    # float32 exp is 0 from −103.972 down (facts.md); the gaps drawn are 1/64 apart.
    assert -103.972084 - 1 / 64 <= right <= -103.972084
    assert f"← loss inf below −{-right:.1f}" in texts("manual")


def test_the_third_form_keeps_its_digits_down_to_the_smallest_normal_number() -> None:
    limit = -math.log(np.finfo(np.float32).tiny)
    assert max(height for _, right, height in steps("third") if right <= limit) <= 3e-6
    assert f"subnormal from {limit:.1f} on →" in texts("third")


def test_each_panel_has_the_name_of_its_form() -> None:
    assert {form: panel(form).get_title(loc="left") for form in FORMS} == {
        "manual": "cross_entropy_manual: −log of softmax",
        "fused": "F.cross_entropy: −log_softmax at the target",
        "third": "softmax_ce.cross_entropy: softplus of the log-odds",
    }, "index.three_forms: a panel has the title of another form"


def test_the_axes_are_named() -> None:
    assert panel("third").get_xlabel() == "gap: the target's logit minus the other logit", (
        "index.three_forms"
    )
    assert panel("fused").get_ylabel() == "relative error of the float32 loss", "index.three_forms"


def test_the_alt_text_says_where_each_form_breaks(states: Callable[..., None]) -> None:
    states("index.three_forms", "from", "−120", "120", "inf below", "−104.0", "0", "100", "16.6")
    states("index.three_forms", "F.cross_entropy", "0", "16.6", "third form", "1.5 · 10⁻⁷", "87.3")
