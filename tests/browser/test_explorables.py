"""What a person does with the interactive pictures: by keyboard, by mouse, by touch."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect

from softmax_ce.verify.run import run

SOFTMAX = "softmax.html"
BAD = ["abc", "", "1e999", "--1", "0x10", "1,5"]

# The numbers on screen, as the copied program prints them.
SCREEN = """explorer => {
    const root = explorer.shadowRoot
    const text = node => node.textContent.replaceAll("−", "-")
    const rows = [...root.querySelectorAll(".row:has(.bar)")]
    const [lse, change] = text(root.querySelector(".effect")).match(/LSE is (.+) and .+ by (.+)\\./)
        .slice(1)
    const [one, other] = [...root.querySelectorAll("select")].map(s => s.selectedOptions[0].text)
    return [
        ...rows.map(row => `${text(row.firstChild)}: ${text(row.querySelector(".number"))}`),
        `LSE: ${lse}`,
        `each p changes by: ${change}`,
        `ratio of ${one} to ${other}: ${text(root.querySelector(".odds")).split(" = ").at(-1)}`,
    ].join("\\n") + "\\n"
}"""
BARS = """explorer => [...explorer.shadowRoot.querySelectorAll(".bar")].map(bar =>
    bar.firstChild.getBoundingClientRect().width / bar.getBoundingClientRect().width)"""
POINT = """explorer => {
    const [circle, triangle] = ["circle", "polygon"].map(mark =>
        explorer.shadowRoot.querySelector(mark).getBoundingClientRect())
    const middle = [circle.x + circle.width / 2, circle.y + circle.height / 2]
    return [(middle[0] - triangle.x) / triangle.width, (middle[1] - triangle.y) / triangle.height]
}"""
DRAWN = "() => new Promise(next => requestAnimationFrame(() => requestAnimationFrame(next)))"
SHIFTS = """async () => new Promise(resolve => {
    new PerformanceObserver(list => resolve(list.getEntries().map(shift => shift.value)))
        .observe({ type: "layout-shift", buffered: true })
    setTimeout(() => resolve([]), 200)
})"""
AXE = """async () => {
    const { violations } = await axe.run("softmax-explorer", { preload: false })
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}"""


class Explorer:
    """The softmax explorer of an open page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.element = page.locator("softmax-explorer")

    def field(self, name: str) -> Locator:
        return self.element.get_by_label(name, exact=True)

    def slider(self, name: str) -> Locator:
        return self.field(f"{name}, slider")

    def paste(self, name: str, text: str) -> None:
        """Put a text into a field in place of what is in it, and leave with Enter."""
        self.field(name).fill(text)
        self.page.keyboard.press("Enter")

    def press(self, button: str) -> None:
        self.element.get_by_role("button", name=button).click()

    def type(self, name: str, text: str) -> None:
        """Click into a field, and type by the keyboard over what is in it."""
        self.field(name).click()
        self.page.keyboard.press("ControlOrMeta+a")
        self.page.keyboard.type(text)

    def read(self, script: str) -> Any:
        """What the script reads from the element, once what has changed is drawn."""
        self.page.evaluate(DRAWN)
        return self.element.evaluate(script)

    def screen(self) -> str:
        return str(self.read(SCREEN))


@pytest.fixture
def explorer(url: str, reader: Any) -> Explorer:
    reader.page.goto(url + SOFTMAX)
    return Explorer(reader.page)


@pytest.fixture
def copied(url: str, explorer: Explorer) -> Callable[[str], str]:
    """Press a button that copies, and read the clipboard."""
    page = explorer.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=url)

    def copied(button: str) -> str:
        explorer.press(button)
        expect(explorer.element.get_by_role("status")).to_have_text("Copied.")
        return str(page.evaluate("navigator.clipboard.readText()"))

    return copied


def by_torch(
    logits: list[float], constant: float = 0.0, names: tuple[str, ...] = ("buy", "hold", "sell")
) -> str:
    z = torch.tensor(logits, dtype=torch.float64)
    probs = torch.softmax(z + constant, dim=-1)
    lines = [f"{name}: {p:.4f}" for name, p in zip(names, probs.tolist(), strict=True)]
    lines.append(f"LSE: {torch.logsumexp(z + constant, dim=-1):.4f}")
    lines.append(f"each p changes by: {(probs - torch.softmax(z, dim=-1)).abs().max():.4f}")
    lines.append(f"ratio of {names[0]} to {names[1]}: {(z[0] - z[1]).exp():.4g}")
    return "\n".join(lines) + "\n"


