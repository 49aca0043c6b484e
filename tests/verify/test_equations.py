"""Equations are programs: what is true holds, and one wrong symbol is found."""

import re
from pathlib import Path

import pytest

from softmax_ce.verify import equations
from softmax_ce.verify.claim import Claim
from softmax_ce.verify.equations.notation import Notation, table
from softmax_ce.verify.page import Page

ROOT = Path(__file__).parents[2]
PAGES = [
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "notebook").glob("*.py")),
    *sorted((ROOT / "softmax_ce").glob("*.py")),
]
NOTATION = table(Page(ROOT / "docs" / "index.md"))
LITERATURE = NOTATION.rows | {
    "c": "uniform(-5, 5)",
    "x": "uniform(-5, 5)",
    "t": "uniform(0.1, 5)",
    "h": "uniform(1e-4, 1e-3)",
    "w": "uniform(-2, 2, V)",
    "e_y": "torch.eye(V, dtype=z.dtype)",
    r"\bar{z}": "z.mean()",
    r"\mathcal{L}(\cdot)": "lambda z: F.cross_entropy(z, y)",
    r"\operatorname{softmax}(z)": "F.softmax(z, dim=-1)",
    r"\operatorname{diag}(p)": "torch.diag(p)",
    r"\operatorname{tr}(A)": "torch.trace(A)",
    r"\operatorname{KL}(q \| p)": "(torch.xlogy(q, q) - torch.xlogy(q, p)).sum()",
    "H(q, p)": "-torch.xlogy(q, p).sum()",
}

