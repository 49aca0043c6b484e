"""Figures in the Markdown: `![alt text](figure:chapter.name "caption")` becomes inline SVG.

The SVG is drawn by the function `name` of `softmax_ce.figures.chapter`, and follows the palette.
"""

import html
import re
from typing import Any
from xml.etree.ElementTree import Element

from markdown import Extension, Markdown
from markdown.treeprocessors import Treeprocessor

from softmax_ce.verify.figures import drawn
from softmax_ce.verify.sources import load

LOOK = "softmax_ce.figures.look"
SCHEME = "figure:"

# What matplotlib draws in by default, as the notebook does, beside our own palette.
DEFAULTS = {
    "#000000": "currentColor",
    "#ffffff": "none",
    "#1f77b4": "var(--fig-1)",  # tab:blue
    "#7f7f7f": "var(--fig-muted)",  # tab:gray
}


def inline(svg: str, name: str, alt: str, caption: str = "") -> str:
    """An HTML figure that holds `svg`, in the colours of the palette, with `alt` as its name."""
    if not alt.strip():
        raise ValueError(
            f"figure {name!r} has no alt text: say what it shows, between the [ ] of its line on "
            'the page, or as alt="..." behind the # %% of its cell'
        )
    colours = DEFAULTS | load(LOOK).PALETTE
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r"#[0-9a-f]{6}\b", lambda m: colours.get(m[0], m[0]), svg)
    svg = re.sub(r"<[^>]+>", _short_numbers, svg)
    svg = _own_ids(svg, name.replace(".", "-"))
    width, height = re.findall(r'viewBox="0 0 (\S+) (\S+)"', svg)[0]
    label = html.escape(alt, quote=True)
    opening = (
        f'<svg role="img" aria-label="{label}" viewBox="0 0 {width} {height}" '
        f'width="{float(width):.0f}" height="{float(height):.0f}">'
    )
    svg = re.sub(r"<svg\b[^>]*>", lambda _: opening, svg, count=1)
    svg = re.sub(r' (clip-path|xmlns:xlink|xmlns)="[^"]*"', "", svg)
    svg = re.sub(r"<clipPath\b.*?</clipPath>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<defs>\s*</defs>", "", svg)
    svg = re.sub(r">\s+<", "><", svg).replace("\n", " ").strip()
    below = f"<figcaption>{html.escape(caption)}</figcaption>" if caption else ""
    return f'<figure class="figure" id="{name}" data-search-exclude>{svg}{below}</figure>'


def _short_numbers(tag: re.Match[str]) -> str:
    """A tenth of a unit is finer than what anyone sees; below 1, two digits."""
    return re.sub(r"-?\d+\.\d{2,}", _short, tag[0])


def _short(number: re.Match[str]) -> str:
    value = float(number[0])
    return f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


def _own_ids(svg: str, prefix: str) -> str:
    """Keep the ids that are referred to, and make them this figure's own on its page."""
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    svg = re.sub(r'(url\(#|href="#)', rf"\1{prefix}-", svg)
    return re.sub(r' id="([^"]*)"', lambda m: f' id="{prefix}-{m[1]}"' if m[1] in used else "", svg)


class _Figures(Treeprocessor):
    def run(self, root: Element) -> None:
        for parent in root.iter():
            for image in parent.findall("img"):
                source = image.get("src", "")
                if not source.startswith(SCHEME):
                    continue
                text = (parent.text or "") + (image.tail or "")
                if parent.tag != "p" or len(parent) > 1 or text.strip():
                    raise ValueError(f"{source!r} shares its paragraph: put it on lines of its own")
                name = source.removeprefix(SCHEME)
                svg = drawn(name).svg
                figure = inline(svg, name, image.get("alt", ""), image.get("title", ""))
                parent.remove(image)
                parent.text = self.md.htmlStash.store(figure)


class FiguresExtension(Extension):
    """Registers the figures after the inline patterns, which make the images."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802
        """Called by Markdown."""
        md.treeprocessors.register(_Figures(md), "figures", 15)


def makeExtension(**options: Any) -> FiguresExtension:  # noqa: N802
    """Called by Markdown."""
    return FiguresExtension(**options)
