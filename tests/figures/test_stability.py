from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from softmax_ce.figures import stability

EPS = torch.finfo(torch.float32).eps

# facts.md: the first logit whose exponential is 0, and the last that is finite with the first inf.
FACTS = {
    torch.float16: (-17.34375, 11.0859375, 11.09375),
    torch.bfloat16: (-93.0, 88.5, 89.0),
    torch.float32: (-103.972084, 88.7228317, 88.7228394),
    torch.float64: (-745.1332191, 709.782712893384, 709.7827128933841),
}


@cache
def bars() -> Any:
    return stability.naive_and_stable().axes


def naive() -> Any:
    return bars()[:4]


def stable() -> Any:
    return bars()[4:]


@cache
def ends() -> Any:
    return stability.where_exp_ends().axes[0]


def heights(axes: Any) -> list[float]:
    return [patch.get_height() for patch in axes.patches]


def texts(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.texts if text.get_text() not in ("naive", "stable")]


def logits(axes: Any) -> list[float]:
    return [float(text.get_text()) for text in axes.get_xticklabels()]


def test_the_logits_are_named_below_the_bars() -> None:
    assert [logits(axes) for axes in stable()] == [
        [lowest, lowest + 1, lowest + 2] for lowest in (1, 86.5, 88, 100)
    ]


@pytest.mark.parametrize("offset", range(4))
def test_the_stable_bars_are_the_same_probabilities_at_every_offset(offset: int) -> None:
    axes = stable()[offset]
    expected = torch.softmax(torch.tensor([1.0, 2.0, 3.0]), dim=-1).tolist()
    # Three probabilities of 3 roundings and an exp each.
    assert heights(axes) == pytest.approx(expected, rel=5 * EPS)
    assert sum(heights(axes)) == pytest.approx(1, rel=5 * EPS)
    assert texts(axes) == ["0.09", "0.24", "0.67"]


def test_the_naive_bars_agree_where_nothing_overflows() -> None:
    assert heights(naive()[0]) == pytest.approx(heights(stable()[0]), rel=8 * EPS)


def test_where_the_naive_form_fails_the_panel_says_how() -> None:
    assert [texts(axes) for axes in naive()[1:]] == [
        ["0", "0", "0"],
        ["0", "nan", "nan"],
        ["nan", "nan", "nan"],
    ]
    assert [heights(axes) for axes in naive()[1:]] == [[0, 0, 0], [0], []]


def test_the_titles_count_the_exponentials_that_overflow() -> None:
    titles = ["all is finite", "the sum is inf", "2 exps are inf", "3 exps are inf"]
    assert [axes.get_title() for axes in naive()] == titles
    for axes, title in zip(stable(), titles, strict=True):
        with np.errstate(over="ignore"):
            exps = np.exp(np.array(logits(axes), dtype=np.float32))
            total = exps.sum()
        assert np.isinf(exps).sum() == (int(title[0]) if title[0].isdigit() else 0)
        assert np.isinf(total) == (title != "all is finite")


def test_naive_is_written_beside_the_hatched_bars_and_stable_beside_the_others() -> None:
    for row, name in ((naive(), "naive"), (stable(), "stable")):
        (text,) = [text for text in row[0].texts if text.get_text() in ("naive", "stable")]
        wrong = f"stability.naive_and_stable: in the row of {name} stands {text}"
        assert text.get_text() == name, wrong
        assert text.axes.viewLim.contains(*text.get_position()), wrong


@pytest.mark.parametrize("offset", range(4))
def test_a_value_or_nan_stands_above_each_logit_in_their_order(offset: int) -> None:
    for axes in (naive()[offset], stable()[offset]):
        values = [text for text in axes.texts if text.get_text() not in ("naive", "stable")]
        assert [text.get_position()[0] for text in values] == [0, 1, 2], (
            f"stability.naive_and_stable: the values are not in the order of the logits: {values}"
        )


def test_naive_and_stable_differ_by_hatching_and_not_only_by_colour() -> None:
    assert all(patch.get_hatch() for axes in naive() for patch in axes.patches)
    assert not any(patch.get_hatch() for axes in stable() for patch in axes.patches)