TRUE = [
    # the log-sum-exp
    r"\operatorname{LSE}(z + c) = \operatorname{LSE}(z) + c",
    r"\max_k z_k \le \operatorname{LSE}(z) \le \max_k z_k + \log V",
    r"\operatorname{LSE}(z) = z_y + \operatorname{softplus}(m)",
    r"\nabla_z \operatorname{LSE}(z) = \operatorname{softmax}(z)",
    r"\operatorname{LSE}(z) = p^\top z + H(p)",
    r"\operatorname{LSE}(z) \ge q^\top z + H(q)",
    r"\lim_{T \to 0^+} T \operatorname{LSE}(z / T) = \max_k z_k",
    r"T \operatorname{LSE}(z / T) = p(T)^\top z + T H(p(T))",
    r"\operatorname{LSE}(z) \ge \bar{z} + \log V",
    # softmax and its derivatives
    r"\operatorname{softmax}(z + c) = \operatorname{softmax}(z)",
    r"\frac{\partial p_i}{\partial z_j} = p_i (\delta_{ij} - p_j)",
    r"""\frac{\partial p_i}{\partial z_j} = \begin{cases}
        p_i (1 - p_i) & \text{if } i = j \\ -p_i p_j & \text{otherwise}
        \end{cases}""",
    r"\frac{\partial^2 \mathcal{L}}{\partial z_i \, \partial z_j} = p_i (\delta_{ij} - p_j)",
    r"\frac{\partial^2 \mathcal{L}}{\partial z_j^2} = p_j (1 - p_j)",
    r"\nabla_z^2 \mathcal{L} = \operatorname{diag}(p) - p p^\top",
    r"(\operatorname{diag}(p) - p p^\top) w = p \odot w - (p^\top w) p",
    r"w^\top (\operatorname{diag}(p) - p p^\top) w = \operatorname{Var}_{i \sim p}[w_i]",
    r"\operatorname{tr}(\operatorname{diag}(p) - p p^\top) = 1 - \sum_i p_i^2",
    r"\sum_i \sum_{j \ne i} p_i p_j = 1 - \sum_i p_i^2",
    r"\prod_i p_i = \exp\left( \sum_i \log p_i \right)",
    r"\frac{\partial \log p_i}{\partial z_j} = \delta_{ij} - p_j",
    # the loss
    r"\nabla_z \mathcal{L} = p - e_y",
    r"\left\| p - e_y \right\|_1 = 2 (1 - p_y)",
    r"\left\| p - e_y \right\|_\infty = 1 - p_y",
    r"\left\| p - e_y \right\|_2^2 = \sum_j p_j^2 - 2 p_y + 1",
    r"\left\| p - e_y \right\|_2 \le \sqrt{2} \, (1 - p_y)",
    r"\mathcal{L}(z) \le \mathcal{L}(z + w) - (p - e_y)^\top w + \left\| w \right\|_2^2",
    r"\frac{\partial \mathcal{L}}{\partial p_y} = -e^{\mathcal{L}}",
    r"\mathcal{L} = -\log \sigma(-m)",
    r"\frac{\partial \mathcal{L}^{(n)}}{\partial z^{(n)}_j} = p^{(n)}_j - \mathbb{1}[j = y_n]",
    # information
    r"\operatorname{KL}(q \| p) \ge \frac{1}{2} \left\| q - p \right\|_1^2",
    r"0 \le H(p) \le \log V",
    r"H(q, p) - H(q) = \operatorname{KL}(q \| p)",
    r"H(q, p) = \operatorname{LSE}(z) - \operatorname{E}_{i \sim q}[z_i]",
    r"H(p) = \operatorname{E}_{i \sim p}[-\log p_i]",
    # the sigmoid
    r"\sigma(-x) = 1 - \sigma(x)",
    r"\frac{d}{dx} \operatorname{softplus}(x) = \sigma(x)",
    r"\frac{d^2}{dx^2} \log(1 + e^x) = \sigma(x) \, \sigma(-x)",
    r"\operatorname{softplus}(x) = \max(x, 0) + \log(1 + e^{-\left| x \right|})",
    r"p_0 = \sigma(z_0 - z_1) \text{ for } V = 2",
    # calculus and arithmetic
    r"\lim_{h \to 0} \frac{e^h - 1}{h} = 1",
    r"e^h = 1 + h + O(h^2)",
    r"e^h \approx 1 + h \text{ within } h^2",
    r"\sqrt{x^2} = \left| x \right|, \qquad \log_2 8 = 3, \qquad \log 2 \approx 0.693",
    r"""\begin{pmatrix} x & 1 \\ 0 & x \end{pmatrix} \begin{pmatrix} 1 \\ x \end{pmatrix}
        = \begin{pmatrix} 2 x \\ x^2 \end{pmatrix}""",
    r"\sum_{n=1}^{N} 1 = N, \qquad \sum_{i : z_i < z_y} p_i \le 1 - p_y",
    r"\frac{1}{3} \approx 3.3 \cdot 10^{-1}, \qquad 2^{-149} \approx 1.4 \times 10^{-45}",
    r"\sum_{i=1}^{V} p_i = 1, \qquad \sum_{i=1, i \ne y}^{V} p_i = 1 - p_y",
    r"p_i \le 1 \text{ for all } i",
    r"\lim_{x \to -\infty} \sigma(x) = 0, \qquad \lim_{x \to \infty} \sigma(x) = 1",
    r"\lim_{x \to 0^+} \frac{\left|x\right|}{x} = 1",
    r"\lim_{x \to 0^-} \frac{\left|x\right|}{x} = -1",
    r"\operatorname{softmax}(z)_i = p_i",
    r"\mathcal{L} < \infty, \qquad p_i \ne 2, \qquad \sqrt[3]{t^3} = t",
    r"\tanh x = 2 \sigma(2 x) - 1",
    r"(p p^\top)^2 = (p^\top p) p p^\top",
    r"\exp(x) \cdot \exp(x) = e^{2 x}",
    r"q_i \log q_i \le 0",
]

