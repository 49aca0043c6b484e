"""Every formula that a reader sees was read by the checks."""

import html
import re
from collections import Counter
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from softmax_ce.verify.page import Page

ROOT = Path(__file__).parents[2]
PAGES = [page for page in (ROOT / "docs").rglob("*.md") if page.stem != "reference"]
NOTEBOOKS = sorted((ROOT / "docs" / "notebook").glob("*.py"))
MODULES = sorted((ROOT / "softmax_ce").glob("[!_]*.py"))


def seen(page: Path) -> Counter[str]:
    """The LaTeX of the formulas on a built page, without the environment that numbers them."""
    formulas = BeautifulSoup(page.read_text(), "html.parser").select(".arithmatex")
    return Counter(bare(html.unescape(str(formula["data-tex"]))) for formula in formulas)


def read(*pages: Path) -> Counter[str]:
    return Counter(bare(formula.latex) for page in pages for formula in Page(page).formulas)


def bare(latex: str) -> str:
    return " ".join(re.sub(r"\\(begin|end)\{equation\}", "", latex).split())


@pytest.mark.parametrize("page", [*PAGES, *NOTEBOOKS], ids=lambda page: page.name)
def test_the_checks_read_the_formulas_of_the_built_page(site: Path, page: Path) -> None:
    assert read(page) == seen(site / page.relative_to(ROOT / "docs").with_suffix(".html"))


def test_the_checks_read_the_formulas_of_the_reference(site: Path) -> None:
    public = seen(site / "reference.html")
    assert public
    assert public <= read(*MODULES)
