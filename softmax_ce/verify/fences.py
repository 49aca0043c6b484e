"""One way to write code and formulas on a page, so that none escapes the checks."""

import re
from collections.abc import Iterator

from softmax_ce.verify.claim import Claim
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import EXPECTED, FORMULA, Block, Page, blank

OPENINGS = ("```python", "```text", "```console", "```markdown", "````markdown")
FENCE = re.compile(r"(?:> *)*(?:`{3,}|~{3,})")
OTHER_FORMULA = re.compile(r"\\[(\[]|\\begin\{|(?<!\\)\$")
OTHER_CODE = re.compile(r"<(pre|code)\b|`#!|^=== ")


def claims(_: Page) -> list[Claim]:
    """None: these are rules for how a page is written."""
    return []


def check(page: Page) -> Iterator[Fault]:
    """Find what the checks would pass over, or read in another way than the site does."""
    fenced = {number for fence in page.fences for number in range(fence.line, fence.end + 1)}
    faults = [fault for fence in page.fences for fault in _inside(page, fence)]
    faults += _outside(page, fenced)
    faults += _formulas(page)
    return iter(sorted(faults))


def _inside(page: Page, fence: Block) -> Iterator[Fault]:
    opening, *code, closing = page.lines[fence.line - 1 : fence.end]
    if opening.strip() not in OPENINGS:
        yield Fault(page.path, fence.line, f"open a block with one of {', '.join(OPENINGS)}")
    for number, row in enumerate([*code, closing], start=fence.line + 1):
        if row.strip() and not row.startswith(fence.indent):
            yield Fault(page.path, number, f"indent this as the block of line {fence.line}")
    for number, row in enumerate(code, start=fence.line + 1):
        if row.lstrip().startswith(closing.strip()):
            message = f"close the block of line {fence.line} first: {closing.strip()} on its own"
            yield Fault(page.path, number, message)


def _outside(page: Page, fenced: set[int]) -> Iterator[Fault]:
    markers = {
        number
        for block in page.blocks
        if block.output_line
        for number in range(block.end, block.output_line)
    }
    for number, line in enumerate(page.lines, start=1):
        text = line.strip()
        if number in fenced:
            continue
        if FENCE.match(text):
            yield Fault(
                page.path,
                number,
                f"open a block with one of {', '.join(OPENINGS)}, indented by spaces, and close it "
                "with as many backticks on a line of their own",
            )
        elif text == EXPECTED and number not in markers:
            yield Fault(
                page.path,
                number,
                "this output belongs to no block: it stands right below a Python block, indented "
                "as the block, in a fence that opens with ```text",
            )
        elif text.startswith("<!--") and "pytest" in text and text != EXPECTED:
            yield Fault(page.path, number, f"of these comments only {EXPECTED} is read")
        elif OTHER_CODE.search(text):
            yield Fault(page.path, number, "write code as a fence that opens with ```python")


def _formulas(page: Page) -> Iterator[Fault]:
    rest = FORMULA.sub(blank, page.prose)
    for number, line in enumerate(rest.split("\n"), start=1):
        if found := OTHER_FORMULA.search(line):
            message = f"{found[0]} opens no formula here: write formulas between dollar signs"
            yield Fault(page.path, number, f"{message}, and a dollar as \\$")
