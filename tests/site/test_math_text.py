"""Formulas as those who search read them."""

import html

import pytest
from math_core import LatexToMathML

from softmax_ce.site.math_text import as_text


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (r"p_i = e^{z_i - m}", "p_i = e^(z_i − m)"),
        (r"-\sum_i p_i \log p_i", "−∑_i p_i log p_i"),
        (r"\operatorname{LSE}(z) = \log \sum_j e^{z_j}", "LSE(z) = log ∑_j e^(z_j)"),
        (r"\log(1 + e^m) - \log 2", "log(1 + e^m) − log 2"),
        (r"p_j - \mathbb{1}[j = y]", "p_j − 𝟙[j = y]"),
        (r"1.2 \cdot 10^{-7} < 10^{38}", "1.2 ⋅ 10^−7 < 10^38"),
        (r"e^{2g} = (e^g)^2", "e^(2g) = (e^g)^2"),
        (r"p_i^2 z_{\max} p^{(n)}", "p_i^2 z_max p^(n)"),
        (r"[2.0,\ 1.0,\ 0.1]", "[2.0, 1.0, 0.1]"),
        (r"\frac{1}{V}", "1/V"),
        (r"1/V", "1/V"),
        (
            r"\frac{\partial p_i}{\partial z_i} = \frac{0 \cdot S - a}{S^2}",
            "∂p_i/∂z_i = (0 ⋅ S − a)/S^2",
        ),
        (r"\begin{aligned} a &= b \\ &= c \end{aligned}", "a = b = c"),
        (r"\begin{aligned} a &= b \\ c &= d \end{aligned}", "a = b, c = d"),
        (r"a = b, \qquad c = d", "a = b, c = d"),
        (r"\begin{equation} p_y \label{eq:a} \end{equation}", "p_y (1)"),
    ],
)
def test_the_search_holds_a_formula_as_text(formula: str, text: str) -> None:
    (mathml,) = LatexToMathML().convert_all([(formula, True)])
    mathml = html.unescape(mathml.replace("&lt;", "&amp;lt;"))
    assert html.unescape(as_text(f"<p>So {mathml}.</p>")) == f"<p>So {text}.</p>"
