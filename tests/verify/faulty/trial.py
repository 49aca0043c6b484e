"""Tries a fault: makes it in a copy of the project, runs what is to catch it, and takes it back.

A worker has the libraries loaded and nothing of ours. Each check runs in a fork of it, which
imports the copy as it is then; so it starts at once, and leaves nothing behind.
"""

import gc
import importlib
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, NamedTuple

from tests.verify.faulty.fault import Fault

ROOT = Path(__file__).parents[3]
FILES = ("README.md", "constraints.txt", "mkdocs.yml", "pyproject.toml")
PARTS = ("docs", "softmax_ce", "tests", *FILES)
# In .cache, to be quick.
CACHED = ("figures", "math-font", "notebook", "templates", "told", "verified")
LIBRARIES = (
    *("torch", "matplotlib.backends.backend_svg", "lark", "yaml", "pytest", "hypothesis.stateful"),
    *("mpmath", "mkdocs.__main__", "mkdocs.commands.build", "material", "mkdocs_jupyter.plugin"),
)
LIMIT = 120  # seconds, for a program that a fault keeps from ending
NEAR = 3  # lines
PLACE = re.compile(r"([\w./-]*?)([\w-]+)\.(md|py|yml)\b(?::(\d+))?")
COUNTS = re.compile(r"^[^\s:]+: \d+ .*$", re.MULTILINE)  # in which verify says how far it is

Check = Callable[[Fault], int]


class Verdict(NamedTuple):
    """What became of a fault: what failed, whether it named the file, how far off the line was."""

    fault: Fault
    caught_by: str = ""
    off: int | None = None  # None: no line was named
    said: str = ""  # by what failed and named another file, or none
    seconds: float = 0.0

    @property
    def is_at_the_line(self) -> bool:
        """Whether a reader of the message finds the fault on his screen."""
        return self.off is not None and self.off <= NEAR


def copy(folder: Path) -> str:
    """Copy the project, put the copy through verify, and return what does not hold as it is."""
    for part in (*PARTS, *(f".cache/{name}" for name in CACHED)):
        if (ROOT / part).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, folder / part, ignore=ignored)
        elif (ROOT / part).is_file():
            shutil.copy(ROOT / part, folder / part)
    command = [sys.executable, "-B", "-m", "softmax_ce.command", "verify"]
    verified = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return verified.returncode * (verified.stdout + verified.stderr)


def prepare(project: Path) -> None:
    """Make this process a worker: give it a copy of the project, and load the libraries."""
    folder = project.with_name(f"{project.name}-{os.getpid()}")
    shutil.copytree(project, folder)
    os.chdir(folder)
    sys.path[:0] = [str(folder)]
    sys.dont_write_bytecode = True  # a file that changes twice in a second would keep its old one
    for library in LIBRARIES:
        importlib.import_module(library)
    importlib.import_module("torch").set_num_threads(1)  # its threads would not survive a fork
    gc.collect()
    gc.freeze()  # or a fork's first collection would copy all that it holds
    assert not any(name.startswith("softmax_ce") for name in sys.modules)


def attempt(fault: Fault, checks: Sequence[Check]) -> Verdict:
    """Make the fault, run the checks until one fails and names its file, and take it back."""
    start, verdict = time.monotonic(), Verdict(fault)
    file = Path(fault.path)
    before = file.read_bytes()
    try:
        file.write_bytes(fault.text.encode())
        for check in checks:
            code, said = _forked(check, fault)
            if code == 0:
                continue
            lines = _named(fault, said)
            if not lines:
                verdict = verdict._replace(said=f"{verdict.said}{check.__name__}: {said}\n")
                continue
            offs = [abs(line - fault.line) for line in lines if line]
            verdict = verdict._replace(caught_by=check.__name__, off=min(offs, default=None))
            break
    finally:
        file.write_bytes(before)
        shutil.rmtree(".hypothesis", ignore_errors=True)  # what a check remembers of a fault
    return verdict._replace(seconds=time.monotonic() - start)


def _named(fault: Fault, said: str) -> list[int]:
    """The lines of the fault's file that were named; 0 where it was named without a line.

    A module is named too by its test, by its chapter and by its figures.
    """
    found = []
    if fault.path.startswith("softmax_ce/figures/"):
        found += [0 for _ in re.findall(rf"\b{Path(fault.path).stem}\.[a-z]\w+", said)]
    for folder, stem, suffix, line in PLACE.findall(COUNTS.sub("", said)):
        itself = f"{folder}{stem}.{suffix}" in (fault.path, Path(fault.path).name)
        if itself or fault.path.endswith(f"/{folder}{stem}.{suffix}"):
            found.append(int(line or 0))
        elif fault.path.startswith("softmax_ce/"):
            mirrored = stem.removeprefix("test_").replace("-", "_")
            if mirrored.startswith(Path(fault.path).stem):
                found.append(0)
    return found


def _forked(check: Check, fault: Fault) -> tuple[int, str]:
    """The exit code of the check, run in a fork of this process, and what it wrote."""
    with tempfile.TemporaryFile() as output:
        child = os.fork()
        if not child:
            _run(check, fault, output)
        _, status = os.waitpid(child, 0)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)  # what it has started and not ended
        output.seek(0)
        return os.waitstatus_to_exitcode(status), output.read().decode(errors="replace")


def _run(check: Check, fault: Fault, output: IO[bytes]) -> None:
    """Run the check, and end this process with its exit code."""
    code = 70
    try:
        os.setsid()
        signal.alarm(LIMIT)
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
        # A block runs in a fork of this process: a server for each fault would take seconds.
        forks = multiprocessing.get_context("fork")
        multiprocessing.get_context = lambda method=None: forks  # type: ignore[assignment]
        code = check(fault)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
