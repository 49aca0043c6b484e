"""A block shows what it prints, and only an output is ever rewritten."""

import itertools
import subprocess
import sys
from pathlib import Path

import pytest

from softmax_ce.verify import blocks
from softmax_ce.verify.page import EXPECTED, Page


def block(code: str, output: str = "") -> str:
    shown = f"\n{EXPECTED}\n\n```text\n{output}```\n" if output else ""
    return f"```python\n{code}\n```\n{shown}"


def answer(markdown: str) -> str:
    """The Markdown as a chapter has it in a folded answer."""
    rows = [
        "1. Which?",
        "",
        '    ??? success "Answer"',
        *(f"        {r}" for r in markdown.split("\n")),
    ]
    return "\n".join(row.rstrip() for row in rows)


def page(text: str) -> Page:
    return Page(Path("docs/page.md"), text)


def faults(text: str) -> list[str]:
    return [str(fault) for fault in blocks.check(page(text))]


RIGHT = block("print(2)\nprint()\nprint(4)", "2\n\n4\n")


def test_a_block_that_prints_what_its_page_shows_holds() -> None:
    assert faults(RIGHT + "\n" + block("x = 1") + "\n" + answer(RIGHT)) == []


@pytest.mark.parametrize(
    ("text", "says", "diff"),
    [
        (RIGHT.replace("4\n```", "5\n```"), "something else than", ["-5", "+4"]),
        (block("print(2)"), "something else than", ["+2"]),
        (block("x = 2", "2\n"), "nothing of what", ["-2"]),
        (block("x = 2", "\n").replace("\n\n```\n", "\n```\n"), "nothing of what", []),
        (answer(RIGHT.replace("4\n```", "5\n```")), "something else than", ["-5", "+4"]),
    ],
    ids=["a wrong digit", "no output", "a silent block", "an empty output", "in an answer"],
)
def test_what_differs_is_named_by_file_line_and_remedy(
    text: str, says: str, diff: list[str]
) -> None:
    line = text[: text.index("```python")].count("\n") + 1
    (fault,) = faults(text)
    assert fault.startswith(f"docs/page.md:{line}: this block prints {says} its page shows:\n")
    assert set(diff) <= set(fault.splitlines())
    assert fault.endswith("\nIf the block is right: softmax-ce verify --accept docs/page.md")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("print(2)\n1 / 0", 'File "docs/page.md", line 5'),
        ("print(2)\nraise SystemExit", "SystemExit"),
        ("def (", "SyntaxError"),
        ("import warnings\nwarnings.warn('careful')", "careful"),
        ("print('2   ')", "cannot show this line that the block prints: '2   '"),
        ("print('2\\t3')", "cannot show this line that the block prints: '2\\t3'"),
        ("print('2\\r3')", "cannot show this line that the block prints: '2\\r3'"),
        ("print('```')", "cannot show this line that the block prints: '```'"),
        ("print(2, end='')", "does not end its last line: '2'"),
    ],
)
def test_a_block_that_fails_or_cannot_be_shown_is_never_accepted(code: str, says: str) -> None:
    text = "Text.\n\n" + block(code, "old\n")
    (fault,) = faults(text)
    assert fault.startswith("docs/page.md:3: ")
    assert says in fault
    assert blocks.accept(page(text)) == text


def test_every_output_is_accepted_in_its_place() -> None:
    wrong = [
        block("print(2)\nprint()\nprint(4)", "1\n2\n3\n4\n5\n"),
        block("print(2)\nprint()\nprint(4)"),
        block("x = 1", "2\n"),
        block("x = 1", "\n"),
        block("1 / 0", "2\n"),
    ]
    right = [RIGHT, RIGHT, block("x = 1"), block("x = 1"), block("1 / 0", "2\n")]
    accepted = blocks.accept(page("\n".join(wrong)))
    assert accepted == "\n".join(right)
    assert blocks.accept(page(accepted)) == accepted


@pytest.mark.parametrize("indented", [False, True])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("last", ["", "\n", "\n\nText  \n\n\n"])
def test_accepting_touches_nothing_else(indented: bool, ending: str, last: str) -> None:
    above = "---\ntitle: x\n---\n\n\tA tab, blanks   \nand a \x0c form feed.\n\n"
    outputs = ("2\n\n4\n", "2\n\n3\n", "")
    pages = []
    for output in outputs:
        text = block("print(2)\n\nprint()\nprint(4)", output).rstrip("\n")
        pages.append((above + (answer(text) if indented else text) + last).replace("\n", ending))
    right = pages[0]
    assert faults(right) == []
    for text in pages:
        assert blocks.accept(page(text)) == right


def test_the_spacing_of_an_output_stays_as_its_author_wrote_it() -> None:
    right = RIGHT.replace("\n\n```text", "\n```text").replace("\n\n<!--", "\n\n\n<!--")
    assert blocks.accept(page(right.replace("4\n```", "5\n```"))) == right


def test_a_block_draws_other_numbers_in_every_run() -> None:
    draws = page(block("import torch\nprint(torch.rand(1).item())"))
    assert blocks.accept(draws) != blocks.accept(draws)


def test_blocks_leave_nothing_to_one_another_in_any_order() -> None:
    leaks = block(
        "import torch\n"
        "torch.set_default_dtype(torch.float64)\n"
        "torch.set_num_threads(1)\n"
        "torch.manual_seed(0)\n"
        "torch.softmax = None\n"
        "left = 1"
    )
    look = (
        "import torch\n"
        "print(torch.get_default_dtype(), torch.get_num_threads(), torch.initial_seed() == 0)\n"
        "print(torch.softmax is None, 'left' in globals())"
    )
    fresh = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    looks = block(look, fresh.stdout)
    for order in itertools.permutations([leaks, looks, leaks]):
        assert faults("\n".join(order)) == []
