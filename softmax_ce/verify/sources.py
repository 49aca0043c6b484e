"""Which of our sources a module or a script depends on, and how to run it as they stand now."""

import ast
import importlib
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from softmax_ce.verify.cache import key

PACKAGE = Path(__file__).parents[1]


def dependencies(*modules: str) -> list[Path]:
    """The files of these modules and of everything of ours that they import, directly or not."""
    found: set[Path] = set()
    waiting = [*map(_file, modules)]
    while waiting:
        file = waiting.pop()
        if file and file not in found:
            found.add(file)
            waiting += map(_file, imports(file.read_bytes()))
    return sorted(found)


@cache
def imports(source: bytes) -> list[str]:
    """The modules that Python code may import: of `from a import b` both a and a.b."""
    names = []
    for node in _statements(ast.parse(source).body):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"write {ast.unparse(node)!r} with the name of the package")
            names += [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return names


def _statements(body: list[Any]) -> Iterator[ast.AST]:
    """The statements of a program, also those in others, without a walk through expressions."""
    for statement in body:
        yield statement
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from _statements(getattr(statement, part, []))


def fingerprint(*modules: str) -> str:
    """Changes whenever a source that the modules depend on does, or torch, or matplotlib."""
    return key(*versions().values(), *(file.read_bytes() for file in dependencies(*modules)))


def load(module: str) -> ModuleType:
    """Import `module` as the sources stand now, also when an earlier import saw older ones."""
    global _imported
    if (now := everything()) != _imported:
        for name in [name for name in sys.modules if _is_ours(name)]:
            del sys.modules[name]
        importlib.invalidate_caches()
        _imported = now
    return importlib.import_module(module)


def everything() -> dict[Path, bytes]:
    """All that `load` may have to import again: what the book is about, figures and checks."""
    files = (file for file in sorted(PACKAGE.rglob("*.py")) if _is_ours(_name(file)))
    return {file: file.read_bytes() for file in files}


def stamps() -> list[tuple[str, int, int]]:
    """When each file that a check may read was saved: two saves that undo each other show, too."""
    project, found = PACKAGE.parent, []
    for file in (*project.glob("*.md"), *(project / "docs").rglob("*"), *PACKAGE.rglob("*.py")):
        with suppress(FileNotFoundError):  # an editor's, which is gone again
            stat = file.stat()
            found.append((str(file), stat.st_mtime_ns, stat.st_ino))
    return found


@cache
def versions() -> dict[str, str]:
    """What runs the book."""
    packages = {name: version(name) for name in ("torch", "matplotlib")}
    return {"Python": platform.python_version()} | packages


def _name(file: Path) -> str:
    return ".".join([PACKAGE.name, *file.relative_to(PACKAGE).with_suffix("").parts])


def _is_ours(module: str) -> bool:
    package, _, inside = module.partition(".")
    return package == PACKAGE.name and inside.split(".")[0] not in ("site", "verify")


def _file(module: str) -> Path | None:
    package, *parts = module.split(".")
    if package != PACKAGE.name:
        return None
    path = PACKAGE.joinpath(*parts)
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


_imported = everything()  # the package itself was imported on the way here
