"""The notebook: executed once by mkdocs-jupyter, then shown and downloaded from that execution."""

import os
import re
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat
from nbconvert.preprocessors import ExecutePreprocessor
from nbformat import NotebookNode

from softmax_ce.site.figures import inline
from softmax_ce.site.outputs import OPENING

STYLE = Path(__file__).with_name("notebook.matplotlibrc")
executed: list[NotebookNode] = []


def keep_executions() -> None:
    """Have nbconvert, which mkdocs-jupyter runs, put every notebook it executes in `executed`."""
    run = ExecutePreprocessor.preprocess
    if hasattr(run, "__wrapped__"):
        return

    @wraps(run)
    def preprocess(self: Any, nb: NotebookNode, *args: Any, **kwargs: Any) -> Any:
        self.extra_arguments = ["--InlineBackend.figure_formats=svg", "--log-level=ERROR"]
        self.record_timing = False
        self.coalesce_streams = True
        environment = {"MATPLOTLIBRC": str(STYLE), "SOURCE_DATE_EPOCH": "0"}
        with patch.dict(os.environ, environment):
            nb, resources = run(self, nb, *args, **kwargs)
        executed.append(nb)
        return nb, resources

    setattr(ExecutePreprocessor, "preprocess", preprocess)  # noqa: B010, mypy forbids the other


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


def to_ipynb(nb: NotebookNode) -> str:
    """The executed notebook as a file to download, the same at every build."""
    for number, cell in enumerate(nb.cells, start=1):
        cell.id = f"cell-{number}"
    text: str = nbformat.writes(nb)
    return text + "\n"


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
