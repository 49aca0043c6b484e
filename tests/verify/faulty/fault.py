"""A fault: one change in one file of the project, drawn from all places of its kind.

Nothing in this folder asks the checks how they read a page, so that a fault in a blind spot of
theirs is drawn like any other.
"""

from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import NamedTuple

Files = dict[str, str]  # the text of each file, by its path in the project
Spot = tuple[int, int, Iterable[str]]  # where a text may change, and what may stand there then
Place = tuple[str, Spot]  # in the file of a path
AROUND = 30  # characters shown on both sides of a change, and of a long one


class Fault(NamedTuple):
    """A file as it is after one change, and the change in a line."""

    path: str
    line: int
    change: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.change}"


Places = Callable[[Files], Iterator[Place]]


def anywhere(spots: Callable[[str, str], Iterator[Spot]]) -> Places:
    """The places that `spots` finds in the text of a path, in all files."""

    def places(files: Files) -> Iterator[Place]:
        return ((path, spot) for path, text in files.items() for spot in spots(path, text))

    return places


def all_of(files: Files, places: Iterable[Place]) -> Iterator[Fault]:
    """Every fault that can be made at these places."""
    for path, (start, end, news) in places:
        for new in news:
            if new != files[path][start:end]:
                yield _fault(path, files[path], start, end, new)


def in_any_order(random: Random, files: Files, places: Iterable[Place]) -> Iterator[Fault]:
    """A fault at each place, by lot.

    A place draws for itself, by what stands around it: the others' lots stay when a page changes.
    """
    salt, lots = random.random(), {}
    for path, (start, end, news) in places:
        text = files[path]
        own = Random(f"{salt} {path} {text[max(0, start - 200) : end + 200]} {end - start}")
        if others := [new for new in news if new != text[start:end]]:
            lots[own.random()] = path, start, end, own.choice(others)
    for lot in sorted(lots):
        path, start, end, new = lots[lot]
        yield _fault(path, files[path], start, end, new)


def _fault(path: str, text: str, start: int, end: int, new: str) -> Fault:
    row = text.rfind("\n", 0, start) + 1
    before = text[max(row, start - AROUND) : start]
    after = text[end : end + AROUND].split("\n")[0]
    change = f"{before}⟦{_short(text[start:end])} → {_short(new)}⟧{after}"
    line = text.count("\n", 0, start) + 1
    return Fault(path, line, change, text[:start] + new + text[end:])


def _short(text: str) -> str:
    text = text.replace("\n", "⏎")
    return text if len(text) <= 2 * AROUND else f"{text[:AROUND]}…{text[-AROUND:]}"
