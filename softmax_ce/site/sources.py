"""Which of our sources a module depends on, and how to run it as they stand now."""

import ast
import hashlib
import importlib
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

PACKAGE = Path(__file__).parents[1]


def dependencies(module: str) -> list[Path]:
    """The file of `module` and of everything of ours that it imports, directly or not."""
    found: set[Path] = set()
    waiting = [_file(module)]
    while waiting:
        file = waiting.pop()
        if file in found or not file:
            continue
        found.add(file)
        for node in ast.walk(ast.parse(file.read_bytes(), filename=str(file))):
            if isinstance(node, ast.ImportFrom):
                names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            else:
                continue
            waiting += [_file(name) for name in names if name]
    return sorted(found)


def fingerprint(module: str) -> str:
    """Changes whenever a source that `module` depends on does, or torch, or matplotlib."""
    digest = hashlib.sha256(f"{version('torch')} {version('matplotlib')}".encode())
    for path in dependencies(module):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def load(module: str) -> ModuleType:
    """Import `module` as the sources stand now, also when an earlier import saw older ones."""
    global _imported
    if (now := _sources()) != _imported:
        for name in [name for name in sys.modules if _is_ours(name)]:
            del sys.modules[name]
        importlib.invalidate_caches()
        _imported = now
    return importlib.import_module(module)


def _sources() -> dict[Path, bytes]:
    """All that `load` may have to import again: everything of ours but the site itself."""
    files = (file for file in PACKAGE.rglob("*.py") if PACKAGE / "site" not in file.parents)
    return {file: file.read_bytes() for file in files}


def _is_ours(module: str) -> bool:
    return module.split(".")[0] == PACKAGE.name and module.split(".")[1:2] != ["site"]


def _file(module: str) -> Path | None:
    package, *parts = module.split(".")
    if package != PACKAGE.name:
        return None
    path = PACKAGE.joinpath(*parts)
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


_imported = _sources()  # the package itself was imported on the way here
