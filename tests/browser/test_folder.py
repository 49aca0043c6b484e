"""The built folder, opened by double-clicking index.html."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import Page, expect


@pytest.fixture
def page(site: Path, reader: Any) -> Page:
    reader.goto((site / "index.html").as_uri())
    return cast(Page, reader.page)


def test_next_leads_to_the_next_page(site: Path, page: Page, reader: Any) -> None:
    page.locator(".md-footer__link--next").click()
    page.wait_for_url((site / "softmax.html").as_uri())
    expect(page.locator("h1")).to_contain_text("Softmax")
    assert [request for request in reader.log.requests if not request.startswith("file:")] == []
    assert reader.log.errors == []


def test_formulas_are_drawn_in_the_font_of_the_book(
    page: Page, math_fonts: Callable[[Page], set[str]]
) -> None:
    assert math_fonts(page) == {"STIX Two Math"}


def test_figures_are_drawn(site: Path, page: Page) -> None:
    page.goto((site / "temperature.html").as_uri())
    for figure in page.locator("figure svg").all():
        box = figure.bounding_box()
        assert box
        assert min(box["width"], box["height"]) > 100
    assert page.locator("figure svg").count() > 0


def test_the_copy_button_copies(site: Path, page: Page, url: str) -> None:
    page.goto((site / "softmax.html").as_uri())
    page.wait_for_function("!document.querySelector('h1 ~ :not(.laid-out)')", polling=50)
    block = page.locator(".language-python").first
    block.scroll_into_view_if_needed()
    block.locator("button[data-clipboard-target]").click()
    page.context.grant_permissions(["clipboard-read"], origin=url)
    other = page.context.new_page()
    other.goto(url)  # a page of a server may read what was copied
    copied = other.evaluate("navigator.clipboard.readText()")
    assert copied == block.locator("code").inner_text().rstrip()


def test_search_finds_words_and_leads_to_them(page: Page) -> None:
    page.keyboard.press("/")
    page.keyboard.type("log-sum-exp")
    expect(page.locator(".md-search-result__link").first).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(lambda address: not address.endswith("index.html"))
    assert page.url.startswith("file:")
    assert "log-sum-exp" in page.locator("main").inner_text().lower()
