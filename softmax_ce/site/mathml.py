r"""LaTeX in the Markdown, as pymdownx.arithmatex finds it, becomes MathML when the site is built.

The LaTeX stays beside the formula in `data-tex`. A display formula that has a `\label{eq:name}` is
numbered, and `$\eqref{eq:name}$` links to it from anywhere on the page. A formula that cannot be
converted or drawn, a reference to none, and a dollar sign too many are errors that name file and
line.
"""

import html
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor
from math_core import LatexError, LatexToMathML

from softmax_ce.site import math_font
from softmax_ce.verify.page import Page
from softmax_ce.verify.sources import PACKAGE

ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#)\b)\w+;")
TEX = r"(?:\\.|(?!\n *\n)[^\\$])+?"
FORMULA = re.compile(
    rf"(?:\A|(?<=\n\n))[ >]*\$\${TEX}\$\$ *(?=\n\n|\s*\Z)|(?<![\\$])\$(?!\s){TEX}(?<!\s)\$"
)
DOLLAR = re.compile(r"(?<!\\)\$")
UNRESOLVED = "(??)"


class _MathML(Treeprocessor):
    def __init__(self, md: Markdown, file: str) -> None:
        super().__init__(md)
        self.file = file

    def run(self, root: Element) -> None:
        if _has_dollar(root):
            raise ValueError(f"{self.place(_unclosed)}close the formula, or write a dollar as \\$")
        formulas = [el for el in root.iter() if _is_formula(el) and el.text]
        snippets = [_snippet(el.text or "") for el in formulas]
        for number, mathml in enumerate(self.convert(snippets)):
            el, tex = formulas[number], snippets[number][0]
            if UNRESOLVED in mathml:
                raise self.error(snippets, number, "refers to no equation of this page")
            if lacking := math_font.lacking(mathml):
                raise self.error(snippets, number, f"needs {lacking}, which the math font lacks")
            el.set("data-tex", tex)
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
            for number, snippet in enumerate(snippets):
                try:
                    _converter().convert_all([snippet])
                except LatexError as error:
                    message = f"cannot be read as a formula: {error}"
                    raise self.error(snippets, number, message) from None
            raise

    def error(self, snippets: list[tuple[str, bool]], number: int, message: str) -> ValueError:
        """An error about one of the formulas of a page."""
        *before, tex = (_bare(tex) for tex, _ in snippets[: number + 1])

        def lines(page: Page) -> list[int]:
            return [found.line for found in page.formulas if _bare(found.latex) == tex]

        return ValueError(f"{self.place(lines, before.count(tex))}{tex!r} {message}")

    def place(self, lines: Callable[[Page], list[int]], number: int = 0) -> str:
        """The place of this number, as `file:line: `, on the page or in a docstring it shows."""
        if not self.file:
            return ""
        for path in (Path(self.file), *sorted(PACKAGE.glob("*.py"))):
            if found := lines(Page(path))[number:]:
                return f"{os.path.relpath(path)}:{found[0]}: "
        return f"{os.path.relpath(self.file)}: "


def _is_formula(el: Element) -> bool:
    return el.get("class") == "arithmatex"


def _has_dollar(el: Element) -> bool:
    """Whether a dollar sign is left in the text: one with a backslash is no longer there."""
    texts = ["" if el.tag == "code" or _is_formula(el) else el.text, *(child.tail for child in el)]
    return "$" in "".join(filter(None, texts)) or any(map(_has_dollar, el))


def _unclosed(page: Page) -> list[int]:
    """The lines of the dollar signs that stand in no formula: each ends within its paragraph."""
    left = FORMULA.sub(lambda found: re.sub(r"\S", " ", found[0]), page.prose)
    return [left.count("\n", 0, found.start()) + 1 for found in DOLLAR.finditer(left)]


def _bare(tex: str) -> str:
    """LaTeX on one line, without what `_snippet` adds."""
    return " ".join(re.sub(r"\\(begin|end)\{equation\}", "", tex).split())


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
    """MathML Core, as browsers draw it: no named entities, and a style for a box."""
    node = ElementTree.fromstring(ENTITY.sub(lambda m: html.unescape(m[0]), mathml))
    for box in node.iter("menclose"):
        box.tag, box.attrib = "mrow", {"style": "padding: 0.3em 0.4em; border: 0.06em solid"}
    return node


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
