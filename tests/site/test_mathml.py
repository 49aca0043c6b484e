"""Formulas in Markdown become MathML, numbered and linked, or an error with file and line."""

from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from markdown import Markdown

from softmax_ce.site import mathml


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


def test_a_display_formula_is_displayed() -> None:
    (formula,) = convert("$$\na < b\n$$").select("div.arithmatex")
    assert formula.select("math[display=block]")


def test_a_labelled_formula_is_numbered_and_a_reference_links_to_it() -> None:
    page = convert("By $\\eqref{eq:b}$:\n\n$$\na \\label{eq:a}\n$$\n\n$$\nb \\label{eq:b}\n$$\n")
    (link,) = page.select("span.arithmatex > a")
    assert (link["href"], link.get_text()) == ("#eq:b", "(2)")
    assert page.find(id="eq:b").get_text() == "(2)"  # type: ignore[union-attr]


BROKEN = [
    (r"$\frac{a}$", r"'\\frac{a}' cannot be read as a formula"),
    (r"$\nosuch{a}$", r"'\\nosuch{a}' cannot be read as a formula"),
    (r"$\eqref{eq:nosuch}$", r"'\\eqref{eq:nosuch}' refers to no equation of this page"),
    (r"$\text{あ}$", "needs あ, which the math font lacks"),
    ("$a", r"close the formula, or write a dollar as \$"),
    ("a$ and $$b$$", "close the formula"),
    ("$a, so$b$", "close the formula"),
]


@pytest.mark.parametrize(("formula", "message"), BROKEN)
def test_a_mistake_names_the_file_and_the_line(tmp_path: Path, formula: str, message: str) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"# A page\n\nSee `$a` and $a$,\n5 \\$.\n\nAnd\n{formula}.\n\n$$\nb\n$$\n")
    with pytest.raises(ValueError, match=r"page\.md:7: ") as error:
        convert(file.read_text(), str(file))
    assert message in str(error.value)


WRONG = "\\begin{aligned}\na &= b \\\\\n&= \\nosuch\n\\end{aligned}"


def test_of_formulas_with_the_same_first_line_the_wrong_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "page.md"
    right = WRONG.replace("nosuch", "alpha")
    file.write_text(f"Of $a$ and $a_$:\n\n$$\n{right}\n$$\n\n$$\n{WRONG}\n$$\n".replace("a_", "b"))
    with pytest.raises(ValueError, match=r"page\.md:11: "):
        convert(file.read_text(), str(file))


def test_a_formula_that_also_stands_within_others_is_named_where_it_is_wrong(
    tmp_path: Path,
) -> None:
    file = tmp_path / "page.md"
    file.write_text("$p_i + 1$ and $p_i$.\n\n$$\np_i\n$$\n\nBut\n$p_$ fails.\n")
    with pytest.raises(ValueError, match=r"page\.md:8: "):
        convert(file.read_text(), str(file))


@pytest.mark.parametrize("formula", ["$$\na + b", "$$\na + b\n$", "Text:\n$$\na\n$$"])
def test_a_display_formula_that_is_not_closed_is_named(tmp_path: Path, formula: str) -> None:
    file = tmp_path / "page.md"
    file.write_text(f"# A page\n\n{formula}\n\n$$\nb\n$$\n")
    line = 3 + formula.startswith("Text")
    with pytest.raises(ValueError, match=rf"page\.md:{line}: close the formula"):
        convert(file.read_text(), str(file))


def test_a_notebook_and_a_docstring_are_named_where_the_formula_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, module = tmp_path / "script.py", tmp_path / "module.py"
    script.write_text("# %% [markdown]\n# Text.\n\n# %%\nx = 1\n\n# %% [markdown]\n# See $\\no$.\n")
    module.write_text('def f():\n    r"""Return $\\nor$."""\n')
    monkeypatch.setattr(mathml, "PACKAGE", tmp_path)
    with pytest.raises(ValueError, match=r"script\.py:8: "):
        convert("Text.\n\nSee $\\no$.", str(script))
    with pytest.raises(ValueError, match=r"module\.py:2: "):
        convert("Return $\\nor$.", str(script))


def test_a_dollar_is_a_dollar() -> None:
    assert convert("5 \\$ and `$x` cost $a$.").get_text().startswith("5 $ and $x cost")
