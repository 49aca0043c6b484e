"""What the pages claim, what of it holds, and how that is known.

A part of a page that holds is run again when it, a source that it runs or a version has changed;
one that does not hold is run each time, for what failed may have been the machine.
"""

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache as cached
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from softmax_ce.verify import (
    blocks,
    cache,
    equations,
    fences,
    figures,
    links,
    numbers,
    same_code,
    summaries,
    workbook,
)
from softmax_ce.verify.claim import Claim
from softmax_ce.verify.equations.notation import text_of
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import Page
from softmax_ce.verify.part import Part
from softmax_ce.verify.sources import everything, fingerprint, stamps, versions


class Check(Protocol):
    """What a module offers that checks one kind of claim."""

    __name__: str

    def claims(self, page: Page) -> list[Claim]:
        """What the page claims."""

    def check(self, page: Page) -> Iterator[Fault]:
        """Find what does not hold."""


CHECKS: tuple[Check, ...] = (
    fences,
    blocks,
    workbook,
    same_code,
    equations,
    summaries,
    numbers,
    figures,
    links,
)
KEPT = {module.__name__: module for module in (blocks, workbook, same_code, equations, numbers)}
MISTAKE = re.compile(r"<!-- caught in (\S+) -->")


class Finding(NamedTuple):
    """What a part of a page claims, and what of that does not hold."""

    claims: list[Claim]
    faults: list[Fault]


class Entry(NamedTuple):
    """A claim of the book, and what came of it: held, failed, or exempt for a reason."""

    kind: str
    page: str
    line: int
    text: str
    result: str
    by: str
    note: str = ""  # the reason, or what is wrong
    id: str = ""  # of a display equation that ran


def recalled(
    page: Page, name: str, fingerprint: Callable[..., str] = fingerprint
) -> list[Finding] | None:
    """What the check of this name once found out about the parts of a page, if that is all.

    Whoever asks of many pages at one time may bring a `fingerprint` that remembers.
    """
    module = KEPT[name]
    if (kept := _kept(page, module)) is None:
        return None
    parts = module.parts(page)
    keys = _keys(parts, fingerprint)
    known = [(part, kept[key]) for part, key in zip(parts, keys, strict=True) if key in kept]
    return [_held(part, claims) for part, claims in known] if len(known) == len(parts) else None


def findings(page: Page, check: Check, *, fresh: bool = False) -> list[Finding]:
    """What this check finds out about each part of the page: only what is not known is run."""
    module = KEPT.get(check.__name__)
    if module is None:
        return [_run(page, check)]
    written = stamps()
    parts, before = module.parts(page), None if fresh else _kept(page, check)
    keys, kept = _keys(parts), before or {}

    def find(part: Part, key: str) -> Finding:
        return _held(part, kept[key]) if key in kept else _run(part.page, check)

    # Blocks run in processes of their own, for which threads wait.
    with ThreadPoolExecutor(os.cpu_count() if check is blocks else 1) as pool:
        results = [*pool.map(find, parts, keys)]
    is_as_found = stamps() == written  # no source was saved meanwhile
    rows = {
        key: _claims(part, finding)
        for part, key, finding in zip(parts, keys, results, strict=True)
        if not finding.faults and (key in kept or is_as_found)
    }
    if rows != before and (file := _file(page, check)):
        cache.write(file, _common(), json.dumps(rows).encode())
    return results


def entries(
    page: Page, found: Mapping[str, list[Finding] | None] = MappingProxyType({})
) -> Iterator[Entry]:
    """A row for each claim of the page, and for each fault that is about no claim.

    What some checks have `found` already, by their names, is not asked of them again.
    """
    displayed = [(formula.line, formula.latex) for formula in page.formulas if formula.display]
    for check in CHECKS:
        of_check = found.get(check.__name__)
        for finding in findings(page, check) if of_check is None else of_check:
            for entry in _rows(page, check, finding):
                place = (entry.line, entry.text)
                if entry.kind == "equation" and entry.result == "held" and place in displayed:
                    name = f"{page.path.name.removesuffix('.md')}-{displayed.index(place) + 1}"
                    entry = entry._replace(id=name)
                yield entry


def told(page: Page, found: Mapping[str, list[Finding] | None]) -> dict[str, Any]:
    """All that there is to say of a page: its entries, and what is said of its mistakes."""
    rows = [entry._asdict() for entry in entries(page, found)]
    return {"entries": rows, "mistakes": mistakes(page)}


def keep(key: str, page: Page, told: Mapping[str, Any]) -> None:
    """Keep what was told of a page where everything holds, to be told again."""
    if (file := _file(page)) and not any(row["result"] == "failed" for row in told["entries"]):
        cache.write(file, key, json.dumps(told).encode())


def retold(key: str, page: Page) -> dict[str, Any] | None:
    """What was told of a page, if its key has not changed."""
    file = _file(page)
    kept = cache.read(file, key) if file else None
    return dict(json.loads(kept)) if kept else None


