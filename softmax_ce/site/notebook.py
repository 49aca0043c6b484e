"""The notebook: executed by mkdocs-jupyter, then shown and downloaded from that execution.

Only an edit of its code executes it again, or of what its code imports. A workbook is shown and
downloaded blank, with the outputs that the checks of the pages compare with those of a run.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any
from unittest.mock import patch

import jupytext
import nbformat
from mkdocs_jupyter import convert, plugin
from nbclient import NotebookClient
from nbformat import NotebookNode

from softmax_ce.site.figures import LOOK, inline
from softmax_ce.site.outputs import OPENING
from softmax_ce.verify import cache, workbook
from softmax_ce.verify.sources import fingerprint, imports, load

NBGRADER = re.compile(r"(?<=^# %%) nbgrader=.*$", re.MULTILINE)
PAGE = re.compile(r"\]\(\.\./([\w-]+)\.md")
_aside = ThreadPoolExecutor(1)
_started: dict[tuple[Path, str, bool], Future[NotebookNode]] = {}


def start(script: Path, options: Mapping[str, Any]) -> None:
    """Begin to execute a notebook, for mkdocs-jupyter with these options to find it executed."""
    key = script, options["kernel_name"], options["allow_errors"]
    _started[key] = _aside.submit(run, *key)


def executed_by(mkdocs_jupyter: Callable[[], None]) -> NotebookNode:
    """The notebook that mkdocs-jupyter executes when it is called to render its page.

    It has no option to leave out the page, which would take longer than the rest of the book: for
    the time of the call, the two functions that make it are ours.
    """
    executed: list[NotebookNode] = []

    def nb2html(path: str, *, execute: bool, **options: Any) -> str:
        if not execute:
            raise ValueError("mkdocs-jupyter is not to execute this notebook: see execute: true")
        key = Path(path), options["kernel_name"], options["allow_errors"]
        executed.append(_started.pop(key).result() if key in _started else run(*key))
        return ""

    with (
        patch.object(convert, "nb2html", nb2html),
        patch.object(plugin, "_get_nb_toc_tokens", lambda *_: ([], None)),
    ):
        mkdocs_jupyter()
    (nb,) = executed
    return nb


def run(script: Path, kernel_name: str, allow_errors: bool) -> NotebookNode:
    """The script as a notebook, with the outputs of its code cells, from the cache if they hold."""
    written = script.read_text(encoding="utf-8")
    blank = workbook.blank(written)
    nb: NotebookNode = nbformat.reads(_ipynb(blank), as_version=4)
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    if blank != written:
        for cell in code:
            if text := workbook.printed(cell.source):
                cell.outputs = [nbformat.v4.new_output("stream", text=text)]
        return nb
    file = f"notebook/{script.stem}.json"
    options = f"{kernel_name} {allow_errors} {version('nbclient')} {version('ipykernel')}"
    key = cache.key(options, fingerprint(LOOK), *map(_executed, code))
    key = cache.key(key, before := fingerprint(*imports(script.read_bytes())))

    if kept := cache.read(file, key):
        results = nbformat.from_dict(json.loads(kept))
        nb.metadata.language_info = results.language_info
        for cell, result in zip(code, results.cells, strict=True):
            cell.update(result)
        return nb

    look = load(LOOK)
    matplotlibrc = Path(cache.folder("notebook"), "matplotlibrc")
    matplotlibrc.write_text(_settings(look.STYLE))
    NotebookClient(
        nb,
        kernel_name=kernel_name,
        allow_errors=allow_errors,
        extra_arguments=["--InlineBackend.figure_formats=svg", "--log-level=ERROR"],
        record_timing=False,
        coalesce_streams=True,
    ).execute(env=os.environ | {"MATPLOTLIBRC": str(matplotlibrc), "SOURCE_DATE_EPOCH": "0"})

    outputs = [output for cell in code for output in cell.outputs]
    for output in outputs:
        if "image/svg+xml" in output.get("data", {}):
            output.data["image/svg+xml"] = look.for_page(output.data["image/svg+xml"])
    is_clean = not any(o.output_type == "error" or o.get("name") == "stderr" for o in outputs)
    if is_clean and fingerprint(*imports(script.read_bytes())) == before:
        kept_of_a_cell = ("execution_count", "outputs")
        results = {
            "language_info": nb.metadata.language_info,
            "cells": [{name: cell[name] for name in kept_of_a_cell} for cell in code],
        }
        cache.write(file, key, json.dumps(results).encode())
    return nb


@lru_cache(maxsize=4)
def _ipynb(script: str) -> str:
    text: str = jupytext.writes(jupytext.reads(script, fmt="py"), fmt="ipynb")
    return text


def _executed(cell: NotebookNode) -> str:
    """What decides how a cell is executed."""
    return f"{cell.metadata.get('tags')} {cell.source}"


def _settings(style: Mapping[str, Any]) -> str:
    """The style of the book's figures as a matplotlibrc, for what the learner's code draws."""
    lists = {name: value for name, value in style.items() if isinstance(value, list)}
    values = {**style, **{name: ", ".join(value) for name, value in lists.items()}}
    return "".join(f'{name}: "{value}"\n' for name, value in values.items())


def to_markdown(nb: NotebookNode, name: str) -> str:
    """The executed notebook as a page of the book: the same blocks, outputs and figures."""
    parts = []
    for number, cell in enumerate(nb.cells, start=1):
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        elif cell.cell_type == "code":
            parts.append(_fence("```python\n", cell.source))
            alt = cell.metadata.get("alt", "")
            parts += [_output(out, f"{name}.cell{number}", alt) for out in cell.outputs]
    title, rest = parts[0].split("\n", 1)
    return "\n\n".join([title, _downloads(name), rest, *parts[1:]])


def to_ipynb(nb: NotebookNode, site_url: str) -> str:
    """The executed notebook as a file to download, the same at every build."""
    for number, cell in enumerate(nb.cells, start=1):
        cell.id = f"cell-{number}"
    text: str = nbformat.writes(nb)
    return _linked(text, site_url) + "\n"


def to_script(written: str, site_url: str) -> str:
    """The script as a file to download, without what nbgrader alone reads."""
    return _linked(NBGRADER.sub("", workbook.blank(written)), site_url)


def _linked(text: str, site_url: str) -> str:
    """A file with links to the pages of the site, wherever it is opened."""
    return PAGE.sub(lambda page: f"]({site_url}{page[1]}.html", text)


def _downloads(name: str) -> str:
    return (
        f'<p class="downloads">Download <a href="{name}.py" download>{name}.py</a>, or, as it '
        f'ran for this page, <a href="{name}.ipynb" download>{name}.ipynb</a>.</p>'
    )


def _output(output: NotebookNode, name: str, alt: str) -> str:
    if output.output_type == "stream" and output.name == "stderr":
        raise ValueError(f"{name} writes to stderr:\n{output.text}")
    if output.output_type == "stream":
        return _fence(OPENING, output.text)
    if svg := output.data.get("image/svg+xml"):
        return inline(svg, name, alt)
    return _fence(OPENING, output.data["text/plain"])


def _fence(opening: str, text: str) -> str:
    if re.search(r"^\s*```", text, re.MULTILINE):
        raise ValueError(f"a cell or its output holds a fence, which would end its block:\n{text}")
    return f"{opening}{text.rstrip()}\n```"
