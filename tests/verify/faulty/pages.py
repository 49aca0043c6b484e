"""Faults that an author makes on a page: in its numbers, outputs, figures, links and fences."""

import re
from collections.abc import Iterator
from itertools import combinations

from tests.verify.faulty.fault import Files, Place, Places, Spot
from tests.verify.faulty.views import (
    CODE_SPAN,
    FENCE,
    FORMULA,
    IMAGE,
    MARKER,
    NOTEBOOK_ALT,
    TARGET,
    blanked,
    fences,
    is_public,
    pages_own,
    prose,
)

OUTPUT = re.compile(rf"{MARKER}\s*```text\n(?P<body>.*?)```", re.DOTALL)
DOCTEST_OUTPUT = re.compile(r"^( *)>>> .*\n(?P<body>(?:\1(?!>>>).*\S.*\n)+)", re.MULTILINE)
NUMERAL = re.compile(r"(?<![\w.^{\[])\d+(?:,\d{3})*(?:\.\d+)?(?![\w^])")
NAMES = re.compile(r"(?:Python|torch|version|[Ss]ection|[Dd]ay)\s$")  # what a number only names
COUNTING = 10  # up to here a whole number counts things, and claims nothing alone
EXPRESSION = re.compile(r"<!-- =(?P<code>.+?)-->", re.DOTALL)
LINK = re.compile(r"(?<!`)\]\((?P<target>(?!\w+:)[^)\s]+)")
CITED = re.compile(
    r"\\(?:eqref|label)\{(?P<target>[^}]+)\}|^::: softmax_ce\.(?P<function>\w+)$", re.M
)
IN_NAV = re.compile(r"^  - [\w -]+: (?P<target>\S+\.(?:md|py))$", re.MULTILINE)
DRAWS = re.compile(r"^def (?P<name>[a-z]\w*)\(\) -> Figure:", re.MULTILINE)
OTHER_FENCES = {
    "python": ["py", "Python", "text", " python", "pycon", "console", "", 'python title="x"'],
    "text": ["python", "", "txt"],
    "console": ["sh", "bash", "python"],
}


def digits_in_outputs(path: str, text: str) -> Iterator[Spot]:
    """A digit in what a block or an example of a docstring is shown to print."""
    pattern = DOCTEST_OUTPUT if is_public(path) else OUTPUT
    for output in pattern.finditer(pages_own(path, text)):
        yield from _digits(text, *output.span("body"))


def digits_in_sentences(path: str, text: str) -> Iterator[Spot]:
    """A digit of a number in a sentence or a table, unless it only counts or names."""
    view = blanked(prose(path, text), FORMULA, IMAGE, TARGET)
    for found in NUMERAL.finditer(view):
        counts = found[0].isdigit() and int(found[0]) <= COUNTING
        names = NAMES.search(view[: found.start()])
        if not (counts or names or "not run:" in _paragraph(text, found.start())):
            yield from _digits(text, *found.span())


def digits_in_alts_and_captions(path: str, text: str) -> Iterator[Spot]:
    """A digit in an alt text or a caption."""
    for image in _images(path, text):
        yield from _digits(text, *image.span("alt"))
        if "caption" in image.groupdict():
            yield from _digits(text, *image.span("caption"))


def digits_in_expressions(path: str, text: str) -> Iterator[Spot]:
    """The first digit of a number in the expression that stands behind a number."""
    for comment in EXPRESSION.finditer(blanked(pages_own(path, text), CODE_SPAN)):
        start, _ = comment.span("code")
        for found in re.finditer(r"(?<![\w.])\d", comment["code"]):
            yield from _digits(text, start + found.start(), start + found.end())


def _digits(text: str, start: int, end: int) -> Iterator[Spot]:
    for place in range(start, end):
        for digits in ("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"):
            if text[place] in digits:
                yield place, place + 1, digits


def _paragraph(text: str, place: int) -> str:
    return text[text.rfind("\n\n", 0, place) + 1 :].split("\n\n")[0]


def _images(path: str, text: str) -> Iterator[re.Match[str]]:
    if path.endswith(".md"):
        yield from IMAGE.finditer(pages_own(path, text))
    elif path.startswith("docs/"):
        yield from NOTEBOOK_ALT.finditer(text)


def swapped(group: str) -> Places:
    """On a page with two figures their captions are swapped; or one is taken from another page."""

    def places(files: Files) -> Iterator[Place]:
        images = {
            path: [image for image in _images(path, text) if group in image.groupdict()]
            for path, text in files.items()
        }
        for path, here in images.items():
            elsewhere = [
                image[group] for other in images if other != path for image in images[other]
            ]
            yield from ((path, (*image.span(group), elsewhere)) for image in here)
            for first, second in combinations(here, 2):
                between = files[path][first.end(group) : second.start(group)]
                new = second[group] + between + first[group]
                yield path, (first.start(group), second.end(group), [new])

    return places


def alts_removed(path: str, text: str) -> Iterator[Spot]:
    """No alt text."""
    for image in _images(path, text):
        yield *image.span("key" if "key" in image.groupdict() else "alt"), [""]


def links_broken(path: str, text: str) -> Iterator[Spot]:
    """A letter less in the target of a link, an anchor, a number of an equation, or a page."""
    view = text if path == "mkdocs.yml" else blanked(pages_own(path, text), FENCE, CODE_SPAN)
    for pattern in [IN_NAV] if path == "mkdocs.yml" else [LINK, CITED]:
        for found in pattern.finditer(view):
            group = found.lastgroup or "target"
            if found[0].startswith(r"\label") and rf"\eqref{{{found[group]}}}" not in text:
                continue  # a number that nothing cites
            with_anchor = [] if "#" in found[group] else [f"{found[group]}#nosuch"]
            yield *found.span(group), [*_less(found[group]), *with_anchor * (pattern is LINK)]


def figures_renamed(path: str, text: str) -> Iterator[Spot]:
    """A letter less in the name of a figure, on its page or where it is drawn."""
    is_drawn = path.startswith("softmax_ce/figures/")
    for found in DRAWS.finditer(text) if is_drawn else _images(path, text):
        if "name" in found.groupdict():
            yield *found.span("name"), _less(found["name"])


def _less(name: str) -> list[str]:
    """The name without one of its letters."""
    stem = name.removesuffix(".md").removesuffix(".py")
    places = [place for place, letter in enumerate(stem) if letter.isalpha()]
    return [name[:place] + name[place + 1 :] for place in places]


def outputs_dropped(path: str, text: str) -> Iterator[Spot]:
    """No output below a block that prints, or none that is marked as one."""
    ends = {fence.start(): fence.end() for fence in fences(path, text, "text")}
    for marker in re.finditer(rf"^ *{MARKER}\n\s*?\n?(?= *```text)", text, re.MULTILINE):
        if marker.end() in ends:  # an example of a page's source is none
            yield *marker.span(), [""]
            yield marker.start(), ends[marker.end()], [""]


def fences_left_open(path: str, text: str) -> Iterator[Spot]:
    """A block that nothing closes."""
    for fence in fences(path, text, *OTHER_FENCES, "markdown"):
        yield *fence.span("closing"), [""]


def fences_of_another_language(path: str, text: str) -> Iterator[Spot]:
    """A block in another language than its own."""
    for fence in fences(path, text, *OTHER_FENCES):
        yield *fence.span("language"), OTHER_FENCES[fence["language"]]
