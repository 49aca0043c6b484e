"""Every figure is on a page, and every figure on a page exists."""

import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import softmax_ce.figures

DOCS = Path(__file__).parents[2] / "docs"


def test_every_figure_is_used_once_and_every_used_figure_exists() -> None:
    drawn = {
        f"{module.name}.{name}"
        for module in pkgutil.iter_modules(softmax_ce.figures.__path__)
        if module.name != "style"
        for name, function in inspect.getmembers(
            importlib.import_module(f"softmax_ce.figures.{module.name}"), inspect.isfunction
        )
        if function.__module__ == f"softmax_ce.figures.{module.name}" and name[0] != "_"
    }
    used = [
        name
        for page in sorted(DOCS.glob("*.md"))
        for name in re.findall(r"\]\(figure:([\w.]+)", page.read_text())
        if name != "chapter.function"
    ]
    assert sorted(used) == sorted(drawn)
