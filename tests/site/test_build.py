"""What a reader finds in the built site, and what fails a build."""

import base64
import html
import json
import re
import subprocess
import time
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest
from bs4 import BeautifulSoup

from softmax_ce.site import notebook

DOCS = Path(__file__).parents[2] / "docs"
WRITTEN = [*DOCS.glob("*.md"), *DOCS.glob("notebook/*.py")]
MkDocs = Callable[..., subprocess.CompletedProcess[str]]

PAGES = [
    "index.html",
    "softmax.html",
    "cross-entropy.html",
    "gradient.html",
    "geometry.html",
    "stability.html",
    "accuracy.html",
    "temperature.html",
    "language-model.html",
    "notebook/day14.html",
    "practice.html",
    "notebook/workbook.html",
    "clinic.html",
    "verified.html",
    "reference.html",
    "references.html",
    "contributing.html",
    "explorables.html",
]


@pytest.fixture(params=PAGES)
def address(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def page(site: Path, address: str) -> BeautifulSoup:
    return BeautifulSoup((site / address).read_text(), "html.parser")


def test_the_site_has_these_pages_and_a_404(site: Path) -> None:
    built = {str(path.relative_to(site)) for path in site.rglob("*.html")}
    assert built == {*PAGES, "404.html"}
    assert "This page does not exist" in (site / "404.html").read_text()


def test_a_page_has_one_title_a_description_and_a_language(page: BeautifulSoup) -> None:
    assert len(page.select("h1")) == 1
    assert page.html is not None
    assert page.html["lang"] == "en"
    (description,) = page.select('meta[name="description"]')
    assert len(str(description["content"])) > 60


def test_a_page_links_to_its_source(
    page: BeautifulSoup, address: str, site: Path, url: str
) -> None:
    (link,) = page.select('a[title="View source of this page"]')
    source = site / urlsplit(urljoin(f"/{address}", str(link["href"]))).path[1:]
    name = address.removesuffix(".html")
    (written,) = [f for f in DOCS.rglob("*.*") if f.with_suffix("") == DOCS / name]
    text = written.read_text()
    if written.suffix == ".py":
        text = notebook.to_script(text, url)
    assert source.read_text() == text


def test_a_page_has_a_toggle_that_follows_the_system_first(page: BeautifulSoup) -> None:
    media = [choice["data-md-color-media"] for choice in page.select('input[name="__palette"]')]
    assert media == [
        "(prefers-color-scheme)",
        "(prefers-color-scheme: light)",
        "(prefers-color-scheme: dark)",
    ]


def test_previous_and_next_join_all_pages_in_the_order_of_the_navigation(site: Path) -> None:
    visited, address = [], "index.html"
    while True:
        visited.append(address)
        page = BeautifulSoup((site / address).read_text(), "html.parser")
        following = page.select("a.md-footer__link--next")
        if not following:
            break
        address = urljoin(f"/{address}", str(following[0]["href"]))[1:]
    assert visited == PAGES


def test_a_page_asks_no_one_else_for_anything(page: BeautifulSoup) -> None:
    loaded = page.select("script[src], link[href]:not([rel=canonical]), img[src], iframe[src]")
    sources = [str(tag.get("src") or tag.get("href")) for tag in loaded]
    assert [s for s in sources if re.match(r"(https?:)?//", s)] == []


@cache
def ids(path: Path) -> set[str]:
    page = BeautifulSoup(path.read_text(), "html.parser")
    return {str(tag["id"]) for tag in page.select("[id]")}


def test_every_link_and_file_that_a_page_refers_to_is_in_the_site(
    page: BeautifulSoup, address: str, site: Path
) -> None:
    for tag in page.select("[href], [src]"):
        target, anchor = urldefrag(str(tag.get("href") or tag.get("src")))
        if urlsplit(target).scheme or (not target and not anchor):
            assert urlsplit(target).scheme in {"", "http", "https"}, target
            continue
        path = site / urljoin(f"/{address}", target)[1:] if target else site / address
        assert path.is_file(), f"{address} refers to {target!r}, which is not in the site"
        if anchor and path.suffix == ".html":
            assert anchor in ids(path), f"{address} refers to #{anchor}, not in {target!r}"


def test_formulas_are_mathml_and_none_is_left_as_tex(page: BeautifulSoup) -> None:
    formulas = page.select(".arithmatex")
    assert all(formula.math or formula.a for formula in formulas)
    for formula in formulas:
        assert (formula.name == "div") == bool(formula.select("math[display=block]"))
    for code in page.select("pre, code, math"):
        code.decompose()
    assert page.body is not None
    assert not re.search(r"\$|[_^]\{|\\[a-z]{2,}|\\\(|\\\[", page.body.get_text())


def test_chapters_have_formulas(site: Path) -> None:
    for address in [*PAGES[:7], "reference.html"]:
        assert (site / address).read_text().count("<math") > 10, address


def test_the_math_font_holds_every_character_of_the_formulas(site: Path) -> None:
    from fontTools.ttLib import TTFont

    from softmax_ce.site import math_font

    (data,) = re.findall(r"base64,([\w+/=]+)", (site / "assets" / "book.css").read_text())
    font = TTFont(BytesIO(base64.b64decode(data)))
    used = math_font.characters((site / address).read_text() for address in PAGES)
    assert used <= {chr(code) for code in font.getBestCmap()}
    assert "SIL Open Font License" in (site / "assets" / "math-licence.txt").read_text()


def test_a_root_needs_its_radical_which_no_formula_writes() -> None:
    from softmax_ce.site import math_font

    assert "√" in math_font.characters(["<math><msqrt><mi>x</mi></msqrt></math>"])
    assert "√" not in math_font.characters(["<math><mi>x</mi></math>"])


def test_a_figure_is_svg_in_the_palette_with_an_alt_text(page: BeautifulSoup) -> None:
    for figure in page.select("figure"):
        (svg,) = figure.select("svg")
        assert svg["role"] == "img"
        alt = html.escape(str(svg["aria-label"]), quote=False)
        assert any(alt in file.read_text() for file in WRITTEN), "the alt text as it is written"
        assert not re.search(r"#[0-9a-fA-F]{6}\b", str(svg)), "a colour outside of the palette"
    ids = [str(tag["id"]) for tag in page.select("[id]")]
    assert len(ids) == len(set(ids))


def test_the_text_of_all_figures_has_one_look(page: BeautifulSoup) -> None:
    for svg in page.select("figure svg"):
        assert 410 < float(str(svg["width"])) <= 432, "drawn wider, its text is smaller in a page"
        styles = [str(text["style"]) for text in svg.select("text")]
        looks = {tuple(re.findall(r"font-(?:size|family): ([^;]+)", style)) for style in styles}
        assert looks <= {("11px", "sans-serif"), ("12px", "sans-serif")}
    assert not page.select("body style"), "a rule in a figure reaches beyond it"


def test_an_output_follows_its_block_and_cannot_be_copied(page: BeautifulSoup) -> None:
    for output in page.select(".output"):
        assert "no-copy" in output.get_attribute_list("class")
        assert output.find_previous_sibling() is not None


def test_the_contributor_sees_how_an_output_is_written(site: Path) -> None:
    page = BeautifulSoup((site / "contributing.html").read_text(), "html.parser")
    (example,) = page.select(".language-markdown pre")[:1]
    assert "<!--pytest-codeblocks:expected-output-->\n\n```text\n2\n```" in example.get_text()


def test_the_notebook_downloads_as_a_script_and_as_it_was_executed(site: Path) -> None:
    folder = site / "notebook"
    page = (folder / "day14.html").read_text()
    for name in ("day14.py", "day14.ipynb"):
        assert f'href="{name}"' in page
    cells = json.loads((folder / "day14.ipynb").read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert any("checks hold" in str(cell["outputs"]) for cell in code)
    shown = BeautifulSoup(page, "html.parser")
    assert len(shown.select(".output, figure")) == sum(len(cell["outputs"]) for cell in code)
    assert "softmax_ce" not in (folder / "day14.py").read_text()


def test_the_workbook_is_blank_wherever_a_reader_meets_it(site: Path, url: str) -> None:
    folder = site / "notebook"
    files = [folder / f"workbook.{kind}" for kind in ("html", "ipynb", "py")]
    for text in (file.read_text() for file in files):
        assert "SOLUTION" not in text
        assert "log_probs" not in text, "a line of a solution"
        assert text.count("# YOUR CODE HERE") == 11
    page, *downloads = files
    for file in downloads:
        assert f'href="{file.name}"' in page.read_text()
        assert f"]({url}softmax.html#" in file.read_text(), (
            "a link that works wherever it is opened"
        )
    cells = json.loads(downloads[0].read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    said = ["".join(output["text"]) for output in outputs]
    assert len(said) == 11
    assert all(text.endswith(": not written yet\n") for text in said)
    shown = BeautifulSoup(page.read_text(), "html.parser").select(".output code")
    assert [text.get_text() for text in shown] == said


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (r"$\nosuchcommand$", r"docs/index.md:3: '\\nosuchcommand' cannot be read"),
        ("$x", "docs/index.md:3: close the formula"),
        ("![Bars.](figure:temperature.nosuch)", "there is no figure temperature.nosuch"),
        ("![Bars.](figure:temperature.math)", "there is no figure temperature.math"),
        ("![Bars.](figure:nosuch.panels)", "there is no figure nosuch.panels"),
        ("![](figure:temperature.panels)", "has no alt text"),
        ("See ![Bars.](figure:temperature.panels)", "put it on lines of its own"),
        ("![Bars.](figure:temperature.panels) here", "put it on lines of its own"),
        ("[a link](nosuch.md)", "nosuch.md"),
        ("[a link](#nosuch)", "nosuch"),
        ("```python\nprint(1)\n```", "docs/index.md:3: this block prints something else"),
        ("It holds 42 of them.", "docs/index.md:3: 42 is bound to nothing"),
    ],
)
def test_a_mistake_on_a_page_fails_the_build(
    mkdocs: MkDocs, project: Path, page: str, message: str
) -> None:
    (project / "docs" / "index.md").write_text(f"# A page\n\n{page}\n")
    built = mkdocs(project, "build", "--strict")
    assert built.returncode != 0
    assert message in built.stderr
    assert "index.md" in built.stderr


def test_what_a_quiet_build_does_not_say_the_next_one_does(mkdocs: MkDocs, project: Path) -> None:
    (project / "docs" / "index.md").write_text("# A page\n\n[this][r]\n\n[r]: nosuch.md\n")
    assert "nosuch.md" not in mkdocs(project, "build", "--quiet").stderr
    assert "nosuch.md" in mkdocs(project, "build", "--strict").stderr


def test_a_build_that_fails_leaves_no_check_running(mkdocs: MkDocs, project: Path) -> None:
    block = "```python\nimport time\n\ntime.sleep(60)\n```"
    (project / "docs" / "index.md").write_text(f"{block}\n\n![Bars.](figure:temperature.nosuch)\n")
    start = time.monotonic()
    built = mkdocs(project, "build")  # until all that write to its streams have ended
    assert "there is no figure temperature.nosuch" in built.stderr
    assert time.monotonic() - start < 45, "the block ran on"


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("assert 1 + 1 == 3", "AssertionError"),
        ("import sys; print('careful', file=sys.stderr)", "writes to stderr"),
    ],
)
def test_a_failing_cell_fails_the_build(
    mkdocs: MkDocs, project: Path, cell: str, message: str
) -> None:
    (project / "docs" / "notebook").mkdir()
    (project / "docs" / "notebook" / "broken.py").write_text(f"# %%\n{cell}\n")
    built = mkdocs(project, "build", "--strict")
    assert built.returncode != 0
    assert message in built.stderr


def test_our_style_sheets_are_short() -> None:
    sheets = (DOCS / "assets").glob("*.css")
    assert sum(len(sheet.read_text().splitlines()) for sheet in sheets) < 300