@pytest.mark.parametrize(("row", "dtype"), list(enumerate(FACTS)))
def test_a_bar_ends_where_exp_becomes_0_and_inf(row: int, dtype: torch.dtype) -> None:
    bar, hatched = ends().patches[2 * row : 2 * row + 2]
    zero, inf = hatched.get_x(), bar.get_x() + bar.get_width()
    exact_zero, last, first = FACTS[dtype]
    assert zero == pytest.approx(exact_zero, rel=1e-9)
    # Computed another way: exp is finite up to log(max), to a number of the dtype.
    top = np.log(torch.finfo(dtype).max)
    spacing = first - last
    assert last - spacing / 2 <= top <= first + spacing / 2
    assert inf == pytest.approx(first, rel=1e-9)


@pytest.mark.parametrize(("row", "dtype"), list(enumerate(FACTS)))
def test_the_hatched_part_ends_where_exp_becomes_a_normal_number(
    row: int, dtype: torch.dtype
) -> None:
    bar, hatched = ends().patches[2 * row : 2 * row + 2]
    normal = hatched.get_x() + hatched.get_width()
    assert normal == pytest.approx(bar.get_x(), rel=1e-12)
    # Computed another way: exp in float64. A step of 1e-12 of the logit outweighs its roundings.
    smallest = float(torch.finfo(dtype).smallest_normal)
    assert np.exp(normal * (1 + 1e-12)) <= smallest <= np.exp(normal * (1 - 1e-12))
    assert hatched.get_hatch()
    assert not bar.get_hatch()
    assert "hatched: subnormal" in [text.get_text() for text in ends().texts]


@pytest.mark.parametrize(("row", "dtype"), list(enumerate(FACTS)))
def test_the_ends_are_neighbours_of_numbers_whose_exponential_is_fine(
    row: int, dtype: torch.dtype
) -> None:
    zero, inf = (
        torch.tensor(float(text.replace("−", "-")), dtype=torch.float64).to(dtype)
        for text in sorted(
            (t.get_text() for t in ends().texts if t.xy[1] == row),
            key=lambda text: "−" not in text,
        )
    )
    # Nine digits name a float32 or less exactly; of a float64 they are some 1e-9 short.
    slack = 1e-9 if dtype == torch.float64 else 0
    assert (zero * (1 + slack)).exp() == 0
    assert (inf * (1 + slack)).exp().isinf()
    before = {True: -torch.inf, False: torch.inf}
    for end, up in ((zero, False), (inf, True)):
        inside = (
            end * (1 - slack)
            if slack
            else torch.nextafter(end, torch.tensor(before[up], dtype=dtype))
        )
        assert 0 < inside.exp() < torch.inf


def test_the_dtypes_and_the_meaning_of_the_ends_are_named() -> None:
    assert [t.get_text() for t in ends().get_yticklabels()] == [
        "float16",
        "bfloat16",
        "float32",
        "float64",
    ]
    assert {"exp is 0 up to", "exp is inf from"} <= {text.get_text() for text in ends().texts}


def test_the_axes_are_named() -> None:
    assert [axes.get_xlabel() for axes in stable()] == ["logits"] * 4, "stability.naive_and_stable"
    assert [row[0].get_ylabel() for row in (naive(), stable())] == ["probability"] * 2, (
        "stability.naive_and_stable"
    )
    assert ends().get_xlabel() == "logit (logarithmic beyond ±10)", "stability.where_exp_ends"


def test_the_alt_text_gives_each_dtype_its_own_ends(states: Callable[..., None]) -> None:
    for row, dtype in enumerate(ends().get_yticklabels()):
        found = [text.get_text() for text in ends().texts if text.xy[1] == row]
        states("stability.where_exp_ends", dtype.get_text(), *found)


def test_the_alt_text_states_the_panels_in_their_order(states: Callable[..., None]) -> None:
    lowest = [axes.get_xticklabels()[0].get_text() for axes in stable()[1:]]
    states("stability.naive_and_stable", "logits", "1", "2", "3", *lowest)
    states("stability.naive_and_stable", "stable form", *texts(stable()[0]), "naive form")
    states(
        "stability.naive_and_stable", "naive form", *texts(naive()[1]), *texts(naive()[2]), "nan"
    )
