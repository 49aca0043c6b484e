"""The site, built and served once; and every block that pytest-codeblocks collects, run alone."""

import gzip
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from pytest_codeblocks.plugin import TestBlock

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

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="session")
def url(server: ThreadingHTTPServer) -> str:
    """Where the site is served, which it was built for."""
    return f"http://127.0.0.1:{server.server_port}/"


@pytest.fixture(scope="session")
def site(server: ThreadingHTTPServer, url: str, mkdocs: MkDocs) -> Path:
    """The whole site, built strictly; nothing may be written under docs/ meanwhile."""
    folder: Path = server.RequestHandlerClass.site  # type: ignore[attr-defined]
    before = snapshot(ROOT / "docs")
    built = mkdocs(ROOT, "build", "--strict", "--site-dir", str(folder), SITE_URL=url)
    assert built.returncode == 0, built.stderr
    assert snapshot(ROOT / "docs") == before
    return folder


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
