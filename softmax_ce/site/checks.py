"""The checks of the pages and their figures, made in a process beside the build."""

import json
import subprocess
import sys
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from softmax_ce.verify.fault import Fault
from softmax_ce.verify.sources import PACKAGE

ROOT = PACKAGE.parent


class Ledger(NamedTuple):
    """What the checks know of the book: each claim, and what they say of the mistakes shown."""

    versions: dict[str, str]
    entries: list[dict[str, Any]]
    mistakes: dict[str, list[str]]

    def faults(self) -> list[Fault]:
        """What does not hold."""
        failed = (entry for entry in self.entries if entry["result"] == "failed")
        rows = ((Path(entry["page"]), entry["line"], entry["note"]) for entry in failed)
        return sorted({Fault(*row) for row in rows})

    def as_json(self) -> str:
        """The ledger as a file for programs: a claim a line, less its empty fields."""
        write = partial(json.dumps, ensure_ascii=False)
        filled = (
            {name: value for name, value in row.items() if value != ""} for row in self.entries
        )
        about = f'"versions": {write(self.versions)},\n"mistakes": {write(self.mistakes)}'
        entries = ",\n".join(map(write, filled))
        return f'{{{about},\n"entries": [\n{entries}\n]}}\n'


_worker: subprocess.Popen[str] | None = None
_lines = 0  # that the process has still to write
known: Ledger | None = None  # the last answer: in `mkdocs serve` that of the build before


def start(*, stays: bool = False) -> None:
    """Start the process; one that stays keeps torch at hand for the next builds."""
    global _worker, _lines
    if _worker is None or _worker.poll() is not None:
        # With -m, each process that runs a block would import the worker's module again.
        program = "from softmax_ce.verify.worker import main; main()"
        command = [sys.executable, "-B", "-c", program, *["stay"] * stays]
        _worker, _lines = _piped(command), 0


def ask(pages: Iterable[str]) -> None:
    """Have these pages checked, and their figures drawn."""
    global _lines
    start()
    assert _worker is not None
    print(json.dumps([*pages]), file=_worker.stdin, flush=True)
    _lines += 2


def await_figures() -> None:
    """Wait until the figures of what was asked last are drawn, into the cache."""
    while _lines > 1:
        _read()


def answer() -> Ledger:
    """Wait for what was asked last; a build that failed has left its lines unread."""
    global known
    while _lines:
        text = _read()
    known = Ledger(**json.loads(text))
    return known


def _read() -> str:
    global _lines
    assert _worker is not None
    assert _worker.stdout is not None
    _lines -= 1
    if not (text := _worker.stdout.readline()):
        raise ChildProcessError("the checks of the pages ended: see above why")
    return text


def _piped(command: list[str]) -> subprocess.Popen[str]:
    # A session of its own: Ctrl+C is for the build, at whose end it ends, too.
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        cwd=ROOT,
        start_new_session=True,
    )
