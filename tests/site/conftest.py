"""A small copy of the project to break."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


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
