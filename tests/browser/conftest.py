"""A browser, and the readers who look at the built site with it."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    BrowserType,
    ConsoleMessage,
    Page,
    Request,
    Response,
    sync_playwright,
)

ROOT = Path(__file__).parents[2]
NAV = re.findall(r"^  - .+: (\S+)\.(?:md|py)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
PAGES = [f"{name}.html" for name in NAV]

CHROMIUMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


READY = "window.component$ && !document.querySelector('h1 ~ :not(.laid-out)')"
SETTLED = """async () => {
    await document.fonts.ready
    for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame)
}"""
SCROLL = """async () => {
    for (let top = 0; top < document.body.scrollHeight; top += innerHeight) {
        scrollTo({ top, behavior: "instant" })
        await new Promise(requestAnimationFrame)
    }
    await new Promise(requestAnimationFrame)
    scrollTo({ top: 0, behavior: "instant" })
}"""
# axe keeps the parts of its thousands of colours in weak maps, which are what its memory costs the
# browser most: as properties of the colours they are kept as well.
PROPERTIES = """class {
    #key = Symbol()
    has(object) { return Object.hasOwn(object, this.#key) }
    get(object) { return object[this.#key] }
    set(object, value) { object[this.#key] = value }
    add(object) { object[this.#key] = true }
}"""
# axe parses the colours behind a text anew for each text; those that it knows it need not parse.
REMEMBER_COLOURS = """() => {
    const { prototype } = axe.commons.color.Color
    const { parseString } = prototype
    const known = new Map()
    prototype.parseString = function (text) {
        if (!known.has(text)) {
            parseString.call(this, text)
            known.set(text, [this.r, this.g, this.b, this.alpha])
        }
        [this.r, this.g, this.b, this.alpha] = known.get(text)
        return this
    }
}"""
# Words that look the same in blocks of code or in formulas, and stand on the same ground, need one
# look: the contrast of the leftmost of a line, which is in view, counts for all. A sign, of which
# axe may not judge, counts for its like only. The text of figures has a test of its own.
SKIP_ALIKE = """within => {
    const grounds = new Map([[null, ""]])
    const ground = part => {
        if (!grounds.has(part)) {
            const { backgroundColor, opacity } = getComputedStyle(part)
            const isClear = /^rgba.* 0\\)$/.test(backgroundColor) && opacity === "1"
            const paint = isClear ? "" : `${backgroundColor} ${opacity};`
            grounds.set(part, paint + ground(part.parentElement))
        }
        return grounds.get(part)
    }
    const left = part => part.getBoundingClientRect().left
    const seen = new Set()
    for (const box of document.querySelectorAll(`${within} :is(pre > code, math)`)) {
        const parts = [...box.querySelectorAll(":not(:has(*))")]
        for (const part of parts.sort((one, other) => left(one) - left(other))) {
            const { color, fontSize, fontWeight, textShadow } = getComputedStyle(part)
            const text = part.textContent.replace(/.*[ -~]{2}.*/, "a word")
            const look = [text, color, fontSize, fontWeight, textShadow, ground(part)].join()
            part.toggleAttribute("alike", seen.has(look))
            seen.add(look)
        }
    }
    const selector = ":not([alike], figure svg *)"
    axe.configure({ rules: [{ id: "color-contrast", selector }] })
}"""
AXE = """async ([within, onlyColours]) => {
    const options = { resultTypes: ["violations"], preload: false }
    if (onlyColours) options.runOnly = ["color-contrast", "link-in-text-block"]
    const { violations } = await axe.run(within, options)
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target, any, html }) => {
        const { fgColor, bgColor, contrastRatio } = any[0]?.data ?? {}
        const colours = fgColor ? ` ${fgColor} on ${bgColor} is ${contrastRatio}:1` : ""
        return `${id}${colours}: ${target.join(" ")}: ${html.slice(0, 80).replaceAll("\\n", " ")}`
    }))
}"""


class Setting(NamedTuple):
    """How a reader looks at the site."""

    scheme: str
    width: int


DESK, PHONE = Setting("light", 1280), Setting("light", 390)
SETTINGS = [Setting(scheme, width) for scheme in ("light", "dark") for width in (1280, 390)]


class Log:
    """What the pages of a browser context ask for, and what goes wrong."""

    def __init__(self, context: BrowserContext) -> None:
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.finished: list[Request] = []
        self.first_load: list[tuple[str, int]] = []  # of a visit: addresses, bytes on the wire
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("requestfailed", lambda request: self.errors.append(f"failed: {request.url}"))
        context.on("requestfinished", lambda request: self.finished.append(request))
        context.on("response", self._response)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("console", self._console)

    def _response(self, response: Response) -> None:
        if not response.ok:
            self.errors.append(f"{response.status}: {response.url}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(f"{message.text} ({message.location.get('url')})")


class Reader(NamedTuple):
    """A page in a browser of its own, with nothing stored, and the log of what happens in it."""

    page: Page
    log: Log

    def goto(self, address: str) -> None:
        """Go to a page, and wait until it stays as it is."""
        self.page.goto(address)
        self.settle()

    def settle(self) -> None:
        """Wait until the script has run, fonts are loaded, and all is laid out and drawn."""
        self.page.wait_for_function(READY, polling=50)
        self.page.evaluate(SETTLED)

    def scroll_through(self) -> None:
        """Look at all of the page: a block has its copy button when it is seen."""
        self.page.evaluate(SCROLL)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where Debian's Chromium is; without one, its tests are skipped, but not by CI."""
    found = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if found is not None:
        return found
    reason = (
        "no browser: install Chromium, on Debian with `apt-get install chromium-headless-shell`"
    )
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """Chromium; whatever it asks of another machine fails."""
    with sync_playwright() as playwright:
        browser = launch(playwright.chromium, chromium)
        yield browser
        browser.close()


@pytest.fixture
def with_scrollbars(browser: Browser, chromium: str) -> Iterator[Reader]:
    """A reader at a desk whose scrollbars take room: Playwright hides those of the others."""
    shown = launch(browser.browser_type, chromium, ignore_default_args=["--hide-scrollbars"])
    with open_reader(shown, DESK) as reader:
        reader.page.set_viewport_size({"width": 1280, "height": 940})  # about a long contents list
        yield reader
    shown.close()


def launch(kind: BrowserType, chromium: str, **options: Any) -> Browser:
    arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    return kind.launch(executable_path=chromium, args=arguments, **options)


@pytest.fixture(scope="session", params=PAGES)
def address(request: pytest.FixtureRequest) -> str:
    """Each page of the navigation."""
    return str(request.param)


@pytest.fixture(scope="session", params=SETTINGS, ids=lambda s: f"{s.scheme}-{s.width}")
def setting(request: pytest.FixtureRequest) -> Setting:
    """Light and dark, wide and narrow."""
    chosen: Setting = request.param
    return chosen


@pytest.fixture(scope="session")
def pages() -> list[str]:
    """All pages in the order of the navigation."""
    return PAGES


@contextmanager
def open_reader(browser: Browser, setting: Setting) -> Iterator[Reader]:
    scheme: Any = setting.scheme
    height = 844 if setting.width < 600 else 800
    context = browser.new_context(
        color_scheme=scheme,
        viewport={"width": setting.width, "height": height},
        has_touch=setting.width < 600,
    )
    context.set_default_timeout(15_000)
    log = Log(context)
    yield Reader(context.new_page(), log)
    context.close()


@pytest.fixture
def reader(browser: Browser) -> Iterator[Reader]:
    """A reader at a desk."""
    with open_reader(browser, DESK) as reader:
        yield reader


@pytest.fixture(scope="session")
def desk(browser: Browser, url: str) -> Iterator[Callable[[str], Reader]]:
    """A reader at a desk with this page, which is loaded once for all who leave it as it was."""
    with ExitStack() as desks:

        @cache
        def desk(address: str) -> Reader:
            reader = desks.enter_context(open_reader(browser, DESK))
            reader.goto(url + address)
            return reader

        yield desk


@pytest.fixture(scope="session")
def guest(browser: Browser, url: str, address: str) -> Iterator[Reader]:
    """A reader at a desk who stays on a page, and does there whatever one can do."""
    with open_reader(browser, DESK) as reader:
        reader.goto(url + address)
        yield reader


@pytest.fixture
def new_phone(browser: Browser) -> Callable[[], AbstractContextManager[Reader]]:
    """Another reader with a phone, each time."""
    return partial(open_reader, browser, PHONE)


@pytest.fixture
def phone(browser: Browser) -> Iterator[Reader]:
    """A reader with a phone."""
    with open_reader(browser, PHONE) as reader:
        yield reader


@pytest.fixture(scope="session")
def visit(browser: Browser, url: str, setting: Setting, address: str) -> Iterator[Reader]:
    """The first visit of a page, in each setting: made once for all that is asked about it."""
    with open_reader(browser, setting) as reader:
        reader.goto(url + address)
        log = reader.log
        log.first_load = [(one.url, one.sizes()["responseBodySize"]) for one in log.finished]
        yield reader


@pytest.fixture(scope="session")
def math_fonts() -> Callable[[Page], set[str]]:
    """The fonts that the identifiers of a page's formulas are really drawn in."""

    def math_fonts(page: Page) -> set[str]:
        session = page.context.new_cdp_session(page)
        session.send("DOM.enable")
        session.send("CSS.enable")
        root = session.send("DOM.getDocument")["root"]["nodeId"]
        found = session.send("DOM.querySelectorAll", {"nodeId": root, "selector": "main math mi"})
        used = [
            font["familyName"]
            for node in found["nodeIds"][:10]
            for font in session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        ]
        session.detach()
        return set(used)

    return math_fonts


@pytest.fixture(scope="session")
def violations() -> Callable[..., list[str]]:
    """What axe-core, as the wheel of axe-playwright-python carries it, finds to fault."""
    package = find_spec("axe_playwright_python")
    assert package is not None, "pip install axe-playwright-python"
    assert package.submodule_search_locations
    axe = Path(package.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")

    def violations(page: Page, within: str = "html", *, only_colours: bool = False) -> list[str]:
        if not page.evaluate("'axe' in window"):
            page.evaluate(f"{{ const WeakMap = {PROPERTIES}, WeakSet = WeakMap\n{axe}\n}}")
            page.evaluate(REMEMBER_COLOURS)
        page.evaluate(SKIP_ALIKE, within)
        found: list[str] = page.evaluate(AXE, [within, only_colours])
        return found

    return violations
