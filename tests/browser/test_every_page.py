"""What holds at the first visit of every page, in light and dark, on a desk and on a phone."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

KB = 1000

# Asked for with the shifts, the visit itself, which is always there, says when all are.
SHIFTS = """async () => new Promise(resolve => {
    const observer = new PerformanceObserver(list => {
        observer.disconnect()
        resolve(list.getEntriesByType("layout-shift").map(shift => ({
            value: shift.value, of: shift.sources.map(s => s.node?.outerHTML?.slice(0, 80)),
        })))
    })
    for (const type of ["layout-shift", "navigation"]) observer.observe({ type, buffered: true })
})"""

# What sticks out of the page, and is not in a box that scrolls by itself.
TOO_WIDE = """() => [...document.querySelectorAll("main *")].filter(element => {
    if (!element.checkVisibility() || element.getBoundingClientRect().right <= innerWidth + 1)
        return false
    for (let box = element; box !== document.body; box = box.parentElement)
        if (getComputedStyle(box).overflowX !== "visible") return false
    return true
}).map(element => element.outerHTML.slice(0, 120))"""

# How far each formula scrolls that is wider than its box.
WIDE = """() => [...document.querySelectorAll("div.arithmatex")]
    .filter(box => box.scrollWidth > box.clientWidth + 1)
    .map(box => {
        box.scrollLeft = 1000
        const scrolled = box.scrollLeft
        box.scrollLeft = 0
        return scrolled
    })"""

EMPTY_LINES = """() => [...document.querySelectorAll(":is(h2, h3) > .headerlink")].filter(link => {
    const height = link.parentElement.offsetHeight
    link.style.display = "none"
    const isLess = link.parentElement.offsetHeight < height
    link.style.display = ""
    return isLess
}).map(link => link.parentElement.id)"""

FORMULAS = """() => [...document.querySelectorAll("math, mfrac")]
    .filter(formula => formula.checkVisibility()).map(formula => formula.localName)"""

OPEN_BOXES = "document.querySelectorAll('details').forEach(box => { box.open = true })"
WRONG_BUTTONS = """() => [...document.querySelectorAll(".highlight")]
    .filter(block => block.querySelectorAll("button[data-clipboard-target]").length
        !== (block.matches(".output") ? 0 : 1))
    .map(block => block.textContent.slice(0, 80))"""
# At a desk what has 80 columns has room; on a phone code begins below the copy button.
CROWDED = """() => [...document.querySelectorAll(".highlight:has(.md-code__nav) pre > code")]
    .filter(code => {
        const columns = Math.max(...code.textContent.split("\\n").map(line => line.length))
        const { top } = code.getBoundingClientRect()
        const button = code.closest(".highlight").querySelector("button").getBoundingClientRect()
        return innerWidth > 600 ? columns <= 80 && code.scrollWidth > code.clientWidth
            : top + parseFloat(getComputedStyle(code).paddingTop) < button.bottom
    })
    .map(code => code.textContent.slice(0, 80))"""

# The text of figures, which axe does not look at: its contrast with what is painted behind it.
FAINT = """() => {
    const over = (behind, paint, opacity = 1) => {
        const [r, g, b, alpha = 1] = paint.match(/[\\d.]+/g).map(Number)
        return [r, g, b].map((part, i) => behind[i] + (part - behind[i]) * alpha * opacity)
    }
    const light = colour => colour.map(part => part / 255)
        .map(part => part > 0.04045 ? ((part + 0.055) / 1.055) ** 2.4 : part / 12.92)
        .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0.05)
    const paints = new Map()
    const paint = mark => {
        if (!paints.has(mark)) {
            const { fill, fillOpacity, opacity } = getComputedStyle(mark)
            paints.set(mark, { fill, alpha: fillOpacity * opacity })
        }
        return paints.get(mark)
    }
    const page = over([255, 255, 255], getComputedStyle(document.body).backgroundColor)
    const faint = svg => text => {
        const { x, y, width, height } = text.getBoundingClientRect()
        const ratios = Array.from({ length: 27 }, (_, i) => {
            const at = [x + width * (1 + i % 9) / 10, y + height * (1 + Math.floor(i / 9)) / 4]
            const colour = document.elementsFromPoint(...at).reverse()
                .filter(mark => mark.ownerSVGElement === svg && mark !== text)
                .map(paint).filter(({ fill }) => fill !== "none")
                .reduce((behind, { fill, alpha }) => over(behind, fill, alpha), page)
            const both = [colour, over(colour, paint(text).fill)].map(light)
            return Math.max(...both) / Math.min(...both)
        })
        const least = Math.min(...ratios)
        return least < 4.5 ? [`${text.textContent}: ${least.toFixed(2)}:1`] : []
    }
    return [...document.querySelectorAll("figure svg")].flatMap(svg => {
        svg.scrollIntoView({ block: "center", behavior: "instant" })
        return [...svg.querySelectorAll("text")].flatMap(faint(svg))
    })
}"""


def test_the_first_visit_asks_only_this_site_and_nothing_goes_wrong(visit: Any, url: str) -> None:
    assert [request for request in visit.log.requests if not request.startswith(url)] == []
    assert visit.log.errors == []


def test_nothing_moves_while_the_page_loads(visit: Any) -> None:
    shifts = visit.page.evaluate(SHIFTS)
    assert round(sum(shift["value"] for shift in shifts), 2) == 0, shifts


def test_no_scrollbar_moves_anything_when_it_comes(
    with_scrollbars: Any, url: str, pages: list[str]
) -> None:
    for address in pages:
        with_scrollbars.goto(url + address)
        shifts = with_scrollbars.page.evaluate(SHIFTS)
        assert round(sum(shift["value"] for shift in shifts), 2) == 0, (address, shifts)


def test_the_page_does_not_scroll_sideways(visit: Any) -> None:
    wide = visit.page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    assert wide <= 0, visit.page.evaluate(TOO_WIDE)
    assert visit.page.evaluate(TOO_WIDE) == []


def test_a_wide_formula_scrolls_by_itself(visit: Any, setting: Any, address: str) -> None:
    scrolled = visit.page.evaluate(WIDE)
    assert all(scrolled)
    if address == "geometry.html" and setting.width < 600:
        assert scrolled, "no formula is wider than a phone: this test has nothing to look at"


def test_a_heading_that_fills_its_line_has_no_empty_one_below(visit: Any) -> None:
    assert visit.page.evaluate(EMPTY_LINES) == []


def test_the_first_load_is_light(
    visit: Any, url: str, address: str, record_property: Callable[[str, object], None]
) -> None:
    """In kB, compressed as hosts do: the summary of the tests has the table, page by page."""
    loaded = visit.log.first_load
    html, total = dict(loaded)[url + address] / KB, sum(size for _, size in loaded) / KB
    record_property("first load", (address, html, total, len(loaded)))
    assert html <= 30
    assert total <= 120
    assert len(loaded) <= 10


def test_the_scrollbar_has_the_palette_of_the_page(visit: Any, setting: Any) -> None:
    scheme = visit.page.evaluate("getComputedStyle(document.documentElement).colorScheme")
    assert (scheme == "dark") == (setting.scheme == "dark")


def test_formulas_reach_the_accessibility_tree_as_mathml(visit: Any) -> None:
    page: Page = visit.page
    session = page.context.new_cdp_session(page)
    root = session.send("DOM.getDocument")["root"]["nodeId"]

    def exposed(role: str) -> int:
        found = session.send("Accessibility.queryAXTree", {"nodeId": root, "role": role})
        return sum(not node["ignored"] for node in found["nodes"])

    drawn = Counter(page.evaluate(FORMULAS))
    assert exposed("MathMLMath") + exposed("math") == drawn["math"]
    assert exposed("MathMLFraction") == drawn["mfrac"]
    session.detach()


def test_formulas_are_drawn_in_the_font_of_the_book(
    visit: Any, math_fonts: Callable[[Page], set[str]]
) -> None:
    assert math_fonts(visit.page) <= {"STIX Two Math"}


def test_every_block_but_an_output_has_a_copy_button_and_room_for_its_code(visit: Any) -> None:
    visit.page.evaluate(OPEN_BOXES)
    visit.scroll_through()
    assert visit.page.evaluate(WRONG_BUTTONS) == []
    assert visit.page.evaluate(CROWDED) == []


def test_the_text_of_figures_stands_out_from_what_is_behind_it(visit: Any) -> None:
    assert visit.page.evaluate(FAINT) == []


def test_axe_finds_nothing_to_fault(
    visit: Any, violations: Callable[..., list[str]], setting: Any
) -> None:
    """In the dark a page has other colours, and is the same in all else."""
    visit.page.evaluate(OPEN_BOXES)
    found = violations(visit.page, only_colours=setting.scheme == "dark")
    assert found == [], "\n".join(found)
