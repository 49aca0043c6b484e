"""The built site on a web server, and a browser to read it with."""

import gzip
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    sync_playwright,
)

ROOT = Path(__file__).parents[2]
NAV = re.findall(r"^  - .+: (\S+)\.(?:md|py)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
PAGES = [f"{name}.html" for name in NAV]

CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


class Setting(NamedTuple):
    """How a reader looks at the site."""

    scheme: str
    width: int


SETTINGS = [Setting(scheme, width) for scheme in ("light", "dark") for width in (1280, 390)]


class Log:
    """What the pages of a browser context ask for, and what goes wrong."""

    def __init__(self, context: BrowserContext) -> None:
        self.requests: list[str] = []
        self.errors: list[str] = []
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("requestfailed", lambda request: self.errors.append(f"failed: {request.url}"))
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; whatever it asks of another machine fails."""
    chromium = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if chromium is None:
        reason = "no browser: install Chromium, on Debian with `apt-get install chromium`"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ThreadingHTTPServer]:
    """Serves a folder, which is still empty, as a host of static sites does: text compressed."""
    folder = tmp_path_factory.mktemp("site")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        site = folder

        def do_GET(self) -> None:
            path = self.site / unquote(urlsplit(self.path).path).lstrip("/")
            path = path / "index.html" if path.is_dir() else path
            found = path.is_file()
            path = path if found else self.site / "404.html"
            body = read(path)
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", TYPES.get(path.suffix, "text/plain"))
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    @cache
    def read(path: Path) -> bytes:
        body = path.read_bytes()
        return gzip.compress(body, 6)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="session")
def url(browser: Browser, server: ThreadingHTTPServer) -> str:
    """Where the built site is served; it was built for this very address."""
    url = f"http://127.0.0.1:{server.server_port}/"
    folder = server.RequestHandlerClass.site  # type: ignore[attr-defined]
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"SITE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    return url


@pytest.fixture(scope="session")
def site(url: str, server: ThreadingHTTPServer) -> Path:
    """The folder of the built site."""
    folder: Path = server.RequestHandlerClass.site  # type: ignore[attr-defined]
    return folder


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


def open_reader(browser: Browser, setting: Setting) -> Iterator[Reader]:
    scheme: Any = setting.scheme
    height = 844 if setting.width < 600 else 800
    context = browser.new_context(
        color_scheme=scheme,
        viewport={"width": setting.width, "height": height},
        has_touch=setting.width < 600,
    )
    context.set_default_timeout(5000)
    log = Log(context)
    yield Reader(context.new_page(), log)
    context.close()


@pytest.fixture
def reader(browser: Browser) -> Iterator[Reader]:
    """A reader at a desk."""
    yield from open_reader(browser, Setting("light", 1280))


@pytest.fixture
def phone(browser: Browser) -> Iterator[Reader]:
    """A reader with a phone."""
    yield from open_reader(browser, Setting("light", 390))


@pytest.fixture(scope="session")
def visit(
    browser: Browser, url: str, setting: Setting, address: str, settle: Callable[[Page], None]
) -> Iterator[Reader]:
    """The first visit of a page, in each setting: made once for all that is asked about it."""
    for reader in open_reader(browser, setting):
        reader.page.goto(url + address)
        settle(reader.page)
        yield reader


@pytest.fixture(scope="session")
def settle() -> Callable[[Page], None]:
    """Wait until a page stays as it is: fonts loaded, scripts run, drawn twice."""
    return lambda page: page.evaluate(
        """async () => {
            await document.fonts.ready
            for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame)
        }"""
    )


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
