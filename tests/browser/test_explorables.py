"""What a person does with the interactive pictures: by keyboard, by mouse, by touch."""

import math
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect
from torch.nn.functional import cross_entropy

import softmax_ce
from softmax_ce.verify.run import run

BAD = ["abc", "", "1e999", "--1", "0x10", "1,5"]

# The numbers on screen, as the copied program prints them.
OF_SOFTMAX = """explorer => {
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
OF_TEMPERATURE = """explorer => {
    const root = explorer.shadowRoot
    const rows = [...root.querySelectorAll(".row:has(.bar)")]
    const facts = [...root.querySelectorAll("dd")].map(fact => fact.textContent)
    const names = ["H", "Var[z]", "dH/dT", "p as T -> 0"]
    return [
        ...rows.map(row => [row.firstChild, row.querySelector(".number")]
            .map(node => node.textContent).join(": ")),
        ...facts.map((fact, at) => `${names[at]}: ${fact}`),
    ].join("\\n") + "\\n"
}"""
OF_STEPPER = """explorer => {
    const root = explorer.shadowRoot
    const text = node => node.textContent.replaceAll("−", "-")
    const rows = [...root.querySelectorAll(".row:has(.bar)")].map(row => {
        const [note, p, dlogits] = [".note", ".now", ".g"].map(at => text(row.querySelector(at)))
        const [, condition, motion] = note.match(/^(?:(.+): )?(?:[↑↓] )?(.+)/)
        const [logit] = row.querySelector("[type=range]").ariaValueText.split(",")
        const name = text(row.firstChild)
        const moves = `${name}: logit ${logit}, dlogits ${dlogits}, p ${p}, ${motion}`
        return [moves, condition && `${name}: ${condition.replace("≥", ">=")}`]
    })
    const [loss, after, sum, threshold] = [...root.querySelectorAll("dd")].map(text)
    const lines = [
        ...rows.map(([moves]) => moves),
        `loss: ${loss}`, `loss after: ${after}`, `sum of dlogits: ${sum}`,
        threshold && `threshold: ${threshold}`,
        ...rows.map(([, condition]) => condition),
    ]
    return lines.filter(line => line).join("\\n") + "\\n"
}"""
OF_RULER = """ruler => {
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
    const triangle = explorer.shadowRoot.querySelector("polygon").getBoundingClientRect()
    const circle = explorer.shadowRoot.querySelector(".p").getBoundingClientRect()
    const middle = [circle.x + circle.width / 2, circle.y + circle.height / 2]
    return [(middle[0] - triangle.x) / triangle.width, (middle[1] - triangle.y) / triangle.height]
}"""
# Where a path begins and ends, as shares of the triangle's width and height.
ENDS = """explorer => {
    const [triangle, path] = ["polygon", "polygon ~ path"].map(mark =>
        explorer.shadowRoot.querySelector(mark))
    const { x, y, width, height } = triangle.getBBox()
    return [0, path.getTotalLength()].map(length => path.getPointAtLength(length))
        .map(point => [(point.x - x) / width, (point.y - y) / height])
}"""
# A new element in place of one that a test has used, on a page without a fragment.
ANEW = """element => {
    history.replaceState(null, "", location.pathname)
    element.replaceWith(element.cloneNode())
}"""
DRAWN = "() => new Promise(next => requestAnimationFrame(() => requestAnimationFrame(next)))"
WATCH = """() => {
    window.shifts = []
    new PerformanceObserver(list => shifts.push(...list.getEntries().map(shift => shift.value)))
        .observe({ type: "layout-shift" })
}"""
STICKS_OUT = """() => [...document.querySelectorAll("main *")].flatMap(element => {
    if (!element.shadowRoot) return []
    const { right } = element.shadowRoot.querySelector(".frame").getBoundingClientRect()
    return [...element.shadowRoot.querySelectorAll(".frame :not(.voice, svg *)")]
        .filter(part => part.getBoundingClientRect().right > right)
        .map(part => `${element.localName}: ${part.textContent}`)
})"""
SAID = """status => {
    window.said = []
    new MutationObserver(() => said.push(status.textContent)).observe(status, {childList: true})
}"""


class Kind(NamedTuple):
    """An element, where it stands, and what there is to try with it."""

    tag: str
    page: str
    screen: str  # the script that reads its numbers
    fields: tuple[str, ...]
    fragment: str  # of a link, with the largest picture
    others: tuple[str, ...]  # fragments that are no state of it
    controls: int
    logits: tuple[str, str] = ("logit of buy", "logit of hold")  # fields of the first two classes
    shown: str = r"buy: (?:.*p )?(\d\.\d{4})"  # a number on screen, and the words it is said in
    said: str = "buy {}.*, hold .+, sell .+"


SOFTMAX = Kind(
    tag="softmax-explorer",
    page="softmax.html",
    screen=OF_SOFTMAX,
    fields=("logit of hold", "constant added to all logits"),
    fragment="9.5,1,2.5,4,5,6,7,-8&order=7,1,2,3,0,5,6,4&constant=-0.3&pair=1,7",
    others=("", "1", "1,x,2", "1,2,1e999", "1,2,3,4,5,6,7,8,9", "1,,2", "%E0"),
    controls=3 * 2 + 2 + 2 + 6,
)
TEMPERATURE = Kind(
    tag="temperature-explorer",
    page="temperature.html",
    screen=OF_TEMPERATURE,
    fields=("temperature T", "logit of hold"),
    fragment="-1.5,7,-2.25&T=0.07&tied=1",
    others=("", "1,2", "1,x,2", "1,2,1e999", "1,2,3,4", "1,,2", "%E0"),
    controls=2 + 3 * 2 + 4,
)
STEPPER = Kind(
    tag="gradient-stepper",
    page="geometry.html",
    screen=OF_STEPPER,
    fields=("step size", "logit of hold"),
    fragment="9000,-2,0.25&target=2&eta=2.5&steps=1",
    others=TEMPERATURE.others,
    controls=1 + 2 + 3 * 2 + 5,
)
SMALL = STEPPER._replace(page="gradient.html")
RULER = Kind(
    tag="float-ruler",
    page="stability.html",
    screen=OF_RULER,
    fields=("logit of class 1", "largest logit, which moves all"),
    fragment="88.5,88,2.5,0.001,5,6,7,-8&dtype=bfloat16&target=2",
    others=SOFTMAX.others,
    controls=2 + 4 * 2 + 8 + 5,
    logits=("logit of class 0", "logit of class 1"),
    shown=r"sum .+\n(.+)",
    said="Target: naive softmax {}, shifted softmax .+, −log of shifted .+, −log_softmax .+",
)
KINDS = [SOFTMAX, TEMPERATURE, STEPPER, SMALL, RULER]


class Explorer:
    """An interactive picture of an open page."""

    def __init__(self, page: Page, kind: Kind = SOFTMAX) -> None:
        self.page, self.kind = page, kind
        self.element = page.locator(kind.tag)
        self.element.scroll_into_view_if_needed()  # what asks for its script
        page.wait_for_function("tag => document.querySelector(tag).shadowRoot", arg=kind.tag)

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
        found = "document.querySelector(tag)"
        read = f"async tag => {{ await ({DRAWN})(); return ({script})({found}) }}"
        return self.page.evaluate(read, self.kind.tag)

    def screen(self) -> str:
        return str(self.read(self.kind.screen))

    def link(self, fragment: str) -> None:
        """Follow a link to a state, within the page."""
        self.page.evaluate("hash => { location.hash = hash }", f"{self.kind.tag}={fragment}")

    def copied(self, button: str) -> str:
        """Press a button that copies, and read the clipboard."""
        self.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.press(button)
        expect(self.element.get_by_role("status")).to_have_text("Copied.")
        return str(self.page.evaluate("navigator.clipboard.readText()"))


@pytest.fixture
def at_desk(desk: Callable[[str], Any]) -> Callable[[Kind], Explorer]:
    """An element as it begins, at a desk, on a page which is loaded once for all of its tests."""

    def at_desk(kind: Kind) -> Explorer:
        reader = desk(kind.page)
        reader.log.errors.clear()
        page: Page = reader.page
        page.mouse.move(0, 0)
        page.emulate_media(media="screen", color_scheme="light", reduced_motion="no-preference")
        page.set_viewport_size({"width": 1280, "height": 800})
        Explorer(page, kind).element.evaluate(ANEW)
        return Explorer(page, kind)

    return at_desk


@pytest.fixture
def explorer(at_desk: Callable[[Kind], Explorer]) -> Explorer:
    """The softmax explorer at a desk."""
    return at_desk(SOFTMAX)


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind.tag}-{kind.page}")
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each of the elements."""
    found: Kind = request.param
    return found


