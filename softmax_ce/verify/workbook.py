"""A workbook: a notebook of functions to write, each with its solution between nbgrader's marks.

Readers get it blank. It runs as it is written, and each solution passes its check; and it runs
blank, and fails each check politely.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from softmax_ce.verify.claim import Claim
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import Page
from softmax_ce.verify.page import blank as erased
from softmax_ce.verify.part import Part
from softmax_ce.verify.run import Ran, run
from softmax_ce.verify.sources import imports

WORKBOOK = Path("notebook", "workbook.py")  # beside the pages that show its solutions
MARK = re.compile(r"### (?:BEGIN|END) SOLUTION\b")
SOLUTION = re.compile(
    r"^(?P<indent> +)### BEGIN SOLUTION\n(?:(?:(?P=indent).*)?\n)+?(?P=indent)### END SOLUTION$",
    re.MULTILINE,
)
TEXT = re.compile(r"#( |$)")  # a row of a Markdown cell
BLANK = r"\g<indent># YOUR CODE HERE\n\g<indent>raise NotImplementedError()"
FUNCTION = re.compile(r"^def (?P<name>\w+)\(", re.MULTILINE)
CHECK = re.compile(r"^check\.(?P<name>\w+)\((?P=name)\)$", re.MULTILINE)
SAID = re.compile(r"^(?P<name>\w+): .*\n(?:  .*\n)*", re.MULTILINE)


def is_workbook(page: Page) -> bool:
    """Whether it is a notebook with solutions."""
    return page.is_notebook and bool(MARK.search(page.source))


def blank(script: str) -> str:
    """A script without its solutions, as readers get it."""
    return SOLUTION.sub(BLANK, script)


def printed(script: str) -> str:
    """What a script or a cell prints while nothing is written: `check` makes sure of it."""
    return "".join(f"{found['name']}: not written yet\n" for found in CHECK.finditer(script))


def exercises(page: Page) -> dict[str, int]:
    """The functions to write that are checked, and their lines."""
    places = {
        found["name"]: page.source.count("\n", 0, found.start()) + 1
        for kind in (CHECK, FUNCTION)
        for found in kind.finditer(page.source)
    }
    return {found["name"]: places[found["name"]] for found in CHECK.finditer(page.source)}


def claims(page: Page) -> list[Claim]:
    """The page's solutions, each of which is a block that runs."""
    if not is_workbook(page):
        return []
    rows = page.source.split("\n")
    return [Claim("block", line, rows[line - 1]) for line in exercises(page).values()]


def parts(page: Page) -> list[Part]:
    """The page's code, all together."""
    if not is_workbook(page):
        return []
    solutions = [found[0] for found in SOLUTION.finditer(page.source)]
    code = [row for row in page.source.split("\n") if MARK.search(row) or not TEXT.match(row)]
    try:
        modules = imports(page.source.encode())
    except SyntaxError:  # it will not run
        modules = []
    return [Part(page, repr((code, solutions)), [*exercises(page).values()], modules)]


def check(page: Page) -> Iterator[Fault]:
    """Run the workbook as it is written, and blank."""
    if is_workbook(page):
        yield from (Fault(page.path, line, message.rstrip()) for line, message in _wrong(page))


def _wrong(page: Page) -> Iterator[tuple[int, str]]:
    if mark := MARK.search(SOLUTION.sub(erased, page.source)):
        message = "readers see this solution: write ### BEGIN SOLUTION above and ### END SOLUTION "
        yield page.source.count("\n", 0, mark.start()) + 1, f"{message}below it, indented alike"
        return
    solved = run(page.source, str(page.path))
    unsolved = run(SOLUTION.sub(_blank_in_place, page.source), f"{page.path} (blank)")
    for version, ran in (("as it is written", solved), ("blank", unsolved)):
        if said := ran.failure + ran.errors:
            yield _line(page, ran), f"{version}, the workbook fails or warns:\n{said}"
            return
    for solution in SOLUTION.finditer(page.source):
        *_, name = FUNCTION.findall(page.source, 0, solution.start())
        if name not in exercises(page):
            line = page.source.count("\n", 0, solution.start()) + 1
            yield line, f"nothing checks this solution: write check.{name}({name}) below it"
    right, polite = _by_name(solved), _by_name(unsolved)
    for name, line in exercises(page).items():
        if not re.fullmatch(rf"{name}: right, on \d+ inputs\n", right[name]):
            yield line, f"this solution does not pass its check:\n{right[name]}"
        elif polite[name] != printed(f"check.{name}({name})"):
            yield line, f"readers see this solution: put marks around it. Blank,\n{polite[name]}"
    if "".join(polite.values()) != unsolved.output:
        yield 1, f"only its checks may print in a workbook; blank, it prints\n{unsolved.output}"


def _blank_in_place(solution: re.Match[str]) -> str:
    """The blank with as many lines, so that all others keep their numbers."""
    return solution.expand(BLANK) + "\n" * (solution[0].count("\n") - 1)


def _by_name(ran: Ran) -> dict[str, str]:
    """What each check says."""
    said = {found["name"]: found[0] for found in SAID.finditer(ran.output)}
    return defaultdict(str, said)


def _line(page: Page, ran: Ran) -> int:
    """The line of the cell that failed."""
    found = re.search(
        rf'File "{re.escape(str(page.path))}(?: \(blank\))?", line (\d+)', ran.failure
    )
    return int(found[1]) if found else 1
