import math
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch

from softmax_ce import softmax_temperature
from softmax_ce.figures import temperature

EPS = torch.finfo(torch.float64).eps
SIX = (0.1, 0.5, 1, 2, 5, 10)


@cache
def panels() -> dict[float, Any]:
    return dict(zip(SIX, temperature.panels().axes, strict=True))


@cache
def axes() -> Any:
    return temperature.entropy().axes[0]


def entropy(T: float) -> float:
    """Its definition, in float64."""
    p = torch.softmax(temperature.LOGITS / T, dim=-1)
    return float(torch.special.entr(p).sum())


@pytest.mark.parametrize("T", SIX)
def test_the_bars_are_the_probabilities_at_their_temperature(T: float) -> None:
    panel = panels()[T]
    heights = [patch.get_height() for patch in panel.patches]
    assert panel.get_title(loc="left") == f"T = {T}"
    assert heights == softmax_temperature(temperature.LOGITS, T).tolist()
    # Dividing by T first costs a rounding of a logit, at most 20 here; a probability so many eps.
    expected = torch.softmax(temperature.LOGITS / T, dim=-1).tolist()
    assert heights == pytest.approx(expected, rel=40 * EPS)
    assert sum(heights) == pytest.approx(1, rel=5 * EPS)  # 4 probabilities, a rounding each


@pytest.mark.parametrize("T", SIX)
def test_each_bar_has_its_value_written_on_it(T: float) -> None:
    panel = panels()[T]
    for patch, text in zip(panel.patches, panel.texts, strict=True):
        p = patch.get_height()
        assert text.get_position()[1] > p
        assert text.get_text() in (f"{p:.2f}", f"≈{p:.0f}")
        assert ("≈" in text.get_text()) == (f"{p:.2f}" in ("0.00", "1.00"))


def test_the_bars_stand_above_their_logits() -> None:
    assert [t.get_text() for t in panels()[10].get_xticklabels()] == ["2", "1", "0.5", "0.1"]


def test_the_axes_are_named_with_their_units() -> None:
    assert [panels()[T].get_xlabel() for T in (2, 5, 10)] == ["logit"] * 3, "temperature.panels"
    assert [panels()[T].get_ylabel() for T in (0.1, 2)] == ["probability"] * 2, "temperature.panels"
    assert axes().get_xlabel() == "temperature T (logit)", "temperature.entropy"
    assert axes().get_ylabel() == "entropy H (nats)", "temperature.entropy"


@pytest.mark.parametrize("T", SIX[1:])
def test_the_alt_text_gives_each_panel_its_own_probabilities(
    T: float, states: Callable[..., None]
) -> None:
    states("temperature.panels", f"{T}", *(text.get_text() for text in panels()[T].texts))


@pytest.mark.parametrize("T", SIX)
def test_the_alt_text_gives_each_temperature_its_entropy(
    T: float, states: Callable[..., None]
) -> None:
    states("temperature.entropy", f"{entropy(T):.3f}", f"{T}")


def test_the_curve_is_the_entropy() -> None:
    curve = axes().lines[0]
    for T, nats in curve.get_xydata():
        # Logits up to 40 at T = 0.05: their rounding, in probabilities whose logs are as large.
        assert nats == pytest.approx(entropy(T), rel=200 * EPS, abs=4 * EPS)
    assert curve.get_xdata()[[0, -1]].tolist() == pytest.approx([0.05, 10])


def test_the_ceiling_is_log_v() -> None:
    curve, ceiling, *_ = axes().lines
    assert ceiling.get_ydata()[0] == pytest.approx(math.log(4), rel=4 * EPS)
    assert max(curve.get_ydata()) < math.log(4)
    assert "log V = 1.386" in [text.get_text() for text in axes().texts]


def test_the_six_temperatures_are_marked_with_their_entropy() -> None:
    said = [text.get_text() for text in axes().texts]
    for T, line in zip(SIX, axes().lines[2:-1], strict=True):
        assert line.get_xydata().tolist() == [[T, pytest.approx(entropy(T), rel=200 * EPS)]]
        assert f"{entropy(T):.3f}" in said


def test_the_tangent_touches_at_t_1_with_the_slope_that_autograd_finds() -> None:
    T = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    p = torch.softmax(temperature.LOGITS / T, dim=-1)
    (slope,) = torch.autograd.grad(-(p * p.log()).sum(), T)

    (x0, y0), (x1, y1) = axes().lines[-1].get_xydata()
    found = (y1 - y0) / math.log(x1 / x0)  # dH/dlog T, which at T = 1 is dH/dT
    # Sums of four products near 1, on both sides.
    assert found == pytest.approx(slope.item(), rel=64 * EPS)
    assert y0 - found * math.log(x0) == pytest.approx(entropy(1), rel=64 * EPS)
    assert f"slope Var/T³ = {slope:.3f}" in [text.get_text() for text in axes().texts]


@cache
def against() -> Any:
    return dict(zip(("T", "1/T"), temperature.loss().axes, strict=True))


def nll(T: float) -> float:
    """The loss of the first class, in float64."""
    return -torch.log_softmax(temperature.LOGITS / T, dim=-1)[0].item()


@pytest.mark.parametrize(("name", "inverse"), [("T", float), ("1/T", lambda beta: 1 / beta)])
def test_the_curve_is_the_loss_of_the_first_class(
    name: str, inverse: Callable[[float], float]
) -> None:
    for at, nats in against()[name].lines[0].get_xydata():
        # Two roads to a loss: logits up to 20 apart, a few roundings of each.
        assert nats == pytest.approx(nll(inverse(at)), rel=200 * EPS, abs=20 * EPS)


@pytest.mark.parametrize(
    ("name", "ends", "middle", "T"),
    [("T", [1, 3], 2, 2), ("1/T", [1, 1 / 3], 2 / 3, 1.5)],
)
def test_midway_the_chord_and_the_curve_are_marked_with_their_losses(
    name: str, ends: list[float], middle: float, T: float
) -> None:
    _, chord, on_chord, on_curve = (line.get_xydata().tolist() for line in against()[name].lines)
    mean = (nll(1) + nll(3)) / 2
    for found, expected in (
        (chord[0], [ends[0], nll(1)]),
        (chord[1], [ends[1], nll(3)]),
        (on_chord[0], [middle, mean]),
        (on_curve[0], [middle, nll(T)]),
    ):
        assert found == pytest.approx(expected, rel=200 * EPS)
    said = [text.get_text() for text in against()[name].texts]
    assert said == [f"{mean:.3f}", f"{nll(T):.3f}"]


def test_the_loss_lies_above_its_chord_against_t_and_below_it_against_its_inverse() -> None:
    assert nll(2) > (nll(1) + nll(3)) / 2 > nll(1.5)


def test_the_knob_of_each_panel_is_named() -> None:
    names = [panel.get_xlabel() for panel in against().values()]
    assert names == ["temperature T", "inverse temperature 1/T"], "temperature.loss"
    assert against()["T"].get_ylabel() == "loss (nats)", "temperature.loss"


def test_the_alt_text_gives_both_losses_of_each_panel(states: Callable[..., None]) -> None:
    states("temperature.loss", "T", f"{nll(2):.3f}", f"{(nll(1) + nll(3)) / 2:.3f}")
    states("temperature.loss", f"{nll(1.5):.3f}", f"{(nll(1) + nll(3)) / 2:.3f}")
