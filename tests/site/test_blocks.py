"""Every piece of Python that a reader of the site sees has run, and stands above its output."""

import ast
import inspect
import json
import os
import re
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag
from markdown import markdown

import softmax_ce
from softmax_ce import bigram
from softmax_ce.verify import blocks
from softmax_ce.verify.page import Page

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "notebook" / "day14.py"
PAGES = [Page(path) for path in sorted((ROOT / "docs").glob("*.md"))]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.name)

# What is seen as Python and not run, by its class on the site. This list may only shrink.
NOT_RUN = {"doc-signature": "how a function is called: mkdocstrings takes it from the source"}
PYTHON = re.compile(r"language-(py|python3?|pycon)")
PROGRAM = ast.Assign | ast.Call | ast.FunctionDef | ast.Import | ast.ImportFrom


def census(programs: Iterable[str]) -> Counter[str]:
    return Counter(textwrap.dedent(program).strip() for program in programs)


def seen_as_python(html: str) -> Counter[str]:
    """Blocks and coloured code in a line, less outputs, which other tests compare."""
    page = BeautifulSoup(html, "html.parser")
    for other in page.find_all(class_=["output", *NOT_RUN]):
        other.decompose()
    return census(code.get_text() for code in page.select("pre, code.highlight") if is_python(code))


def is_python(code: Tag) -> bool:
    """Whether it is coloured as Python, or reads as Python whatever its fence says."""
    if code.name == "code" or code.find_parent(class_=PYTHON):
        return True
    try:
        tree = ast.parse(code.get_text())
    except SyntaxError:
        return ">>> " in code.get_text()
    return any(isinstance(node, PROGRAM) for node in ast.walk(tree))


def built(site: Path, page: Page) -> str:
    return (site / f"{page.path.stem}.html").read_text()


def test_one_thing_is_not_run() -> None:
    assert len(NOT_RUN) == 1


@pytest.mark.parametrize(
    "text",
    [
        "```py\nx = 1\n```",
        '```python title="x"\nx = 1\n```',
        "```text\nx = 1\n```",
        "```pycon\nx = 1\n```",
        "~~~\nx = 1\n~~~",
        "> ```python\n> x = 1\n> ```",
        '=== "Tab"\n\n    ```python\n    x = 1\n    ```',
        "    x = 1",
        "`#!python x = 1`",
        "<pre><code>x = 1</code></pre>",
    ],
)
def test_python_is_seen_however_it_is_written(text: str) -> None:
    extensions = ["highlight", "inlinehilite", "superfences", "tabbed"]
    options = {"pymdownx.highlight": {"pygments_lang_class": True}}
    html = markdown(
        f"Text.\n\n{text}",
        extensions=[f"pymdownx.{name}" for name in extensions],
        extension_configs=options,
    )
    assert seen_as_python(html) == {"x = 1": 1}


@every_page
def test_every_block_of_a_page_was_run(site: Path, page: Page) -> None:
    if page.path.stem == "reference":  # its examples are docstrings', which the doctests run
        public = [getattr(softmax_ce, name) for name in softmax_ce.__all__]
        functions = filter(inspect.isfunction, vars(bigram).values())
        public += [item for item in functions if item.__module__ == bigram.__name__]
        docstrings = [inspect.getdoc(item) or "" for item in public]
        run = census(text.split("Examples:\n")[1] for text in docstrings if "Examples:\n" in text)
    else:
        run = census(block.code for block in blocks.of(page))
    seen = seen_as_python(built(site, page))
    missed = [*(seen - run)]
    assert not missed, f"{page.path}: nothing runs these; write them as ```python: {missed}"
    assert seen == run


@pytest.mark.parametrize("name", ["day14", "workbook"])
def test_every_block_of_a_notebook_is_a_cell_that_ran(site: Path, name: str) -> None:
    folder = site / "notebook"
    cells = json.loads((folder / f"{name}.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert seen_as_python((folder / f"{name}.html").read_text()) == census(code)


@every_page
def test_an_output_stands_on_its_page_below_its_block(site: Path, page: Page) -> None:
    html = BeautifulSoup(built(site, page), "html.parser")
    shown = [
        (block.find_previous_sibling().get_text(), block.get_text())  # type: ignore[union-attr]
        for block in html.select(".output")
    ]
    printed = [(block.code, block.output) for block in blocks.of(page) if block.output]
    assert census(map("".join, shown)) == census(map("".join, printed))


@every_page
def test_markdown_that_is_shown_as_an_example_holds_too(page: Page) -> None:
    examples = [block for block in page.fences if block.language == "markdown"]
    for example in examples:
        if "<!-- caught in" in page.lines[example.end + 1]:
            continue  # an example of a mistake
        assert [*blocks.check(Page(page.path, example.code))] == []


def test_the_notebook_runs_as_a_script() -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", NOTEBOOK],
        env=os.environ | {"MPLBACKEND": "agg"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.endswith("checks hold\n")
