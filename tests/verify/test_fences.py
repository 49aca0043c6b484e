"""Code and formulas that are written in another way than the one are refused, with their line."""

from pathlib import Path

import pytest

from softmax_ce.verify import fences
from softmax_ce.verify.page import EXPECTED, Page

OUTPUT = f"{EXPECTED}\n\n```text\n1\n```\n"


def faults(text: str) -> list[str]:
    return [str(fault) for fault in fences.check(Page(Path("docs/page.md"), text))]


@pytest.mark.parametrize(
    "text",
    [
        "```py\n1\n```",
        "```Python\n1\n```",
        "```\n1\n```",
        "``` python\n1\n```",
        '```python title="x"\n1\n```',
        '```python title="`x`"\n1\n```',
        "\t```python\n1\n\t```",
        "~~~python\n1\n~~~",
        "> ```python\n> 1\n> ```",
        '=== "Tab"\n',
        "<pre><code>1</code></pre>",
        "`#!python 1`",
        "```python\n1\n",
        "<!--pytest-codeblocks:skipfile-->",
        "<!--pytest-codeblocks:cont-->",
        "<!--pytest.mark.skip-->",
        "\\(p = 1\\)",
        "\\[p = 1\\]",
        "\\begin{align}p = 1\\end{align}",
        "Let $p = 1 be open.",
        "$$\np = 1\n",
    ],
)
def test_another_way_is_refused_with_its_line(text: str) -> None:
    fault, *_ = faults(f"# A page\n\n{text}")
    assert fault.startswith("docs/page.md:3: ")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("```python\n1\n\n```text\n1\n```", "docs/page.md:4: close the block of line 1 first: ```"),
        ("```python\n1\n````\n2\n```", "docs/page.md:3: close the block of line 1 first: ```"),
        ("    ```python\n    1\n  2\n    ```", "docs/page.md:3: indent this as the block of"),
        ("    ```python\n    1\n```", "docs/page.md:3: indent this as the block of line 1"),
    ],
)
def test_a_block_that_others_would_end_elsewhere_is_refused(text: str, fault: str) -> None:
    assert faults(text)[0].startswith(fault)


@pytest.mark.parametrize(
    ("before", "line"),
    [
        ("", 1),
        ("Text.\n\n", 3),
        ("```console\n1\n```\n\n", 5),
        ("```python\nprint(1)\n```\n\nText.\n\n", 7),
        ("    ```python\n    print(1)\n    ```\n\n", 5),
        (f"```python\nprint(1)\n```\n\n{OUTPUT}\n", 11),
    ],
    ids=["nothing", "text", "a console", "text after a block", "an indented block", "an output"],
)
def test_an_output_below_something_else_than_a_block_is_refused(before: str, line: int) -> None:
    (fault,) = faults(before + OUTPUT)
    assert fault.startswith(f"docs/page.md:{line}: this output belongs to no block")


def test_a_longer_fence_shows_markdown_as_it_is_written() -> None:
    assert faults(f"````markdown\n```python\nprint(1)\n```\n\n{OUTPUT}````\n") == []


def test_a_code_span_ends_with_its_paragraph_and_hides_no_formula() -> None:
    page = Page(Path("docs/page.md"), "A stray ` here.\n\n$p_i = 5$\n\nand ` there; \\$5.")
    assert [formula.latex for formula in page.formulas] == ["p_i = 5"]
    assert [*fences.check(page)] == []
