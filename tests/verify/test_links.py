"""Links lead to pages and headings that are there."""

from pathlib import Path

import pytest

from softmax_ce.verify import links
from softmax_ce.verify.page import Page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "other.md").write_text("# Other\n\n## What `x` is\n\n## Mine { #own }\n")
    return tmp_path


def faults(folder: Path, text: str) -> list[str]:
    return [fault.message for fault in links.check(Page(folder / "page.md", text))]


@pytest.mark.parametrize(
    "target", ["other.md", "other.md#what-x-is", "other.md#own", "#here", "https://elsewhere.org"]
)
def test_a_link_to_what_is_there_holds(folder: Path, target: str) -> None:
    text = f"## Here\n\nSee [it]({target})."
    (folder / "page.md").write_text(text)
    assert faults(folder, text) == []


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("gone.md", "the link gone.md leads to no file"),
        ("other.md#gone", "has no heading #gone; it has other, what-x-is, own"),
    ],
)
def test_a_link_to_nothing_is_named(folder: Path, target: str, message: str) -> None:
    (fault,) = faults(folder, f"See [it]({target}).")
    assert message in fault


def test_an_image_that_is_not_there_is_named(folder: Path) -> None:
    (fault,) = faults(folder, "![A picture](gone.png) ![A figure](figure:softmax.odds)")
    assert "the link gone.png leads to no file" in fault


def test_a_link_out_of_the_book_is_counted_and_not_followed(folder: Path) -> None:
    (claim,) = links.claims(Page(folder / "page.md", "[Makemore](https://example.org)"))
    assert claim.reason == "it leaves the book"
