"""`mkdocs serve` shows what a saved source draws now, without a restart, and builds once for it."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.request import urlopen

import pytest

PAGE = "# A page\n\n![Six panels of bars, whatever they show.](figure:temperature.panels)\n"


class Server:
    """mkdocs serve on a project, and what it serves."""

    def __init__(self, project: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.log = project / "serve.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "mkdocs", "serve", "--dev-addr", self.address],
                cwd=project,
                env=os.environ | {"PYTHONPATH": str(project)},
                stderr=log,
            )

    def page(self) -> str:
        try:
            return str(urlopen(f"http://{self.address}/", timeout=5).read(), "utf-8")
        except OSError:
            return ""

    def builds(self) -> int:
        return self.log.read_text().count("Building documentation")

    def wait_until(self, condition: Callable[[str], bool]) -> None:
        deadline = time.monotonic() + 40
        while not condition(self.page()):
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)


@pytest.fixture
def server(project: Path) -> Iterator[Server]:
    """A server whose figure was drawn by an earlier process and comes from the cache."""
    (project / "docs" / "index.md").write_text(PAGE)
    drawing = [sys.executable, "-m", "mkdocs", "build", "--quiet"]
    environment = os.environ | {"PYTHONPATH": str(project)}
    subprocess.run(drawing, cwd=project, env=environment, check=True, capture_output=True)
    server = Server(project)
    server.wait_until(lambda page: "<svg role" in page)
    yield server
    server.process.terminate()
    server.process.wait()


@pytest.mark.parametrize(
    ("source", "old", "new", "seen"),
    [
        ("figures/temperature.py", '"probability"', '"likelihood"', ">likelihood<"),
        ("temperature.py", "keepdim=True)) / T", "keepdim=True)) / T * 0", ">0.25<"),
    ],
)
def test_a_saved_source_is_served_after_one_build(
    server: Server, project: Path, source: str, old: str, new: str, seen: str
) -> None:
    file = project / "softmax_ce" / source
    text = file.read_text()
    assert old in text
    before = server.page().count(seen)
    file.write_text(text.replace(old, new))
    server.wait_until(lambda page: page.count(seen) > before)
    time.sleep(3)  # a loop would build again by now
    assert server.builds() == 2


REBUILDS = """
from pathlib import Path
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

def rebuild():
    try:
        build(load_config("mkdocs.yml", site_dir="rebuilt"))
    except Abort as failure:
        return str(failure)

def edit(file, old, new):
    Path("docs", file).write_text(Path("docs", file).read_text().replace(old, new))

load_config("mkdocs.yml").plugins.on_startup(command="serve", dirty=False)
print(rebuild())
edit("other.md", "## Here", "## There")
print(rebuild())
edit("reference.md", "Text", "Prose")
print(rebuild())
edit("other.md", "## There", "## Here")
edit("notebook/tiny.py", "Some", "Another")
print(rebuild())
"""


def test_a_build_that_renders_what_changed_gives_the_site_and_the_warnings_of_a_fresh_one(
    project: Path,
) -> None:
    pages = {
        "index.md": f"{PAGE}\n[There](other.md#here)\n",
        "other.md": "# Other\n\n## Here\n\n$x$\n",
        "reference.md": "# Reference\n\nText\n\n::: softmax_ce.temperature.entropy\n",
        "notebook/tiny.py": "# %% [markdown]\n# # Tiny\n#\n# Some text.\n\n# %%\nprint(1)\n",
    }
    (project / "docs" / "notebook").mkdir()
    for name, text in pages.items():
        (project / "docs" / name).write_text(text)
    run = partial(
        subprocess.run,
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project)},
        check=True,
        capture_output=True,
        text=True,
    )
    outcomes = run([sys.executable, "-c", REBUILDS]).stdout.splitlines()
    assert [outcome == "None" for outcome in outcomes] == [True, False, False, True]
    shutil.rmtree(project / ".cache")
    run([sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", "fresh"])
    rebuilt, fresh = (
        {file.relative_to(site): file.read_bytes() for file in site.rglob("*") if file.is_file()}
        for site in (project / "rebuilt", project / "fresh")
    )
    assert {path for path, _ in rebuilt.items() ^ fresh.items()} == set()
    assert b"Another text" in rebuilt[Path("notebook", "tiny.html")]
