"""What the site says of itself is what the checks found when it was built."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
from bs4 import BeautifulSoup, Tag

from softmax_ce.verify import book, ledger
from softmax_ce.verify.page import COMMENT, Page

ROOT = Path(__file__).parents[2]
BOOK = [path.relative_to(ROOT) for path in book.pages([ROOT / path for path in book.whole()])]
SHOWN = [
    "softmax",
    "cross-entropy",
    "gradient",
    "geometry",
    "stability",
    "accuracy",
    "temperature",
    "language-model",
    "notebook/day14",
    "notebook/workbook",
    "practice",
    "clinic",
]


@pytest.fixture(scope="session")
def entries(site: Path) -> list[dict[str, Any]]:
    known = json.loads((site / "verified.json").read_text())
    assert known["versions"].keys() == {"Python", "torch", "matplotlib"}
    found: list[dict[str, Any]] = known["entries"]
    return found


@pytest.fixture(scope="session")
def page(site: Path) -> BeautifulSoup:
    return soup(site / "verified.html")


def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(), "html.parser")


def cells(table: Tag) -> list[list[str]]:
    return [[cell.get_text() for cell in row.select("th, td")] for row in table.select("tr")]


def test_the_file_has_every_claim_of_the_book(entries: list[dict[str, Any]]) -> None:
    claimed = Counter(
        (str(path), claim.kind, claim.line, claim.text)
        for path in BOOK
        for check in ledger.CHECKS
        for claim in check.claims(Page(path, (ROOT / path).read_text()))
    )
    kept = Counter((e["page"], e["kind"], e["line"], e["text"]) for e in entries)
    assert kept == claimed
    assert {e["result"] for e in entries} == {"held", "exempt"}
    assert all(e["note"] for e in entries if e["result"] == "exempt")


def test_the_file_names_no_place_on_the_machine(site: Path) -> None:
    assert str(ROOT) not in (site / "verified.json").read_text()


def test_the_page_counts_what_is_in_the_file(
    page: BeautifulSoup, entries: list[dict[str, Any]]
) -> None:
    held = Counter(entry["kind"] for entry in entries if entry["result"] == "held")
    text = page.get_text(" ", strip=True)
    for kind, count in held.items():
        assert re.search(rf"\b{count} {kind}s?\b", text), kind
    (_, *kinds), *rows = cells(page.select("table")[0])
    assert len(rows) == len({entry["page"] for entry in entries})
    columns = zip(*([int(cell.replace("–", "0")) for cell in row[1:]] for row in rows), strict=True)
    named = {kind.removesuffix("s").replace("copie", "copied function") for kind in kinds}
    assert named == {*held}
    assert Counter(map(sum, columns)) == Counter(held.values())


def test_the_page_names_every_exemption_with_its_reason(
    page: BeautifulSoup, entries: list[dict[str, Any]]
) -> None:
    exempt = [entry for entry in entries if entry["result"] == "exempt"]
    assert f"{len(exempt)} claims cannot run" in page.get_text(" ", strip=True)
    rows = cells(page.select("table")[1])[1:]
    for entry in exempt:
        assert any(
            entry["text"] in text and entry["note"] == reason and str(entry["line"]) in line
            for _, line, text, reason in rows
        ), entry


def test_the_page_has_no_number_of_its_own() -> None:
    assert not re.search(r"\d", COMMENT.sub("", Page(ROOT / "docs" / "verified.md").prose))


def test_every_example_of_a_mistake_shows_what_the_checks_say(
    site: Path, page: BeautifulSoup
) -> None:
    mistakes = json.loads((site / "verified.json").read_text())["mistakes"]
    assert len(mistakes) == 7
    shown = [block.get_text().strip() for block in page.select(".language-text pre")]
    assert shown == ["\n\n".join(said) for said in mistakes.values()]
    assert all(shown)


def test_every_display_equation_that_ran_has_a_mark_which_leads_to_its_row(
    site: Path, page: BeautifulSoup
) -> None:
    marks = []
    for name in ["index", *SHOWN]:
        html = soup(site / f"{name}.html")
        source = next(file for file in BOOK if file.with_suffix("") == Path("docs", name))
        formulas = Page(source, (ROOT / source).read_text()).formulas
        ran = sum(formula.display and not formula.reason for formula in formulas)
        found = html.select("div.arithmatex > a.ran")
        settings = ran - len(found)  # z = [2.0, 1.0, 0.1] claims nothing
        assert settings == (name == "notebook/day14"), name
        for mark in found:
            assert mark["aria-label"] == "evaluated in this build"
            assert mark.get_text() == "", "it would be copied and found"
            address, _, row = urljoin(f"/{name}.html", str(mark["href"])).partition("#")
            assert address == "/verified.html"
            assert page.find("code", id=row), row
            marks.append(row)
    rows = [str(code["id"]) for code in page.select("td > code[id]")]
    modules = {path.name for path in BOOK if path.parts[0] == "softmax_ce"}
    assert sorted(marks) == sorted(r for r in rows if r.rpartition("-")[0] not in modules)
    assert len(rows) == len({*rows})
