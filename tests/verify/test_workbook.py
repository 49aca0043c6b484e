"""The workbook holds its solutions: they are right, they are nowhere else in another form, and the
blank version fails politely. What is wrong with one is named by file and line.
"""

import ast
import re
from pathlib import Path

import pytest

import softmax_ce
from softmax_ce.check import file
from softmax_ce.check.ladder import LADDER
from softmax_ce.verify import blocks, ledger, same_code, workbook
from softmax_ce.verify.page import Page

DOCS = Path(__file__).parents[2] / "docs"
WORKBOOK = Page(DOCS / workbook.WORKBOOK)
PRACTICE = Page(DOCS / "practice.md")
ONE = """\
# %% [markdown]
# # One exercise

# %%
from softmax_ce import check


# %%
def log_odds(logits, i, j):
    ### BEGIN SOLUTION
    gap = logits[i] - logits[j]

    return gap
    ### END SOLUTION


# %%
check.log_odds(log_odds)
"""


def functions(script: str) -> dict[str, ast.FunctionDef]:
    nodes = ast.walk(ast.parse(script))
    return {node.name: node for node in nodes if isinstance(node, ast.FunctionDef)}


def test_it_holds() -> None:
    assert [*workbook.check(WORKBOOK)] == []


def test_workbook_and_practice_have_every_rung_in_the_order_of_the_ladder() -> None:
    assert [*workbook.exercises(WORKBOOK)] == [*LADDER]
    assert re.findall(r"^## (\d+)\.", WORKBOOK.text, re.MULTILINE) == numbers()
    headings = re.findall(r"^### (\d+)\. `(\w+)` \{#(\w+)\}$", PRACTICE.text, re.MULTILINE)
    assert headings == [*zip(numbers(), LADDER, LADDER, strict=True)]
    listed = re.findall(r"^(\d+)\. \[`(\w+)`\]\(#(\w+)\): ", PRACTICE.text, re.MULTILINE)
    assert listed == headings


def test_the_skeleton_of_a_plain_file_has_the_workbooks_parameters_and_modules(
    tmp_path: Path,
) -> None:
    file.new(tmp_path / "mine.py")
    skeleton = (tmp_path / "mine.py").read_text()
    here, there = functions(skeleton), functions(WORKBOOK.source)
    for name in LADDER:
        assert ast.unparse(here[name].args) == ast.unparse(there[name].args)
    for line in ("import math", "import torch", "import torch.nn.functional as F"):
        assert line in skeleton.split("\n")
        assert line in WORKBOOK.source.split("\n")


def numbers() -> list[str]:
    return [str(number) for number in range(1, len(LADDER) + 1)]


def test_below_each_heading_of_practice_stand_two_hints_and_the_solution() -> None:
    assert re.findall(r'^\?\?\? \w+ "(.*)"$', PRACTICE.text, re.MULTILINE) == [
        "First hint",
        "Second hint",
        "Solution",
    ] * len(LADDER)
    solved = [block for block in blocks.of(PRACTICE) if block.indent]
    for name, block in zip(LADDER, solved, strict=True):
        assert [*functions(block.code)] == [name]
        assert block.output.startswith(f"{name}: right, on ")


def test_the_solutions_of_practice_are_those_of_the_workbook() -> None:
    assert {claim.text for claim in same_code.claims(PRACTICE)} == {*LADDER}
    source = PRACTICE.source.replace("log_probs.gather", "log_probs.detach().gather")
    (fault,) = same_code.check(Page(PRACTICE.path, source))
    assert "cross_entropy is not the workbook's or the package's: copy its body" in str(fault)


def test_the_solutions_that_ask_for_less_than_the_package_are_two() -> None:
    same = {claim.text for claim in same_code.claims(WORKBOOK)}
    both = {name for name in LADDER if name in softmax_ce.__all__}
    assert both - same == {"cross_entropy", "cross_entropy_softmax_gradient"}