@pytest.fixture
def each(at_desk: Callable[[Kind], Explorer], kind: Kind) -> Explorer:
    """Each of the elements, at a desk."""
    return at_desk(kind)


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


def drag_by_mouse(page: Page, slider: Locator, *shares: float) -> Iterator[None]:
    """Press on the middle of a slider, stop at these shares of its width, and let go."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    for share in shares:
        page.mouse.move(box["x"] + box["width"] * share, middle)
        yield
    page.mouse.up()


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
    explorer: Explorer,
) -> None:
    assert explorer.screen() == by_torch([2, 1, 0.1])
    for logits in ([-1.5, 3.25, 0.5], [0.0, 0.0, 0.0], [500.0, -500.0, 499.5], [1e4, 0.0, -1e4]):
        for name, logit in zip(("buy", "hold", "sell"), logits, strict=True):
            explorer.type(f"logit of {name}", f"{logit:g}")
        assert explorer.screen() == by_torch(logits)
        probs = torch.softmax(torch.tensor(logits, dtype=torch.float64), dim=-1).tolist()
        assert explorer.read(BARS) == pytest.approx(probs, abs=0.001)  # a tenth of a pixel
        point = [probs[0] / 2 + probs[2], 1 - probs[0]]
        assert explorer.read(POINT) == pytest.approx(point, abs=0.01)  # the outline has a width
    assert explorer.page.url.endswith(SOFTMAX.page)  # a period is no shortcut for the next page


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


def test_tab_goes_through_every_control_in_the_order_of_the_page(each: Explorer) -> None:
    controls = each.element.locator("input, select, button").all()
    controls[0].focus()
    for control in controls[1:]:
        each.page.keyboard.press("Tab")
        expect(control).to_be_focused()
    names = [control.evaluate("c => c.ariaLabel ?? c.textContent") for control in controls]
    assert len(set(names)) == len(names) == each.kind.controls


def test_a_logit_is_dragged_by_mouse(explorer: Explorer) -> None:
    slider = explorer.slider("logit of sell")
    for _ in drag_by_mouse(explorer.page, slider, 0.6, 0.7, 0.8):
        logit = float(explorer.field("logit of sell").input_value())
        assert explorer.screen() == by_torch([2, 1, logit])
    assert logit == pytest.approx(6, abs=2)  # the handle has a width, too


def test_a_logit_is_dragged_by_touch_on_a_phone(url: str, phone: Any) -> None:
    phone.goto(url + SOFTMAX.page)
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


def at_temperature(logits: list[float], T: float) -> str:
    z = torch.tensor(logits, dtype=torch.float64)
    z = z - z.max()
    probs = torch.softmax(z / T, dim=-1)
    variance = (probs * (z - (probs * z).sum()) ** 2).sum()
    limit = torch.softmax(z / 2**-126, dim=-1)
    lines = [f"{n}: {p:.4f}" for n, p in zip(("buy", "hold", "sell"), probs.tolist(), strict=True)]
    lines.append(f"H: {torch.special.entr(probs).sum():.4f}")
    lines.append(f"Var[z]: {variance:.4g}")
    lines.append(f"dH/dT: {variance / T**3:.4g}")
    lines.append("p as T -> 0: " + ", ".join(f"{p:.4g}" for p in limit.tolist()))
    return "\n".join(lines) + "\n"


@pytest.fixture
def thermometer(at_desk: Callable[[Kind], Explorer]) -> Explorer:
    """The temperature explorer at a desk."""
    return at_desk(TEMPERATURE)


def test_a_typed_temperature_gives_torchs_numbers_and_the_point_on_its_path(
    thermometer: Explorer,
) -> None:
    assert thermometer.screen() == at_temperature([2, 1, 0.1], 1)
    for logits in ([2.0, 1.0, 0.1], [-1.5, 3.25, 3.2], [0.0, 0.0, 0.0], [1e4, 0.0, -1e4]):
        for name, logit in zip(("buy", "hold", "sell"), logits, strict=True):
            thermometer.type(f"logit of {name}", f"{logit:g}")
        for T in (0.05, 0.333, 20):
            thermometer.type("temperature T", f"{T:g}")
            assert thermometer.screen() == at_temperature(logits, T)
            probs = torch.softmax(torch.tensor(logits, dtype=torch.float64) / T, -1).tolist()
            assert thermometer.read(BARS) == pytest.approx(probs, abs=0.001)
            point = [probs[0] / 2 + probs[2], 1 - probs[0]]
            assert thermometer.read(POINT) == pytest.approx(point, abs=0.01)


def test_the_path_begins_at_a_corner_or_with_a_tie_in_the_middle_of_an_edge(
    thermometer: Explorer,
) -> None:
    buy, middle, centre = [0.5, 0], [0.25, 0.5], [0.5, 2 / 3]
    tie = thermometer.element.get_by_role("button", name="Tie hold to buy")
    for pressed, logits, start in (("false", [2, 1, 0.1], buy), ("true", [2, 2, 0.1], middle)):
        expect(tie).to_have_attribute("aria-pressed", pressed)
        assert thermometer.screen() == at_temperature(logits, 1)
        begins, ends = thermometer.read(ENDS)
        assert begins == pytest.approx(start, abs=0.001)
        assert ends == pytest.approx(centre, abs=0.001)
        tie.press("Enter" if pressed == "false" else "Space")
    assert thermometer.screen() == at_temperature([2, 1, 0.1], 1), "hold has its own logit again"
    tie.click()
    for name in ("buy", "hold"):
        thermometer.type(f"logit of {name}", "-3.5")
        assert thermometer.screen() == at_temperature([-3.5, -3.5, 0.1], 1)
        thermometer.type(f"logit of {name}", "4")
        assert thermometer.screen() == at_temperature([4, 4, 0.1], 1)
    expect(thermometer.field("logit of buy")).to_have_value("4")


def test_a_temperature_is_moved_by_keys_by_the_same_factor(thermometer: Explorer) -> None:
    slider = thermometer.slider("temperature T")
    slider.focus()
    step = 20 ** (1 / 130)
    for key, T in (
        ("ArrowRight", step),
        ("ArrowLeft", 1),
        ("PageDown", step**-26),
        ("End", 20),
        ("Home", 0.05),
    ):
        thermometer.page.keyboard.press(key)
        expect(thermometer.field("temperature T")).to_have_value(f"{float(f'{T:.3g}'):g}")
        assert thermometer.screen() == at_temperature([2, 1, 0.1], float(f"{T:.3g}"))
    expect(slider).to_have_attribute("aria-valuetext", "0.05, entropy 0.0000")


def test_a_temperature_is_dragged_by_mouse(thermometer: Explorer) -> None:
    slider = thermometer.slider("temperature T")
    for _ in drag_by_mouse(thermometer.page, slider, 0.9):
        pass
    value = float(thermometer.field("temperature T").input_value())
    assert value == pytest.approx(20**0.8, rel=0.2)
    assert thermometer.screen() == at_temperature([2, 1, 0.1], value)


def test_a_temperature_is_dragged_by_touch_on_a_phone(url: str, phone: Any) -> None:
    phone.goto(url + TEMPERATURE.page)
    thermometer = Explorer(phone.page, TEMPERATURE)
    drag_by_touch(phone.page, thermometer.slider("temperature T"), 0.5, 0.1)
    value = float(thermometer.field("temperature T").input_value())
    assert value == pytest.approx(20**-0.8, rel=0.3)  # the handle has a width, too
    thermometer.element.get_by_role("button", name="Tie hold to buy").tap()
    assert thermometer.screen() == at_temperature([2, 2, 0.1], value)


def after_steps(logits: list[float], y: int, eta: float, steps: int) -> str:
    z = torch.tensor(logits, dtype=torch.float64)
    target = torch.tensor(y)

    def gradient(z: torch.Tensor) -> torch.Tensor:
        leaf = z.clone().requires_grad_()
        return torch.autograd.grad(cross_entropy(leaf, target), leaf)[0]

    for _ in range(steps):
        z = z - eta * gradient(z)
    g, then = gradient(z), z - eta * gradient(z)
    p, q = torch.softmax(z, -1), torch.softmax(then, -1)
    threshold = (p**2).sum() - p[y]
    lines = [
        f"{name}: logit {z[i]:z.3f}, dlogits {g[i]:z.4f}, p {p[i]:.4f}, "
        f"{'rises' if q[i] > p[i] else 'falls'} to {q[i]:.4f}"
        for i, name in enumerate(("buy", "hold", "sell"))
    ]
    lines += [f"loss: {cross_entropy(z, target):z.4f}"]
    lines += [f"loss after: {cross_entropy(then, target):z.4f}", "sum of dlogits: 0.0000"]
    lines += [f"threshold: {threshold:z.4f}"]
    lines += [
        f"{name}: {p[i]:.4f} {'<' if p[i] < threshold else '>='} {threshold:z.4f}"
        for i, name in enumerate(("buy", "hold", "sell"))
        if i != y
    ]
    return "\n".join(lines) + "\n"


@pytest.fixture
def stepper(at_desk: Callable[[Kind], Explorer]) -> Explorer:
    """The gradient stepper at a desk."""
    return at_desk(STEPPER)


def test_steps_are_torchs_to_the_digits_shown(stepper: Explorer) -> None:
    logits = [0, 1.25, -0.7]
    assert stepper.screen() == after_steps(logits, 0, 0.1, 0)
    for steps in range(1, 4):
        stepper.press("Step")
        assert stepper.screen() == after_steps(logits, 0, 0.1, steps)
        shown = stepper.field("logit of buy").input_value()
        assert f"buy: logit {float(shown):.3f}" in stepper.screen()
    stepper.type("step size", "1.5")
    assert stepper.screen() == after_steps(logits, 0, 1.5, 0), "another size begins anew"
    stepper.press("Step")
    stepper.field("target").select_option("sell")
    assert stepper.screen() == after_steps(logits, 2, 1.5, 0), "another target begins anew"
    stepper.type("logit of buy", "-3.25")
    stepper.press("Step")
    assert stepper.screen() == after_steps([-3.25, 1.25, -0.7], 2, 1.5, 1)
    stepper.press("Reset")
    assert stepper.screen() == after_steps([-3.25, 1.25, -0.7], 2, 1.5, 0)
    stepper.press("Reset")
    assert stepper.screen() == after_steps(logits, 0, 0.1, 0)


def test_a_wrong_class_that_rises_has_a_word_a_sign_and_a_hatch(stepper: Explorer) -> None:
    rows = stepper.element.locator(".row:has(.bar)")
    hatched = stepper.element.locator(".rises")
    expect(rows.filter(has_text="sell")).to_contain_text("0.0996 < 0.3395: ↑ rises to 0.1")
    expect(hatched).to_have_count(1)
    expect(hatched).to_contain_text("sell")
    while re.search(r"sell: .* rises", stepper.screen()):
        stepper.press("Step")
    assert re.search(r"sell: .* falls", stepper.screen())
    expect(hatched).to_have_count(0)
    stepper.link("0,2.5,1.5&eta=3")  # too long a step
    expect(rows.filter(has_text="sell")).to_contain_text("0.2537 < 0.4866: ↓ falls to 0.1017")
    expect(hatched).to_have_count(0)


def test_arrows_are_as_long_as_their_dlogits_and_bars_and_lines_as_p(stepper: Explorer) -> None:
    lengths = stepper.read("""explorer => [...explorer.shadowRoot.querySelectorAll(".arrow")].map(
        arrow => {
            const [all, one] = [arrow, arrow.firstChild].map(node => node.getBoundingClientRect())
            const middle = all.x + all.width / 2
            return 2 * (one.x + one.right - 2 * middle) / all.width
        })""")
    g = torch.softmax(torch.tensor([0, 1.25, -0.7]), -1) - torch.tensor([1.0, 0, 0])
    assert lengths == pytest.approx(g.tolist(), abs=0.01)
    assert sum(lengths) == pytest.approx(0, abs=0.01)
    before, after = torch.softmax(
        torch.tensor([0, 1.25, -0.7]) - torch.tensor([[0], [0.1]]) * g, -1
    )
    assert stepper.read(BARS) == pytest.approx(before.tolist(), abs=0.001)
    marks = stepper.read("""explorer => [...explorer.shadowRoot.querySelectorAll(".bar > b")].map(
        mark => {
            const [all, one] = [mark.parentNode, mark].map(node => node.getBoundingClientRect())
            return (one.x + one.width / 2 - all.x) / all.width
        })""")
    assert marks == pytest.approx(after.tolist(), abs=0.005)


def test_a_run_takes_steps_until_it_is_stopped_or_ends(stepper: Explorer) -> None:
    status = stepper.element.get_by_role("status")
    status.evaluate(SAID)
    stepper.press("Run")
    fact = stepper.element.locator("dt").first
    expect(fact).to_have_text(re.compile("step [1-9]"))
    stepper.press("Stop")
    expect(stepper.element.get_by_role("button", name="Run")).to_be_visible()
    reached = int(fact.inner_text().split()[-1])
    expect(status).to_have_text(re.compile(f"Step {reached}: buy .* rises"))
    assert stepper.screen() == after_steps([0, 1.25, -0.7], 0, 0.1, reached)
    stepper.press("Run")
    expect(fact).to_have_text(f"loss at step {reached + 25}", timeout=20_000)
    expect(stepper.element.get_by_role("button", name="Run")).to_be_visible()
    expect(status).to_have_text(re.compile(f"Step {reached + 25}: "))
    assert len(stepper.page.evaluate("said")) == 2, "said at its rest, not at each step"


def test_a_run_goes_at_once_where_nothing_is_to_move_and_ends_with_the_last_step(
    stepper: Explorer,
) -> None:
    stepper.page.emulate_media(reduced_motion="reduce")
    stepper.press("Run")
    assert stepper.screen() == after_steps([0, 1.25, -0.7], 0, 0.1, 25)
    stepper.link("0,1.25,-0.7&steps=999")
    for button in ("Step", "Run"):
        expect(stepper.element.get_by_role("button", name=button)).to_be_enabled()
    stepper.press("Run")
    for button in ("Step", "Run"):
        expect(stepper.element.get_by_role("button", name=button)).to_be_disabled()
    assert stepper.screen() == after_steps([0, 1.25, -0.7], 0, 0.1, 1000)


def test_a_step_is_chosen_and_taken_by_keys(stepper: Explorer) -> None:
    slider = stepper.slider("step size")
    slider.focus()
    for key, eta in (("ArrowRight", 0.15), ("PageUp", 0.55), ("Home", 0.05), ("End", 4)):
        stepper.page.keyboard.press(key)
        expect(stepper.field("step size")).to_have_value(f"{eta:g}")
        assert stepper.screen() == after_steps([0, 1.25, -0.7], 0, eta, 0)
    loss, after = re.findall(r"loss.*: (.+)", stepper.screen())
    words = f"4: the loss goes from {loss} to {after}"
    expect(slider).to_have_attribute("aria-valuetext", words)
    stepper.element.get_by_role("button", name="Step").press("Enter")
    assert stepper.screen() == after_steps([0, 1.25, -0.7], 0, 4, 1)


def test_a_step_is_dragged_and_taken_by_touch_on_a_phone(url: str, phone: Any) -> None:
    phone.goto(url + STEPPER.page)
    stepper = Explorer(phone.page, STEPPER)
    drag_by_touch(phone.page, stepper.slider("step size"), 0.1, 0.5)
    eta = float(stepper.field("step size").input_value())
    assert eta == pytest.approx(2, abs=0.3)
    stepper.element.get_by_role("button", name="Step").tap()
    assert stepper.screen() == after_steps([0, 1.25, -0.7], 0, eta, 1)


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


class Ruler(Explorer):
    """The float ruler of an open page."""

    def __init__(self, page: Page) -> None:
        super().__init__(page, RULER)

    def choose(self, dtype: str) -> None:
        self.field("float type").select_option(dtype)

    def set(self, logits: list[float]) -> None:
        for at, logit in enumerate(logits):
            self.field(f"logit of class {at}").fill(f"{logit:.17g}")

    def logits(self) -> list[float]:
        boxes = self.element.get_by_role("textbox", name="logit of class")
        return [float(text) for text in boxes.evaluate_all("all => all.map(box => box.value)")]


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


@pytest.fixture
def ruler(at_desk: Callable[[Kind], Explorer]) -> Ruler:
    """The float ruler at a desk."""
    return Ruler(at_desk(RULER).page)


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_ruler_shows_torchs_numbers_nan_and_inf_in_each_type(ruler: Ruler, dtype: str) -> None:
    ruler.choose(dtype)
    for logits in HARD:
        ruler.set(logits)
        assert ruler.screen().startswith(ruled(logits, dtype)), logits
        exps = torch.tensor(logits, dtype=getattr(torch, dtype)).exp()
        states = ruler.element.locator("tbody i").all_text_contents()
        assert states == [state(e) for e in exps]
    ruler.field("target class").select_option("2")
    assert ruler.screen().startswith(ruled(HARD[-1], dtype, 2))


def test_a_sentence_says_which_failure_is_on_the_ruler(ruler: Ruler) -> None:
    ruler.choose("float32")
    verdict = ruler.element.locator(".verdict")
    for logits, words in (
        (HARD[0], "the forms agree"),
        (HARD[1], "inf / inf is nan"),
        (HARD[2], "their sum is inf: every p is 0"),
        (HARD[4], "0 / 0 is nan"),
        (HARD[5], "digits are lost"),
    ):
        ruler.set(logits)
        expect(verdict).to_contain_text(words)


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_the_ruler_calls_the_first_breaks_in_torch_and_nothing_nearer_does(
    ruler: Ruler, dtype: str
) -> None:
    of = getattr(torch, dtype)
    ruler.choose(dtype)
    logits = [1.5, 3.0, 2.75, -7.0]
    ruler.press("Add class")
    ruler.set(logits)
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

    lines = ruler.screen().splitlines()[len(logits) + 1 + 4 :]
    assert len(lines) == 3 + 8
    for line in lines:
        what, sign, number = line.rsplit(" ", 2)
        x = float(number)
        assert sign == ("<=" if x < 0 else ">=")
        step = max(2e-5, 1.01 * max(abs(x), abs(3 + x)) * torch.finfo(of).eps)
        assert fails(what, x), line
        assert not fails(what, x - math.copysign(step, x)), line


def test_pressing_what_breaks_a_form_breaks_it(ruler: Ruler) -> None:
    forms = ruler.element.locator(".form")
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
            ruler.press("Reset")
            ruler.choose(dtype)
            forms.nth(form).get_by_role("button", name=button).click()
            expect(forms.nth(form).locator(".number")).to_have_text(given)
            assert ruler.screen().startswith(ruled(ruler.logits(), dtype))


def test_all_logits_are_moved_by_keys_and_keep_their_gaps(ruler: Ruler) -> None:
    slider = ruler.slider(ALL)
    slider.focus()
    for key, top in (
        ("ArrowRight", 2.1),
        ("ArrowDown", 2),
        ("PageUp", 6),
        ("End", 16),
        ("Home", -24),
    ):
        ruler.page.keyboard.press(key)
        expect(ruler.field(ALL)).to_have_value(f"{top:g}")
        assert ruler.logits() == pytest.approx([top, top - 1, top - 1.9], abs=1e-9)
        assert ruler.screen().startswith(ruled(ruler.logits(), "float16"))
    expect(slider).to_have_attribute(
        "aria-valuetext", "-24. Every exponential is 0, and 0 / 0 is nan."
    )
    expect(ruler.slider("logit of class 1")).to_have_attribute("aria-valuetext", "-25, exp 0, 0")


def test_a_mark_on_the_ruler_is_dragged_by_mouse_into_inf(ruler: Ruler) -> None:
    slider = ruler.slider("logit of class 1")
    for _ in drag_by_mouse(ruler.page, slider, 0.6, 0.8, 0.95):
        logits = ruler.logits()
        assert ruler.screen().startswith(ruled(logits, "float16"))
        expect(ruler.field(ALL)).to_have_value(f"{max(logits):g}")
    assert logits[1] == pytest.approx(14, abs=1)
    assert logits[0] == 2
    inf = float(
        ruler.element.locator(".row")
        .nth(1)
        .evaluate("row => getComputedStyle(row).getPropertyValue('--inf')")
        .strip(" %")
    )
    assert inf == pytest.approx(100 * (11.09375 + 24) / 40)


def test_all_logits_are_dragged_by_touch_on_a_phone(url: str, phone: Any) -> None:
    phone.goto(url + RULER.page)
    ruler = Ruler(phone.page)
    drag_by_touch(phone.page, ruler.slider(ALL), 0.65, 0.95)
    logits = ruler.logits()
    assert logits[0] == pytest.approx(14, abs=2)  # the handle has a width, too
    assert logits[0] - logits[1] == pytest.approx(1)
    assert ruler.screen().startswith(ruled(logits, "float16"))
    expect(ruler.element.locator("tbody i").first).to_have_text("inf")
    ruler.element.get_by_role("button", name="Reset").tap()
    assert ruler.screen().startswith(ruled([2, 1, 0.1], "float16"))


def test_the_rulers_program_prints_the_numbers_on_screen(ruler: Ruler) -> None:
    programs = {ruler.copied("Copy as Python"): ruler.screen()}
    for dtype, logits in zip(DTYPES, (HARD[3], HARD[2], HARD[5], HARD[7]), strict=True):
        ruler.choose(dtype)
        ruler.set(logits)
        ruler.field("target class").select_option("1")
        programs[ruler.copied("Copy as Python")] = ruler.screen()
    assert len(programs) == 5
    for program, screen in programs.items():
        ran = run(program)
        assert (ran.output, ran.failure) == (screen, "")


def test_what_breaks_is_announced_once_it_rests(ruler: Ruler) -> None:
    status = ruler.element.get_by_role("status")
    ruler.slider(ALL).focus()
    for _ in range(3):
        ruler.page.keyboard.press("PageUp")
    assert status.text_content() == ""
    words = "An exponential is inf, and inf / inf is nan. Target: naive softmax nan, "
    shifted = "shifted softmax 0.6592, −log of shifted 0.4167, −log_softmax 0.4172."
    expect(status).to_have_text(words + shifted)


def test_bad_input_is_named_beside_its_field_and_keeps_the_last_good_picture(
    each: Explorer,
) -> None:
    good_screen = each.screen()
    for name in each.kind.fields:
        field = each.field(name)
        good = field.input_value()
        for text in BAD:
            each.paste(name, text)
            expect(field).to_have_attribute("aria-invalid", "true")
            expect(field).to_have_accessible_description(re.compile("number"))
            assert each.screen() == good_screen
        each.type(name, "x")
        expect(field).to_have_attribute("aria-invalid", "true")  # after a pause, without Enter
        each.type(name, good)
        expect(field).to_have_attribute("aria-invalid", "false")
        expect(field).to_have_accessible_description("")


def test_a_copied_link_restores_what_is_shown_and_comes_into_view(each: Explorer) -> None:
    begun = each.screen()
    each.link(each.kind.fragment)
    each.type(each.kind.logits[1], "-3.75")
    screen, link = each.screen(), each.copied("Copy link")
    assert screen != begun
    page = each.page.context.new_page()
    page.goto(link)
    expect(page.locator(each.kind.tag)).to_be_in_viewport()
    assert Explorer(page, each.kind).screen() == screen
    page.close()
    each.press("Reset")
    if "steps" in each.kind.fragment:
        each.press("Reset")  # once for the steps, and once for what they began with
    assert each.screen() == begun
    each.page.evaluate("link => { location.href = link }", link)  # within the page
    expect(each.field(each.kind.logits[1])).to_have_value("-3.75")
    assert each.screen() == screen


def test_an_element_begins_in_the_state_that_its_page_gives_it(url: str, reader: Any) -> None:
    reader.goto(url + "explorables.html")
    reader.scroll_through()
    given = reader.page.locator("[state]").all()
    assert {element.evaluate("e => e.localName") for element in given} == {k.tag for k in KINDS}
    for element in given:
        element.scroll_into_view_if_needed()
        state, shown = element.evaluate("e => [e.getAttribute('state'), e.write()]")
        assert set(state.split("&")) <= set(shown.split("&")), state


def test_a_bad_link_is_ignored_and_so_is_an_anchor_of_the_page(
    url: str, desk: Callable[[str], Any], each: Explorer
) -> None:
    begun = each.screen()
    for fragment in each.kind.others:
        each.link(fragment)
        assert each.screen() == begun
    heading = each.page.locator("h2[id]").last
    each.page.evaluate("id => { location.hash = id }", heading.get_attribute("id"))
    expect(heading).to_be_in_viewport()
    page = each.page.context.new_page()
    page.goto(f"{url}{each.kind.page}#{each.kind.tag}=nonsense")
    assert Explorer(page, each.kind).screen() == begun
    page.close()
    icon = "assets/logo.svg"  # may still be on its way when the page is closed
    assert [e for e in desk(each.kind.page).log.errors if not e.endswith(icon)] == []


@pytest.mark.parametrize(
    ("kind", "fragment"),
    [
        (SOFTMAX, "3,1,2&order=0,0,9&constant=x&pair=0,0"),
        (TEMPERATURE, "3,1,2&T=0.01&tied=yes"),
        (TEMPERATURE, "3,1,2&T=1,2"),
        (STEPPER, "3,1,2&target=3&eta=0&steps=1001"),
        (STEPPER, "3,1,2&target=x&eta=&steps=-1"),
        (RULER, "3,1,2&dtype=float8&target=x"),
        (RULER, "3,1,2&dtype=&target=-1"),
        (RULER, "3,1,2&target=0.5"),
        (RULER, "3,1,2&target=3"),
    ],
)
def test_a_bad_part_of_a_link_is_ignored_on_its_own(each: Explorer, fragment: str) -> None:
    first = each.field(each.kind.logits[0])
    each.link("3,1,2")
    expect(first).to_have_value("3")
    screen = each.screen()
    each.link("1,2,3")
    expect(first).to_have_value("1")
    each.link(fragment)
    expect(first).to_have_value("3")
    assert each.screen() == screen


def test_the_copied_program_prints_the_numbers_on_screen(each: Explorer) -> None:
    programs = {each.copied("Copy as Python"): each.screen()}
    each.link(each.kind.fragment)
    programs[each.copied("Copy as Python")] = each.screen()
    each.type(each.kind.logits[0], "-8.25")
    programs[each.copied("Copy as Python")] = each.screen()
    assert len(programs) == len(set(programs.values())) == 3
    for program, screen in programs.items():
        ran = run(program)
        assert (ran.output, ran.failure) == (screen, "")


def test_a_change_is_announced_once_it_rests(each: Explorer) -> None:
    status = each.element.get_by_role("status")
    status.evaluate(SAID)
    each.slider(each.kind.logits[0]).focus()
    for _ in range(10):
        each.page.keyboard.press("ArrowRight")
    number = re.findall(each.kind.shown, each.screen())[0]
    expect(status).to_have_text(re.compile(each.kind.said.format(number)))
    assert len(each.page.evaluate("said")) == 1


def test_leaving_the_page_and_coming_back_leaves_one_copy_and_no_listener(
    url: str, reader: Any, kind: Kind
) -> None:
    page: Page = reader.page
    reader.goto(url + kind.page)  # the theme has a listener of its own
    each = Explorer(page, kind)
    session = page.context.new_cdp_session(page)

    def listeners() -> int:
        found = session.send("Runtime.evaluate", {"expression": "window"})["result"]["objectId"]
        asked = session.send("DOMDebugger.getEventListeners", {"objectId": found})["listeners"]
        return sum(listener["type"] == "hashchange" for listener in asked)

    there = listeners()
    each.element.evaluate(
        "element => { [kept, place] = [element, element.nextSibling]; element.remove() }"
    )
    assert listeners() == there - 1
    page.evaluate("place.before(kept)")
    assert listeners() == there
    begun = each.screen()
    each.type(each.kind.logits[1], "2")
    assert each.screen() != begun

    page.locator(".md-footer__link--next").click()
    page.wait_for_url(lambda address: not address.endswith(each.kind.page))
    page.locator(".md-footer__link--prev").click()
    page.wait_for_url(url + each.kind.page)
    reader.settle()
    Explorer(page, each.kind)
    expect(each.element).to_have_count(1)
    assert page.locator("script[src*=explorables]").count() == 1
    assert each.element.locator(".frame").count() == 1
    assert listeners() == there
    assert reader.log.errors == []


@pytest.mark.parametrize("place", ["desk", "phone"])
def test_nothing_moves_when_it_comes_alive(
    url: str,
    reader: Any,
    new_phone: Callable[[], AbstractContextManager[Any]],
    kind: Kind,
    place: str,
) -> None:
    def look(visitor: Any) -> None:
        page: Page = visitor.page
        page.route("**/explorables.js", lambda route: route.fulfill(body=""))
        visitor.goto(url + kind.page)
        element = page.locator(kind.tag)
        element.scroll_into_view_if_needed()
        visitor.settle()
        before = element.bounding_box()
        assert element.evaluate("element => element.shadowRoot") is None
        page.evaluate(WATCH)
        page.unroute("**/explorables.js")
        page.add_script_tag(url=page.locator("script[src*=explorables]").evaluate("s => s.src"))
        expect(element.locator(".frame")).to_be_visible()
        visitor.settle()
        after, frame = element.bounding_box(), element.locator(".frame").bounding_box()
        assert before == after
        assert after
        assert frame
        assert after["height"] - frame["height"] < 30, "too much room is kept in page.css"
        assert page.evaluate("shifts") == []

    if place == "desk":
        look(reader)
    else:
        with new_phone() as visitor:
            look(visitor)


def test_the_figure_stays_without_scripts_and_in_print(
    url: str, browser: Browser, each: Explorer
) -> None:
    figure_before = f"figure:has(+ {each.kind.tag})"
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url + each.kind.page)
    expect(page.locator(f"{figure_before} svg")).to_be_visible()
    box = page.locator(each.kind.tag).bounding_box()
    assert box
    assert box["height"] == 0
    context.close()
    each.page.emulate_media(media="print")
    expect(each.element).to_be_hidden()
    expect(each.page.locator(f"{figure_before} svg")).to_be_visible()


def test_it_works_in_a_double_clicked_folder(site: Path, reader: Any, kind: Kind) -> None:
    reader.goto((site / kind.page).as_uri())
    explorer = Explorer(reader.page, kind)
    begun = explorer.screen()
    explorer.type(kind.logits[1], "-2")
    assert explorer.screen() != begun
    explorer.press("Copy link")
    expect(explorer.element.get_by_role("status")).to_have_text("Copied.")
    assert reader.log.errors == []


def test_axe_finds_nothing_to_fault_in_the_largest_picture_and_a_bad_field(
    each: Explorer, violations: Callable[..., list[str]]
) -> None:
    schemes: Any = ("light", "dark")
    page = each.page
    each.link(each.kind.fragment)
    each.paste(each.kind.logits[1], "abc")
    expect(each.field(each.kind.logits[1])).to_have_attribute("aria-invalid", "true")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        palette = "slate" if scheme == "dark" else "default"
        expect(page.locator("body")).to_have_attribute("data-md-color-scheme", palette)
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert violations(page, each.kind.tag) == []
            assert page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("width", [1280, 390, 360])
def test_no_state_on_the_contributors_page_sticks_out_of_its_frame(
    url: str, reader: Any, width: int
) -> None:
    reader.page.set_viewport_size({"width": width, "height": 800})
    reader.goto(f"{url}explorables.html")
    reader.scroll_through()
    reader.page.wait_for_function("document.querySelector('float-ruler').shadowRoot")
    assert reader.page.evaluate(STICKS_OUT) == []
