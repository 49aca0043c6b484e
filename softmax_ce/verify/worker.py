"""A process beside the build, which says what of the pages holds whenever it is asked.

It reads a line, the pages as JSON, and writes a line, the answer. What is not known it has run in
a process that sees the sources as they stand then, and is forked from one that has torch at hand.
"""

# Nothing that takes time is imported above: each process that runs a block imports this file.
import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from softmax_ce.verify.run import call, start_server

if TYPE_CHECKING:
    from softmax_ce.verify.page import Page

Rows = list[dict[str, Any]]


def answer(paths: list[str], memory: dict[str, tuple[Any, Rows]]) -> str:
    """What is known of these pages, and of the mistakes that they show, as JSON."""
    from softmax_ce.verify import ledger
    from softmax_ce.verify.page import Page
    from softmax_ce.verify.sources import versions

    pages = {path: Page(Path(path)) for path in paths}
    around = _around(pages.values())
    new = [path for path in paths if memory.get(path, ("",))[0] != (pages[path].source, around)]
    rows = {path: row for path, (_, row) in memory.items()}
    unknown = [path for path in new if not ledger.is_known(pages[path])]
    rows |= call(run_alone, unknown) if unknown else {}
    rows |= run(path for path in new if path not in unknown)
    for path in paths:
        if not any(row["result"] == "failed" for row in rows[path]):
            memory[path] = (pages[path].source, around), rows[path]
    mistakes = {
        name: said for page in pages.values() for name, said in ledger.mistakes(page).items()
    }
    entries = [row for path in paths for row in rows[path]]
    return json.dumps({"versions": versions(), "entries": entries, "mistakes": mistakes})


def run(paths: Iterable[str]) -> dict[str, Rows]:
    """The entries of each page."""
    from softmax_ce.verify import ledger
    from softmax_ce.verify.page import Page

    return {path: [row._asdict() for row in ledger.entries(Page(Path(path)))] for path in paths}


def run_alone(paths: list[str]) -> dict[str, Rows]:
    """The entries of each page, found on one core: the build has the other."""
    import torch

    from softmax_ce.verify import ledger
    from softmax_ce.verify.page import Page

    torch.set_num_threads(1)
    for path in paths:
        ledger.mistakes(Page(Path(path)))  # known from now on, and made where torch is at hand
    return run(paths)


def _around(pages: "Iterable[Page]") -> Any:
    """What the claims of a page may depend on beside the page."""
    from softmax_ce.verify.links import HEADING
    from softmax_ce.verify.sources import everything

    notation = [page.source for page in pages if page.path.name == "index.md"]
    return everything(), notation, [HEADING.findall(page.text) for page in pages]


def main() -> None:
    """Answer until there is no one left who asks."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a figure may print is no answer
    memory: dict[str, tuple[Any, Rows]] = {}
    with suppress(BrokenPipeError):  # the build has failed, and said why
        for request in sys.stdin:
            print(answer(json.loads(request), memory), file=answers, flush=True)
            if "stay" in sys.argv:
                start_server()


if __name__ == "__main__":
    main()
