"""One way to write code on a page, so that no block escapes the checks."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
OPENINGS = ["```python", "```text", "```console", "````markdown", "```markdown"]
FENCE = re.compile(r"(?:> *)*(`{3,}|~{3,})")
EXPECTED = "<!--pytest-codeblocks:expected-output-->"


def faults(text: str, page: str) -> Iterator[str]:
    """What is written in a way that pytest-codeblocks would pass over or the reader not see."""
    fence, opened = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if fence:
            if stripped == fence:
                fence = ""
        elif match := FENCE.match(stripped):
            fence, opened = match[1], number
            if stripped not in OPENINGS:
                yield f"{page}:{number}: {stripped}: open a block with one of {OPENINGS}"
        elif stripped.startswith("<!--") and "pytest" in stripped and stripped != EXPECTED:
            yield f"{page}:{number}: {stripped}: only {EXPECTED} is allowed"
        elif re.search(r"<(pre|code)\b|`#!|^=== ", stripped):
            yield f"{page}:{number}: write code as a fence that opens with ```python"
    if fence:
        yield f"{page}:{opened}: close this block with {fence} on a line of its own"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_code_is_written_in_plain_fences(page: Path) -> None:
    found = [*faults(page.read_text(), str(page.relative_to(ROOT)))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "```py\n1\n```",
        "```Python\n1\n```",
        "```\n1\n```",
        "``` python\n1\n```",
        '```python title="x"\n1\n```',
        "~~~python\n1\n~~~",
        "> ```python\n> 1\n> ```",
        '=== "Tab"\n',
        "<pre><code>1</code></pre>",
        "`#!python 1`",
        "```python\n1\n",
        "<!--pytest-codeblocks:skipfile-->",
        "<!--pytest-codeblocks:cont-->",
        "<!--pytest.mark.skip-->",
    ],
)
def test_another_way_is_refused_with_its_line(text: str) -> None:
    fault, *_ = faults(f"# A page\n\n{text}", "docs/page.md")
    assert fault.startswith("docs/page.md:3: ")
