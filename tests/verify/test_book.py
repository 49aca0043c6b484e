"""Every page of the book is written so that nothing on it escapes the checks."""

from pathlib import Path

import pytest
from pytest_codeblocks import extract_from_file

from softmax_ce.verify import blocks, book, fences, same_code
from softmax_ce.verify.page import Page

ROOT = Path(__file__).parents[2]
PAGES = [Page(path) for path in book.pages([ROOT / "README.md", ROOT / "docs"])]
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.name)


def test_the_book_has_its_readme_its_chapters_and_its_notebook() -> None:
    names = {page.path.name for page in PAGES}
    assert {"README.md", "softmax.md", "contributing.md", "day14.py"} <= names
    assert len(names) == len(PAGES)


@every_page
def test_code_is_written_in_plain_fences(page: Page) -> None:
    assert [*map(str, fences.check(page))] == []


@every_page
def test_a_function_on_a_page_and_in_the_package_is_the_same_code(page: Page) -> None:
    assert [*map(str, same_code.check(page))] == []


@every_page
def test_a_block_fits_the_page(page: Page) -> None:
    lines = [line for block in blocks.of(page) for line in (block.code + block.output).splitlines()]
    assert [line for line in lines if len(line) > 80] == []


@pytest.mark.parametrize(
    "page", [page for page in PAGES if not page.is_notebook], ids=lambda page: page.path.name
)
def test_pytest_codeblocks_collects_the_same_blocks(page: Page) -> None:
    def less_blank_lines(text: str | None, indent: str) -> str:
        # It drops the blank lines of an indented fence.
        lines = (text or "").splitlines(keepends=True)
        return "".join(line for line in lines if not indent or line.strip())

    collected = [
        (block.lineno, block.syntax, block.code, block.expected_output or "")
        for block in extract_from_file(page.path)
    ]
    ours = [
        (
            block.line,
            block.language,
            less_blank_lines(block.code, block.indent),
            less_blank_lines(block.output, block.indent),
        )
        for block in page.blocks
    ]
    assert collected == ours


def test_notebooks_show_code_in_cells_alone() -> None:
    notebooks = [page for page in PAGES if page.is_notebook]
    assert len(notebooks) == 2
    assert [page.blocks for page in notebooks] == [[], []]
