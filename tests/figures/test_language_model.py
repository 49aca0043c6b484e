"""The marks of the language model's figures are what the counts and the training give."""

from collections.abc import Callable
from typing import Any

import matplotlib.colors
import pytest
import torch

from softmax_ce.bigram import census_first_names, count_bigrams, train_bigram
from softmax_ce.figures import language_model
from softmax_ce.figures.look import FIRST


def test_the_curve_is_the_distance_of_the_trained_loss_from_that_of_the_counts() -> None:
    axes: Any = language_model.training().axes[0]
    curve, line, *marked = axes.lines
    assert curve.get_xydata()[0].tolist()[0] == 20
    assert curve.get_xydata()[-1].tolist()[0] == language_model.STEPS
    for steps, above in curve.get_xydata()[[0, 9, -1]]:
        model = train_bigram(census_first_names(), tolerance=0, most_steps=int(steps))
        assert above == model.loss - model.count_loss
    for mark, steps in zip(marked, language_model.MARKED, strict=True):
        assert mark.get_xydata().tolist()[0] in curve.get_xydata().tolist()
        assert mark.get_xydata()[0][0] == steps
    products = line.get_xydata().prod(axis=1)
    assert products == pytest.approx(products[0])
    steps, above = curve.get_xydata()[-1]
    assert steps * above == pytest.approx(products[0], rel=0.02), "they meet at the right"


def test_the_squares_are_the_shares_of_the_counts() -> None:
    axes: Any = language_model.bigrams().axes[0]
    (squares,) = axes.collections
    counts = count_bigrams(census_first_names()).counts
    shares = counts / counts.sum(1, keepdim=True)
    columns, rows = torch.tensor(squares.get_offsets()).long().T
    areas = torch.tensor(squares.get_sizes())
    torch.testing.assert_close(areas / areas.max(), shares[rows, columns] / shares.max())
    assert len(rows) == (shares >= language_model.LEAST).sum()
    assert {matplotlib.colors.to_hex(color) for color in squares.get_facecolors()} == {FIRST}
    names = [tick.get_text() for tick in axes.get_xticklabels()]
    assert names == [tick.get_text() for tick in axes.get_yticklabels()]
    assert "".join(names[1:]) == count_bigrams(census_first_names()).alphabet[1:]
    assert axes.get_xticks().tolist() == axes.get_yticks().tolist() == [*range(len(names))]
    assert axes.yaxis_inverted()


def test_the_alt_text_gives_each_pair_its_own_share(states: Callable[..., None]) -> None:
    counts = count_bigrams(census_first_names())
    shares = counts.counts / counts.counts.sum(1, keepdim=True)
    for before, after in ("qu", "ha", "xi"):
        share = shares[counts.alphabet.index(before), counts.alphabet.index(after)]
        states("language_model.bigrams", after, "behind", before, f"{share:.2f}")
