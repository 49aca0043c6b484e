"""The Python blocks of a page: each runs alone, and prints what the page shows below it."""

import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from difflib import unified_diff
from functools import partial

from softmax_ce.verify.claim import Claim
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import EXPECTED, Block, Page
from softmax_ce.verify.part import Part, alone
from softmax_ce.verify.run import Ran, run
from softmax_ce.verify.sources import imports


def of(page: Page) -> list[Block]:
    """The Python blocks of a page."""
    return [block for block in page.blocks if block.language == "python"]


def claims(page: Page) -> list[Claim]:
    """The page's blocks, and the outputs that it shows below them."""
    blocks = [Claim("block", block.line, block.code.split("\n")[0]) for block in of(page)]
    shown = [block for block in of(page) if block.output_line]
    return blocks + [Claim("output", b.output_line, b.output.split("\n")[0]) for b in shown]


def parts(page: Page) -> list[Part]:
    """Each block with its output."""
    return [
        Part(
            page=alone(page, blocks=[block]),
            text=repr((block.code, block.output, bool(block.output_line))),
            lines=[block.line, block.output_line],
            modules=_imports(block),
        )
        for block in of(page)
    ]


def check(page: Page) -> Iterator[Fault]:
    """Run the page's blocks, and compare what they print with what the page shows."""
    for block, ran in _all(page):
        if fault := _fault(page, block, ran):
            yield fault


def check_one(page: Page, block: Block) -> Fault | None:
    """Run one block of the page, and compare."""
    return _fault(page, block, _run(page, block))


def accept(page: Page) -> str:
    """The page's source with every output as its block prints it, and nothing else changed."""
    lines = io.StringIO(page.source, newline="").readlines()
    for block, ran in reversed(_all(page)):
        if _fault(page, block, ran) and not _refused(ran):
            _show(ran.output, block, lines)
    return "".join(lines)


def _imports(block: Block) -> list[str]:
    try:
        return imports(block.code.encode())
    except SyntaxError:  # it will not run
        return []


def _run(page: Page, block: Block) -> Ran:
    return run(block.code, str(page.path), block.line)


def _all(page: Page) -> list[tuple[Block, Ran]]:
    # Threads that only wait: the blocks run in processes of their own.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [*zip(of(page), pool.map(partial(_run, page), of(page)), strict=True)]


def _fault(page: Page, block: Block, ran: Ran) -> Fault | None:
    if refused := _refused(ran):
        return Fault(page.path, block.line, refused)
    if ran.output == block.output and bool(ran.output) == bool(block.output_line):
        return None
    shown, printed = block.output.splitlines(), ran.output.splitlines()
    diff = unified_diff(shown, printed, "the page shows", "the block prints", lineterm="")
    what = "something else than" if ran.output else "nothing of what"
    remedy = f"If the block is right: softmax-ce verify --accept {page.path}"
    message = "\n".join([f"this block prints {what} its page shows:", *diff, remedy])
    return Fault(page.path, block.line, message)


def _refused(ran: Ran) -> str:
    """Why the block cannot stand on a page as it is, if so."""
    if ran.failure or ran.errors:
        return f"this block fails or warns:\n{ran.failure}{ran.errors}".rstrip()
    *rows, last = ran.output.split("\n")
    if last:
        return f"this block does not end its last line: {last!r}. Print a newline after it."
    for row in rows:
        if not row.isprintable() or row != row.rstrip() or row.lstrip().startswith("```"):
            return (
                f"a page cannot show this line that the block prints: {row!r}. "
                "Print no blanks at its end, no control characters, and no fence."
            )
    return ""


def _show(output: str, block: Block, lines: list[str]) -> None:
    """Write what the block prints below it, in the lines of the source."""
    opening = lines[block.line - 1]
    before = opening[: opening.index("```")]  # its indent; in a notebook a comment sign, too
    ending = _ending(opening)
    rows = output.splitlines()
    if output and block.output_line:
        new = [f"{before}{row}".rstrip() + ending for row in rows]
        lines[block.output_line : block.output_end - 1] = new
    else:
        rows = ["", EXPECTED, "", "```text", *rows, "```"] if output else []
        end = max(block.end, block.output_end)
        closing = lines[block.end - 1].removesuffix(_ending(lines[block.end - 1]))
        new = [closing, *(f"{before}{row}".rstrip() for row in rows)]
        lines[block.end - 1 : end] = [ending.join(new) + _ending(lines[end - 1])]


def _ending(line: str) -> str:
    """The line's own ending: a file may have either, and none after its last line."""
    return line[len(line.rstrip("\r\n")) :]
