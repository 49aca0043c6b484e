"""The pages of the book, each through every check, with progress and a summary."""

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import unified_diff
from pathlib import Path

from softmax_ce.verify import blocks
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.ledger import CHECKS, findings
from softmax_ce.verify.page import Page


def whole() -> list[Path]:
    """The whole book: README, chapters, notebook, and the docstrings of the package."""
    return [Path("README.md"), Path("docs"), *sorted(Path("softmax_ce").glob("[!_]*.py"))]


def pages(paths: Iterable[Path]) -> list[Path]:
    """Every page among these files and in these folders: Markdown, or a notebook's script."""
    found: list[Path] = []
    for path in paths:
        inside = [file for file in sorted(path.rglob("*")) if file.suffix in {".md", ".py"}]
        if not inside and not path.is_file():
            raise FileNotFoundError(f"there is no page {path} in {Path.cwd()}")
        found += inside or [path]
    return found


def verify(paths: Iterable[Path], *, accept: bool = False, fresh: bool = False) -> list[Fault]:
    """Put the pages through every check and print what each finds; accept new outputs first."""
    counts, exempt = Counter(page=0), Counter[str]()
    all_faults = []
    for path in pages(paths):
        _progress(f"{path} ...")
        found = [*_accept(path)] if accept else []
        page = Page(path)
        of_page: Counter[str] = Counter()
        for check in CHECKS:
            _progress(f"{path}: {check.__name__.rpartition('.')[2].replace('_', ' ')} ...")
            for claims, faults in findings(page, check, fresh=fresh):
                of_page += Counter(claim.kind for claim in claims)
                exempt += Counter(claim.kind for claim in claims if claim.reason)
                found += [fault for fault in faults if fault not in found]
        _progress("")
        print(f"{path}: {_counted(len(found), 'fault') if found else _listed(of_page)}")
        for fault in sorted(found):
            print(f"\n{fault}")
        if found:
            print()
        counts += of_page + Counter(page=1)
        all_faults += found
    print(f"{_listed(counts)}: {_counted(len(all_faults), 'fault') if all_faults else 'all hold'}")
    if exempt:
        ran = 1 - exempt["equation"] / max(counts["equation"], 1)
        print(
            f"not run, for the reasons beside them: {_listed(exempt)}; {ran:.1%} of equations run"
        )
    return all_faults


def _accept(path: Path) -> Iterator[Fault]:
    """Write the outputs that changed, and print their diff."""
    page = Page(path)
    source = blocks.accept(page)
    if source == page.source:
        return
    if path.read_bytes() != page.source.encode():
        yield Fault(path, 1, "this page was saved while its blocks ran: accept once more")
        return
    _progress("")
    before, after = page.source.splitlines(), source.splitlines()
    print(*unified_diff(before, after, str(path), str(path), lineterm=""), sep="\n")
    new = path.with_name(f".{path.name}.new")  # whole or not at all, if the machine stops
    new.write_bytes(source.encode())
    shutil.copymode(path, new)
    os.replace(new, path)


def _progress(text: str) -> None:
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(_counted(n, name) for name, n in counts.items()) or "nothing to check"


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
