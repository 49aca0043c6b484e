"""Where the figures stand on the pages, with their alt texts and captions."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from softmax_ce.verify.page import Page

IMAGE = re.compile(r"!\[([^\]]*)\]\(figure:([\w.]+) \"([^\"]+)\"\)")


class Place(NamedTuple):
    where: str
    alt: str
    caption: str


@pytest.fixture(scope="session")
def pages() -> dict[str, str]:
    """The prose of every page, in which examples of Markdown do not stand."""
    docs = Path(__file__).parents[2] / "docs"
    return {f"docs/{page.name}": Page(page).prose for page in sorted(docs.glob("*.md"))}


@pytest.fixture(scope="session")
def places(pages: dict[str, str]) -> dict[str, Place]:
    """By the figure's name; its image must be a line of its own."""
    found = {}
    for page, text in pages.items():
        for number, line in enumerate(text.splitlines(), start=1):
            image = IMAGE.fullmatch(line)
            if image:
                found[image[2]] = Place(f"{page}:{number}", image[1], image[3])
    return found


@pytest.fixture
def states(places: dict[str, Place]) -> Callable[..., None]:
    """Check that the alt text of a figure has these words in a row, with no number in between."""

    def check(name: str, *words: str) -> None:
        whole = (rf"(?<![\w.−+]){re.escape(word)}(?!\w|\.\d)" for word in words)
        place = places[name]
        found = re.search(r"\D*?".join(whole), place.alt)
        assert found, (
            f"{place.where}: the alt text of {name} does not state {', '.join(words)} in this order"
        )

    return check
