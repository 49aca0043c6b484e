"""The commands: a skeleton that never overwrites, and a file checked rung by rung."""

import subprocess
import sys
from pathlib import Path

import pytest

from softmax_ce.check import trial
from softmax_ce.check.ladder import LADDER
from softmax_ce.command import main

RIGHT = "import torch\n\n\ndef softmax_stable(logits):\n    return torch.softmax(logits, -1)\n"
WRONG = "\n\ndef logsumexp(logits):\n    return logits.exp().sum(-1).log()\n"


@pytest.fixture
def solutions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path("my_solutions.py")


def test_a_new_file_has_every_rung_and_fails_each_politely(
    solutions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "my_solutions.py"]) == 0
    said = "my_solutions.py is written; next: softmax-ce check my_solutions.py\n"
    assert capsys.readouterr().out == said
    assert main(["check", "my_solutions.py"]) == 1
    *lines, last = capsys.readouterr().out.splitlines()
    count = len(LADDER)
    assert lines == [
        f"{place:2}/{count} -- {name}: not written yet" for place, name in enumerate(LADDER, 1)
    ]
    assert last == f"0 of {count} right; next: log_odds"


def test_new_never_overwrites(solutions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solutions.write_text(RIGHT)
    assert main(["new", "my_solutions.py"]) == 2
    assert solutions.read_text() == RIGHT
    error = "softmax-ce: my_solutions.py exists, and is left as it is; choose another name\n"
    assert capsys.readouterr().err == error


def test_where_all_is_right_it_exits_with_0(
    solutions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solutions.write_text(RIGHT)
    assert main(["check", "my_solutions.py"]) == 0
    line, count = capsys.readouterr().out.splitlines()
    assert line.startswith(" 1/1 ok softmax_stable: right, on ")
    assert count == "1 of 1 right"


def test_a_misspelt_rung_is_named_and_not_passed_over(
    solutions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solutions.write_text(RIGHT + "\n\ndef logsumexpp(logits):\n    return logits\n")
    assert main(["check", "my_solutions.py"]) == 1
    said = "logsumexpp is no rung, and not checked: is logsumexp meant?"
    assert capsys.readouterr().out.splitlines()[1:] == ["1 of 1 right", said]


def test_every_rung_found_gets_its_line_and_one_failure_makes_it_exit_with_1(
    solutions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    solutions.write_text(RIGHT + WRONG)
    assert main(["check", "my_solutions.py"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(" 1/2 ok softmax_stable: right")
    assert lines[1] == " 2/2 -- logsumexp: not right yet"
    assert lines[2] == "          logsumexp(torch.tensor([0.0, 100.0]))"
    assert lines[-1] == "1 of 2 right; next: logsumexp"


def test_one_rung_runs_alone(solutions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    solutions.write_text(RIGHT + WRONG)
    assert main(["check", "my_solutions.py", "--rung", "softmax_stable"]) == 0
    assert "logsumexp" not in capsys.readouterr().out
    assert main(["check", "my_solutions.py", "--rung", "logsumexp"]) == 1


def test_a_file_may_import_its_neighbours_and_what_it_imports_is_not_its_own(
    solutions: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("a_helper_beside.py").write_text("def shift(z):\n    return z - z.max()\n")
    solutions.write_text(
        "from a_helper_beside import shift\nfrom softmax_ce import logsumexp\n" + RIGHT
    )
    assert main(["check", "my_solutions.py"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 of 1 right"


@pytest.mark.parametrize(
    ("source", "arguments", "says"),
    [
        (None, [], "my_solutions.py: No such file or directory; write one with: softmax-ce new"),
        ("def f(:\n", [], "my_solutions.py does not run:\n"),
        ("x = 1\n1 / 0\n", [], "line 2: ZeroDivisionError: division by zero"),
        ("exit(0)\n", [], "line 1: SystemExit: 0"),
        ("x = 1\n", [], "has no function with the name of a rung; the rungs are log_odds, "),
        (RIGHT, ["--rung", "logsumexp"], "my_solutions.py has no function logsumexp; the rungs"),
        (RIGHT, ["--rung", "softmax"], "there is no rung softmax; the rungs are log_odds, "),
    ],
)
def test_what_cannot_be_checked_is_named_and_exits_with_2(
    solutions: Path,
    capsys: pytest.CaptureFixture[str],
    source: str | None,
    arguments: list[str],
    says: str,
) -> None:
    if source is not None:
        solutions.write_text(source)
    assert main(["check", "my_solutions.py", *arguments]) == 2
    assert says in capsys.readouterr().err


def test_a_file_that_does_not_end_is_stopped(
    solutions: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "SECONDS", 0.2)
    solutions.write_text("while True:\n    pass\n")
    assert main(["check", "my_solutions.py"]) == 2
    assert "no result after 0.2 seconds" in capsys.readouterr().err


def test_it_needs_torch_alone() -> None:
    extras = ["matplotlib", "mkdocs", "pytest", "numpy", "mpmath"]
    code = (
        "import sys\n"
        f"sys.modules.update(dict.fromkeys({extras}))\n"
        "from softmax_ce import check\n"
        "import torch, warnings\n"
        "check.softmax_stable(lambda z: torch.softmax(z, -1))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("softmax_stable: right")