# Each is one symbol away from something true.
WRONG = [
    r"\operatorname{LSE}(z + c) = \operatorname{LSE}(z) - c",
    r"\operatorname{LSE}(z + c) = \operatorname{LSE}(z)",
    r"\operatorname{LSE}(z) \le \max_k z_k",
    r"\operatorname{LSE}(z) = z_y - \operatorname{softplus}(m)",
    r"\operatorname{LSE}(z) = p^\top z - H(p)",
    r"\operatorname{LSE}(z) \le q^\top z + H(q)",
    r"\lim_{T \to 0^+} T \operatorname{LSE}(z / T) = \min_k z_k",
    r"\lim_{T \to 0^+} \operatorname{LSE}(z / T) = \max_k z_k",
    r"T \operatorname{LSE}(z / T) = p^\top z + T H(p(T))",
    r"T \operatorname{LSE}(z / T) = p(T)^\top z + H(p(T))",
    r"p_i = \frac{e^{z_j}}{\sum_j e^{z_j}}",
    r"p_i = \frac{e^{z_i}}{\sum_{j \ne i} e^{z_j}}",
    r"p_i = \frac{e^{-z_i}}{\sum_j e^{z_j}}",
    r"p_i = \frac{e^{z_i - \max_k z_k}}{\sum_j e^{z_j}}",
    r"p_i(T) = \frac{e^{z_i / T}}{\sum_j e^{z_j}}",
    r"p_i(T) = \frac{e^{z_i T}}{\sum_j e^{z_j T}}",
    r"\frac{p_i}{p_j} = e^{z_j - z_i}",
    r"\frac{\partial p_i}{\partial z_j} = p_i (\delta_{ij} + p_j)",
    r"\frac{\partial p_i}{\partial z_j} = p_i (\delta_{ij} - p_i)",
    r"\frac{\partial p_i}{\partial z_j} = -p_i p_j",
    r"\frac{\partial^2 \mathcal{L}}{\partial z_i \, \partial z_j} = p_i (\delta_{iy} - p_j)",
    r"\frac{\partial^2 \mathcal{L}}{\partial z_j^2} = p_j (1 - p_y)",
    r"\nabla_z^2 \mathcal{L} = \operatorname{diag}(p) + p p^\top",
    r"\nabla_z \mathcal{L} = e_y - p",
    r"\frac{\partial \mathcal{L}}{\partial z_j} = p_j - \mathbb{1}[j \ne y]",
    r"\frac{\partial \mathcal{L}}{\partial z_j} = p_y - \mathbb{1}[j = y]",
    r"\frac{\partial \mathcal{L}}{\partial z_j} = p_j",
    r"\frac{\partial \mathcal{L}}{\partial p_y} = e^{\mathcal{L}}",
    r"\frac{\partial}{\partial z^{(n)}_j} \sum_n \mathcal{L}^{(n)} = \frac{1}{N} p^{(n)}_j",
    r"""\frac{\partial}{\partial z^{(n)}_j} \frac{1}{N} \sum_{n'} \mathcal{L}^{(n')}
        = p^{(n)}_j - \mathbb{1}[j = y_n]""",
    r"\left\| p - e_y \right\|_1 = 1 - p_y",
    r"\left\| p - e_y \right\|_2^2 = \sum_j p_j^2 - p_y + 1",
    r"\mathcal{L} = \log p_y",
    r"\mathcal{L} = -\log p_j",
    r"\mathcal{L} = -\log \sigma(m)",
    r"\mathcal{L} = \operatorname{LSE}(z) - \max_k z_k",
    r"\mathcal{L} = \operatorname{LSE}_{j \ne y}(z_j) - z_y",
    r"m = \operatorname{LSE}(z) - z_y",
    r"\mathcal{L} \le \max_k z_k - z_y",
    r"\operatorname{KL}(q \| p) \ge \left\| q - p \right\|_1^2",
    r"\operatorname{KL}(q \| p) = H(q, p) + H(q)",
    r"H(q, p) = -\sum_i p_i \log q_i",
    r"H(p) < \log V",
    r"\frac{d}{dT} H(p(T)) = \frac{\operatorname{Var}_{i \sim p(T)}[z_i]}{T^2}",
    r"\frac{dp_i(T)}{dT} = \frac{p_i(T)}{T^2} (z_i - \operatorname{E}_{j \sim p(T)}[z_j])",
    r"\sigma(-x) = \sigma(x)",
    r"\frac{d^2}{dx^2} \log(1 + e^x) = \sigma(x)",
    r"p_0 = \sigma(z_1 - z_0) \text{ for } V = 2",
    r"p_0 = \sigma(z_0 - z_1)",
    r"\lim_{T \to \infty} p_i(T) = \frac{1}{T}",
    r"p_i(T) = \frac{1}{V} - \frac{z_i - \bar{z}}{V T} + O\!\left( T^{-2} \right)",
    r"p_i(T) = \frac{1}{V} + \frac{z_i}{V T} + O\!\left( T^{-2} \right)",
    r"e^h = 1 + h + O(h^3)",
    r"\log 2 \approx 0.694",
    r"\sum_i \sum_{j \ne i} p_i p_j = 1 + \sum_i p_i^2",
    r"e^{z_i} = \infty",
    # sums over the wrong range
    r"\sum_{i=2}^{V} p_i = 1",
    r"\sum_{i=1}^{V} p_i = 1 - p_y",
    r"\sum_{j=1, j \ne y}^{V} p_j = 1",
    r"\frac{1}{3} \sum_{n=1}^{N} 1 = 1",
    # what only tame worlds would let pass
    r"\mathcal{L} < 10",
    r"p_y > 10^{-5}",
    r"\log V < 2",
    r"\frac{1}{N} = \frac{1}{3}",
    r"x - c = 0",
    r"\left\| z \right\| = 3",
    r"\left| x \right| = 5",
    r"q = z",
    r"V = N",
    # numbers
    r"2^{-149} = 1.4 \cdot 10^{-40}",
    r"e^{-104} = e^{-90}",
    r"e^{-30} \le 0",
    r"0.1 + 0.2 \ne 0.3",
    r"0.3 < 0.1 + 0.2",
    r"\log 2 \approx 0.7 \text{ within } 10^{-9}",
    # orders and limits
    r"p_i(T) = \frac{1}{V} + \frac{z_i - \bar{z}}{V T} + O(T^{-3})",
    r"h = O(h^{1.5})",
    r"\lim_{x \to -\infty} \sigma(x) = 1",
    # division by 0, and powers by entries
    r"q_i \frac{1}{q_i} = \mathbb{1}[q_i > 0]",
    r"(p p^\top)^2 = p p^\top",
    # a condition of one row does not reach the rows above
    r"""\begin{aligned} \mathcal{L} &= -\log \sigma(2 z_y - z_0 - z_1) \\
        &= \operatorname{softplus}(m) \text{ for } V = 2 \end{aligned}""",
    r"""\begin{aligned} e^h &\approx 1 - h \text{ within } h^2 \\
        &\approx 1 + h \text{ within } 1 \end{aligned}""",
]