def drag_by_touch(page: Page, slider: Locator, start: float, end: float) -> None:
    """Put a finger on a slider, move it and lift it; from and to are shares of the width."""
    slider.scroll_into_view_if_needed()
    page.evaluate(DRAWN)
    box = slider.bounding_box()
    assert box
    session = page.context.new_cdp_session(page)
    for step in range(6):
        x = box["x"] + box["width"] * (start + (end - start) * step / 5)
        point = {"x": x, "y": box["y"] + box["height"] / 2}
        kind = "touchMove" if step else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def test_typed_logits_give_torchs_numbers_to_the_digits_shown(
    reader: Any, explorer: Explorer
) -> None:
    reader.settle()  # the theme listens for its shortcuts, too
    assert explorer.screen() == by_torch([2, 1, 0.1])
    for logits in ([-1.5, 3.25, 0.5], [0.0, 0.0, 0.0], [500.0, -500.0, 499.5], [1e4, 0.0, -1e4]):
        for name, logit in zip(("buy", "hold", "sell"), logits, strict=True):
            explorer.type(f"logit of {name}", f"{logit:g}")
        assert explorer.screen() == by_torch(logits)
        probs = torch.softmax(torch.tensor(logits, dtype=torch.float64), dim=-1).tolist()
        assert explorer.read(BARS) == pytest.approx(probs, abs=0.001)  # a tenth of a pixel
        point = [probs[0] / 2 + probs[2], 1 - probs[0]]
        assert explorer.read(POINT) == pytest.approx(point, abs=0.01)  # the outline has a width
    assert explorer.page.url.endswith(SOFTMAX)  # a period is no shortcut for the next page


def test_a_logit_is_moved_by_arrow_page_home_and_end_keys(explorer: Explorer) -> None:
    slider = explorer.slider("logit of hold")
    slider.focus()
    for key, logit in (
        ("ArrowRight", 1.1),
        ("ArrowDown", 1),
        ("PageUp", 3),
        ("End", 10),
        ("Home", -10),
    ):
        explorer.page.keyboard.press(key)
        expect(explorer.field("logit of hold")).to_have_value(f"{logit:g}")
        assert explorer.screen() == by_torch([2, logit, 0.1])
    probability = by_torch([2, -10, 0.1]).split()[3]
    expect(slider).to_have_attribute("aria-valuetext", f"-10, probability {probability}")


def test_tab_goes_through_every_control_in_the_order_of_the_page(explorer: Explorer) -> None:
    controls = explorer.element.locator("input, select, button").all()
    controls[0].focus()
    for control in controls[1:]:
        explorer.page.keyboard.press("Tab")
        expect(control).to_be_focused()
    names = [control.evaluate("c => c.ariaLabel ?? c.textContent") for control in controls]
    assert len(set(names)) == len(names) == 3 * 2 + 2 + 2 + 6


def test_a_logit_is_dragged_by_mouse(reader: Any, explorer: Explorer) -> None:
    reader.settle()
    slider, mouse = explorer.slider("logit of sell"), explorer.page.mouse
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    mouse.move(box["x"] + box["width"] / 2, middle)
    mouse.down()
    for share in (0.6, 0.7, 0.8):
        mouse.move(box["x"] + box["width"] * share, middle)
        logit = float(explorer.field("logit of sell").input_value())
        assert explorer.screen() == by_torch([2, 1, logit])
    mouse.up()
    assert logit == pytest.approx(6, abs=2)  # the handle has a width, too


def test_a_logit_is_dragged_by_touch_on_a_phone(url: str, phone: Any) -> None:
    phone.goto(url + SOFTMAX)
    explorer = Explorer(phone.page)
    drag_by_touch(phone.page, explorer.slider("logit of buy"), 0.6, 0.2)
    logit = float(explorer.field("logit of buy").input_value())
    assert logit == pytest.approx(-6, abs=2)
    assert explorer.screen() == by_torch([logit, 1, 0.1])
    explorer.element.get_by_role("button", name="Remove class").tap()
    assert explorer.screen() == by_torch([logit, 1], names=("buy", "hold"))


def test_a_constant_added_to_all_changes_no_probability(explorer: Explorer) -> None:
    for constant in (3.5, -10000, 1e4):
        explorer.type("constant added to all logits", f"{constant:g}")
        screen = explorer.screen()
        assert screen == by_torch([2, 1, 0.1], constant)
        assert "each p changes by: 0.0000" in screen
        assert screen.startswith("buy: 0.6590\nhold: 0.2424\nsell: 0.0986\n")


def test_the_ratio_is_of_the_classes_that_are_chosen(explorer: Explorer) -> None:
    explorer.field("one class of the ratio").select_option("sell")
    explorer.field("the other class of the ratio").select_option("buy")
    assert explorer.screen().endswith(f"ratio of sell to buy: {torch.tensor(-1.9).exp():.4g}\n")


