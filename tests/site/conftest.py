"""The built site, made once, and small copies of the project to break."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

MkDocs = Callable[..., subprocess.CompletedProcess[str]]


def run_mkdocs(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", *arguments],
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(project)},
        capture_output=True,
        text=True,
        check=False,
    )


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def mkdocs() -> MkDocs:
    """Run the mkdocs command in a project, as its process ended."""
    return run_mkdocs


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole site, built strictly; nothing may be written under docs/ meanwhile."""
    before = snapshot(ROOT / "docs")
    folder = tmp_path_factory.mktemp("site")
    built = run_mkdocs(ROOT, "build", "--strict", "--site-dir", str(folder))
    assert built.returncode == 0, built.stderr
    assert snapshot(ROOT / "docs") == before
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project whose book is one page, `index.md`: cheap to build and to break."""
    shutil.copytree(ROOT / "softmax_ce", tmp_path / "softmax_ce")
    shutil.copytree(ROOT / "docs" / "assets", tmp_path / "docs" / "assets")
    (tmp_path / "docs" / "index.md").write_text("# A page\n")
    config = (ROOT / "mkdocs.yml").read_text()
    nav = config[config.index("nav:") : config.index("theme:")]
    (tmp_path / "mkdocs.yml").write_text(config.replace(nav, ""))
    return tmp_path