def state() -> str:
    """Changes with the checks, and with all sources that they may run."""
    sources = (part for file, source in everything().items() for part in (str(file), source))
    return cache.key(_common(), *sources)


def key_of(page: Page, state: str) -> str:
    """Changes with all that is told of a page: with all that its checks read."""
    return cache.key(str(page.path), page.source, state, repr(_beside(page)))


def _beside(page: Page) -> list[Any]:
    """What the checks of a page read beside it: notation, solutions, and where its links lead."""
    return [text_of(page), same_code.solutions(page), links.targets(page)]


def mistakes(page: Page) -> dict[str, list[str]]:
    """What the checks say of the examples of mistakes that a page shows, by name."""
    return {
        example.path.name: json.loads(cache.kept(*place, partial(_said, example)))
        for place, example in _examples(page)
    }


def are_told(page: Page) -> bool:
    """Whether what the checks say of these examples is known."""
    return all(cache.read(*place) for place, _ in _examples(page))


def _examples(page: Page) -> Iterator[tuple[tuple[str, str], Page]]:
    """The examples of mistakes that a page shows, as pages, and where what is said of them is."""
    for block in page.fences:
        following = "".join(page.lines[block.end : block.end + 2]).strip()
        if block.language == "markdown" and (match := MISTAKE.fullmatch(following)):
            example = Page(page.path.with_name(match[1]), block.code)
            yield (f"verified/{match[1]}.json", key_of(example, state())), example


def _said(example: Page) -> bytes:
    faults = [*map(str, (fault for check in CHECKS for fault in check.check(example)))]
    return json.dumps(faults).encode()


def _run(page: Page, check: Any) -> Finding:
    try:
        faults = [*check.check(page)]
        return Finding(check.claims(page), faults)
    except Exception as error:  # an author is in the middle of something
        name = check.__name__.rpartition(".")[2]
        message = f"the check of {name} fails: {type(error).__name__}: {error}"
        return Finding([], [Fault(page.path, 1, message)])


def _rows(page: Page, check: Check, finding: Finding) -> Iterator[Entry]:
    claims, faults = finding
    blamed = {fault: _blamed(fault, claims, check) for fault in dict.fromkeys(faults)}
    for claim in claims:
        said = [fault for fault, those in blamed.items() if claim in those]
        result = "failed" if said else "exempt" if claim.reason else "held"
        line = said[0].line if said else claim.line
        note = "\n".join(fault.message for fault in said) or claim.reason
        yield Entry(claim.kind, str(page.path), line, claim.text, result, check.__name__, note)
    for fault in (fault for fault, those in blamed.items() if not those):
        text = page.lines[fault.line - 1].strip()
        yield Entry(
            "page", str(page.path), fault.line, text, "failed", check.__name__, fault.message
        )


def _blamed(fault: Fault, claims: list[Claim], check: Check) -> list[Claim]:
    """The claims of a part that a fault is about: where the part is a page, those on its line."""
    if check in (blocks, equations):
        return claims
    there = [claim for claim in claims if claim.line == fault.line]
    named = [claim for claim in there if claim.text in fault.message]
    return named or there or (claims if check is workbook else [])  # which did not come to run


def _file(page: Page, check: Check | None = None) -> str:
    """Where findings are kept, or what was told; of pages outside of the project they are not."""
    path = os.path.relpath(page.path, cache.FOLDER.parent)
    if path.startswith(".."):
        return ""
    name = path.replace(os.sep, "-")
    if check is None:
        return f"told/{name}.json"
    return f"verified/{name}.{check.__name__.rpartition('.')[2]}.json"


def _kept(page: Page, check: Check) -> dict[str, Any] | None:
    """What is known of the parts of a page that hold, by key; None if nobody has looked."""
    file = _file(page, check)
    kept = cache.read(file, _common()) if file else None
    return dict(json.loads(kept)) if kept else None


@cached
def _common() -> str:
    """Changes with the checks, and with what runs them."""
    here = Path(__file__).parent
    files = sorted(file for suffix in ("py", "lark") for file in here.rglob(f"*.{suffix}"))
    return cache.key(*versions().values(), *(file.read_bytes() for file in files))


def _keys(parts: list[Part], fingerprint: Callable[..., str] = fingerprint) -> list[str]:
    """A key for each part, which changes with all that it was found from."""
    sources = {modules: fingerprint(*modules) for modules in {tuple(p.modules) for p in parts}}
    return [cache.key(part.text, sources[tuple(part.modules)]) for part in parts]


def _claims(part: Part, finding: Finding) -> list[Any]:
    """The claims of a part, each with its place among the part's lines, which may move."""
    assert all(line == at for (_, line, *_), at in zip(finding.claims, part.lines, strict=False))
    return [
        [place, kind, text, reason] for place, (kind, _, text, reason) in enumerate(finding.claims)
    ]


def _held(part: Part, kept: list[Any]) -> Finding:
    claims = [Claim(kind, part.lines[place], text, reason) for place, kind, text, reason in kept]
    return Finding(claims, [])
