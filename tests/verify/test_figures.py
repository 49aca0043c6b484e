"""A figure on a page is there, and says what it shows."""

from pathlib import Path

from softmax_ce.verify import figures
from softmax_ce.verify.page import Page


def faults(image: str) -> list[str]:
    return [*map(str, figures.check(Page(Path("page.md"), f"A page.\n\n{image}\n")))]


def test_a_figure_that_is_drawn_holds() -> None:
    assert faults('![Odds.](figure:softmax.odds "A caption")') == []


def test_a_figure_that_is_not_there_is_named() -> None:
    for name in ("softmax.gone", "gone.odds", "odds"):
        (fault,) = faults(f"![Odds.](figure:{name})")
        assert fault.startswith(f"page.md:3: there is no figure {name}: write a function")


def test_a_figure_without_alt_text_is_named() -> None:
    (fault,) = faults("![ ](figure:softmax.odds)")
    assert fault.startswith("page.md:3: figure softmax.odds has no alt text")
