"""A process beside the build, which draws its figures and says what of its pages holds.

It reads a line, the pages as JSON, and writes two: one when their figures are in the cache, and
then the answer. What is not known it has run in processes that see the sources as they stand then,
and are forked from one that has torch at hand.
"""

import gc
import json
import os
import signal
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, wait
from contextlib import suppress
from functools import cache as cached
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from softmax_ce.verify import cache
from softmax_ce.verify.run import PROCESSES, keep_fresh, start_server

if TYPE_CHECKING:
    from softmax_ce.verify.page import Page

DRAWN = ""  # the line that says so


def answer(paths: list[str], tell: Callable[[str], None]) -> None:
    """Tell when the figures of these pages are drawn, and what is known of the pages, as JSON."""
    from softmax_ce.verify import ledger
    from softmax_ce.verify.page import Page
    from softmax_ce.verify.sources import stamps, versions

    written = stamps()
    pages = {path: Page(Path(path)) for path in paths}
    state = ledger.state()
    keys = {path: ledger.key_of(page, state) for path, page in pages.items()}
    known = {path: ledger.retold(keys[path], page) for path, page in pages.items()}
    told = {path: kept for path, kept in known.items() if kept}
    new = {path: page for path, page in pages.items() if path not in told}
    found = find_out(new, tell)
    for path, page in new.items():
        of_page = {name: findings for (name, its), findings in found.items() if its == path}
        told[path] = ledger.told(page, of_page)
    if new and stamps() == written:  # no source was saved meanwhile
        for path, page in new.items():
            ledger.keep(keys[path], page, told[path])
    entries = [row for path in paths for row in told[path]["entries"]]
    mistakes = {name: said for path in paths for name, said in told[path]["mistakes"].items()}
    tell(json.dumps({"versions": versions(), "entries": entries, "mistakes": mistakes}))


def find_out(pages: "dict[str, Page]", tell: Callable[[str], None]) -> dict[tuple[str, str], Any]:
    """What each check finds out about each page, by their names; tell when figures are drawn."""
    from softmax_ce.verify import figures, ledger
    from softmax_ce.verify.sources import fingerprint

    now = cached(fingerprint)
    names = {image.name: None for page in pages.values() for image in page.images}
    undrawn = [name for name in names if not figures.is_drawn(name)]
    if not undrawn:
        tell(DRAWN)
    untold = [path for path, page in pages.items() if not ledger.are_told(page)]
    # Check by check: blocks take longest, and what numbers may be bound to is drawn by then.
    found = {
        (name, path): ledger.recalled(page, name, now)
        for name in ledger.KEPT
        for path, page in pages.items()
    }
    unknown = [place for place, findings in found.items() if findings is None]
    if undrawn or untold or unknown:
        # As many as there are cores: the build waits for the figures.
        with ProcessPoolExecutor(os.cpu_count(), PROCESSES, _begin) as pool:
            drawing = [pool.submit(draw, name) for name in undrawn]
            telling = [pool.submit(say, path) for path in untold]
            finding = [pool.submit(find, *place) for place in unknown]
            wait(drawing)
            if undrawn:
                tell(DRAWN)
            found |= zip(unknown, (future.result() for future in finding), strict=True)
            wait(telling)
    return found


def draw(name: str) -> None:
    """Draw a figure into the cache; the build meets what is wrong with it, and says so."""
    from softmax_ce.verify import figures

    with suppress(Exception):
        figures.drawn(name)


def say(path: str) -> None:
    """Put what the checks say of the mistakes that the page shows into the cache."""
    from softmax_ce.verify import ledger
    from softmax_ce.verify.page import Page

    ledger.mistakes(Page(Path(path)))


def find(name: str, path: str) -> Any:
    """What a check finds out about each part of a page."""
    from softmax_ce.verify import ledger
    from softmax_ce.verify.page import Page

    return ledger.findings(Page(Path(path)), ledger.KEPT[name])


def _begin() -> None:
    import torch

    # The modules of the mathematics, but none that computes: where torch's threads have begun, a
    # fork waits for them without end.
    from softmax_ce import softmax_stable  # noqa: F401

    gc.freeze()  # a collection in a fork would copy all that it looks at
    keep_fresh()
    torch.set_num_threads(1)


def _requests() -> "SimpleQueue[str]":
    """What the build asks, as it comes.

    When no one is left who asks, all that runs ends: a build that has failed waits for nothing.
    """
    requests: SimpleQueue[str] = SimpleQueue()

    def read() -> None:
        for line in sys.stdin:
            requests.put(line)
        os.killpg(0, signal.SIGTERM)

    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    Thread(target=read, daemon=True).start()
    return requests


def main() -> None:
    """Answer what is asked."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a figure may print is no answer
    requests = _requests()
    if not cache.FOLDER.exists():
        start_server()  # much is unknown, while the build has not even asked
    from softmax_ce.verify import ledger  # noqa: F401, in that time, too

    while True:
        answer(json.loads(requests.get()), partial(print, file=answers, flush=True))
        if "stay" in sys.argv:
            start_server()
