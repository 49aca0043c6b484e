r"""LaTeX in the Markdown, as pymdownx.arithmatex finds it, becomes MathML when the site is built.

The LaTeX stays beside the formula in `data-tex`. A formula that cannot be converted is an error.
"""

import html
import re
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor
from math_core import LatexError, LatexToMathML

ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#)\b)\w+;")
DISPLAY = (r"\[", r"\begin")


class _MathML(Treeprocessor):
    def run(self, root: Element) -> None:
        formulas = [el for el in root.iter() if el.get("class") == "arithmatex" and el.text]
        snippets = [_snippet(el.text or "") for el in formulas]
        converted = _convert(snippets)
        for el, (tex, display), mathml in zip(formulas, snippets, converted, strict=True):
            el.set("data-tex", tex)
            if display:
                el.set("data-search-exclude", "")
            el.text = None
            el.append(_core(mathml))


def _snippet(text: str) -> tuple[str, bool]:
    text = html.unescape(text).strip()
    display = text.startswith(DISPLAY)
    return (text[2:-2].strip() if text.startswith((r"\[", r"\(")) else text), display


def _convert(snippets: list[tuple[str, bool]]) -> list[str]:
    """All formulas of a page at once, so that numbers and references to them resolve."""
    converter = LatexToMathML(fancy_error=False)
    try:
        return converter.convert_all(snippets)
    except LatexError as error:
        for tex, display in snippets:
            try:
                LatexToMathML(fancy_error=False).convert_all([(tex, display)])
            except LatexError as culprit:
                raise ValueError(f"cannot read the formula {tex!r}: {culprit}") from error
        raise


def _core(mathml: str) -> Element:
    """MathML Core, as browsers draw it: no named entities, and boxes by CSS."""
    node = ElementTree.fromstring(ENTITY.sub(lambda m: html.unescape(m[0]), mathml))
    for box in node.iter("menclose"):
        box.set("class", "m-" + box.attrib.pop("notation").replace(" ", " m-"))
        box.tag = "mrow"
    return node


class MathMLExtension(Extension):
    """Registers the conversion after the inline patterns and before the table of contents."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Called by Markdown."""
        md.treeprocessors.register(_MathML(md), "mathml", 8)


def makeExtension(**options: Any) -> MathMLExtension:  # noqa: N802
    """Called by Markdown."""
    return MathMLExtension(**options)
