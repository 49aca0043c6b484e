"""Results on disk, in .cache/: a file for each, named by a key of all that it was made from."""

import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".cache"


def key(*parts: str | bytes) -> str:
    """Changes whenever one of the parts does."""
    digest = hashlib.sha256()
    for part in parts:
        part = part.encode() if isinstance(part, str) else part
        digest.update(b"%d " % len(part) + part)
    return digest.hexdigest()[:16]


def folder(name: str) -> str:
    """A folder for a library that keeps a cache of its own."""
    path = FOLDER / name
    path.mkdir(parents=True, exist_ok=True)
    return str(path)


def read(file: str, key: str) -> bytes | None:
    """What was written to `file` under this key."""
    try:
        return _path(file, key).read_bytes()
    except FileNotFoundError:
        return None


def write(file: str, key: str, result: bytes) -> None:
    """Keep `result` in place of what `file` held, all of it or, if we are killed, nothing."""
    path = _path(file, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    for stale in _all(file):
        stale.unlink(missing_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    unfinished.write_bytes(result)
    unfinished.replace(path)


def kept(file: str, key: str, make: Callable[[], bytes]) -> bytes:
    """What `make` returned when it was last called for this key."""
    result = read(file, key)
    if result is None:
        write(file, key, result := make())
    return result


def _path(file: str, key: str) -> Path:
    path = FOLDER / file
    return path.with_name(f"{path.stem}-{key}{path.suffix}")


def _all(file: str) -> Iterable[Path]:
    path = FOLDER / file
    return path.parent.glob(f"{path.stem}-{'[0-9a-f]' * 16}{path.suffix}")
