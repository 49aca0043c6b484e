"""How long an author waits: for a build, and for a saved word to be served by `mkdocs serve`.

Run `python tests/benchmarks/author_loop.py`; exit code 1 if a bar is not met. It works on copies
of the project in a temporary folder. The bars are those of a machine that imports torch and
matplotlib in 1.3 seconds: on a slower one they are as much longer.
"""

import argparse
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
IMPORTS = 1.3  # seconds
SOURCES = ("docs", "softmax_ce", "mkdocs.yml", "README.md")
CHAPTER, NOTEBOOK = "docs/softmax.md", "docs/notebook/day14.py"
# The first line of prose: in a chapter, and in a Markdown cell, where it stands behind a "# ".
PROSE = {
    CHAPTER: re.compile(r"(?<=\n\n)[A-Z][a-z]+ (?=[^\n]+\n)"),
    NOTEBOOK: re.compile(r"(?<=\n# )[A-Z][a-z]+ (?=[^\n]+\n)"),
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="saves of each file")
    rounds = parser.parse_args().rounds
    load = os.getloadavg()[0]  # on cores that others use, these times say little
    progress("imports")
    imports = statistics.median(stopwatch(import_libraries) for _ in range(5))
    slower = max(1.0, imports / IMPORTS)

    with tempfile.TemporaryDirectory() as temporary:
        first, second = (
            copy_of_project(Path(temporary, name)) for name in ("first", "other/place")
        )
        progress("cold build")
        cold = stopwatch(lambda: build(first))
        progress("another cold build, in another folder")
        build(second, TZ="Asia/Tokyo", PYTHONHASHSEED="7")
        differing = differences(first / "site", second / "site")
        progress("warm builds")
        warm = statistics.median(stopwatch(lambda: build(first)) for _ in range(3))
        progress("all checks, anew")
        checks = stopwatch(lambda: verify(second, "--fresh"))
        with server(first) as address:
            before = made(first)
            chapter = waits(first, CHAPTER, f"{address}softmax.html", rounds)
            notebook = waits(first, NOTEBOOK, f"{address}notebook/day14.html", rounds)
            again = len(made(first) ^ before)
            formula = waits(first, CHAPTER, f"{address}softmax.html", 3, with_formula=True)
    progress("")

    table = [
        ("imports of torch and matplotlib, median of 5", imports, IMPORTS, "s"),
        ("cold build, with all checks", cold, 12.0, "s"),
        ("all checks, nothing known", checks, 60.0, "s"),
        ("warm build, median of 3", warm, 2.0, "s"),
        (f"chapter, save to served, median of {rounds}", statistics.median(chapter), 0.7, "s"),
        (f"notebook's text, the same, median of {rounds}", statistics.median(notebook), 0.7, "s"),
        ("a formula, which is evaluated, median of 3", statistics.median(formula), 2.0, "s"),
        ("executed, drawn or checked again for text", again, 0, ""),
        ("files that differ between two cold builds", len(differing), 0, ""),
    ]
    print(f"{'':<46}{'measured':>10}{'bar':>10}")
    for name, measured, bar, unit in table:
        bar *= slower if unit else 1
        missed = "" if measured <= bar else "  missed"
        form = ".2f" if unit else "d"
        print(f"{name:<46}{measured:>8{form}} {unit:1}{bar:>8{form}} {unit:1}{missed}")
    print("\n".join(differing), end="")
    slowest = f"slowest save: {max(chapter):.2f} s, {max(notebook):.2f} s"
    print(f"{slowest}; {os.cpu_count()} cores, load {load:.1f} at the start")
    return 0 if all(measured <= bar * slower for _, measured, bar, _ in table) else 1


def import_libraries() -> None:
    subprocess.run([sys.executable, "-c", "import torch, matplotlib.pyplot"], check=True)


def copy_of_project(folder: Path) -> Path:
    """The sources alone: no cache and no bytecode."""
    folder.mkdir(parents=True)
    for name in SOURCES:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, folder / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, folder)
    return folder


def command(project: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "mkdocs", *arguments, "-f", str(project / "mkdocs.yml")]


def environment(project: Path, **variables: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(project)} | variables


def build(project: Path, **variables: str) -> None:
    built = subprocess.run(
        command(project, "build", "--quiet"),
        cwd=project,
        env=environment(project, **variables),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if built.returncode:
        raise SystemExit(built.stderr)


def verify(project: Path, *arguments: str) -> None:
    """Run the checks of the whole book."""
    command = [sys.executable, "-m", "softmax_ce.command", "verify", *arguments]
    checked = subprocess.run(
        command, cwd=project, env=environment(project), capture_output=True, text=True, check=False
    )
    if checked.returncode:
        raise SystemExit(checked.stdout + checked.stderr)


def stopwatch(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def differences(one: Path, other: Path) -> list[str]:
    """The files that only one of the sites has, or that are not the same byte for byte."""
    files = [
        {file.relative_to(site): file.read_bytes() for file in site.rglob("*") if file.is_file()}
        for site in (one, other)
    ]
    return sorted({f"{path}\n" for path, _ in files[0].items() ^ files[1].items()})


def made(project: Path) -> set[tuple[Path, int]]:
    """Each drawn figure, executed notebook and checked page, and when it was made."""
    folders = (project / ".cache" / name for name in ("figures", "notebook", "verified"))
    return {(file, file.stat().st_mtime_ns) for folder in folders for file in folder.iterdir()}


@contextmanager
def server(project: Path) -> Iterator[str]:
    """The address of `mkdocs serve`, when it serves."""
    progress("starting mkdocs serve")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{probe.getsockname()[1]}"
    process = subprocess.Popen(
        command(project, "serve", "--quiet", "--dev-addr", host),
        cwd=project,
        env=environment(project),
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for("<html", f"http://{host}/")
        yield f"http://{host}/"
    finally:
        process.terminate()
        process.wait()


def waits(
    project: Path, name: str, address: str, rounds: int, *, with_formula: bool = False
) -> list[float]:
    """The seconds from saving a new word in the file to its page being served with it."""
    file, chance, seconds = project / name, random.Random(0), []
    text = file.read_text(encoding="utf-8")
    for i in range(rounds):
        progress(f"{name}: save {i + 1}/{rounds}")
        time.sleep(1 + chance.random())  # the watcher looks twice a second: meet it anywhere
        word = f"word{i}of{rounds}"
        new = f"{word} $e^{{{i}}} e = e^{{{i} + 1}}$ " if with_formula else f"{word} "
        edited, edits = PROSE[name].subn(rf"\g<0>{new}", text, count=1)
        if not edits:
            raise SystemExit(f"{name} has no line of prose to put a word into: see PROSE")
        file.write_text(edited, encoding="utf-8")
        seconds.append(stopwatch(partial(wait_for, word, address)))
    return seconds


def wait_for(word: str, address: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if word in str(urlopen(address, timeout=30).read(), "utf-8"):
                return
        except OSError:
            pass  # not up yet, or the folder of the site is being filled
        time.sleep(0.01)
    raise SystemExit(f"{address} never had {word!r}")


def progress(message: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{message}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
