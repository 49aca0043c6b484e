r"""LaTeX in the Markdown, as pymdownx.arithmatex finds it, becomes MathML when the site is built.

The LaTeX stays beside the formula in `data-tex`. A display formula that has a `\label{eq:name}` is
numbered, and `$\eqref{eq:name}$` links to it from anywhere on the page. A formula that cannot be
converted, and a reference to none, is an error that names file and line.
"""

import html
import os
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor
from math_core import LatexError, LatexToMathML

ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#)\b)\w+;")
UNRESOLVED = "(??)"
FORMULA = re.compile(r"<math\b.*?</math>", re.DOTALL)
JOINTS = {
    "msub": "_",
    "munder": "_",
    "msup": "^",
    "mover": "^",
    "msubsup": "_^",
    "munderover": "_^",
    "mfrac": "/",
}
FUNCTION_APPLICATION = "\u2061"
RELATIONS = set("=<>≤≥≠≈→")


class _MathML(Treeprocessor):
    def __init__(self, md: Markdown, file: str) -> None:
        super().__init__(md)
        self.file = file

    def run(self, root: Element) -> None:
        formulas = [el for el in root.iter() if el.get("class") == "arithmatex" and el.text]
        snippets = [_snippet(el.text or "") for el in formulas]
        for el, (tex, display), mathml in zip(
            formulas, snippets, self.convert(snippets), strict=True
        ):
            if UNRESOLVED in mathml:
                raise ValueError(f"{self.place(tex)}{tex!r} refers to no equation of this page")
            el.set("data-tex", tex)
            if display:
                el.set("data-search-exclude", "")
            if r"\label" in tex:
                el.set("class", "arithmatex numbered")
            el.text = None
            reference = re.search(r"<a .*?</a>", mathml)
            el.append(ElementTree.fromstring(reference[0]) if reference else _core(mathml))

    def convert(self, snippets: list[tuple[str, bool]]) -> list[str]:
        """All formulas of a page at once, so that numbers and references to them resolve."""
        try:
            return _converter().convert_all(snippets)
        except LatexError:
            for snippet in snippets:
                self.refuse_if_wrong(snippet)
            raise

    def refuse_if_wrong(self, snippet: tuple[str, bool]) -> None:
        try:
            _converter().convert_all([snippet])
        except LatexError as error:
            tex = snippet[0]
            raise ValueError(f"{self.place(tex)}cannot read the formula {tex!r}: {error}") from None

    def place(self, tex: str) -> str:
        """Where the formula stands, as `file:line: `; nothing where no file is known."""
        if not self.file:
            return ""
        file = os.path.relpath(self.file)
        first = tex.removeprefix(r"\begin{equation}").strip().splitlines()[0]
        lines = Path(self.file).read_text(encoding="utf-8").splitlines()
        found = (f"{file}:{n}: " for n, line in enumerate(lines, start=1) if first in line)
        return next(found, f"{file}: ")


def _converter() -> LatexToMathML:
    return LatexToMathML(fancy_error=False)


def _snippet(text: str) -> tuple[str, bool]:
    """The LaTeX of an arithmatex element, and whether it is displayed."""
    tex = html.unescape(text).strip()
    display = tex.startswith((r"\[", r"\begin"))
    if tex.startswith((r"\[", r"\(")):
        tex = tex[2:-2].strip()
    if r"\label" in tex and not tex.startswith(r"\begin{equation}"):
        tex = rf"\begin{{equation}}{tex}\end{{equation}}"
    return tex, display


def _core(mathml: str) -> Element:
    """MathML Core, as browsers draw it: no named entities, and boxes by CSS."""
    node = ElementTree.fromstring(ENTITY.sub(lambda m: html.unescape(m[0]), mathml))
    for box in node.iter("menclose"):
        box.set("class", "m-" + box.attrib.pop("notation").replace(" ", " m-"))
        box.tag = "mrow"
    return node


def as_text(page: str) -> str:
    """HTML whose formulas are text on one line, p_i and e^(z_i − m), for those who search."""
    return FORMULA.sub(
        lambda found: html.escape(_line(ElementTree.fromstring(found[0])).strip()), page
    )


def _line(node: Element) -> str:
    parts = [_line(child) for child in node]
    if joints := JOINTS.get(node.tag):
        others = (part if len(part) == 1 else f"({part})" for part in parts[1:])
        line = parts[0] + "".join(map(str.__add__, joints, others))
        return f"{line} " if parts[0] == "∑" else line
    text = "".join(parts) + (node.text or "").strip().replace(FUNCTION_APPLICATION, " ")
    if node.tag == "mo" and text in RELATIONS:
        return f" {text} "
    return f" {text}" if node.tag == "mi" and len(text) > 1 else text


class MathMLExtension(Extension):
    """Registers the conversion after the inline patterns and before the table of contents."""

    def __init__(self, **options: Any) -> None:
        self.config = {"file": ["", "the file that the Markdown comes from, for messages"]}
        super().__init__(**options)

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Called by Markdown."""
        md.treeprocessors.register(_MathML(md, self.getConfig("file")), "mathml", 8)


def makeExtension(**options: Any) -> MathMLExtension:  # noqa: N802
    """Called by Markdown."""
    return MathMLExtension(**options)
