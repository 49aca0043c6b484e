"""What a person does with the interactive pictures: by keyboard, by mouse, by touch."""

import math
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect

import softmax_ce
from softmax_ce.verify.run import run

SOFTMAX, STABILITY = "softmax.html", "stability.html"
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
RULER_SCREEN = """ruler => {
    const root = ruler.shadowRoot
    const text = node => node.textContent.replaceAll("−", "-").trim()
    const cells = row => [...row.cells].slice(1).map(text)
    const rows = [...root.querySelectorAll("tbody tr")]
        .map(row => cells(row).map(cell => cell.split(" ")[0]).join(" "))
    const bound = words => words.replace("≤", "<=").replace("≥", ">=")
    const ends = text(root.querySelector(".ends")).matchAll(/(\\w+) at z (. \\S+\\d)/g)
    const forms = [...root.querySelectorAll(".form")]
    return [
        ...rows,
        `sum ${cells(root.querySelector("tfoot tr"))[1].split(" ")[0]}`,
        ...forms.map(form => text(form.querySelector(".number"))),
        ...[...ends].map(([, word, end]) => bound(`exp ${word} ${end}`)),
        ...forms.flatMap(form => [...form.querySelectorAll("button:not([hidden])")].map(
            button => `${text(form.firstChild).replace(" softmax", "")} ${bound(text(button))}`)),
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
AXE = """async tag => {
    const { violations } = await axe.run(tag, { preload: false })
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}"""


class Explorer:
    """The softmax explorer of an open page."""

    tag, address, script = "softmax-explorer", SOFTMAX, SCREEN
    fields = ("logit of hold", "constant added to all logits")

    def __init__(self, page: Page) -> None:
        self.page = page
        self.element = page.locator(self.tag)

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
        return str(self.read(self.script))


class Ruler(Explorer):
    """The float ruler of an open page."""

    tag, address, script = "float-ruler", STABILITY, RULER_SCREEN
    fields = ("logit of class 1", "largest logit, which moves all")

    def choose(self, dtype: str) -> None:
        self.field("float type").select_option(dtype)

    def set(self, logits: list[float]) -> None:
        for at, logit in enumerate(logits):
            self.field(f"logit of class {at}").fill(f"{logit:.17g}")

    def logits(self) -> list[float]:
        boxes = self.element.get_by_role("textbox", name="logit of class").all()
        return [float(box.input_value()) for box in boxes]


every = pytest.mark.parametrize("explorer", [Explorer, Ruler], indirect=True, ids=lambda e: e.tag)
the_ruler = pytest.mark.parametrize("explorer", [Ruler], indirect=True, ids=lambda e: e.tag)


@pytest.fixture
def explorer(url: str, reader: Any, request: pytest.FixtureRequest) -> Explorer:
    kind: type[Explorer] = getattr(request, "param", Explorer)
    reader.page.goto(url + kind.address)
    return kind(reader.page)


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


@every
def test_tab_goes_through_every_control_in_the_order_of_the_page(explorer: Explorer) -> None:
    controls = explorer.element.locator("input, select, button").all()
    controls[0].focus()
    for control in controls[1:]:
        explorer.page.keyboard.press("Tab")
        expect(control).to_be_focused()
    names = [control.evaluate("c => c.ariaLabel ?? c.textContent") for control in controls]
    breaks = 8 if explorer.tag == Ruler.tag else 0
    assert len(names) == (2 + 4 * 2 + 8 + 5 if breaks else 3 * 2 + 2 + 2 + 6)
    assert len(set(names)) >= len(names) - breaks


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


@every
def test_bad_input_is_named_beside_its_field_and_keeps_the_last_good_picture(
    explorer: Explorer,
) -> None:
    screen = explorer.screen()
    for name in explorer.fields:
        field = explorer.field(name)
        good = field.input_value()
        for text in BAD:
            explorer.paste(name, text)
            expect(field).to_have_attribute("aria-invalid", "true")
            expect(field).to_have_accessible_description(re.compile("number"))
            assert explorer.screen() == screen
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


@every
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
    page.evaluate(f"kept = document.querySelector('{explorer.tag}'); place = kept.nextSibling")
    page.evaluate("kept.remove()")
    assert listeners() == there - 1
    page.evaluate("place.before(kept)")
    assert listeners() == there
    screen = explorer.screen()
    explorer.type(explorer.fields[0], "2")
    assert explorer.screen() != screen

    page.locator(".md-footer__link--next").click()
    page.wait_for_url(lambda address: not address.endswith(explorer.address))
    page.locator(".md-footer__link--prev").click()
    page.wait_for_url(url + explorer.address)
    reader.settle()
    expect(explorer.element).to_have_count(1)
    assert page.locator("script[src*=explorables]").count() == 1
    assert explorer.element.locator(".frame").count() == 1
    assert listeners() == there
    assert reader.log.errors == []


@pytest.mark.parametrize("kind", [Explorer, Ruler], ids=lambda kind: kind.tag)
@pytest.mark.parametrize("place", ["desk", "phone"])
def test_nothing_moves_when_it_comes_alive(
    url: str,
    reader: Any,
    new_phone: Callable[[], AbstractContextManager[Any]],
    place: str,
    kind: type[Explorer],
) -> None:
    def look(visitor: Any) -> None:
        page: Page = visitor.page
        held: list[Any] = []
        page.route("**/explorables.js", lambda route: held.append(route))
        page.goto(url + kind.address, wait_until="commit")
        page.wait_for_function("document.readyState !== 'loading'")  # all of it is there
        element = page.locator(kind.tag)
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


@every
def test_the_figure_stays_without_scripts_and_in_print(
    url: str, browser: Browser, explorer: Explorer
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url + explorer.address)
    figure = f"figure:has(+ {explorer.tag}) svg"
    expect(page.locator(figure)).to_be_visible()
    box = page.locator(explorer.tag).bounding_box()
    assert box
    assert box["height"] == 0
    context.close()
    explorer.page.emulate_media(media="print")
    expect(explorer.element).to_be_hidden()
    expect(explorer.page.locator(figure)).to_be_visible()


def test_it_works_in_a_double_clicked_folder(site: Path, reader: Any) -> None:
    reader.goto((site / SOFTMAX).as_uri())
    explorer = Explorer(reader.page)
    explorer.type("logit of hold", "-2")
    assert explorer.screen() == by_torch([2, -2, 0.1])
    explorer.press("Copy link")
    expect(explorer.element.get_by_role("status")).to_have_text("Copied.")
    assert reader.log.errors == []


@every
def test_axe_finds_nothing_to_fault_in_eight_classes_and_a_bad_field(
    explorer: Explorer,
) -> None:
    package = find_spec("axe_playwright_python")
    assert package is not None, "pip install axe-playwright-python"
    assert package.submodule_search_locations
    axe = Path(package.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")
    schemes: Any = ("light", "dark")
    page = explorer.page
    page.evaluate(f"location.hash = '{explorer.tag}=1,2,3,4,5,6,7,8'")
    explorer.paste(explorer.fields[0], "abc")
    expect(explorer.field(explorer.fields[0])).to_have_attribute("aria-invalid", "true")
    page.evaluate(axe)
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        palette = "slate" if scheme == "dark" else "default"
        expect(page.locator("body")).to_have_attribute("data-md-color-scheme", palette)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate(AXE, explorer.tag) == []
            assert page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0


# The ruler

DTYPES = ("float16", "bfloat16", "float32", "float64")
ALL = "largest logit, which moves all"
HARD = [
    [2.0, 1.0, 0.1],
    [89.0, 88.0, 0.0],
    [88.5, 88.5, 88.5],
    [10.8, 10.8, -3.0],
    [-104.0, -104.0, -104.0],
    [-100.0, -101.0, -104.0],
    [-12.0, -15.0, -18.0],
    [709.5, 709.4, -745.5],
    [0.0, 7.7, 40.0],
    [-1e4, 1e4, 0.3],
]


def ruled(logits: list[float], dtype: str, y: int = 0) -> str:
    """What the ruler shows of a row, but for where the forms first break."""
    z = torch.tensor(logits, dtype=getattr(torch, dtype))
    naive, shifted = softmax_ce.softmax_naive(z), softmax_ce.softmax_stable(z)
    rows = zip(*(column.tolist() for column in (z, z.exp(), naive, shifted)), strict=True)
    lines = ["{:.6g} {:.4g} {:.4g} {:.4g}".format(*row) for row in rows]
    lines.append(f"sum {z.exp().sum():.4g}")
    losses = softmax_ce.cross_entropy_manual(z, y), -softmax_ce.log_softmax(z)[y]
    lines += [f"{value:z.4g}" for value in (naive[y], shifted[y], *losses)]
    return "\n".join(lines) + "\n"


def state(e: torch.Tensor) -> str:
    if e == 0 or e.isinf():
        return "0" if e == 0 else "inf"
    return "subnormal" if e < torch.finfo(e.dtype).smallest_normal else "normal"


@the_ruler
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_ruler_shows_torchs_numbers_nan_and_inf_in_each_type(
    explorer: Ruler, dtype: str
) -> None:
    explorer.choose(dtype)
    for logits in HARD:
        explorer.set(logits)
        assert explorer.screen().startswith(ruled(logits, dtype)), logits
        exps = torch.tensor(logits, dtype=getattr(torch, dtype)).exp()
        states = explorer.element.locator("tbody i").all_text_contents()
        assert states == [state(e) for e in exps]
    explorer.field("target class").select_option("2")
    assert explorer.screen().startswith(ruled(HARD[-1], dtype, 2))


@the_ruler
def test_a_sentence_says_which_failure_is_on_the_ruler(explorer: Ruler) -> None:
    explorer.choose("float32")
    verdict = explorer.element.locator(".verdict")
    for logits, words in (
        (HARD[0], "the forms agree"),
        (HARD[1], "inf / inf is nan"),
        (HARD[2], "their sum is inf: every p is 0"),
        (HARD[4], "0 / 0 is nan"),
        (HARD[5], "digits are lost"),
    ):
        explorer.set(logits)
        expect(verdict).to_contain_text(words)


@the_ruler
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_the_ruler_calls_the_first_breaks_in_torch_and_nothing_nearer_does(
    explorer: Ruler, dtype: str
) -> None:
    of = getattr(torch, dtype)
    explorer.choose(dtype)
    logits = [1.5, 3.0, 2.75, -7.0]
    explorer.press("Add class")
    explorer.set(logits)
    z = torch.tensor(logits, dtype=of)
    tiny = torch.finfo(of).smallest_normal

    def raised(level: float) -> torch.Tensor:
        return torch.tensor([logit - 3 + level for logit in logits], dtype=of)

    def aimed(gap: float) -> torch.Tensor:
        return torch.cat([torch.tensor([3 + gap], dtype=of), z[1:]])

    def fails(what: str, x: float) -> bool:
        e = torch.tensor(x, dtype=of).exp()
        naive, stable = softmax_ce.softmax_naive(raised(x)), softmax_ce.softmax_stable(aimed(x))
        return bool(
            {
                "exp 0": e == 0,
                "exp subnormal": e < tiny,
                "exp inf": e.isinf(),
                "naive all 0": raised(x).exp().sum().isinf(),
                "naive nan": naive.isnan().any(),
                "naive digits lost": raised(x).exp().sum() < tiny,
                "shifted 0": stable[0] == 0,
                "-log of shifted inf": stable[0].log().isinf(),
                "-log of shifted 0": stable[0].log() == 0,
                "-log_softmax 0": softmax_ce.log_softmax(aimed(x))[0] == 0,
            }[what]
        )

    lines = explorer.screen().splitlines()[len(logits) + 1 + 4 :]
    assert len(lines) == 3 + 8
    for line in lines:
        what, sign, number = line.rsplit(" ", 2)
        x = float(number)
        assert sign == ("<=" if x < 0 else ">=")
        step = max(2e-5, 1.01 * max(abs(x), abs(3 + x)) * torch.finfo(of).eps)
        assert fails(what, x), line
        assert not fails(what, x - math.copysign(step, x)), line


@the_ruler
def test_pressing_what_breaks_a_form_breaks_it(explorer: Ruler) -> None:
    forms = explorer.element.locator(".form")
    for dtype in DTYPES:
        for form, button, given in (
            (0, "all 0", "0"),
            (0, "nan ≥", "nan"),
            (0, "nan ≤", "nan"),
            (1, "0 ≤", "0"),
            (2, "inf ≤", "inf"),
            (2, "0 ≥", "0"),
            (3, "0 ≥", "0"),
        ):
            explorer.press("Reset")
            explorer.choose(dtype)
            forms.nth(form).get_by_role("button", name=button).click()
            expect(forms.nth(form).locator(".number")).to_have_text(given)
            assert explorer.screen().startswith(ruled(explorer.logits(), dtype))


@the_ruler
def test_all_logits_are_moved_by_keys_and_keep_their_gaps(explorer: Ruler) -> None:
    slider = explorer.slider(ALL)
    slider.focus()
    for key, top in (
        ("ArrowRight", 2.1),
        ("ArrowDown", 2),
        ("PageUp", 6),
        ("End", 16),
        ("Home", -24),
    ):
        explorer.page.keyboard.press(key)
        expect(explorer.field(ALL)).to_have_value(f"{top:g}")
        assert explorer.logits() == pytest.approx([top, top - 1, top - 1.9], abs=1e-9)
        assert explorer.screen().startswith(ruled(explorer.logits(), "float16"))
    expect(slider).to_have_attribute(
        "aria-valuetext", "-24. Every exponential is 0, and 0 / 0 is nan."
    )
    expect(explorer.slider("logit of class 1")).to_have_attribute("aria-valuetext", "-25, exp 0, 0")


@the_ruler
def test_a_mark_on_the_ruler_is_dragged_by_mouse_into_inf(reader: Any, explorer: Ruler) -> None:
    reader.settle()
    slider, mouse = explorer.slider("logit of class 1"), explorer.page.mouse
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    mouse.move(box["x"] + box["width"] / 2, middle)
    mouse.down()
    for share in (0.6, 0.8, 0.95):
        mouse.move(box["x"] + box["width"] * share, middle)
        logits = explorer.logits()
        assert explorer.screen().startswith(ruled(logits, "float16"))
        expect(explorer.field(ALL)).to_have_value(f"{max(logits):g}")
    mouse.up()
    assert logits[1] == pytest.approx(14, abs=1)
    assert logits[0] == 2
    inf = float(
        explorer.element.locator(".row")
        .nth(1)
        .evaluate("row => getComputedStyle(row).getPropertyValue('--inf')")
        .strip(" %")
    )
    assert inf == pytest.approx(100 * (11.09375 + 24) / 40)


def test_all_logits_are_dragged_by_touch_on_a_phone(url: str, phone: Any) -> None:
    phone.goto(url + STABILITY)
    explorer = Ruler(phone.page)
    drag_by_touch(phone.page, explorer.slider(ALL), 0.65, 0.95)
    logits = explorer.logits()
    assert logits[0] == pytest.approx(14, abs=2)  # the handle has a width, too
    assert logits[0] - logits[1] == pytest.approx(1)
    assert explorer.screen().startswith(ruled(logits, "float16"))
    expect(explorer.element.locator("tbody i").first).to_have_text("inf")
    explorer.element.get_by_role("button", name="Reset").tap()
    assert explorer.screen().startswith(ruled([2, 1, 0.1], "float16"))


@the_ruler
def test_a_link_to_the_ruler_restores_it_and_a_bad_one_is_ignored(
    explorer: Ruler, copied: Callable[[str], str]
) -> None:
    explorer.choose("bfloat16")
    explorer.press("Add class")
    explorer.set([88.5, 88.0, -3.75, 1e-3])
    explorer.field("target class").select_option("2")
    screen, link = explorer.screen(), copied("Copy link")
    assert link.endswith("#float-ruler=88.5,88,-3.75,0.001&dtype=bfloat16&target=2")
    other = Ruler(explorer.page.context.new_page())
    other.page.goto(link)
    expect(other.element).to_be_in_viewport()
    assert other.screen() == screen
    for fragment in ("=", "=1", "=1,x,2", "=1,2,1e999", "=1,2,3,4,5,6,7,8,9", "=1,,2", "=%E0"):
        other.page.evaluate(f"location.hash = 'float-ruler{fragment}&dtype=float64'")
        assert other.screen() == screen
    for rest in ("", "&dtype=float8&target=x", "&dtype=&target=-1", "&target=0.5", "&target=3"):
        other.page.evaluate(f"location.hash = 'float-ruler=3,1,2{rest}'")
        expect(other.field("logit of class 0")).to_have_value("3")
        assert other.screen().startswith(ruled([3, 1, 2], "float16"))
        other.field("logit of class 0").fill("9")


@the_ruler
def test_the_rulers_program_prints_the_numbers_on_screen(
    explorer: Ruler, copied: Callable[[str], str]
) -> None:
    programs = {copied("Copy as Python"): explorer.screen()}
    for dtype, logits in zip(DTYPES, (HARD[3], HARD[2], HARD[5], HARD[7]), strict=True):
        explorer.choose(dtype)
        explorer.set(logits)
        explorer.field("target class").select_option("1")
        programs[copied("Copy as Python")] = explorer.screen()
    assert len(programs) == 5
    for program, screen in programs.items():
        ran = run(program)
        assert (ran.output, ran.failure) == (screen, "")


@the_ruler
def test_what_breaks_is_announced_once_it_rests(explorer: Ruler) -> None:
    status = explorer.element.get_by_role("status")
    explorer.slider(ALL).focus()
    for _ in range(3):
        explorer.page.keyboard.press("PageUp")
    assert status.text_content() == ""
    words = "An exponential is inf, and inf / inf is nan. Target: naive softmax nan, "
    shifted = "shifted softmax 0.6592, −log of shifted 0.4167, −log_softmax 0.4172."
    expect(status).to_have_text(words + shifted)
