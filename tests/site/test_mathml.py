"""Formulas in Markdown become MathML, numbered and linked, or an error with file and line."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from markdown import Markdown

from softmax_ce.site.mathml import as_text


def convert(text: str, file: str = "") -> BeautifulSoup:
    extensions = ["pymdownx.arithmatex", "softmax_ce.site.mathml"]
    configs: dict[str, dict[str, object]] = {
        "pymdownx.arithmatex": {"generic": True},
        "softmax_ce.site.mathml": {"file": file},
    }
    md = Markdown(extensions=extensions, extension_configs=configs)
    return BeautifulSoup(md.convert(text), "html.parser")


def test_a_formula_keeps_its_latex_beside_its_mathml() -> None:
    page = convert(r"Softmax: $p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$.")
    (formula,) = page.select("span.arithmatex[data-tex]")
    assert formula["data-tex"] == r"p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}"
    assert formula.select("math mfrac")


def test_a_display_formula_is_displayed_and_left_out_of_the_search() -> None:
    (formula,) = convert("$$\na < b\n$$").select("div.arithmatex")
    assert formula.select("math[display=block]")
    assert formula.has_attr("data-search-exclude")


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (r"p_i = e^{z_i - m}", "p_i = e^(z_i−m)"),
        (r"-\sum_i p_i \log p_i", "−∑_i p_i log p_i"),
        (r"p_i^2", "p_i^2"),
        (r"\frac{1}{V}", "1/V"),
        (r"x < y", "x < y"),
    ],
)
def test_the_search_holds_a_formula_as_text(formula: str, text: str) -> None:
    page = as_text(str(convert(f"So ${formula}$.")))
    assert BeautifulSoup(page, "html.parser").get_text() == f"So {text}."


def test_a_labelled_formula_is_numbered_and_a_reference_links_to_it() -> None:
    page = convert("By $\\eqref{eq:b}$:\n\n$$\na \\label{eq:a}\n$$\n\n$$\nb \\label{eq:b}\n$$\n")
    (link,) = page.select("span.arithmatex > a")
    assert (link["href"], link.get_text()) == ("#eq:b", "(2)")
    assert page.find(id="eq:b").get_text() == "(2)"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        (r"$\frac{a}$", r"cannot read the formula '\\frac{a}'"),
        (r"$\nosuch{a}$", r"cannot read the formula '\\nosuch{a}'"),
        (r"$\eqref{eq:nosuch}$", "refers to no equation of this page"),
    ],
)
def test_a_mistake_names_the_file_and_the_line(tmp_path: Path, formula: str, message: str) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"# A page\n\nSee $a$.\n\nAnd {formula}.\n")
    with pytest.raises(ValueError, match=r"page\.md:5: ") as error:
        convert(file.read_text(), str(file))
    assert message in str(error.value)
