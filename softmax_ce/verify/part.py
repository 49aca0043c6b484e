"""A piece of a page, to be run again only when it changes."""

from collections.abc import Sequence
from copy import copy
from typing import Any, NamedTuple

from softmax_ce.verify.page import Page


class Part(NamedTuple):
    """What a check finds out alone, whatever else stands on the page."""

    page: Page  # the page as if there were nothing else on it
    text: str  # all that the check reads of it
    lines: list[int]  # of what it claims, in that order
    modules: Sequence[str] = ()  # what it runs


def alone(page: Page, **attributes: Any) -> Page:
    """The page with these blocks, or these formulas, and no others."""
    part = copy(page)
    vars(part).update(attributes)
    return part
