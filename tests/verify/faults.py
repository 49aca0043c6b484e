"""Makes faults in copies of the project, one at a time, and counts those that the checks catch.

    python tests/verify/faults.py

A fault is caught if a check fails and names its file. Faults are drawn by a seed, from all places
where one of its kind can be made. A survivor is one to mend the checks for, or `faulty/known.py`
says why not; any other fails this program.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.verify.faulty import checks
from tests.verify.faulty.fault import Fault, Files, in_any_order
from tests.verify.faulty.kinds import KINDS, Kind
from tests.verify.faulty.known import reason
from tests.verify.faulty.trial import ROOT, Verdict, attempt, copy, prepare

GLOBS = (
    *("README.md", "mkdocs.yml", "docs/*.md", "docs/notebook/*.py"),
    *("softmax_ce/[a-z]*.py", "softmax_ce/figures/[a-z]*.py"),
)
WORKERS = 2


class Result(NamedTuple):
    """What became of a fault, and why, if it is known to survive."""

    kind: str
    verdict: Verdict
    reason: str

    @property
    def survives(self) -> bool:
        """Whether no check that failed named the file."""
        return not self.verdict.caught_by


def main() -> int:
    """Try the faults, and print what became of them."""
    chosen = _arguments()
    drawn = [*draw(chosen)]
    results = []
    # A check that was killed may still be ending, and write into its copy.
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        project = Path(folder, "project")
        unsound = copy(project)
        pool = ProcessPoolExecutor(WORKERS, get_context("fork"), prepare, (project,))
        if unsound or (not chosen.sample and (unsound := _unsound(pool))):
            print(f"without any fault something does not hold:\n{unsound}")
            return 2
        for result in _results(pool, drawn):
            results.append(result)
            _progress(result, len(results), len(drawn), is_told=chosen.verbose)
    survivors = sorted(result for result in results if result.survives)
    print(table(results))
    print(*map(told, survivors), sep="")
    return 1 if any(not survivor.reason for survivor in survivors) else 0


def _arguments() -> argparse.Namespace:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=form)
    parser.add_argument("--sample", action="store_true", help="one or two of each kind")
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--times", type=int, default=1, help="so many times as many of each kind")
    parser.add_argument("--kind", default="", help="the kinds in whose name this pattern is found")
    parser.add_argument("--verbose", action="store_true", help="say of each what caught it")
    return parser.parse_args()


def draw(chosen: argparse.Namespace) -> Iterator[tuple[Kind, Fault]]:
    """The faults of a run."""
    files = read()
    for place, kind in enumerate(kind for kind in KINDS if re.search(chosen.kind, kind.name)):
        number = 1 + (place < 3) if chosen.sample else chosen.times * kind.number
        random = Random(f"{chosen.seed} {kind.name}")
        faults = in_any_order(random, files, kind.places(files))
        yield from ((kind, fault) for fault in islice(faults, number))


def read() -> Files:
    """The files of the project in which faults are made."""
    paths = sorted({path for glob in GLOBS for path in ROOT.glob(glob)})
    return {path.relative_to(ROOT).as_posix(): path.read_text() for path in paths}


def _unsound(pool: ProcessPoolExecutor) -> str:
    """What the tests and the build say of the project as it is, if anything."""
    none = Fault("README.md", 1, "", (ROOT / "README.md").read_text())
    tried = [pool.submit(attempt, none, [check]) for check in (checks.all_tests, checks.build_site)]
    return "".join(future.result().said or future.result().caught_by for future in tried)


def _results(pool: ProcessPoolExecutor, drawn: Iterable[tuple[Kind, Fault]]) -> Iterator[Result]:
    tried = {pool.submit(attempt, fault, kind.checks): kind.name for kind, fault in drawn}
    for future in as_completed(tried):
        kind, verdict = tried[future], future.result()
        yield Result(kind, verdict, "" if verdict.caught_by else reason(kind, verdict))


def _progress(result: Result, number: int, of: int, *, is_told: bool) -> None:
    verdict = result.verdict
    if is_told:
        by = verdict.caught_by or "NOTHING"
        print(f"{verdict.seconds:5.1f} s  {result.kind}, caught by {by}: {verdict.fault}")
    elif sys.stdout.isatty():
        print(f"\r\033[K{number} of {of} faults", end="", flush=True)
    elif number % 50 == 0:
        print(f"{number} of {of} faults", flush=True)


def table(results: list[Result]) -> str:
    """The share that was caught of each kind, and how many messages named the line."""
    rows = [f"\n{'':30} made  caught  share   near the line  another  none  seconds"]
    kinds = dict.fromkeys(result.kind for result in sorted(results, key=_order))
    for name in (*kinds, "all"):
        verdicts = [result.verdict for result in results if name in (result.kind, "all")]
        caught = [verdict for verdict in verdicts if verdict.caught_by]
        near = sum(verdict.is_at_the_line for verdict in caught)
        none = sum(verdict.off is None for verdict in caught)
        rows.append(
            f"{name:30} {len(verdicts):4} {len(caught):7} {len(caught) / len(verdicts):6.1%} "
            f"{near:15} {len(caught) - near - none:8} {none:5} "
            f"{sum(verdict.seconds for verdict in verdicts):8.1f}"
        )
    return "\n".join(rows)


def _order(result: Result) -> int:
    return [kind.name for kind in KINDS].index(result.kind)


def told(survivor: Result) -> str:
    """A survivor with its reason, and what the checks said that named another file."""
    why = survivor.reason or "SURVIVES, and no reason is known"
    said = "".join(f"    | {row}\n" for row in survivor.verdict.said.splitlines()[-12:])
    return f"\n{survivor.kind}: {survivor.verdict.fault}\n    {why}\n" + said * (
        not survivor.reason
    )


if __name__ == "__main__":
    sys.exit(main())
