"""A page of the book as the checks read it: its blocks, its formulas and its prose, by line.

A page is a Markdown file, a notebook's percent script (its Markdown cells), or a module (its
docstrings). What is not Markdown is blanked, so that every line keeps its number.
"""

import ast
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import yaml

EXPECTED = "<!--pytest-codeblocks:expected-output-->"
FENCE = re.compile(r"( *)(`{3,})([^`]*)")
FRONT_MATTER = re.compile(r"\A\s*---\n(.*?)\n---\n", re.DOTALL)
CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?:(?!\n\s*\n).)+?(?<!`)\1(?!`)", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
FORMULA = re.compile(
    r"\$\$(?P<display>.+?)\$\$|(?<![\\$])\$(?![\s$])(?P<inline>(?:\\.|[^\\$])+?)(?<!\s)\$",
    re.DOTALL,
)
IMAGE = re.compile(r"!\[(?P<alt>[^\]]*)\]\(figure:(?P<name>[^)\s]*)(?: \"(?P<caption>[^\"]*)\")?\)")
ALT = re.compile(r'# %%.* alt="([^"]*)"')
DOCTEST = re.compile(r"^ *>>> (?:.*\S.*\n?)+", re.MULTILINE)
REASON = re.compile(r"[ \t]*\n?[ \t]*<!--\s*not run:\s*(.+?)\s*-->", re.DOTALL)


class Block(NamedTuple):
    """A fenced block; for Python also what the page says that it prints."""

    language: str
    code: str
    line: int  # of the opening fence
    end: int  # of the closing fence
    indent: str
    output: str = ""
    output_line: int = 0  # of the fence that opens the output; 0 where there is none
    output_end: int = 0


class Image(NamedTuple):
    """A figure of the page, or of a notebook's cell."""

    name: str
    alt: str
    caption: str
    line: int


class Formula(NamedTuple):
    """What stands between dollar signs, and the reason beside it if it is not to run."""

    latex: str
    line: int
    display: bool
    reason: str


class Page:
    """A page, read from its file."""

    def __init__(self, path: Path, text: str | None = None) -> None:
        self.path = path
        self.source = path.read_bytes().decode() if text is None else text
        text = re.sub("\r\n?", "\n", self.source)
        self.is_notebook = path.suffix == ".py" and "\n# %%" in f"\n{text}"
        if path.suffix == ".py":
            text = _markdown_cells(text) if self.is_notebook else _docstrings(text)
        self.text = text
        self.lines = text.split("\n")

    @cached_property
    def metadata(self) -> dict[str, Any]:
        """The front matter."""
        found = FRONT_MATTER.match(self.text)
        read: dict[str, Any] = (yaml.safe_load(found[1]) if found else None) or {}
        inner: dict[str, Any] = read.get("jupyter", read)
        return inner

    @cached_property
    def fences(self) -> list[Block]:
        """The fenced blocks, in their order, outputs among them."""
        return [*_fences(self.lines)]

    @cached_property
    def blocks(self) -> list[Block]:
        """The fenced blocks; what a Python block prints, shown right below it, is its output."""
        blocks: list[Block] = []
        for block in self.fences:
            if blocks and self._is_output(block, blocks[-1]):
                blocks[-1] = blocks[-1]._replace(
                    output=block.code, output_line=block.line, output_end=block.end
                )
            else:
                blocks.append(block)
        return blocks

    def _is_output(self, block: Block, of: Block) -> bool:
        between = "".join(self.lines[of.end : block.line - 1])
        return (
            (of.language, block.language) == ("python", "text")
            and of.indent == block.indent
            and between.strip() == EXPECTED
        )

    @cached_property
    def prose(self) -> str:
        """The text without front matter, blocks and code spans."""
        lines = FRONT_MATTER.sub(blank, self.text).split("\n")
        for block in self.fences:
            lines[block.line - 1 : block.end] = [""] * (block.end - block.line + 1)
        return CODE_SPAN.sub(blank, "\n".join(lines))

    @cached_property
    def images(self) -> list[Image]:
        """The figures of the page."""
        return [
            Image(
                name=found["name"],
                alt=found["alt"],
                caption=found["caption"] or "",
                line=self.prose.count("\n", 0, found.start()) + 1,
            )
            for found in IMAGE.finditer(self.prose)
        ]

    @cached_property
    def formulas(self) -> list[Formula]:
        """The formulas, display and inline."""
        found = []
        for match in FORMULA.finditer(self.prose):
            latex = match["display"] or match["inline"]
            start = match.start() + match[0].index(latex) + len(latex) - len(latex.lstrip())
            reason = REASON.match(self.prose, match.end())
            found.append(
                Formula(
                    latex=latex.strip(),
                    line=self.prose.count("\n", 0, start) + 1,
                    display=bool(match["display"]),
                    reason=reason[1] if reason else "",
                )
            )
        return found


def blank(found: re.Match[str]) -> str:
    """As many lines and characters, all of them blank."""
    return re.sub(r"[^\n]", " ", found[0])


def _fences(lines: list[str]) -> Iterator[Block]:
    opening: re.Match[str] | None = None
    start = 0
    for number, line in enumerate(lines, start=1):
        if opening is None:
            opening, start = FENCE.fullmatch(line), number
        elif line.strip() == opening[2]:
            indent = opening[1]
            body = (row.removeprefix(indent) for row in lines[start : number - 1])
            code = "".join(f"{row}\n" for row in body)
            yield Block(opening[3].strip(), code, start, number, indent)
            opening = None


def _markdown_cells(script: str) -> str:
    """The front matter and the Markdown cells of a percent script."""
    lines, in_markdown = [], True  # before the first cell stands the front matter
    for line in script.split("\n"):
        if line.startswith("# %%"):
            in_markdown = "[markdown]" in line
            alt = ALT.match(line)
            lines.append(f"![{alt[1]}]()" if alt else "")
        else:
            lines.append(line.removeprefix("#").removeprefix(" ") if in_markdown else "")
    return "\n".join(lines)


def _docstrings(module: str) -> str:
    """The docstrings of a module, of which doctests are no prose."""
    rows = module.split("\n")
    lines = [""] * len(rows)
    for node in ast.walk(ast.parse(module)):
        kinds = ast.Module, ast.ClassDef, ast.FunctionDef
        if isinstance(node, kinds) and ast.get_docstring(node) is not None:
            string = node.body[0]
            first, last = string.lineno - 1, string.end_lineno or string.lineno
            lines[first:last] = rows[first:last]
    return DOCTEST.sub(blank, "\n".join(lines))
