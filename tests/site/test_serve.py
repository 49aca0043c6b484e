"""`mkdocs serve` shows what a saved source draws now, without a restart, and builds once for it."""

import os
import re
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
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[2]
SHOWN = "".join((ROOT / "docs" / "index.md").read_text().partition("\n## Notation\n")[1:])
NOTATION = re.sub(r"\(x\) = [^$]*", "(x)", SHOWN)  # only its own page binds x
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
        build(load_config("mkdocs.yml", site_dir="rebuilt", strict=True))
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
        "index.md": f"{PAGE}\n[There](other.md#here)\n{NOTATION}",
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
    assert [outcome == "None" for outcome in outcomes] == [True, False, False, True], outcomes
    shutil.rmtree(project / ".cache")
    run([sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", "fresh"])
    rebuilt, fresh = (
        {file.relative_to(site): file.read_bytes() for file in site.rglob("*") if file.is_file()}
        for site in (project / "rebuilt", project / "fresh")
    )
    assert {path for path, _ in rebuilt.items() ^ fresh.items()} == set()
    assert b"Another text" in rebuilt[Path("notebook", "tiny.html")]


WRONG = r"""# A page

Some text.

$$\sum_i p_i = 2$$

??? question "An exercise"

    ```python
    print(1)
    ```

More text.
"""


def test_a_fault_is_named_in_the_terminal_and_on_the_page_above_what_it_is_about(
    project: Path,
) -> None:
    page = project / "docs" / "index.md"
    page.write_text(WRONG + NOTATION)
    server = Server(project)
    try:
        server.wait_until(lambda html: 'role="alert"' in html)
        html = BeautifulSoup(server.page(), "html.parser")
        equation, block = html.select("[role=alert]")
        assert "docs/index.md:5" in equation.get_text()
        assert "this equation does not hold" in equation.get_text()
        assert "arithmatex" in equation.find_next_sibling().get_attribute_list("class")  # type: ignore[union-attr]
        assert "docs/index.md:9" in block.get_text()
        assert "softmax-ce verify --accept docs/index.md" in block.get_text()
        assert block.find_next_sibling().name == "details"  # type: ignore[union-attr]
        for line in ("docs/index.md:5: this equation", "docs/index.md:9: this block prints"):
            assert f"WARNING -  {line}" in server.log.read_text()
        page.write_text(page.read_text().replace("p_i = 2", "p_i = 1").replace("print(1)", "1"))
        server.wait_until(lambda html: html.count("A page") > 0 and 'role="alert"' not in html)
    finally:
        server.process.terminate()
        server.process.wait()