def test_classes_are_added_removed_and_sorted_with_their_names(explorer: Explorer) -> None:
    triangle = explorer.element.locator("svg")
    expect(triangle).to_be_visible()
    for _ in range(5):
        explorer.press("Add class")
    names = ("buy", "hold", "sell", *(f"class {i}" for i in range(3, 8)))
    assert explorer.screen() == by_torch([2, 1, 0.1, 0, 0, 0, 0, 0], names=names)
    expect(explorer.element.get_by_role("button", name="Add class")).to_be_disabled()
    expect(triangle).to_have_count(0)
    explorer.type("logit of class 7", "4")
    explorer.press("Sort")
    assert explorer.screen().startswith("class 7: 0.")
    for _ in range(6):
        explorer.press("Remove class")
    expect(explorer.element.get_by_role("button", name="Remove class")).to_be_disabled()
    assert explorer.screen() == by_torch([4, 2], names=("class 7", "buy"))
    explorer.press("Reset")
    assert explorer.screen() == by_torch([2, 1, 0.1])
    expect(triangle).to_be_visible()


def test_bad_input_is_named_beside_its_field_and_keeps_the_last_good_picture(
    explorer: Explorer,
) -> None:
    for name in ("logit of hold", "constant added to all logits"):
        field = explorer.field(name)
        good = field.input_value()
        for text in BAD:
            explorer.paste(name, text)
            expect(field).to_have_attribute("aria-invalid", "true")
            expect(field).to_have_accessible_description(re.compile("number"))
            assert explorer.screen() == by_torch([2, 1, 0.1])
        explorer.type(name, "x")
        expect(field).to_have_attribute("aria-invalid", "true")  # after a pause, without Enter
        explorer.type(name, good)
        expect(field).to_have_attribute("aria-invalid", "false")
        expect(field).to_have_accessible_description("")


def test_a_copied_link_restores_what_is_shown_and_comes_into_view(
    explorer: Explorer, copied: Callable[[str], str]
) -> None:
    explorer.type("logit of hold", "-3.75")
    explorer.type("constant added to all logits", "12.5")
    explorer.press("Add class")
    explorer.press("Sort")
    explorer.field("the other class of the ratio").select_option("class 3")
    screen, link = explorer.screen(), copied("Copy link")
    assert "#softmax-explorer=2,0.1,0,-3.75&" in link
    other = Explorer(explorer.page.context.new_page())
    other.page.goto(link)
    expect(other.element).to_be_in_viewport()
    assert other.screen() == screen
    explorer.press("Reset")
    explorer.page.evaluate("link => { location.href = link }", link)  # within the page
    expect(explorer.field("logit of hold")).to_have_value("-3.75")
    assert explorer.screen() == screen


def test_a_bad_link_is_ignored_and_so_is_an_anchor_of_the_page(
    url: str, reader: Any, explorer: Explorer
) -> None:
    for fragment in ("=", "=1", "=1,x,2", "=1,2,1e999", "=1,2,3,4,5,6,7,8,9", "=1,,2", "=%E0"):
        explorer.page.evaluate(f"location.hash = 'softmax-explorer{fragment}'")
        assert explorer.screen() == by_torch([2, 1, 0.1])
    explorer.page.evaluate("location.hash = 'picture'")
    expect(explorer.page.locator("#picture")).to_be_in_viewport()
    rest = "&order=0,0,9&constant=x&pair=0,0"  # ignored, each on its own
    explorer.page.evaluate(f"location.hash = 'softmax-explorer=3,1,2{rest}'")
    expect(explorer.field("logit of buy")).to_have_value("3")
    assert explorer.screen() == by_torch([3, 1, 2])
    reader.goto(f"{url}{SOFTMAX}?again#softmax-explorer=nonsense")
    assert explorer.screen() == by_torch([2, 1, 0.1])
    icon = "assets/logo.svg"  # may still be on its way when the page is left
    assert [error for error in reader.log.errors if not error.endswith(icon)] == []


def test_the_copied_program_prints_the_numbers_on_screen(
    explorer: Explorer, copied: Callable[[str], str]
) -> None:
    programs = {copied("Copy as Python"): explorer.screen()}
    explorer.press("Add class")
    explorer.type("logit of class 3", "-12.5")
    explorer.type("logit of buy", "1e3")
    explorer.type("constant added to all logits", "-0.3")
    explorer.press("Sort")
    explorer.field("the other class of the ratio").select_option("class 3")
    programs[copied("Copy as Python")] = explorer.screen()
    assert len(programs) == 2
    for program, screen in programs.items():
        ran = run(program)
        assert (ran.output, ran.failure) == (screen, "")


