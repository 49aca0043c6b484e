"""What a person does: by keyboard at a desk, by touch on a phone."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

RESULTS = ".md-search-result__link"

# As when a page is new: the next Tab leads to its first control.
FOCUS_NOTHING = """() => {
    document.body.tabIndex = -1
    document.body.focus({ preventScroll: true })
    document.body.removeAttribute("tabindex")
}"""
# Each control is marked, with what it looks like while it has no focus.
MARK = """() => {
    const still = document.createElement("style")
    still.textContent = "* { transition: none !important }"
    document.head.append(still)
    window.look = control => JSON.stringify(
        [control, control.closest("form"), ...(control.labels ?? [])].filter(Boolean).map(part => {
            const { outline, boxShadow, opacity, color, backgroundColor } = getComputedStyle(part)
            return [outline, boxShadow, opacity, color, backgroundColor]
        }))
    const controls = [...document.querySelectorAll(
        "a[href], button, input, summary, [tabindex='0']")].filter(control =>
            control.tabIndex >= 0 && !control.hidden &&
            !(control.type === "radio" && !control.checked) &&
            control.checkVisibility({ visibilityProperty: true }) &&
            (control.type === "radio" || control.getBoundingClientRect().width))
    window.unreached = new Map(controls.map(control => [control, look(control)]))
    window.dull = []
    return controls.length
}"""
AFTER_TAB = """async () => {
    const control = document.activeElement
    if (unreached.get(control) === look(control)) await new Promise(next => setTimeout(next, 50))
    if (unreached.get(control) === look(control)) dull.push(control.outerHTML.slice(0, 150))
    unreached.delete(control)
    return control !== document.body
}"""
PRINTED = """() => {
    const style = (selector, pseudo) => getComputedStyle(document.querySelector(selector), pseudo)
    return {
        text: style(".md-typeset").color,
        points: parseFloat(style(".md-typeset").fontSize) * 0.75,
        figures: style("body").getPropertyValue("--fig-1"),
        formulas: style("div.arithmatex").backgroundImage,
        buttons: style(".md-code__nav").display,
        chevrons: style("summary", "::after").display,
    }
}"""


def search(page: Page, words: str) -> None:
    """Open the search by keyboard, type, and wait for what is found."""
    page.keyboard.press("/")
    expect(page.get_by_placeholder("Search")).to_be_focused()
    page.keyboard.type(words)
    expect(page.locator(RESULTS).first).to_be_visible()


def scheme(page: Page) -> str | None:
    return page.locator("body").get_attribute("data-md-color-scheme")


def toggle_palette(page: Page) -> None:
    """Go to the palette's button by Tab, and press Enter."""
    page.evaluate(FOCUS_NOTHING)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "__palette":
            page.keyboard.press("Enter")
            return
    pytest.fail("Tab does not reach the palette")


def test_the_palette_is_toggled_by_keyboard_and_the_choice_survives_a_reload(
    url: str, reader: Any
) -> None:
    page: Page = reader.page
    reader.goto(url)
    assert scheme(page) == "default"
    toggle_palette(page)  # from following the system to light
    page.keyboard.press("Enter")  # to dark
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    page.reload()
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    reader.goto(url + "stability.html")
    assert scheme(page) == "slate"


def test_a_page_is_printed_dark_on_white_without_what_serves_a_screen(
    url: str, reader: Any
) -> None:
    page: Page = reader.page
    reader.goto(url + "gradient.html")
    reader.scroll_through()
    toggle_palette(page)
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    page.emulate_media(media="print")
    assert page.evaluate(PRINTED) == {
        "text": "rgba(0, 0, 0, 0.87)",
        "points": pytest.approx(10.5, abs=0.01),
        "figures": "#0072b2",
        "formulas": "none",
        "buttons": "none",
        "chevrons": "none",
    }


def test_search_is_opened_by_keyboard_and_enter_leads_to_a_page_with_the_words(
    url: str, reader: Any
) -> None:
    page: Page = reader.page
    reader.goto(url + "contributing.html")
    search(page, "log-sum-exp")
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: "contributing" not in address)
    expect(page.locator("main")).to_contain_text(re.compile("log-sum-exp", re.IGNORECASE))


def test_the_drawer_of_a_phone_leads_to_another_page(url: str, phone: Any) -> None:
    page: Page = phone.page
    phone.goto(url)
    page.locator("header label[for=__drawer]").tap()
    page.locator(".md-nav--primary").get_by_role("link", name="Stability").tap()
    page.wait_for_url(url + "stability.html")
    expect(page.locator("h1")).to_be_in_viewport()


def test_a_link_to_a_section_leads_to_its_heading(
    site: Path, url: str, phone: Any, pages: list[str]
) -> None:
    for address in pages:
        last = re.findall(r'<h2 id="([^"]+)"', (site / address).read_text())[-1]
        phone.goto(f"{url}{address}#{last}")
        expect(phone.page.locator("h2[id]").last).to_have_id(last)
        expect(phone.page.locator(f"[id='{last}']")).to_be_in_viewport()


def test_tab_reaches_every_control_and_shows_where_it_is(guest: Any) -> None:
    page: Page = guest.page
    guest.scroll_through()
    expect(page.locator(".md-top")).to_have_attribute("hidden", "")  # once the top is reached
    page.evaluate(FOCUS_NOTHING)
    controls = page.evaluate(MARK)
    assert controls > 20
    for _ in range(3 * controls + 500):  # those of explorables are within
        page.keyboard.press("Tab")
        if not page.evaluate(AFTER_TAB):
            break
    missed = page.evaluate("[...unreached.keys()].map(control => control.outerHTML.slice(0, 150))")
    assert missed == [], "Tab does not reach these"
    assert page.evaluate("dull") == [], "these look the same with the focus"


def test_next_leads_on_and_nothing_is_asked_of_anyone_else_whatever_the_reader_does(
    url: str, guest: Any, address: str, pages: list[str]
) -> None:
    page: Page = guest.page
    toggle_palette(page)
    page.keyboard.press("Enter")
    expect(page.locator("body")).to_have_attribute("data-md-color-scheme", "slate")
    search(page, "log-sum-exp")
    page.keyboard.press("Escape")
    following = pages[pages.index(address) + 1 :][:1]
    expect(page.locator(".md-footer__link--next")).to_have_count(len(following))
    page.locator(".md-footer__link").last.click()  # on the last page, back
    page.wait_for_url(url + (following or pages[-2:])[0])
    guest.settle()
    asked = guest.log.requests
    assert any("search" in request for request in asked)
    assert [request for request in asked if not request.startswith(url)] == []
    assert guest.log.errors == []


def test_a_wrong_address_leads_to_a_page_that_leads_home(url: str, reader: Any) -> None:
    page: Page = reader.page
    reader.goto(url + "no/such/page.html")
    page.get_by_role("link", name="start at the first page").click()
    page.wait_for_url(url + "index.html")
