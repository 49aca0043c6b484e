r"""The summary of a chapter repeats: a formula in it stands in the chapter, too.

An equation is evaluated wherever it stands. This is for what holds no relation, "at most $2 u$".
"""

import re
from collections.abc import Iterator

from softmax_ce.verify.claim import Claim
from softmax_ce.verify.equations import HOLDS_RELATION
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import Page

HEADING = "## Summary"
LAYOUT = re.compile(r"\\(?:left|right|[Bb]igg?)(?![A-Za-z])|\\[,!;:\\]|[\s&]")


def claims(_: Page) -> list[Claim]:
    """None: the chapter claims it."""
    return []


def check(page: Page) -> Iterator[Fault]:
    """Look in the chapter for the formulas of its summary."""
    start = [*page.lines, HEADING].index(HEADING) + 1
    headings = (n for n, line in enumerate(page.lines, start=1) if line.startswith("## "))
    end = next((n for n in headings if n > start), len(page.lines) + 1)
    above = [_bare(formula.latex) for formula in page.formulas if formula.line < start]
    for formula in (formula for formula in page.formulas if start < formula.line < end):
        if HOLDS_RELATION.search(formula.latex) or formula.reason:
            continue
        if not any(_bare(formula.latex) in latex for latex in above):
            message = f"{formula.latex} stands nowhere above: write it as the chapter has it"
            yield Fault(page.path, formula.line, message)


def _bare(latex: str) -> str:
    return LAYOUT.sub("", latex)
