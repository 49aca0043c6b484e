"""What the checks found, as readers and authors see it: a page of its own, marks, and boxes."""

import ast
import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from softmax_ce.site.checks import ROOT, Ledger
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import Page
from softmax_ce.verify.sources import PACKAGE

KINDS = ("block", "output", "equation", "number", "figure", "link", "copied function")
PLACE = re.compile(r"<!-- (?:verified: (?P<what>\w+)|caught in (?P<mistake>\S+)) -->")
FORMULA = re.compile(
    r'(?P<inside><div class="arithmatex\b[^>]*? data-tex="(?P<latex>[^"]*)"[^>]*>.*?)</div>',
    re.DOTALL,
)
DOCSTRINGS = "\n::: "  # what shows those of a module
README = ["README.md"] if (ROOT / "README.md").is_file() else []
LAYOUT = re.compile(r"\\(?:begin|end)\{aligned\}|\\label\{[^}]*\}|&")
SHOWN = 72  # characters of a formula that its row begins with

Entries = list[dict[str, Any]]


def modules() -> list[str]:
    """The modules whose docstrings a page may show."""
    return sorted(file.relative_to(ROOT).as_posix() for file in PACKAGE.glob("[!_]*.py"))


def checked(markdown: str, path: str, ledger: Ledger, addresses: Mapping[str, str]) -> str:
    """The Markdown of a page with what the ledger knows where it asks, and its faults in boxes."""
    shown = {path, *(modules() if DOCSTRINGS in markdown else [])}
    faults = [fault for fault in ledger.faults() if fault.path.as_posix() in shown]
    markdown = filled(markdown, ledger, addresses)
    if not faults:
        return markdown
    return boxed(markdown, Page(Path(path), (ROOT / path).read_text(encoding="utf-8")), faults)


def filled(markdown: str, ledger: Ledger, addresses: Mapping[str, str]) -> str:
    """Markdown with what the ledger knows in the places that ask for it."""
    asked: dict[str, Callable[[Ledger, Mapping[str, str]], str]] = {
        "counts": _counts,
        "equations": _equations,
        "exemptions": _exemptions,
        "file": lambda *_: (
            "All of this is also a file for programs, [verified.json](verified.json)."
        ),
        "pages": _pages,
        "versions": _versions,
    }

    def fill(place: re.Match[str]) -> str:
        if place["what"]:
            return asked[place["what"]](ledger, addresses)
        return "```text\n" + "\n\n".join(ledger.mistakes[place["mistake"]]) + "\n```"

    return PLACE.sub(fill, markdown)


def _counts(ledger: Ledger, _: Mapping[str, str]) -> str:
    results = Counter(entry["result"] for entry in ledger.entries)
    kinds = Counter(entry["kind"] for entry in ledger.entries if entry["result"] == "held")
    listed = [_counted(kinds[kind], kind) for kind in KINDS]
    text = f"**{', '.join(listed[:-1])} and {listed[-1]}** were checked, and hold."
    if results["failed"]:
        text += f" **{_counted(results['failed'], 'claim')} failed.**"
    return f"{text} {_counted(results['exempt'], 'claim')} cannot run; each has its reason below."


def _versions(ledger: Ledger, _: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in ledger.versions.items())


def _pages(ledger: Ledger, addresses: Mapping[str, str]) -> str:
    held = Counter((e["page"], e["kind"]) for e in ledger.entries if e["result"] == "held")
    rows = [
        [_link(page, addresses), *(f"{held[page, kind] or '–'}" for kind in KINDS)]
        for page in dict.fromkeys(entry["page"] for entry in ledger.entries)
    ]
    return _table(["page", *(f"{kind}s" for kind in KINDS[:-1]), "copies"], rows)


def _exemptions(ledger: Ledger, addresses: Mapping[str, str]) -> str:
    alike: dict[tuple[str, str], Entries] = {}
    for entry in ledger.entries:
        if entry["result"] == "exempt":
            alike.setdefault((entry["page"], entry["note"]), []).append(entry)
    rows = [
        [
            _link(page, addresses),
            ", ".join(dict.fromkeys(str(entry["line"]) for entry in entries)),
            ", ".join(f"<code>{_beginning(entry['text'])}</code>" for entry in entries),
            html.escape(reason),
        ]
        for (page, reason), entries in alike.items()
    ]
    return _table(["page", "line", "as it stands", "why it does not run"], rows)


