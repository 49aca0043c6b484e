"""What holds is not run again until something that it depends on changes."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from softmax_ce.verify import blocks, cache, equations, ledger, numbers, sources, worker
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import EXPECTED, Page

ROOT = Path(__file__).parents[2]
DOUBLES = f"""```python
from softmax_ce.two import two

print(two())
```

{EXPECTED}

```text
2
```
"""
PRINTS = f"```python\nprint(30)\n```\n\n{EXPECTED}\n\n```text\n30\n```\n"
TRUE = r"$$\sum_i p_i = 1$$"
TEXT = f"# A page\n\nSome text.\n\n{DOUBLES}\n{PRINTS}\n{TRUE}\n\nSo $1 + 1 = 2$, and 30.\n"
SOLUTION = "# %%\ndef softmax():\n    return 2\n\n\ncheck.softmax(softmax)\n"
Runs = Callable[[str], list[str]]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """What is run to know the entries of a page: the check and the first line of the part."""
    package = tmp_path / "softmax_ce"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "two.py").write_text("def two():\n    return 2\n")
    (tmp_path / "docs").mkdir()
    notation = (ROOT / "docs" / "index.md").read_text().partition("\n## Notation\n")[1:]
    (tmp_path / "docs" / "index.md").write_text("".join(notation))
    monkeypatch.setattr(sources, "PACKAGE", package)
    monkeypatch.setattr(cache, "FOLDER", tmp_path / ".cache")
    monkeypatch.chdir(tmp_path)
    ran: list[str] = []

    def run(page: Page, check: Any) -> ledger.Finding:
        name = check.__name__.rpartition(".")[2]
        if check is blocks:  # whose processes would import another package
            (block,) = blocks.of(page)
            ran.append(f"{name} {block.code}")
            faults = [Fault(page.path, block.line, "wrong")] if "no" in block.code else []
            return ledger.Finding(blocks.claims(page), faults)
        if check in (equations, numbers):
            ran.append(f"{name} {page.formulas[0].latex}" if check is equations else name)
        return ledger.Finding(check.claims(page), [*check.check(page)])

    monkeypatch.setattr(ledger, "_run", run)

    def runs(text: str) -> list[str]:
        ran.clear()
        entries.clear()
        entries.extend(ledger.entries(Page(Path("docs/page.md"), text)))
        return [line.splitlines()[0] for line in ran]

    return runs


entries: list[ledger.Entry] = []


def test_an_unchanged_page_runs_nothing_again(runs: Runs) -> None:
    assert len(runs(TEXT)) == 5
    before = [*entries]
    assert runs(TEXT) == []
    assert entries == before
    assert [e.result for e in entries] == ["held"] * len(entries)


def test_an_edit_of_the_text_runs_nothing_and_the_lines_follow(runs: Runs) -> None:
    runs(TEXT)
    before = [*entries]
    assert runs(TEXT.replace("Some text.", "Another text.\n\nMore.")) == []
    assert entries == [entry._replace(line=entry.line + 2) for entry in before]


def test_an_edited_formula_runs_and_no_other(runs: Runs) -> None:
    runs(TEXT)
    assert runs(TEXT.replace(r"\sum_i p_i = 1", r"\sum_j p_j = 1")) == [r"equations \sum_j p_j = 1"]


def test_an_edited_block_runs_and_what_is_bound_to_it(runs: Runs) -> None:
    runs(TEXT)
    assert runs(TEXT.replace("print(30)", "print(15 * 2)")) == ["blocks print(15 * 2)", "numbers"]


def test_numbers_that_are_bound_in_another_way_are_looked_for_again(runs: Runs) -> None:
    runs(TEXT + "\n7.5 and 1.25\n")
    assert runs(TEXT + "\n7.5 at 1.25\n") == ["numbers"]


def test_numbers_that_part_have_their_own_lines(runs: Runs) -> None:
    bound = "7.5<!-- = 7.5 --> is more than{}1.25<!-- = 1.25 -->."
    runs(f"{TEXT}\n{bound.format(' ')}\n")
    assert runs(f"{TEXT}\n{bound.format(chr(10))}\n") == []
    lines = [entry.line for entry in entries if entry.text in ("7.5", "1.25")]
    assert lines[1] == lines[0] + 1


def test_the_notation_of_a_page_is_part_of_its_formulas(runs: Runs) -> None:
    runs(TEXT)
    bound = f"---\nnotation:\n  c: uniform(0, 1)\n---\n{TEXT}"
    assert {run.split()[0] for run in runs(bound)} == {"equations"}


def test_an_edited_function_runs_the_blocks_that_use_it(runs: Runs) -> None:
    runs(TEXT)
    Path("softmax_ce/two.py").write_text("def two():\n    return 1 + 1\n")
    assert runs(TEXT) == ["blocks from softmax_ce.two import two"]


def test_another_version_runs_everything(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = runs(TEXT)
    monkeypatch.setattr(ledger, "_common", lambda: "0123456789abcdef")
    assert runs(TEXT) == everything


def test_what_fails_is_run_each_time_and_says_where_it_is_now(runs: Runs) -> None:
    wrong = TEXT.replace("p_i = 1", "p_i = 2")
    runs(wrong)
    for text in (wrong, wrong.replace("Some text.", "Some\ntext.")):
        assert runs(text) == [r"equations \sum_i p_i = 2"]
        (failed,) = (entry for entry in entries if entry.result == "failed")
        assert failed.line == text.split("$$")[0].count("\n") + 1
        assert "this equation does not hold" in failed.note


def test_a_failing_block_fails_with_its_output_and_no_other(runs: Runs) -> None:
    runs(TEXT.replace("print(30)", "print(no)"))
    assert [e.text for e in entries if e.result == "failed"] == ["print(no)", "30"]


def test_a_claim_with_a_reason_is_exempt(runs: Runs) -> None:
    runs(f"{TEXT}\nIt takes 88<!-- not run: measured --> ms.\n")
    assert [(e.text, e.note) for e in entries if e.result == "exempt"] == [("88", "measured")]


def test_a_display_equation_that_ran_has_an_id(runs: Runs) -> None:
    runs(f"{TEXT}\n{TRUE}<!-- not run: a reason -->\n\n$$p_i > 0$$\n")
    assert [entry.id for entry in entries if entry.id] == ["page-1", "page-3"]


def test_pages_of_other_projects_are_not_kept(runs: Runs, tmp_path: Path) -> None:
    for _ in range(2):
        cache.FOLDER = tmp_path / "elsewhere" / ".cache"
        assert len(runs(TEXT)) == 5


def edit(file: str, text: str) -> Callable[[], object]:
    return lambda: Path(file).write_text(text)


@pytest.mark.parametrize(
    "change",
    [
        edit("docs/page.md", f"{TEXT}\n[A link](other.md#here), [another](picture.svg).\nMore.\n"),
        edit("docs/index.md", "## Notation\n"),
        edit("docs/other.md", "# Other\n\n## There\n"),
        edit("docs/notebook/workbook.py", SOLUTION.replace("2", "1")),
        edit("softmax_ce/two.py", "def two():\n    return 1 + 1\n"),
        edit("softmax_ce/new.py", ""),
        lambda: Path("docs/picture.svg").unlink(),
        lambda: Path("docs/code.svg").unlink(),
        lambda: Path("docs/other.md").rename("docs/another.md"),
    ],
    ids=[
        *("the page", "the notation", "a heading", "a solution", "a source", "a new source"),
        *("a file", "a file behind code", "a page"),
    ],
)
def test_a_page_is_told_again_from_memory_until_something_changes_that_it_depends_on(
    runs: Runs, change: Callable[[], object]
) -> None:
    runs("")  # for its project
    Path("docs/notebook").mkdir()
    far = f"https://a.b/{'c' * 5000}"
    linked = "[A link](other.md#here), [another](picture.svg), [`p[y]`](code.svg)"
    edit("docs/page.md", f"{TEXT}\n{linked}, [far]({far}).\n")()
    edit("docs/other.md", "# Other\n\n## Here\n")()
    edit("docs/notebook/workbook.py", SOLUTION)()
    edit("docs/picture.svg", "")()
    edit("docs/code.svg", "")()

    def retold() -> dict[str, Any] | None:
        page = Page(Path("docs/page.md"))
        return ledger.retold(ledger.key_of(page, ledger.state()), page)

    page = Page(Path("docs/page.md"))
    told = ledger.told(page, {})
    ledger.keep(ledger.key_of(page, ledger.state()), page, told)
    assert retold() == told
    assert "failed" not in {row["result"] for row in told["entries"]}
    edit("docs/other.md", "# Other\n\nText\n\n## Here\n")()
    assert retold() == told, "another page may say what it likes"
    change()
    assert retold() is None


def test_what_fails_is_not_kept_to_be_told_again(runs: Runs) -> None:
    runs("")
    edit("docs/page.md", TEXT.replace("p_i = 1", "p_i = 2"))()
    page = Page(Path("docs/page.md"))
    ledger.keep(ledger.key_of(page, ledger.state()), page, ledger.told(page, {}))
    assert ledger.retold(ledger.key_of(page, ledger.state()), page) is None


@pytest.mark.parametrize(
    ("saved", "is_kept"),
    [
        (lambda: None, True),
        (edit("docs/page.md", TEXT.replace("Some", "More")), False),
        (edit("softmax_ce/two.py", ""), False),
        (edit("softmax_ce/two.py", "def two():\n    return 2\n"), False),
    ],
    ids=["nothing", "the page", "a source", "a source, and undone"],
)
def test_what_was_found_while_an_author_saved_is_not_kept(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, saved: Callable[[], object], is_kept: bool
) -> None:
    runs("")
    edit("docs/page.md", TEXT)()
    page = Page(Path("docs/page.md"))
    key = ledger.key_of(page, ledger.state())
    monkeypatch.setattr(worker, "find_out", lambda *_: (saved(), {})[1])
    worker.answer(["docs/page.md"], lambda _: None)
    assert (ledger.retold(key, page) is not None) == is_kept


def test_a_check_that_breaks_is_a_fault_of_its_page() -> None:
    def check(page: Page) -> list[Fault]:
        raise TypeError("no figure")

    broken = type("numbers", (), {"__name__": "x.numbers", "check": staticmethod(check)})
    page = Page(Path("page.md"), "# A page\n")
    (fault,) = ledger._run(page, broken()).faults
    assert str(fault) == "page.md:1: the check of numbers fails: TypeError: no figure"


def test_a_page_that_is_known_needs_neither_torch_nor_matplotlib() -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from softmax_ce.verify import ledger\nfrom softmax_ce.verify.page import Page\n"
        "if __name__ == '__main__':\n"
        "    [*ledger.entries(Page(Path('docs/softmax.md')))]\n"
        "    print(*{'torch', 'matplotlib', 'numpy'} & {*sys.modules})\n"
    )
    script = cache.FOLDER / "test-known.py"
    script.parent.mkdir(exist_ok=True)
    script.write_text(code)
    for _ in range(2):
        ran = subprocess.run(
            [sys.executable, script], cwd=ROOT, capture_output=True, text=True, check=True
        )
    script.unlink()
    assert ran.stdout == "\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("output.md", "docs/output.md:1: this block prints something else than its page shows"),
        ("block.md", "NameError: name 'logits' is not defined"),
        ("equation.md", "docs/equation.md:2: this equation does not hold"),
        ("number.md", "docs/number.md:13: 1.0968 is bound to nothing"),
        ("figure.md", "figure softmax.odds has no alt text"),
        ("link.md", "docs/index.md has no heading #letters"),
        ("function.md", "docs/function.md:2: softmax_naive is not the package's"),
    ],
)
def test_a_mistake_that_the_book_shows_is_caught(
    name: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    said = ledger.mistakes(Page(Path("docs/verified.md")))
    assert len(said) == 7
    assert len(said[name]) == 1
    assert message in said[name][0]
