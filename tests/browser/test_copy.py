"""What is copied is what the page shows: of a block, a program that prints what stands below it."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from softmax_ce.verify.run import run

BUTTON = "button[data-clipboard-target]"
BLOCKS = ".highlight:not(.no-copy)"
WITHOUT_PROGRAMS = ("contributing.html", "explorables.html", "references.html", "verified.html")
# Of each block its code, its classes and the output below it.
SEEN = """blocks => blocks.map(block => {
    const below = block.nextElementSibling
    const output = below?.matches(".output") ? [...below.querySelectorAll("code")] : []
    return [
        block.querySelector("code").innerText,
        [...block.classList],
        output.map(code => code.textContent).join(""),
    ]
})"""
SHOW = "block => block.scrollIntoView({ block: 'center', behavior: 'instant' })"
# What the clipboard holds, which is cleared for the next one.
TAKE = """async () => {
    const text = await navigator.clipboard.readText()
    await navigator.clipboard.writeText("nothing was copied")
    return text
}"""
# Read as a console does that knows the prompts, with no name defined beforehand.
CONSOLE = """\
import doctest
test = doctest.DocTestParser().get_doctest({text!r}, {{}}, "example", None, 0)
doctest.DocTestRunner(verbose=False).run(test)
"""


@pytest.fixture
def page(url: str, guest: Any) -> Page:
    """The page, with every box opened as a reader does, by its title."""
    page: Page = guest.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)
    for summary in page.locator("details > summary").all():
        summary.click()
    return page


def copied_from(block: Locator) -> str:
    """What is in the clipboard when the block's copy button has been pressed."""
    block.evaluate(SHOW)  # the button comes when the block is seen
    block.locator(BUTTON).click()
    return str(block.evaluate(TAKE))


def test_copy_is_what_the_page_shows_and_runs(page: Page, address: str) -> None:
    blocks = page.locator(BLOCKS)
    copied = [copied_from(block) for block in blocks.all()]
    seen = blocks.evaluate_all(SEEN)
    assert copied == [code.rstrip() for code, *_ in seen]
    programs, shown = [], []
    for text, (_, classes, output) in zip(copied, seen, strict=True):
        if "language-pycon" in classes:
            text = CONSOLE.format(text=text)
        elif "language-python" not in classes or "doc-signature" in classes:
            continue
        programs.append(text)
        shown.append(output)
    if address.startswith("notebook/"):  # its cells build on one another
        programs, shown = ["\n\n".join(programs)], ["".join(shown)]
    assert programs or address in WITHOUT_PROGRAMS
    for program, output in zip(programs, shown, strict=True):
        ran = run(program, address)
        assert ran.failure == "", f"{address}: this block cannot run alone:\n{program}"
        assert ran.output == output, f"{address}: this block prints something else:\n{program}"


def test_a_copied_selection_holds_formulas_as_latex_and_what_figures_show(
    url: str, reader: Any
) -> None:
    page: Page = reader.page
    reader.goto(url + "temperature.html")
    page.context.grant_permissions(["clipboard-read"], origin=url)
    formula, figure = page.locator("div.arithmatex").first, page.locator("figure").first
    alt = figure.locator("svg").get_attribute("aria-label")
    for part, text in (
        (formula, f"$$\n{formula.get_attribute('data-tex')}\n$$"),
        (figure, f"{alt}\n{figure.locator('figcaption').inner_text()}"),
    ):
        part.evaluate("part => getSelection().selectAllChildren(part)")
        page.keyboard.press("ControlOrMeta+c")
        assert page.evaluate("navigator.clipboard.readText()") == text
