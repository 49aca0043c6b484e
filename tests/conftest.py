"""The site, built and served once; and every block that pytest-codeblocks collects, run alone."""

import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from filelock import FileLock
from pytest_codeblocks.plugin import TestBlock
from xdist.scheduler import LoadScopeScheduling

from softmax_ce.verify import blocks
from softmax_ce.verify.page import Page

ROOT = Path(__file__).parents[1]
TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}

MkDocs = Callable[..., subprocess.CompletedProcess[str]]
SERVED = pytest.StashKey[dict[str, str]]()  # the folder of the site, and the address of its server
SERVER = pytest.StashKey[ThreadingHTTPServer]()


def pytest_configure(config: pytest.Config) -> None:
    """Serve a folder for the site: from here, or for the processes among which tests are dealt."""
    if worker := getattr(config, "workerinput", None):
        config.stash[SERVED] = worker["served"]
        return
    folder = tempfile.mkdtemp()
    server = serve(Path(folder, "site"))
    config.stash[SERVER] = server
    config.stash[SERVED] = {
        "folder": folder,
        "url": f"http://127.0.0.1:{server.server_port}/",
    }


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist where the site is."""
    node.workerinput["served"] = node.config.stash[SERVED]


def pytest_unconfigure(config: pytest.Config) -> None:
    if server := config.stash.get(SERVER, None):
        server.shutdown()
        shutil.rmtree(config.stash[SERVED]["folder"])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Deal out what runs `together`: the groups of pytest-xdist do nothing since pytest 9.2."""
    scheduler = LoadScopeScheduling(config, log)
    scheduler._split_scope = together
    return scheduler


def together(nodeid: str) -> str:
    """What one process runs: the tests of a page in one setting, or those of a file."""
    file, _, test = nodeid.partition("::")
    return "".join(re.findall(r"\[.*\.html\]", test)) or file


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the pages weigh, each in the setting in which it weighs most."""
    reports = [r for kind in ("passed", "failed") for r in terminalreporter.getreports(kind)]
    properties = (pair for report in reports for pair in report.user_properties)
    heaviest = {
        row[0]: row for row in sorted(row for name, row in properties if name == "first load")
    }
    if heaviest:
        terminalreporter.section("first load in kB: page, HTML, all, requests", "-")
    for address, html, total, requests in heaviest.values():
        terminalreporter.write_line(f"{address:24} {html:6.1f} {total:6.1f} {requests:3}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, TestBlock):
            item.runtest = lambda item=item: run_block(item)


def run_block(item: TestBlock) -> None:
    """Run a block that pytest-codeblocks has found, as `softmax-ce verify` does."""
    file, line = item.path.relative_to(item.config.rootpath), item.obj.lineno
    page = Page(file, item.path.read_bytes().decode())
    found = [block for block in blocks.of(page) if block.line == line]
    if not found:
        raise RuntimeError(f"{file}:{line}: write Python as ```python, and shell as ```console")
    if fault := blocks.check_one(page, *found):
        raise RuntimeError(str(fault))


@pytest.fixture(scope="session")
def mkdocs() -> MkDocs:
    """Run the mkdocs command in a project, as its process ended."""

    def mkdocs(project: Path, *arguments: str, **variables: str) -> Any:
        return subprocess.run(
            [sys.executable, "-m", "mkdocs", *arguments],
            cwd=project,
            env=os.environ | {"PYTHONPATH": str(project)} | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return mkdocs


def serve(site: Path) -> ThreadingHTTPServer:
    """Serve a folder, which is still empty, as a host of static sites does: text compressed."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = site / unquote(urlsplit(self.path).path).lstrip("/")
            path = path / "index.html" if path.is_dir() else path
            found = path.is_file()
            path = path if found else site / "404.html"
            body = compressed(path)
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", TYPES.get(path.suffix, "text/plain"))
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Encoding", "gzip")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    @cache
    def compressed(path: Path) -> bytes:
        return gzip.compress(path.read_bytes(), 6)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    return server


@pytest.fixture(scope="session")
def url(pytestconfig: pytest.Config, site: Path) -> str:
    """Where the site is served, once it is built for this address."""
    return pytestconfig.stash[SERVED]["url"]


@pytest.fixture(scope="session")
def site(pytestconfig: pytest.Config, mkdocs: MkDocs) -> Path:
    """The whole site, built strictly; nothing may be written under docs/ meanwhile."""
    served = pytestconfig.stash[SERVED]
    folder = Path(served["folder"])
    site, built_once = folder / "site", folder / "built"
    with FileLock(folder / "building"):
        if not built_once.exists():
            before = snapshot(ROOT / "docs")
            built = mkdocs(
                ROOT, "build", "--strict", "--site-dir", str(site), SITE_URL=served["url"]
            )
            assert built.returncode == 0, built.stderr
            assert snapshot(ROOT / "docs") == before
            built_once.touch()
    return site


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