def test_a_function_takes_what_its_rung_says_and_starts_from_what_it_gives() -> None:
    blank = workbook.blank(WORKBOOK.source)
    for name, function in functions(blank).items():
        asked = [part.partition("=")[0] for part in LADDER[name].parameters.split(", ")]
        names = [argument.arg for argument in function.args.args]
        assert names[: len(asked)] == asked
        *given, last = function.body
        assert ast.dump(ast.Module(given, [])) == ast.dump(ast.parse(LADDER[name].given))
        assert ast.unparse(last) == "raise NotImplementedError()"


def test_the_blank_is_what_nbgrader_makes() -> None:
    stub = "    # YOUR CODE HERE\n    raise NotImplementedError()\n\n\n"
    head, rest = ONE.split("    ### BEGIN SOLUTION\n")
    tail = rest.split("    ### END SOLUTION\n\n\n")[1]
    assert workbook.blank(ONE) == f"{head}{stub}{tail}"
    assert workbook.blank(workbook.blank(ONE)) == workbook.blank(ONE)
    for found in re.finditer(r"# %% nbgrader=(\{.*\})\ndef (\w+)", WORKBOOK.source):
        assert f'"grade_id": "{found[2]}"' in found[1]
        assert '"solution": true' in found[1]
    assert WORKBOOK.source.count("nbgrader=") == len(LADDER)


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        (
            "i] - logits[j",
            "j] - logits[i",
            9,
            "does not pass its check:\nlog_odds: not right yet\n",
        ),
        ("    ### END SOLUTION\n", "", 10, "readers see this solution: write ### BEGIN SOLUTION"),
        ("    ### END", "  ### END", 10, "readers see this solution: write ### BEGIN SOLUTION"),
        ("    gap", "    1 / 0\n    gap", 9, "It raises ZeroDivisionError"),
        ("check.log", "1 / 0\ncheck.log", 18, "as it is written, the workbook fails or warns:\n"),
        ("check.log_odds(log_odds)\n", "", 10, "write check.log_odds(log_odds) below it"),
        ("check.log", "print(1)\ncheck.log", 1, "only its checks may print in a workbook"),
        ("check.log", "log_odds(1, 2, 3)\ncheck.log", 18, "the workbook fails or warns:\n"),
        ("j):\n", "j:\n", 9, "SyntaxError"),
        ("check.log", "import torch\nlog_odds(torch.ones(2), 0, 1)\ncheck.log", 19, "blank, the "),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    assert ONE.count(old) == 1
    path = tmp_path / "exercise.py"
    path.write_text(ONE.replace(old, new))
    (fault,) = workbook.check(Page(path))
    assert fault.line == line
    assert says in str(fault)
    rows = [row for row in ledger.entries(Page(path)) if row.by == workbook.__name__]
    assert [(row.line, row.result) for row in rows] == [(line, "failed")]


@pytest.mark.parametrize("added", ["# a remark in a solution\n", "# ### BEGIN SOLUTION\n"])
def test_a_remark_that_shows_a_solution_runs_the_workbook_again(added: str) -> None:
    new = ONE.replace("    gap =", f"{added}    gap =")
    (before,), (after,) = (workbook.parts(Page(Path("exercise.py"), text)) for text in (ONE, new))
    assert before.text != after.text
    (same,) = workbook.parts(Page(Path("exercise.py"), ONE.replace("# One", "# An")))
    assert same.text == before.text


def test_a_solution_without_marks_is_named(tmp_path: Path) -> None:
    bare = "\n\n# %%\ndef softmax_naive(logits):\n    return logits.softmax(-1)\n"
    path = tmp_path / "exercise.py"
    path.write_text(f"{ONE}{bare}\n\n# %%\ncheck.softmax_naive(softmax_naive)\n")
    (fault,) = workbook.check(Page(path))
    assert fault.line == 22
    assert "put marks around it. Blank,\nsoftmax_naive: right" in str(fault)


def test_a_notebook_without_marks_is_no_workbook() -> None:
    notebook = Page(DOCS / "notebook" / "day14.py")
    assert (workbook.claims(notebook), workbook.parts(notebook)) == ([], [])
    assert [*workbook.check(notebook)] == []
    assert workbook.blank(notebook.source) == notebook.source
