"""What the copy button of a block gives is a program that prints what the page shows."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from softmax_ce.verify.run import run

BUTTON = "button[data-clipboard-target]"
PROGRAMS = ".language-python:not(.doc-signature)"
# Read as a console does that knows the prompts, with no name defined beforehand.
CONSOLE = """\
import doctest
test = doctest.DocTestParser().get_doctest({text!r}, {{}}, "example", None, 0)
doctest.DocTestRunner(verbose=False).run(test)
"""


@pytest.fixture
def copy(url: str, reader: Any) -> Callable[[Locator], str]:
    """Press a block's copy button and read the clipboard."""
    page: Page = reader.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)

    def copy(block: Locator) -> str:
        page.evaluate("navigator.clipboard.writeText('nothing was copied')")
        block.scroll_into_view_if_needed()
        block.locator(BUTTON).click()
        return str(page.evaluate("navigator.clipboard.readText()"))

    return copy


@pytest.fixture
def page(url: str, address: str, reader: Any) -> Page:
    """The page, with every box opened as a reader does, by its title."""
    page: Page = reader.page
    reader.goto(url + address)
    for summary in page.locator("details > summary").all():
        summary.click()
    return page


def test_copy_is_what_runs(page: Page, address: str, copy: Callable[[Locator], str]) -> None:
    blocks = page.locator(PROGRAMS).all()
    copied = [copy(block) for block in blocks]
    shown = [_shown_below(block) for block in blocks]
    if address.startswith("notebook/"):  # its cells build on one another
        copied, shown = ["\n\n".join(copied)], ["".join(shown)]
    for program, output in zip(copied, shown, strict=True):
        ran = run(program, address)
        assert ran.failure == "", f"{address}: this block cannot run alone:\n{program}"
        assert ran.output == output, f"{address}: this block prints something else:\n{program}"


def test_a_copied_example_of_the_reference_runs(
    url: str, reader: Any, copy: Callable[[Locator], str]
) -> None:
    reader.goto(url + "reference.html")
    examples = reader.page.locator(".language-pycon").all()
    assert examples
    for block in examples:
        text = copy(block)
        ran = run(CONSOLE.format(text=text))
        assert (ran.output, ran.failure) == ("", ""), f"this example cannot run alone:\n{text}"


def _shown_below(block: Locator) -> str:
    below = block.locator("xpath=following-sibling::*[1]").and_(block.page.locator(".output"))
    return "".join(below.locator("code").all_text_contents())