MEANINGLESS = {
    r"p_i = \frac{e^{z_i}}{\sum_j e^{z_j}": "cannot read it from",
    r"p_i = a": "a means nothing here",
    r"1 / 2 p_i = p_i / 2": "behind a / is ambiguous",
    r"\log p_i p_j = \log p_j p_i": "behind a function is ambiguous",
    r"p_i \approx p_i": "needs its tolerance",
    r"z w = z w": "two columns have no product",
    r"p + \operatorname{diag}(p) = z": "cannot add the shapes",
    r"\max_i z_k = z_k": "does not depend on i",
    r"\frac{\partial \mathcal{L}}{\partial m} = \sigma(m)": "does not compute this from m",
    r"p_i^10 = p_i": "write braces",
    r"p_i = p_i \text{ for } V = 1": "hold in no world",
    r"\lim_{x \to \infty} \sqrt{x} = x": "no limit",
    r"\sum_i p_i": "claims nothing",
    r"z_i \to p_i": "cannot be run",
    r"p_{9} = p_{9}": "has no entry",
    r"p_{-1} = p_0": "is no index",
    r"p_{p_i} = p_0": "is no index",
    r"\text{E}[z_i] = z_i": "cannot read it from",
    r"\mathcal{L} = -\log p_y \text{ bits}": "cannot read it from",
    r"p_i \in (0, 1)": r"\in is run for a set of classes only",
    r"\exp(x)^2 = e^{2 x}": "put parentheses around one of them",
    r"p_i(2) = p_i": "call or product?",
    r"p_i(T^2) = p_i": "call or product?",
    r"\frac{1}{V} + \frac{1}{T} O(T^{-1}) = p_i(T)": "stands alone in its term",
    r"e^h \ne 1 + O(h)": "O(...) stands in an equation",
    r"p_i(T) = \frac{1}{V} + O(T^{-1}) = \frac{1}{V} + O(T^{-2})": "a larger O(...)",
    r"\lim_{x \to 0} \frac{\left|x\right|}{x} = 1": "the limits from both sides differ",
    r"\lim_{x \to \infty} \frac{x}{x + 10^8} = 0": "no limit: it stands still at",
    r"\lim_{m \to \infty} \mathcal{L} = m": "is no input",
    r"p_i = \frac{1}{2} \text{ for } z_0 = 0": "cannot set an entry",
    r"T^2 = 9 \text{ for } T = 2 \text{ and } T = 3": "set twice",
    r"p_i = \begin{cases} p_i & i = j \\ 5 & i = j \end{cases}": "cases that differ apply",
    r"\mathcal{L}^{(2)} = \mathcal{L}^2": "is the example (n)",
    r"p_i^+ = p_i": "only a limit a side",
    r"p^\top = p": "a row is compared with what is none",
    r"e^{p p^\top} = p p^\top": "is no exponent",
    r"\left\| p p^\top \right\| = 1": "a norm is taken of a column",
    r"2 \, 3 = 6": "two numbers side by side",
    r"\operatorname{E}_{i \sim z}[1] = 1": "which this is not",
    r"|x| = x": r"write \left| x \right|",
    r"\sum_i^V p_i = 1": "begins below it",
    r"\lim T = T": r"a limit has the form",
    r"\nabla \mathcal{L} = p": "a gradient is written",
    r"\delta_i = 1": "has two indices",
    r"p(y \mid z) = p_y": "these are no arguments",
    r"\frac{d}{dT} = 0": "nothing is differentiated",
    r"x = x \text{ for } T \to 0": "cannot be run",
}


