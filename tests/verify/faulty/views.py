"""The parts of a file that a reader sees, each character in its place and all else blank."""

import ast
import re
from collections.abc import Iterator

MARKER = "<!--pytest-codeblocks:expected-output-->"
FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<language>[^`\n]*)\n(?P<body>(?:.*\n)*?)"
    r"(?P<closing>(?P=indent)(?P=ticks) *$\n?)",
    re.MULTILINE,
)
FRONT = re.compile(r"\A\s*---\n(.*?)\n---\n", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
CODE_SPAN = re.compile(r"`[^`\n]+`")
DOCTEST = re.compile(r"^ *>>> (?:.*\S.*\n)+", re.MULTILINE)
FORMULA = re.compile(
    r"\$\$(?P<display>.+?)\$\$|(?<![\\$\w])\$(?P<inline>[^\s$][^$]*?)\$", re.DOTALL
)
TARGET = re.compile(r"\]\([^)\s]*")
IMAGE = re.compile(
    r'!\[(?P<alt>[^\]]*)\]\(figure:(?!chapter\.)(?P<name>[\w.]+) "(?P<caption>[^"]*)"\)'
)
NOTEBOOK_ALT = re.compile(r'^# %%.*?(?P<key> alt="(?P<alt>[^"]*)")', re.MULTILINE)


def blanked(text: str, *patterns: re.Pattern[str]) -> str:
    """The text, and blanks where a pattern is found."""
    for pattern in patterns:
        text = pattern.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    return text


def is_public(path: str) -> bool:
    """Whether the file is a module of the mathematics that others import."""
    return re.fullmatch(r"softmax_ce/[a-z]\w*\.py", path) is not None


def markdown(path: str, text: str) -> str:
    """The Markdown of a file: of a page, a notebook's cells, or a module's docstrings."""
    if path.endswith(".md"):
        return text
    if path.startswith("docs/"):
        return _cells(text)
    return _docstrings(text) if is_public(path) else ""


def pages_own(path: str, text: str) -> str:
    """Its Markdown without the blocks that show how a page is written."""
    shown = markdown(path, text)
    for fence in FENCE.finditer(shown):
        if fence["language"] == "markdown":
            start, end = fence.span()
            shown = shown[:start] + re.sub(r"[^\n]", " ", fence[0]) + shown[end:]
    return shown


def prose(path: str, text: str) -> str:
    """Its sentences, with their formulas."""
    return blanked(markdown(path, text), FRONT, FENCE, DOCTEST, COMMENT, CODE_SPAN)


def fences(path: str, text: str, *languages: str) -> Iterator[re.Match[str]]:
    """The fenced blocks of a page."""
    if path.endswith(".md"):
        for found in FENCE.finditer(text):
            if found["language"] in languages:
                yield found


def _cells(script: str) -> str:
    rows, is_markdown = [], True
    for row in script.split("\n"):
        is_markdown = "[markdown]" in row if row.startswith("# %%") else is_markdown
        shown = is_markdown and not row.startswith("# %%")
        rows.append(re.sub("^#", " ", row) if shown else " " * len(row))
    return "\n".join(rows)


def _docstrings(module: str) -> str:
    rows = module.split("\n")
    shown = [" " * len(row) for row in rows]
    for node in ast.walk(ast.parse(module)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node
        ):
            string = node.body[0]
            where = slice(string.lineno - 1, string.end_lineno)
            shown[where] = rows[where]
    return "\n".join(shown)
