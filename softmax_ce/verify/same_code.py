"""A function that a page defines and the package, or the workbook, has is the same code."""

import ast
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from softmax_ce.verify.claim import Claim
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import Page
from softmax_ce.verify.part import Part
from softmax_ce.verify.sources import PACKAGE
from softmax_ce.verify.workbook import WORKBOOK, exercises, is_workbook


def claims(page: Page) -> list[Claim]:
    """The page's functions that the package or the workbook has."""
    return [Claim("copied function", line, name) for line, name, _ in _copies(page)]


def parts(page: Page) -> list[Part]:
    """The page's copies, all together."""
    copies = [*_copies(page)]
    lines = [line for line, *_ in copies]
    text = repr(([code for *_, code in copies], solutions(page)))
    return [Part(page, text, lines, [PACKAGE.name])] if copies else []


def check(page: Page) -> Iterator[Fault]:
    """Compare the page's functions with the originals, docstrings and annotations aside."""
    homes = {"the workbook's": solutions(page), "the package's": _package()}
    for line, name, code in _copies(page):
        originals = {there[name]: home for home, there in homes.items() if name in there}
        if code not in originals:
            whose = " or ".join(originals.values())
            message = f"{name} is not {whose}: copy its body again, undecorated, with def"
            yield Fault(page.path, line, message)


def _copies(page: Page) -> Iterator[tuple[int, str, str]]:
    """The line, name and code of everything that the page defines under a name of an original."""
    names = {*_package(), *solutions(page)}
    for start, tree in _programs(page):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name in names:
                if not _asks_for_less(page, node):
                    yield start + node.lineno, node.name, _bare(node)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
                for name in names.intersection(map(ast.unparse, node.targets)):
                    yield start + node.lineno, name, ast.unparse(node)


def _asks_for_less(page: Page, function: ast.FunctionDef) -> bool:
    """Whether the workbook has a function of its own here: the package's has more parameters."""
    original = _package().get(function.name, "") if is_workbook(page) else ""
    return bool(original) and original.split("\n")[0] != _bare(function).split("\n")[0]


def _programs(page: Page) -> Iterator[tuple[int, ast.Module]]:
    programs = [(block.line, block.code) for block in page.blocks if block.language == "python"]
    if page.is_notebook:
        programs.append((0, page.source))
    for line, code in programs:
        if "def " not in code and "lambda" not in code:  # quicker than to parse it
            continue
        with suppress(SyntaxError):  # the block fails, which is another check's to say
            yield line, ast.parse(code)


def _package() -> dict[str, str]:
    """The package's functions."""
    code: dict[str, str] = {}
    for module in PACKAGE.glob("*.py"):
        code |= _functions(module.read_text(encoding="utf-8"))
    return {name: code[name] for name in _exported(PACKAGE / "__init__.py") if name in code}


def _exported(file: Path) -> list[str]:
    """What `__all__` names, as the file stands now."""
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def solutions(page: Page) -> dict[str, str]:
    """The solutions of the workbook, if this page lies beside it."""
    path = page.path.parent / WORKBOOK
    if not path.is_file():
        return {}
    workbook = Page(path)
    code = _functions(workbook.source)
    return {name: code[name] for name in exercises(workbook) if name in code}


@cache
def _functions(source: str) -> dict[str, str]:
    """The functions in a program, without the decorators that check their input."""
    functions = {}
    with suppress(SyntaxError):
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                node.decorator_list = []
                functions[node.name] = _bare(node)
    return functions


def _bare(function: ast.FunctionDef) -> str:
    """The function without its docstring and annotations."""
    function.returns = None
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:]
    for argument in ast.walk(function.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return ast.unparse(function)
