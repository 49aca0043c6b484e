import math
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch

from softmax_ce.figures import cross_entropy

EPS = torch.finfo(torch.float64).eps


@cache
def surprisal() -> Any:
    return cross_entropy.surprisal().axes[0]


@cache
def initial_loss() -> Any:
    return cross_entropy.initial_loss().axes[0]


def level() -> Any:
    return initial_loss().lines[0]


def curve() -> Any:
    return initial_loss().lines[1]


def measured() -> tuple[torch.Tensor, torch.Tensor]:
    sigma, loss = initial_loss().lines[2].get_data()
    return torch.as_tensor(sigma), torch.as_tensor(loss)


def test_surprisal_is_minus_log_p() -> None:
    p, nats = (torch.as_tensor(data) for data in surprisal().lines[0].get_data())
    assert p[[0, -1]].tolist() == pytest.approx([0.006, 1])
    # Near p = 1 the rounding of 1 − p and of two logarithms, each at most one eps of 1.
    torch.testing.assert_close(nats, -p.log(), rtol=8 * EPS, atol=4 * EPS)


@pytest.mark.parametrize(
    ("p", "nats"), [("1", "0"), ("0.5", "0.693"), ("0.1", "2.303"), ("0.01", "4.605")]
)
def test_four_surprisals_are_marked_with_their_nats(p: str, nats: str) -> None:
    assert f"p = {p}: {nats} nats" in [text.get_text() for text in surprisal().texts]
    points = {line.get_xdata()[0]: line.get_ydata()[0] for line in surprisal().lines[1:]}
    assert points[float(p)] == pytest.approx(-math.log(float(p)), rel=8 * EPS)


def test_the_level_is_log_v() -> None:
    assert level().get_ydata()[0] == pytest.approx(math.log(27), rel=8 * EPS)
    assert "log V = 3.30" in [text.get_text() for text in initial_loss().texts]


def test_the_curve_is_log_v_plus_half_the_variance() -> None:
    sigma, loss = (torch.as_tensor(data) for data in curve().get_data())
    torch.testing.assert_close(loss, math.log(27) + sigma**2 / 2, rtol=8 * EPS, atol=0)
    assert curve().is_dashed()


def test_the_measured_loss_follows_the_curve_and_then_falls_below_it() -> None:
    sigma, loss = measured()
    short = math.log(27) + sigma**2 / 2 - loss
    eps = torch.finfo(torch.float32).eps
    # A log-sum-exp at σ deviates by less than σ: five times that, for the mean of the rows.
    noise = 5 * sigma / math.sqrt(cross_entropy.ROWS) + 4 * eps
    assert loss[0].item() == pytest.approx(math.log(27), rel=eps)
    assert (short > -noise).all()
    assert (short[sigma <= 1] < 0.05).all()
    assert (short[1:] > short[:-1] - noise[1:]).all()
    assert short[-1] > 1


def test_the_loss_at_deviation_1_is_the_one_that_the_book_states() -> None:
    sigma, loss = measured()
    assert f"{loss[sigma == 1].item():.2f}" == "3.77"  # facts.md
    assert "σ = 1: 3.77" in [text.get_text() for text in initial_loss().texts]


def test_the_axes_are_named_with_their_units() -> None:
    assert surprisal().get_xlabel() == "probability of the target, p", "cross_entropy.surprisal"
    assert surprisal().get_ylabel() == "−log p (nats)", "cross_entropy.surprisal"
    assert initial_loss().get_xlabel() == "standard deviation of the logits, σ", (
        "cross_entropy.initial_loss"
    )
    assert initial_loss().get_ylabel() == "mean loss of 27 classes (nats)", (
        "cross_entropy.initial_loss"
    )


def test_the_alt_text_gives_each_probability_its_surprisal(states: Callable[..., None]) -> None:
    states("cross_entropy.surprisal", "0", "1", "0.693", "0.5", "2.303", "0.1", "4.605", "0.01")


def test_the_alt_text_says_which_loss_is_where(states: Callable[..., None]) -> None:
    states("cross_entropy.initial_loss", "log V", "3.30", "3.77", "σ", "1")
