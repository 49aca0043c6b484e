"""The links of a page: each leads to a page of the book, and to a heading that is there."""

import re
from collections.abc import Iterator
from functools import cache
from os.path import isfile
from pathlib import Path

from softmax_ce.verify.claim import Claim
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import Page

LINK = re.compile(r"\[[^\]]*\]\((?P<target>(?!figure:)[^)\s]+)")  # an image, too
TARGET = re.compile(r"(?<=\]\()(?!figure:)[^)\s]+")  # of what may be a link: in a code span, too
HEADING = re.compile(r"^#+ +(?P<title>.*?)(?: *\{ *#(?P<id>[\w-]+) *\})? *$", re.MULTILINE)


def claims(page: Page) -> list[Claim]:
    """The links of the page; those that leave the book are not followed."""
    return [
        Claim("link", line, target, "it leaves the book" if ":" in target else "")
        for line, target in _links(page)
    ]


def check(page: Page) -> Iterator[Fault]:
    """Look for the target of every link within the book."""
    for line, target in _links(page):
        if ":" in target:
            continue
        file, _, anchor = target.partition("#")
        path = page.path.parent / file if file else page.path
        if not path.is_file():
            yield Fault(page.path, line, f"the link {target} leads to no file: there is no {path}")
        elif anchor and path.suffix in {".md", ".py"} and anchor not in _anchors(Page(path)):
            there = ", ".join(_anchors(Page(path)))
            yield Fault(page.path, line, f"{path} has no heading #{anchor}; it has {there}")


def targets(page: Page) -> list[tuple[str, list[str] | None]]:
    """The files that links may lead to, each with its headings; with None if it is not there.

    This asks the disk, and little of the text: it is to be quick for pages that do not change.
    """
    files = {target.partition("#")[0] for target in TARGET.findall(page.text) if ":" not in target}
    paths = {file: page.path.parent / file for file in sorted(files - {""})}
    return [(file, _headings(path) if isfile(path) else None) for file, path in paths.items()]


def _headings(path: Path) -> list[str]:
    if path.suffix not in {".md", ".py"}:
        return []
    return _rows(path.read_text(encoding="utf-8", errors="replace"))


@cache
def _rows(text: str) -> list[str]:
    """What may be a heading, as it is written, and be it in a file that cannot be parsed."""
    return re.findall(r"^(?:# )?#+ .*", text, re.MULTILINE)


def _links(page: Page) -> Iterator[tuple[int, str]]:
    for match in LINK.finditer(page.prose):
        yield page.prose.count("\n", 0, match.start()) + 1, match["target"]


def _anchors(page: Page) -> list[str]:
    """The ids of the headings, as Python-Markdown makes them."""
    return [found["id"] or _slug(found["title"]) for found in HEADING.finditer(page.text)]


def _slug(title: str) -> str:
    words = re.sub(r"[^\w\s-]", "", title.replace("`", "")).strip().lower()
    return re.sub(r"[-\s]+", "-", words)
