r"""The equations of a page: each is read from its LaTeX and run.

A display formula, and an inline one that holds a relation, is evaluated as it stands. A relation
between inputs and numbers, `T = 5` or `i \ne j`, claims nothing. The comment
`<!-- not run: reason -->` behind a formula exempts it.
"""

import re
from collections.abc import Iterator

from softmax_ce.verify.claim import Claim
from softmax_ce.verify.equations.chains import Chain, chains
from softmax_ce.verify.equations.latex import FormulaError, parse
from softmax_ce.verify.equations.notation import Notation, book_of
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import Formula, Page

HOLDS_RELATION = re.compile(r"[=<>]|\\(?:leq?|geq?|neq?|approx|in|to|sim)(?![A-Za-z])")


def claims(page: Page) -> list[Claim]:
    """The formulas of the page that claim something."""
    found = _formulas(page, book_of(page).of(page))
    return [Claim("equation", f.line, f.latex, f.reason) for f, *_ in found]


def check(page: Page, book: Notation | None = None) -> Iterator[Fault]:
    """Run the page's equations, in the notation of its book."""
    from softmax_ce.verify.equations.relations import DoesNotHoldError, hold  # brings torch
    from softmax_ce.verify.equations.worlds import worlds

    notation = (book or book_of(page)).of(page)
    drawn = [*worlds(notation)]
    for formula, found, problem in _formulas(page, notation):
        line = formula.line
        try:
            if not formula.reason and not problem:
                hold(found, drawn, formula.latex)
        except FormulaError as error:
            problem = str(error)
        except DoesNotHoldError as error:
            line += formula.latex.count("\n", 0, error.offset)
            yield Fault(page.path, line, f"this equation does not hold:\n{error}")
        if problem and not formula.reason:
            message = f"cannot run this formula: {problem}\n    {formula.latex}"
            yield Fault(page.path, line, message)


def _formulas(page: Page, notation: Notation) -> Iterator[tuple[Formula, list[Chain], str]]:
    """The formulas that claim something, with their chains, or why they cannot be read."""
    for formula in page.formulas:
        if not formula.display and not HOLDS_RELATION.search(formula.latex):
            continue
        found, problem = [], ""
        try:
            found = chains(parse(formula.latex))
            if formula.display and any(len(chain.sides) == 1 for chain in found):
                problem = "a row claims nothing: write a relation, or a reason behind it"
        except FormulaError as error:
            problem = str(error)
        if problem or any(chain.claims_something(notation) for chain in found):
            yield formula, found, problem
