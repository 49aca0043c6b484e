"""The docstrings run, and each public one is complete."""

import doctest
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest
import torch

import softmax_ce

MODULES = [
    importlib.import_module(f"softmax_ce.{path.stem}".removesuffix(".__init__"))
    for path in sorted(Path(softmax_ce.__file__).parent.glob("*.py"))
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_examples_run(module: ModuleType) -> None:
    globs = {"torch": torch, **vars(module)}
    # A decorated function belongs to its decorator's module, and a search by module would miss it.
    own = {
        name: thing
        for name, thing in vars(module).items()
        if getattr(thing, "__module__", None) == module.__name__ and inspect.getdoc(thing)
    }
    runner = doctest.DocTestRunner()
    for name, thing in {module.__name__: module.__doc__, **own}.items():
        for test in doctest.DocTestFinder().find(thing, name, module=False, globs=globs):
            assert runner.run(test).failed == 0, name


@pytest.mark.parametrize("name", softmax_ce.__all__)
def test_a_public_docstring_has_every_section_and_an_example(name: str) -> None:
    docstring = inspect.getdoc(getattr(softmax_ce, name)) or ""
    sections = [line for line in docstring.splitlines() if line.endswith(":") and line[0] != " "]
    assert sections == ["Args:", "Returns:", "Raises:", "Examples:"]
    assert "$$" in docstring
    assert any(example.want for example in doctest.DocTestParser().get_examples(docstring))
    for argument in inspect.signature(getattr(softmax_ce, name)).parameters:
        assert f"\n    {argument}: " in docstring