def _equations(ledger: Ledger, addresses: Mapping[str, str]) -> str:
    rows = [
        [
            _link(entry["page"], addresses, f"#{entry['id']}"),
            str(entry["line"]),
            f'<code id="{entry["id"]}">{_beginning(entry["text"])}</code>',
        ]
        for entry in ledger.entries
        if entry["id"]
    ]
    return _table(["page", "line", "equation"], rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(["<table>", _row("th", head), *(_row("td", row) for row in rows), "</table>"])


def _row(tag: str, cells: list[str]) -> str:
    return (
        "<tr data-search-exclude>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"
    )


def _link(page: str, addresses: Mapping[str, str], anchor: str = "") -> str:
    address = addresses.get(page)
    name = page.removeprefix("docs/")
    return f'<a href="{address}{anchor}">{name}</a>' if address else name


def _beginning(text: str) -> str:
    line = " ".join(LAYOUT.sub(" ", text).split())
    return html.escape(line if len(line) <= SHOWN else f"{line[:SHOWN]} …")


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"


def marked(page: str, path: str, ledger: Ledger, rows: str) -> str:
    """The HTML of a page where each display equation that ran has a mark, a link to its row."""
    waiting: dict[str, list[str]] = {}
    for entry in ledger.entries:
        if entry["id"] and entry["page"] == path:
            waiting.setdefault(_bare(entry["text"]), []).append(entry["id"])

    def mark(formula: re.Match[str]) -> str:
        names = waiting.get(_bare(html.unescape(formula["latex"])))
        if not names:
            return formula[0]
        name = names.pop(0)
        link = f'href="{rows}#{name}" aria-label="evaluated in this build"'
        return f'{formula["inside"]}<a class="ran" id="{name}" {link}></a></div>'

    return FORMULA.sub(mark, page)


def _bare(latex: str) -> str:
    """LaTeX on one line, without the environment that numbers it."""
    return " ".join(re.sub(r"\\(begin|end)\{equation\}", "", latex).split())


def boxed(markdown: str, page: Page, faults: Iterable[Fault]) -> str:
    """A page's Markdown with each fault in a box, above the part that it is about."""
    lines = markdown.split("\n")
    for fault in sorted(faults, reverse=True):
        is_here = fault.path == page.path  # and not in a module whose docstrings the page shows
        place = _place(lines, page, fault.line) if is_here else _docstring(lines, fault)
        if place is not None:
            lines[place:place] = ["", _box(fault), ""]
    return "\n".join(lines)


def _box(fault: Fault) -> str:
    return (
        '<div class="admonition failure" role="alert" data-search-exclude>'
        f'<p class="admonition-title">{html.escape(f"{fault.path}:{fault.line}")}</p>'
        f'<pre style="white-space: pre-wrap">{html.escape(fault.message)}</pre></div>'
    )


def _place(lines: list[str], page: Page, line: int) -> int:
    """Where, among the lines of the Markdown, the part begins in which a line of the page stands.

    The same text is looked for, as a notebook's cells or front matter count lines otherwise.
    """
    inside = {n for block in page.fences for n in range(block.line + 1, block.end + 1)}
    start = line - 1
    while start > 0 and not _begins(page.lines, start, inside):
        start -= 1
    text = page.lines[start]
    which = page.lines[:start].count(text)
    places = [number for number, other in enumerate(lines) if other == text]
    return places[min(which, len(places) - 1)] if places and text else 0


def _begins(lines: list[str], number: int, inside: set[int]) -> bool:
    """Whether a part of the page begins in this line, at the left margin."""
    line = lines[number]
    return bool(line[:1].strip()) and not lines[number - 1].strip() and number + 1 not in inside


def _docstring(lines: list[str], fault: Fault) -> int | None:
    """The line that shows the function in whose docstring something does not hold."""
    tree = ast.parse((ROOT / fault.path).read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.lineno <= fault.line <= (
            node.end_lineno or 0
        ):
            directive = f"::: softmax_ce.{node.name}"
            return lines.index(directive) if directive in lines else None
    return None
