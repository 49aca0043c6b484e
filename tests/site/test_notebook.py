"""The notebook is executed when its code, or what its code imports, has changed, and only then."""

from collections.abc import Callable
from pathlib import Path

import pytest
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from softmax_ce.site import notebook
from softmax_ce.verify import cache, sources

SCRIPT = """\
# %% [markdown]
# # A title
#
# Some text.

# %%
from softmax_ce.two import two

with open("executions", "a") as file:
    print("x", file=file)
print(two())

# %%
[two()] * 2
"""
Run = Callable[[str], NotebookNode]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a script in a folder of its own, where `softmax_ce` is one function."""
    package = tmp_path / "softmax_ce"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "two.py").write_text("def two():\n    return 2\n")
    monkeypatch.setattr(sources, "PACKAGE", package)
    monkeypatch.setattr(cache, "FOLDER", tmp_path / ".cache")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.chdir(tmp_path)

    def run(text: str, allow_errors: bool = False) -> NotebookNode:
        Path("script.py").write_text(text)
        return notebook.run(Path("script.py"), "", allow_errors)

    return run


def executions() -> int:
    return len(Path("executions").read_text().splitlines())


def kept() -> list[Path]:
    return [*cache.FOLDER.rglob("*.json")]


def test_an_edit_of_the_text_does_not_execute_again(run: Run) -> None:
    first = notebook.to_ipynb(run(SCRIPT), "")
    again = notebook.to_ipynb(run(SCRIPT), "")
    assert again == first
    edited = notebook.to_ipynb(run(SCRIPT.replace("Some text", "Another text")), "")
    assert edited == first.replace("Some text", "Another text")
    assert executions() == 1


def test_an_edit_of_the_code_or_of_what_it_imports_does(run: Run, tmp_path: Path) -> None:
    run(SCRIPT)
    run(SCRIPT.replace("* 2", "* 3"))
    assert executions() == 2
    (tmp_path / "softmax_ce" / "two.py").write_text("def two():\n    return 22\n")
    cells = run(SCRIPT.replace("* 2", "* 3")).cells
    assert executions() == 3
    assert cells[1].outputs[0].text == "22\n"
    assert len(kept()) == 1, "the cache keeps what is of no more use"


@pytest.mark.parametrize("cell", ["1 / 0", "import sys; print('careful', file=sys.stderr)"])
def test_a_run_that_fails_or_warns_is_not_kept(run: Callable[..., NotebookNode], cell: str) -> None:
    run(f"# %%\n{cell}\n", allow_errors=True)
    assert kept() == []


def test_a_cell_that_fails_is_an_error_each_time(run: Run) -> None:
    for _ in range(2):
        with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
            run("# %%\n1 / 0\n")
    assert kept() == []
