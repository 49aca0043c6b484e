"""The command says what holds, names what does not, and accepts outputs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from softmax_ce.command import main
from softmax_ce.verify import blocks
from softmax_ce.verify.page import EXPECTED, Page

RIGHT = f"# A page\n\n```python\nprint(2)\n```\n\n{EXPECTED}\n\n```text\n2\n```\n"
WRONG = RIGHT.replace("text\n2", "text\n3")
DRAWS = "```python\nimport torch\nprint(torch.rand(1).item())\n```\n"
FAILS = "```python\n1 / 0\n```\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small book, in the current folder."""
    (tmp_path / "docs" / "more").mkdir(parents=True)
    (tmp_path / "README.md").write_text("# A book\n")
    (tmp_path / "docs" / "index.md").write_text(RIGHT)
    (tmp_path / "docs" / "more" / "page.md").write_text(RIGHT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_where_everything_holds_it_counts_and_exits_with_0(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "README.md: nothing to check",
        "docs/index.md: 1 block, 1 output",
        "docs/more/page.md: 1 block, 1 output",
        "3 pages, 2 blocks, 2 outputs: all hold",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (WRONG, "docs/index.md:3: this block prints something else than its page shows:"),
        (FAILS, "docs/index.md:1: this block fails or warns:"),
        ("```py\nprint(2)\n```\n", "docs/index.md:1: open a block with one of ```python, "),
        (
            "```python\ndef entropy(logits):\n    return 0\n```\n",
            "docs/index.md:2: entropy is not the package's: copy its body again",
        ),
    ],
)
def test_what_does_not_hold_is_named_and_it_exits_with_1(
    project: Path, capsys: pytest.CaptureFixture[str], text: str, fault: str
) -> None:
    (project / "docs" / "index.md").write_text(text)
    assert main(["verify"]) == 1
    out = capsys.readouterr().out
    assert f"\n{fault}" in out
    assert out.splitlines()[-1].startswith("3 pages, ")
    assert out.endswith(": 1 fault\n")
    assert main(["verify", "docs/more", "README.md"]) == 0, "only what is asked for is checked"


def test_accepting_shows_the_diff_and_writes_only_what_changed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong, right = project / "docs" / "index.md", project / "docs" / "more" / "page.md"
    wrong.write_text(WRONG)
    wrong.chmod(0o640)
    os.utime(right, (0, 0))
    assert main(["verify", "--accept"]) == 0
    out = capsys.readouterr().out.splitlines()
    diff = ["--- docs/index.md", "+++ docs/index.md", " ```text", "-3", "+2", " ```"]
    assert [line for line in out if line in diff] == diff
    assert wrong.read_text() == RIGHT
    assert wrong.stat().st_mode & 0o777 == 0o640
    assert right.stat().st_mtime == 0

    os.utime(wrong, (0, 0))
    assert main(["verify", "--accept"]) == 0
    assert wrong.stat().st_mtime == 0
    assert "+++" not in capsys.readouterr().out
    assert sorted(path.name for path in project.rglob("*.md*")) == [
        "README.md",
        "index.md",
        "page.md",
    ]


def test_a_block_that_raises_is_not_accepted_and_its_neighbours_are(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = project / "docs" / "index.md"
    index.write_text(WRONG + FAILS)
    assert main(["verify", "--accept"]) == 1
    assert index.read_text() == RIGHT + FAILS
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_an_output_that_changes_from_run_to_run_is_a_fault_when_it_is_accepted(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "docs" / "index.md").write_text(DRAWS)
    assert main(["verify", "--accept"]) == 1
    assert "docs/index.md:1: this block prints something else" in capsys.readouterr().out


def test_a_page_that_is_saved_meanwhile_keeps_what_its_author_wrote(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    index = project / "docs" / "index.md"
    index.write_text(WRONG)
    accept = blocks.accept

    def slow(page: Page) -> str:
        accepted = accept(page)
        page.path.write_text(WRONG + "\nMore.\n")
        return accepted

    monkeypatch.setattr(blocks, "accept", slow)
    assert main(["verify", "--accept", "docs/index.md"]) == 1
    assert "docs/index.md:1: this page was saved while its blocks ran" in capsys.readouterr().out
    assert index.read_text() == WRONG + "\nMore.\n"


def test_where_there_is_no_book_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["verify"]) == 2
    assert f"there is no page README.md in {tmp_path}; name the pages" in capsys.readouterr().err


def test_on_a_terminal_a_line_says_what_is_being_done(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["verify", "docs/index.md"]) == 0
    out = capsys.readouterr().out
    assert "\r\033[Kdocs/index.md: blocks ..." in out
    assert "\r\033[Kdocs/index.md: 1 block, 1 output\n" in out


def test_where_a_package_is_missing_it_says_what_to_install(project: Path) -> None:
    code = (
        "import sys; sys.modules['yaml'] = None\n"
        "from softmax_ce.command import main; sys.exit(main(['verify']))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert 'install what verify needs: pip install -e ".[verify]"' in ran.stderr


def test_it_needs_neither_the_site_nor_the_tests_tools(project: Path) -> None:
    code = (
        "import sys\n"
        "sys.modules |= dict.fromkeys(['mkdocs', 'material', 'markdown', 'matplotlib', 'pytest'])\n"
        "from softmax_ce.command import main\n"
        "if __name__ == '__main__':\n"
        "    sys.exit(main(['verify']))\n"
    )
    (project / "command.py").write_text(code)
    ran = subprocess.run(
        [sys.executable, "command.py"], capture_output=True, text=True, check=False, cwd=project
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.endswith("all hold\n")
