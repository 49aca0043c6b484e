"""Every Python block that a reader sees has run, prints what stands below it, and is our code."""

import ast
import inspect
import json
import os
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from pytest_codeblocks import CodeBlock, extract_from_file

import softmax_ce

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "docs" / "notebook" / "day14.py"
PAGES = sorted((ROOT / "docs").glob("*.md"))
BLOCKS = {
    f"{page.relative_to(ROOT)}:{block.lineno}": block
    for page in [*PAGES, ROOT / "README.md"]
    for block in extract_from_file(page)
    if block.syntax == "python"
}
every_block = pytest.mark.parametrize("block", BLOCKS.values(), ids=BLOCKS)


@every_block
def test_a_block_fits_the_page(block: CodeBlock) -> None:
    lines = (block.code + (block.expected_output or "")).splitlines()
    assert [line for line in lines if len(line) > 80] == []


def built(site: Path, page: Path) -> Path:
    return site / f"{page.stem}.html"


def census(blocks: Iterable[str]) -> Counter[str]:
    """Count the blocks, less blank lines: pytest-codeblocks drops those of an indented fence."""
    dedented = (textwrap.dedent(block).splitlines() for block in blocks)
    return Counter("\n".join(line for line in lines if line.strip()) for lines in dedented)


def python_blocks(html: Path) -> Counter[str]:
    """The Python that a reader sees on a page; signatures in the reference are no programs."""
    page = BeautifulSoup(html.read_text(), "html.parser")
    languages = [f".language-{name} code" for name in ("py", "python", "python3", "pycon")]
    blocks = page.select(", ".join(languages))
    return census(b.get_text() for b in blocks if not b.find_parent(class_="doc-signature"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_of_a_page_was_collected(site: Path, page: Path) -> None:
    if page.stem == "reference":  # its examples are docstrings', which the doctests run
        docstrings = [
            inspect.getdoc(getattr(softmax_ce, name)) or "" for name in softmax_ce.__all__
        ]
        collected = census(docstring.split("Examples:\n")[1] for docstring in docstrings)
    else:
        collected = census(b.code for b in extract_from_file(page) if b.syntax == "python")
    seen = python_blocks(built(site, page))
    missed = [*(seen - collected)]
    assert not missed, f"{page.name}: nothing runs these; write them as plain fences: {missed}"
    assert seen == collected


def test_every_block_of_the_notebook_is_a_cell_that_ran(site: Path) -> None:
    folder = site / "notebook"
    cells = json.loads((folder / "day14.ipynb").read_text())["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    assert python_blocks(folder / "day14.html") == census(code)


def test_an_output_stands_on_its_page_below_its_block(site: Path) -> None:
    for page in PAGES:
        html = BeautifulSoup(built(site, page).read_text(), "html.parser")
        shown = [
            (block.find_previous_sibling().get_text(), block.get_text())  # type: ignore[union-attr]
            for block in html.select(".output")
        ]
        printed = [
            (b.code, b.expected_output) for b in extract_from_file(page) if b.expected_output
        ]
        assert census(map("".join, shown)) == census(map("".join, printed)), page.name


def functions(code: str) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef))


def bare(function: ast.FunctionDef) -> str:
    """The function without its docstring and annotations."""
    function.returns = None
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:]
    for argument in ast.walk(function.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return ast.unparse(function)


def package() -> dict[str, str]:
    """Every public function of the package, without the decorators that check its input."""
    code = {}
    for module in (ROOT / "softmax_ce").glob("*.py"):
        for function in functions(module.read_text()):
            if function.name in softmax_ce.__all__:
                function.decorator_list = []
                code[function.name] = bare(function)
    return code


@pytest.mark.parametrize(
    ("place", "code"),
    [
        *((place, block.code) for place, block in BLOCKS.items()),
        ("docs/notebook/day14.py", NOTEBOOK.read_text()),
    ],
)
def test_a_function_on_a_page_and_in_the_package_is_the_same_code(place: str, code: str) -> None:
    for function in functions(code):
        if function.name in softmax_ce.__all__:
            assert bare(function) == package()[function.name], (
                f"{place}: {function.name} is not the package's: copy its body again, undecorated"
            )
    shadows = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Lambda)
        and {ast.unparse(target) for target in node.targets} & {*softmax_ce.__all__}
    ]
    assert not shadows, f"{place}: define it as the package does, with def: {shadows}"


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