def faults(latex: str, notation: dict[str, str] = LITERATURE) -> str:
    """What is wrong with a displayed formula, on a page that shows nothing else."""
    page = Page(Path("page.md"), f"A page.\n\n$$\n{latex}\n$$\n")
    return "\n".join(map(str, equations.check(page, Notation(notation))))


@pytest.mark.parametrize("latex", TRUE)
def test_an_identity_of_the_literature_holds(latex: str) -> None:
    assert faults(latex) == ""


@pytest.mark.parametrize("latex", WRONG)
def test_an_equation_with_one_wrong_symbol_is_found(latex: str) -> None:
    assert "this equation does not hold" in faults(latex)


@pytest.mark.parametrize("latex", MEANINGLESS)
def test_a_formula_that_means_nothing_is_an_error_that_says_why(latex: str) -> None:
    assert MEANINGLESS[latex] in faults(latex)


def test_a_failure_shows_line_sides_and_the_smallest_logits() -> None:
    latex = "\\begin{aligned}\np_i &= \\frac{e^{z_i}}{\\sum_j e^{z_j}} \\\\\n&= p_y\n\\end{aligned}"
    fault = faults(latex)
    assert fault.startswith("page.md:6: this equation does not hold:\n")
    assert r"is  \frac{e^{z_i}}{\sum_j e^{z_j}}" in fault
    assert "is  p_y" in fault
    assert "where y = 0, z = [1, 0], i = 1" in fault


def test_a_failure_that_only_drawn_logits_show_is_shown_with_round_ones() -> None:
    fault = faults(r"\max_k z_k < 31")
    (logits,) = re.findall(r"z = \[(.*)\]", fault)
    assert all(float(logit).is_integer() for logit in logits.split(", ")), fault


def claimed(text: str) -> list[Claim]:
    return equations.claims(Page(ROOT / "docs" / "page.md", text))


def test_a_setting_of_an_input_claims_nothing() -> None:
    for latex in (r"T = 5", r"j = y", r"i \ne j", r"T \to 0^+", r"z = [2.0,\ 1.0]", "T > 0"):
        assert not claimed(f"Let ${latex}$."), latex
    for latex in ("p_i = 5", r"\log 4 = 5", r"T = V^2"):
        assert claimed(f"Let ${latex}$."), latex
        assert faults(latex), latex


def test_a_reason_exempts_a_formula() -> None:
    (claim,) = claimed("Here $p_i = 5$\n<!-- not run: an example of\nwhat is wrong -->.")
    assert claim.reason == "an example of\nwhat is wrong"
    assert not [*equations.check(Page(Path("page.md"), "$p_i = 5$ <!-- not run: no -->"), NOTATION)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_equations_of_a_page_hold(path: Path) -> None:
    found = [*equations.check(Page(path))]
    assert not found, "\n".join(map(str, found))


def test_nearly_all_that_claims_something_is_run() -> None:
    found = [claim for path in PAGES for claim in equations.claims(Page(path))]
    run = [claim for claim in found if not claim.reason]
    print(f"{len(run)} of {len(found)} formulas that claim something are run")
    assert len(run) >= 0.95 * len(found)
