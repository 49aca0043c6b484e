"""Faults in Python: in the package, in a figure, in a function or a print of a page."""

import ast
import re
from collections.abc import Iterator

from tests.verify.faulty.edits import Source, edits, name_of
from tests.verify.faulty.fault import Spot
from tests.verify.faulty.views import fences, is_public

# In a figure: what changes the look alone, where a text stands, and how far the axes reach.
LOOKS = {
    *("lw", "ms", "alpha", "height", "width", "dashes"),
    *("zorder", "length", "linthresh", "linscale"),
}
PLACES = {"text", "note", "panels", "set_label_coords", "set_xlim", "set_ylim"}
OFFSETS = {"aside"}  # variables


def in_the_package(path: str, text: str) -> Iterator[Spot]:
    """An edit of a function of the mathematics."""
    if is_public(path):
        source = Source(text)
        for function in _functions(source.tree):
            yield from edits(source, text, _body(function))


def in_a_function_of_a_page(path: str, text: str) -> Iterator[Spot]:
    """An edit of a function that a page defines."""
    for source in _programs(path, text):
        for function in _functions(source.tree):
            yield from edits(source, text, _body(function))


def prints_removed(path: str, text: str) -> Iterator[Spot]:
    """A block that prints less."""
    for source in _programs(path, text):
        if path.endswith(".md"):
            for node in ast.walk(source.tree):
                if isinstance(node, ast.Expr) and ast.unparse(node).startswith("print("):
                    yield *source.span(node), ["pass"]


def constants_in_figures(path: str, text: str) -> Iterator[Spot]:
    """A digit of a number in what a figure draws."""
    if not re.match(r"softmax_ce/figures/(?!style|_)", path):
        return
    source = Source(text)
    looks = [look for node in ast.walk(source.tree) for look in _looks(node)]
    skipped = {id(inner) for look in looks for inner in ast.walk(look)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            for place in range(*source.span(node)) if id(node) not in skipped else ():
                if text[place].isdigit():
                    yield place, place + 1, "0123456789"


def _looks(node: ast.AST) -> Iterator[ast.AST]:
    """The node, or what it holds, if only the look hangs on it."""
    if isinstance(node, ast.Assign):
        if any(f"'{name}'" in ast.dump(node.targets[0]) for name in OFFSETS):
            yield node
    elif isinstance(node, ast.Dict):  # of keywords
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value in LOOKS:
                yield value
    elif isinstance(node, ast.keyword):
        if node.arg in LOOKS:
            yield node
    elif isinstance(node, ast.Call) and name_of(node) in PLACES:
        yield node


def _programs(path: str, text: str) -> Iterator[Source]:
    for block in fences(path, text, "python"):
        yield Source(block["body"], block.start("body"))
    if path.startswith("docs/") and path.endswith(".py"):
        yield Source(text)


def _functions(tree: ast.Module) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


def _body(function: ast.FunctionDef) -> Iterator[ast.AST]:
    has_docstring = ast.get_docstring(function) is not None
    for statement in function.body[has_docstring:]:
        if not isinstance(statement, ast.FunctionDef | ast.Raise):
            yield from ast.walk(statement)