def test_a_change_is_announced_once_it_rests(explorer: Explorer) -> None:
    status = explorer.element.get_by_role("status")
    status.evaluate("""status => {
        window.said = []
        new MutationObserver(() => said.push(status.textContent)).observe(status, {childList: true})
    }""")
    explorer.slider("logit of buy").focus()
    for _ in range(10):
        explorer.page.keyboard.press("ArrowRight")
    probs = torch.softmax(torch.tensor([3.0, 1, 0.1], dtype=torch.float64), dim=-1)
    shares = ", ".join(f"{n} {p:.4f}" for n, p in zip(("buy", "hold", "sell"), probs, strict=True))
    expect(status).to_have_text(f"{shares}. Ratio of buy to hold 7.389.")
    assert len(explorer.page.evaluate("said")) == 1


def test_leaving_the_page_and_coming_back_leaves_one_copy_and_no_listener(
    url: str, reader: Any, explorer: Explorer
) -> None:
    page = explorer.page
    reader.settle()  # the theme has a listener of its own
    session = page.context.new_cdp_session(page)

    def listeners() -> int:
        found = session.send("Runtime.evaluate", {"expression": "window"})["result"]["objectId"]
        asked = session.send("DOMDebugger.getEventListeners", {"objectId": found})["listeners"]
        return sum(listener["type"] == "hashchange" for listener in asked)

    there = listeners()
    page.evaluate("window.kept = document.querySelector('softmax-explorer'); kept.remove()")
    assert listeners() == there - 1
    page.evaluate("document.querySelector('#picture').after(kept)")
    assert listeners() == there
    explorer.type("logit of hold", "2")
    assert explorer.screen() == by_torch([2, 2, 0.1])

    page.locator(".md-footer__link--next").click()
    page.wait_for_url(lambda address: not address.endswith(SOFTMAX))
    page.locator(".md-footer__link--prev").click()
    page.wait_for_url(url + SOFTMAX)
    reader.settle()
    expect(explorer.element).to_have_count(1)
    assert page.locator("script[src*=explorables]").count() == 1
    assert explorer.element.locator(".frame").count() == 1
    assert listeners() == there
    assert reader.log.errors == []


@pytest.mark.parametrize("place", ["desk", "phone"])
def test_nothing_moves_when_it_comes_alive(
    url: str, reader: Any, new_phone: Callable[[], AbstractContextManager[Any]], place: str
) -> None:
    def look(visitor: Any) -> None:
        page: Page = visitor.page
        held: list[Any] = []
        page.route("**/explorables.js", lambda route: held.append(route))
        page.goto(url + SOFTMAX, wait_until="commit")
        element = page.locator("softmax-explorer")
        element.scroll_into_view_if_needed()
        page.evaluate(DRAWN)
        before = element.bounding_box()
        assert element.evaluate("element => element.shadowRoot") is None
        held[0].continue_()
        expect(element.locator(".frame")).to_be_visible()
        visitor.settle()
        after, frame = element.bounding_box(), element.locator(".frame").bounding_box()
        assert before
        assert after
        assert frame
        assert after["height"] == before["height"]
        assert after["height"] - frame["height"] < 30, "too much room is kept in page.css"
        assert sum(page.evaluate(SHIFTS)) == 0

    if place == "desk":
        look(reader)
    else:
        with new_phone() as visitor:
            look(visitor)


def test_the_figure_stays_without_scripts_and_in_print(
    url: str, browser: Browser, explorer: Explorer
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url + SOFTMAX)
    figure = page.locator("figure:has(+ softmax-explorer)")
    expect(figure.locator("svg")).to_be_visible()
    box = page.locator("softmax-explorer").bounding_box()
    assert box
    assert box["height"] == 0
    context.close()
    explorer.page.emulate_media(media="print")
    expect(explorer.element).to_be_hidden()
    expect(explorer.page.locator("figure:has(+ softmax-explorer) svg")).to_be_visible()


def test_it_works_in_a_double_clicked_folder(site: Path, reader: Any) -> None:
    reader.goto((site / SOFTMAX).as_uri())
    explorer = Explorer(reader.page)
    explorer.type("logit of hold", "-2")
    assert explorer.screen() == by_torch([2, -2, 0.1])
    explorer.press("Copy link")
    expect(explorer.element.get_by_role("status")).to_have_text("Copied.")
    assert reader.log.errors == []


def test_axe_finds_nothing_to_fault_in_eight_classes_and_a_bad_field(
    explorer: Explorer,
) -> None:
    package = find_spec("axe_playwright_python")
    assert package is not None, "pip install axe-playwright-python"
    assert package.submodule_search_locations
    axe = Path(package.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")
    schemes: Any = ("light", "dark")
    page = explorer.page
    page.evaluate("location.hash = 'softmax-explorer=1,2,3,4,5,6,7,8'")
    explorer.paste("logit of hold", "abc")
    expect(explorer.field("logit of hold")).to_have_attribute("aria-invalid", "true")
    page.evaluate(axe)
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        palette = "slate" if scheme == "dark" else "default"
        expect(page.locator("body")).to_have_attribute("data-md-color-scheme", palette)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(AXE) == []
            assert page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0
