"""A number in a sentence is bound to one that its page computes."""

from pathlib import Path

import pytest

from softmax_ce.verify import numbers
from softmax_ce.verify.page import EXPECTED, Page

ROOT = Path(__file__).parents[2]
BLOCK = f"""
```python
import torch
print(torch.tensor([-104.0, 27.0]).sum().item(), 0.65900, 0.24243, 0.098565)
print("32%  1.785e+08", 0, 3, 0.0)
```

{EXPECTED}

```text
-77.0 0.659 0.24243 0.098565
32%  1.785e+08 0 3 0.0
```
"""


def faults(sentence: str) -> list[str]:
    return [*map(str, numbers.check(Page(Path("page.md"), f"A page.\n\n{sentence}\n{BLOCK}")))]


@pytest.mark.parametrize(
    "sentence",
    [
        "The first is 0.659; it is 0.66; the last is 0.0986; that is about 0.10.",
        "The sum is −77, its size 77, and the terms are −104.0 and 27.",
        "They are 0.66, 0.24 and 0.10. A class has 0.66, another 0.24.",
        "The share is 32 %. It is 32%. It is 32 percent; in one number 0.32.",
        "About $1.8 \\cdot 10^{8}$; about 1.79 · 10⁸; about 178,500,000.",
        "At $T = 27$ and in $[0.66, 0.24]$.",
        "In Section 12, on day 14, with Python 3.11, in 2026: one of 3 classes, of slope −1.",
        "12. An item of a list.",
        "## 12. A heading",
        "Of 3 it is 0; that is 0.0.",
        "It is 32 % at 0.0; at 3 it is 0.659.",
        "Its limit is 88.72<!-- = math.log(torch.finfo(torch.float32).max) -->.",
        "Its limit is $88.72$<!-- = math.log(torch.finfo(torch.float32).max) -->.",
        "About $10^{-87}$<!-- = math.exp(-200) -->, and **0.5**<!-- = sce.softmax_stable(\
torch.zeros(2))[0] -->.",
        "A third and two, 0.33 and 0.67<!-- = [1 / 3, 2 / 3] -->.",
        "It took 5.3<!-- not run: measured by hand --> seconds.",
        "<!-- not run: measured by hand -->\nIt took 5.3 seconds,\nthen 99.",
        "`code 99`, [a link](page-99.md), $e^{-99}$, float32 and x99 are no numerals.",
    ],
)
def test_a_number_that_the_page_computes_may_stand_in_a_sentence(sentence: str) -> None:
    assert faults(sentence) == []


@pytest.mark.parametrize(
    ("sentence", "message"),
    [
        ("It is 0.67.", "0.67 is bound to nothing that this page computes (the nearest is 0.659)"),
        ("It is 0.6591.", "0.6591 is bound to nothing"),
        ("It is −27.", "−27 is bound to nothing"),
        ("It is 0.6.", "0.6 is bound to nothing"),
        ("It is 33 %.", "33 % is bound to nothing"),
        ("It is 1.8 · 10⁷.", "1.8 · 10⁷ is bound to nothing"),
        ("It is $1.8 \\cdot 90^{8}$.", "is bound to nothing"),
        ("It is $T = 28$.", "28 is bound to nothing"),
        ("It is 0.00.", "0.00 is bound to nothing"),
        ("It is 3.0.", "3.0 is bound to nothing"),
        ("It is −10.", "−10 is bound to nothing"),
        ("It is 32 % at 0.659.", "nothing that this page computes has 32 %, 0.659 in one line"),
        ("It is 0.0986 at 32 %.", "nothing that this page computes has 0.0986, 32 % in one line"),
        ("99 is the first word.", "99 is bound to nothing"),
        ("99.7. It ends a sentence.", "99.7 is bound to nothing"),
        ("99<!-- = 98 --> is the first word.", "99 is no rounding of 98"),
        ("One of 3<!-- = 1 + 1 --> classes.", "3 is no rounding of 1 + 1, which is 2"),
        ("It is 027.", "027 is bound to nothing"),
        ("| a | 99 |\n|---|---|", "99 is bound to nothing"),
        ("They are 0.24, 0.66 and 0.10.", "nothing that this page computes has 0.24, 0.66, 0.10"),
        ("<!-- not run: measured -->\nIt took 5.3 s.\n\nIt took 5.3 s.", "page.md:6: 5.3 is"),
        ("It is 88.73<!-- = 88.722 -->.", "88.73 is no rounding of 88.722, which is 88.722"),
        ("It is 88.73<!-- = 1 / 0 -->.", "the expression behind 88.73 fails: division by zero"),
        ("0.3 and 0.6<!-- = [1 / 3, 2 / 3] -->.", "0.3, 0.6 is no rounding"),
    ],
)
def test_a_number_bound_to_nothing_fails_with_its_line(sentence: str, message: str) -> None:
    fault, *_ = faults(sentence)
    assert message in fault
    assert fault.startswith("page.md:")


def test_what_a_figure_shows_may_stand_in_its_alt_text() -> None:
    image = "![Entropy: {} at T = 1 and {} at 2.](figure:temperature.entropy)"
    assert faults(image.format("1.121", "1.318")) == []
    assert faults(image.format("1.318", "1.121"))
    assert faults(image.format("1.122", "1.318"))


def test_a_curve_of_many_points_proves_nothing() -> None:
    assert faults("![Entropy: 0.933 somewhere.](figure:temperature.entropy)")


def test_a_notebook_computes_its_numbers_too(tmp_path: Path) -> None:
    script = tmp_path / "notebook.py"
    cells = (
        "# %% [markdown]\n# It prints {}.\n# %%\nprint(1 / 3)\n"
        '# %% alt="A bar of {}."\nimport matplotlib.pyplot as plt\n'
        "plt.bar([0], [7.25])\nplt.show()\n"
    )
    script.write_text(cells.format("0.3333", "7.25"))
    assert [*numbers.check(Page(script))] == []
    script.write_text(cells.format("0.3334", "7.26"))
    assert [fault.line for fault in numbers.check(Page(script))] == [2, 5]


PAGES = [ROOT / "README.md", *(p for p in (ROOT / "docs").rglob("*") if p.suffix in {".md", ".py"})]


@pytest.mark.parametrize("path", sorted(PAGES), ids=lambda path: path.name)
def test_the_numbers_of_a_page_are_bound(path: Path) -> None:
    found = [*numbers.check(Page(path))]
    assert not found, "\n".join(map(str, found))
