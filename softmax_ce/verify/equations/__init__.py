r"""The equations of a page: each is read from its LaTeX and run.

A display formula, and an inline one that holds a relation, is evaluated as it stands. A relation
between inputs and numbers, `T = 5` or `i \ne j`, claims nothing. The comment
`<!-- not run: reason -->` behind a formula exempts it.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from softmax_ce.verify.claim import Claim
from softmax_ce.verify.equations.chains import Relation, lonely_sides, relations
from softmax_ce.verify.equations.latex import FormulaError, parse
from softmax_ce.verify.equations.notation import Notation, book_of
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import Formula, Page
from softmax_ce.verify.part import Part, alone

# Whatever reads as a relation is one to run, or needs its reason.
HOLDS_RELATION = re.compile(
    r"[=<>≤≥≠≈≡∈→∝]|&[lg]t;|:=|\\(?:leq?|leqslant|ll|lt|geq?|geqslant|gg|gt|neq?|not|notin|in|ni"
    r"|approx|approxeq|equiv|cong|sim|simeq|asymp|doteq|coloneqq|triangleq|propto|perp|parallel"
    r"|prec|preceq|succ|succeq|subset|subseteq|supset|supseteq|iff|implies|impliedby|models|vdash"
    r"|to|gets|mapsto|leadsto|(?:long|Long)?(?:left|right|leftright|Left|Right|Leftright)arrow)"
    r"(?![A-Za-z])"
)


def claims(page: Page) -> list[Claim]:
    """The formulas of the page that claim something."""
    found = _formulas(page, book_of(page).of(page))
    return [Claim("equation", f.line, f.latex, f.reason) for f, *_ in found]


def parts(page: Page) -> list[Part]:
    """Each formula, in the notation of the page."""
    try:
        notation = repr(sorted(book_of(page).of(page).rows.items()))
    except FormulaError as error:
        notation = str(error)
    return [
        Part(
            page=alone(page, formulas=[formula]),
            text=repr((formula._replace(line=0), notation)),
            lines=[formula.line],
        )
        for formula in page.formulas
    ]


def check(page: Page, book: Notation | None = None) -> Iterator[Fault]:
    """Run the page's equations, in the notation of its book."""
    from softmax_ce.verify.equations.trial import DoesNotHoldError, hold  # brings torch

    try:
        notation = (book or book_of(page)).of(page)
    except FormulaError as error:
        yield Fault(page.path, 1, str(error))
        return
    drawn = _drawn(tuple(notation.rows.items()))
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


@lru_cache(maxsize=1)
def _drawn(rows: tuple[tuple[str, str], ...]) -> list[Any]:
    """The worlds of a notation: a page is tried formula by formula, all of them in the same."""
    from softmax_ce.verify.equations.worlds import worlds

    return [*worlds(Notation(dict(rows)))]


def _formulas(page: Page, notation: Notation) -> Iterator[tuple[Formula, list[Relation], str]]:
    """The formulas that claim something, with their relations, or why they cannot be read."""
    for formula in page.formulas:
        if not formula.display and not HOLDS_RELATION.search(formula.latex):
            continue
        found, problem, claims_something = [], "", False
        try:
            tree = parse(formula.latex)
            found = relations(tree)
            if formula.display and lonely_sides(tree):
                problem = "a row claims nothing: write a relation, or a reason behind it"
            claims_something = any(relation.claims_something(notation) for relation in found)
        except FormulaError as error:
            problem = str(error)
        if problem or claims_something:
            yield formula, found, problem
