"""The kinds of faults."""

from typing import NamedTuple

from tests.verify.faulty import checks, code, formulas, notation, pages
from tests.verify.faulty.fault import Places, anywhere
from tests.verify.faulty.trial import Check


class Kind(NamedTuple):
    """A kind of fault: how many a run makes, where, and what is to catch it, the cheapest first."""

    name: str
    number: int
    places: Places
    checks: tuple[Check, ...]


PAGE = (checks.verify_page,)
SITE = (checks.verify_page, checks.build_site)
WORDS = (checks.verify_page, checks.place_tests, checks.chapter_tests)
ALT = (checks.verify_page, checks.place_tests, checks.build_site)
FIGURE = (checks.verify_chapter, checks.chapter_tests, checks.figure_tests)
PACKAGE = (checks.module_tests, checks.mathematics_tests, checks.verify_book)

KINDS = [
    Kind(
        "digit in an output",
        24,
        anywhere(pages.digits_in_outputs),
        (checks.verify_page, checks.docstring_tests),
    ),
    Kind(
        "digit in a sentence",
        30,
        anywhere(pages.digits_in_sentences),
        (checks.verify_page, checks.sentence_tests),
    ),
    Kind("digit in an alt or a caption", 24, anywhere(pages.digits_in_alts_and_captions), WORDS),
    Kind("digit in an expression", 12, anywhere(pages.digits_in_expressions), PAGE),
    Kind("sign in a formula", 30, anywhere(formulas.each(formulas.signs)), PAGE),
    Kind("index in a formula", 30, anywhere(formulas.each(formulas.indices)), PAGE),
    Kind("operator in a formula", 30, anywhere(formulas.each(formulas.operators)), PAGE),
    Kind("numeral in a formula", 30, anywhere(formulas.each(formulas.numerals)), PAGE),
    Kind("condition dropped", 12, anywhere(formulas.each(formulas.conditions)), PAGE),
    Kind(
        "row of the notation",
        20,
        anywhere(notation.rows),
        (checks.verify_page, checks.verify_book),
    ),
    Kind("caption swapped", 12, pages.swapped("caption"), WORDS),
    Kind("alt text swapped", 10, pages.swapped("alt"), WORDS),
    Kind("alt text removed", 8, anywhere(pages.alts_removed), ALT),
    Kind(
        "figure renamed",
        12,
        anywhere(pages.figures_renamed),
        (checks.verify_page, checks.verify_chapter, checks.build_site),
    ),
    Kind("constant of a figure", 24, anywhere(code.constants_in_figures), FIGURE),
    Kind("link or anchor broken", 20, anywhere(pages.links_broken), SITE),
    Kind("output dropped", 12, anywhere(pages.outputs_dropped), PAGE),
    Kind("fence left open", 16, anywhere(pages.fences_left_open), PAGE),
    Kind("fence of another language", 16, anywhere(pages.fences_of_another_language), PAGE),
    Kind("print removed", 12, anywhere(code.prints_removed), PAGE),
    Kind("function on a page", 16, anywhere(code.in_a_function_of_a_page), PAGE),
    Kind("function of the package", 40, anywhere(code.in_the_package), PACKAGE),
]
