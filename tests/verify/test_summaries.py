"""What a summary says in a formula stands in its chapter."""

from pathlib import Path

import pytest

from softmax_ce.verify import summaries
from softmax_ce.verify.page import Page

CHAPTER = r"""A chapter.

$$
x \le \left( V + 2 \right) \, u
$$

It is $\log p_y$ here.

## Summary

"""


def faults(summary: str) -> list[str]:
    return [*map(str, summaries.check(Page(Path("page.md"), CHAPTER + summary)))]


@pytest.mark.parametrize("formula", ["(V + 2) u", "V", r"\log p_y", r"a = 5", r"x \ge 0"])
def test_a_summary_may_repeat_a_formula_and_say_an_equation(formula: str) -> None:
    assert faults(f"- At most ${formula}$.") == []


@pytest.mark.parametrize("formula", ["(V + 3) u", r"\log p_i", "T"])
def test_a_formula_that_the_chapter_does_not_have_is_named(formula: str) -> None:
    (fault,) = faults(f"- So.\n- At most ${formula}$.")
    assert fault.startswith(f"page.md:12: {formula} stands nowhere above: write it as")


def test_a_page_without_a_summary_has_nothing_to_repeat() -> None:
    assert not [*summaries.check(Page(Path("page.md"), "It is $T$."))]
