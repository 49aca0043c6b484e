"""What a page defines under a name of the package is the package's code."""

from pathlib import Path

import pytest

from softmax_ce.verify import same_code
from softmax_ce.verify.page import Page

SOFTMAX = """\
def softmax_naive(logits, dim=-1):
    exps = logits.exp()
    return exps / exps.sum(dim, keepdim=True)
"""


def page(code: str) -> Page:
    return Page(Path("docs/page.md"), f"# A page\n\n```python\n{code}```\n")


def notebook(code: str) -> Page:
    return Page(Path("docs/page.py"), f"# %% [markdown]\n# # A page\n\n# %%\n{code}")


@pytest.mark.parametrize(
    "code",
    [
        SOFTMAX,
        SOFTMAX.replace("logits, dim=-1)", "logits: Tensor, dim: int = -1) -> Tensor"),
        SOFTMAX.replace("    exps =", '    """Share of each class."""\n    # why\n    exps ='),
    ],
)
def test_annotations_docstrings_and_comments_aside_it_is_the_same(code: str) -> None:
    assert [*same_code.check(page(code))] == []
    assert len(same_code.claims(page(code))) == 1


@pytest.mark.parametrize(
    "code",
    [
        SOFTMAX.replace("dim=-1", "dim=0"),
        SOFTMAX.replace("exps.sum", "logits.sum"),
        SOFTMAX.replace(", keepdim=True", ""),
        "import torch\n@torch.no_grad()\n" + SOFTMAX,
        "softmax_naive = lambda logits, dim=-1: logits.softmax(dim)\n",
        "if True:\n"
        + SOFTMAX.replace("    ", "        ").replace("def", "    def").replace("1", "2"),
    ],
)
def test_other_code_is_refused_with_its_line(code: str) -> None:
    number = next(n for n, row in enumerate(code.splitlines(), 1) if "softmax_naive" in row)
    remedy = "softmax_naive is not the package's: copy its body again, undecorated, with def"
    assert [*map(str, same_code.check(page(code)))] == [f"docs/page.md:{3 + number}: {remedy}"]
    assert [*map(str, same_code.check(notebook(code)))] == [f"docs/page.py:{4 + number}: {remedy}"]


def test_another_name_is_free_and_a_block_that_is_no_python_is_left_to_the_run() -> None:
    free = page("def softmax_of_mine(logits):\n    return logits\n")
    assert [*same_code.check(free), *same_code.check(page("def (\n"))] == []
