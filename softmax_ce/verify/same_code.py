"""A function that a page defines and the package has is the same code."""

import ast
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import softmax_ce
from softmax_ce.verify.claim import Claim
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import Page
from softmax_ce.verify.part import Part


def claims(page: Page) -> list[Claim]:
    """The package's functions that the page defines."""
    return [Claim("copied function", line, name) for line, name, _ in _copies(page)]


def parts(page: Page) -> list[Part]:
    """The page's copies, all together."""
    copies = [*_copies(page)]
    lines = [line for line, *_ in copies]
    text = repr([code for *_, code in copies])
    return [Part(page, text, lines, [softmax_ce.__name__])] if copies else []


def check(page: Page) -> Iterator[Fault]:
    """Compare the page's functions with the package's, docstrings and annotations aside."""
    copies = [*_copies(page)]
    package = _package() if copies else {}
    for line, name, code in copies:
        if code != package[name]:
            message = f"{name} is not the package's: copy its body again, undecorated, with def"
            yield Fault(page.path, line, message)


def _copies(page: Page) -> Iterator[tuple[int, str, str]]:
    """The line, name and code of everything that the page defines under a name of the package."""
    for start, tree in _programs(page):
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name in softmax_ce.__all__:
                yield start + node.lineno, node.name, _bare(node)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
                for name in {ast.unparse(target) for target in node.targets}:
                    if name in softmax_ce.__all__:
                        yield start + node.lineno, name, ast.unparse(node)


def _programs(page: Page) -> Iterator[tuple[int, ast.Module]]:
    programs = [(block.line, block.code) for block in page.blocks if block.language == "python"]
    if page.is_notebook:
        programs.append((0, page.source))
    for line, code in programs:
        with suppress(SyntaxError):  # the block fails, which is another check's to say
            yield line, ast.parse(code)


def _package() -> dict[str, str]:
    """The package's functions, without the decorators that check their input."""
    code = {}
    for module in Path(softmax_ce.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name in softmax_ce.__all__:
                node.decorator_list = []
                code[node.name] = _bare(node)
    return code


def _bare(function: ast.FunctionDef) -> str:
    """The function without its docstring and annotations."""
    function.returns = None
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:]
    for argument in ast.walk(function.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    return ast.unparse(function)
