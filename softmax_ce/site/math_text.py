"""Formulas as text on one line, p_i and e^(z_i − m), as those who search read them."""

import html
import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from softmax_ce.site.math_font import FORMULA

JOINTS = {
    "msub": "_",
    "munder": "_",
    "msup": "^",
    "mover": "^",
    "msubsup": "_^",
    "munderover": "_^",
    "mfrac": "/",
}
SCRIPT = re.compile(r".|−?(\d+|[^\W\d_]+)|\([^()]*\)")
RELATIONS = set("=<>≤≥≠≈→∈‖")
SIGNS = "+−±⋅·×"
INVISIBLE = dict.fromkeys(map(ord, "\u2061\u2062\u2063\u2064\ufe00"))


def as_text(page: str) -> str:
    """HTML whose formulas are text on one line, p_i and e^(z_i − m), for those who search."""
    return FORMULA.sub(lambda found: html.escape(_line(ElementTree.fromstring(found[0]))), page)


def _line(node: Element) -> str:
    line = ""
    for token in _tokens(node):
        if token in RELATIONS or (token in SIGNS and re.search(r"[^\s(\[,]$", line)):
            line = f"{line.rstrip()} {token} "
        elif token == ",":
            line = f"{line.rstrip(', ')}, "
        else:
            last = re.split(r"[\s(\[|,]|/$", line)[-1].lstrip(SIGNS)
            apart = last[-1:] not in {"", "∂"} and token[0] not in ")]|/" and token not in "(["
            is_long = len(last) > 1 or (len(token) > 1 and token.isalpha())
            line += f" {token}" if apart and is_long else token
    return line.strip()


def _tokens(node: Element) -> list[str]:
    """Names, numbers and signs; what has scripts is one of them, and so is a fraction."""
    if joints := JOINTS.get(node.tag):
        first, *others = map(_line, node)
        if node.tag == "mfrac":
            return ["/".join(f"({part})" if " " in part else part for part in (first, *others))]
        scripts = (part if SCRIPT.fullmatch(part) else f"({part})" for part in others)
        return [first + "".join(map(str.__add__, joints, scripts))]
    if not len(node):
        text = (node.text or "").translate(INVISIBLE).strip()
        return [","] if node.get("width") == "2em" else [text] if text else []
    found: list[str] = []
    for child in node:
        tokens = _tokens(child)
        if child.tag == "mtr" and found and tokens[:1] and tokens[0] not in RELATIONS:
            found.append(",")
        found += tokens
    return found
