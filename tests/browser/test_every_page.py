"""What holds at the first visit of every page, in light and dark, on a desk and on a phone."""

from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import Page

SHIFTS = """async () => new Promise(resolve => {
    new PerformanceObserver((list, observer) => {
        observer.disconnect()
        resolve(list.getEntries().map(shift => ({
            value: shift.value, of: shift.sources.map(s => s.node?.outerHTML?.slice(0, 80)),
        })))
    }).observe({ type: "layout-shift", buffered: true })
    setTimeout(() => resolve([]), 100)
})"""

# What sticks out of the page, and is not in a box that scrolls by itself.
TOO_WIDE = """() => [...document.querySelectorAll("main *")].filter(element => {
    if (!element.checkVisibility() || element.getBoundingClientRect().right <= innerWidth + 1)
        return false
    for (let box = element; box !== document.body; box = box.parentElement)
        if (getComputedStyle(box).overflowX !== "visible") return false
    return true
}).map(element => element.outerHTML.slice(0, 120))"""

FORMULAS = """() => [...document.querySelectorAll("math, mfrac")]
    .filter(formula => formula.checkVisibility()).map(formula => formula.localName)"""

OPEN_BOXES = "document.querySelectorAll('details').forEach(box => { box.open = true })"
WRONG_BUTTONS = """() => [...document.querySelectorAll(".highlight")]
    .filter(block => block.querySelectorAll("button[data-clipboard-target]").length
        !== (block.matches(".output") ? 0 : 1))
    .map(block => block.textContent.slice(0, 80))"""

AXE = """async () => {
    const { violations } = await axe.run({ resultTypes: ["violations"], preload: false })
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target, any, html }) => {
        const { fgColor, bgColor, contrastRatio } = any[0]?.data ?? {}
        const colours = fgColor ? ` ${fgColor} on ${bgColor} is ${contrastRatio}:1` : ""
        return `${id}${colours}: ${target.join(" ")}: ${html.slice(0, 80).replaceAll("\\n", " ")}`
    }))
}"""


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core, as the wheel of axe-playwright-python carries it."""
    package = find_spec("axe_playwright_python")
    assert package is not None, "pip install axe-playwright-python"
    assert package.submodule_search_locations
    return Path(package.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")


def test_the_first_visit_asks_only_this_site_and_nothing_goes_wrong(visit: Any, url: str) -> None:
    assert [request for request in visit.log.requests if not request.startswith(url)] == []
    assert visit.log.errors == []


def test_nothing_moves_while_the_page_loads(visit: Any) -> None:
    shifts = visit.page.evaluate(SHIFTS)
    assert round(sum(shift["value"] for shift in shifts), 2) == 0, shifts


def test_the_page_does_not_scroll_sideways(visit: Any) -> None:
    wide = visit.page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    assert wide <= 0, visit.page.evaluate(TOO_WIDE)
    assert visit.page.evaluate(TOO_WIDE) == []


def test_formulas_reach_the_accessibility_tree_as_mathml(visit: Any) -> None:
    page: Page = visit.page
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    nodes = cast("list[dict[str, Any]]", tree["nodes"])
    roles = Counter(node["role"]["value"] for node in nodes if not node["ignored"])
    drawn = Counter(page.evaluate(FORMULAS))
    assert roles["MathMLMath"] + roles["math"] == drawn["math"]
    assert roles["MathMLFraction"] == drawn["mfrac"]


def test_formulas_are_drawn_in_the_font_of_the_book(
    visit: Any, math_fonts: Callable[[Page], set[str]]
) -> None:
    assert math_fonts(visit.page) <= {"STIX Two Math"}


def test_every_block_but_an_output_has_a_copy_button(visit: Any) -> None:
    visit.page.evaluate(OPEN_BOXES)
    visit.scroll_through()
    assert visit.page.evaluate(WRONG_BUTTONS) == []


def test_axe_finds_nothing_to_fault(visit: Any, axe: str) -> None:
    page: Page = visit.page
    page.evaluate(OPEN_BOXES)
    page.evaluate(axe)
    violations = page.evaluate(AXE)
    assert violations == [], "\n".join(violations)
