"""The numbers in a page's sentences: each is bound to one that the page computes.

A numeral holds if it is a rounding, to the digits written, of a number that an output or a figure
of its page shows, or that stands in its page's code; or of the expression in a comment behind it,
`88.72<!-- = math.log(torch.finfo(torch.float32).max) -->`. Behind a numeral that nothing on the
page computes stands the reason, `<!-- not run: reason -->`.
"""

import ast
import math
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from softmax_ce.verify import figures
from softmax_ce.verify.claim import Claim
from softmax_ce.verify.fault import Fault
from softmax_ce.verify.page import COMMENT, FORMULA, Page, blank
from softmax_ce.verify.part import Part
from softmax_ce.verify.run import run
from softmax_ce.verify.sources import imports

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
RAISED = r"(?:⁻?[⁰¹²³⁴-⁹]+|\^\{-?\d+\})"
NUMERAL = re.compile(
    r"(?<![\w.^{])(?P<sign>[+−-](?=\d))?"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.(?P<decimals>\d+))?"
    rf"(?:e(?P<exponent>[+-]?\d+)|(?P<power>{RAISED})| ?(?:·|\\cdot) ?10(?P<times>{RAISED}))?"
    r"(?P<percent> ?(?:%|percent\b))?(?![\w^]|\.\d|,\d{3})"
)
LITERAL = r"-?\d[\d,.]*(?: *\\cdot *\d+)?(?:\^\{-?\d+\})?"
# A formula that says a number as a sentence would: 1.2 \cdot 10^{-7}, T = 5, [1000, 1001].
SAYS = re.compile(
    rf"(?:[A-Za-z]\w*\s*(?:=|<|>|\\le|\\ge)\s*)?[\[(]?{LITERAL}(?:,\\?\s*{LITERAL})*[\])]?"
)
BETWEEN = re.compile(  # the numerals of a list: 1, 2 and 3; buy 1, hold 2; 1 at 2
    r"(?:(?:,|,? and|,? or|,\\)(?: (?!from|near|is|in|at|on|then)[a-z]+)?|(?P<at> at(?: \w =)?))\s+"
)
# What no reader reads as text: an address, attributes, the state of an explorable.
TARGET = re.compile(r'\]\([^)"\s]*|\{:? ?[.#][^}]*\}|<[a-z]+-[a-z]+ [^<>]*>')
BEHIND = re.compile(r"[$*)\]]{0,3}<!--\s*(?P<kind>=|not run:)\s*(?P<text>.+?)\s*-->", re.DOTALL)

# Numerals that claim nothing alone: whole numbers from −1 to 10, which count or name; the numbers
# of sections, versions, days and list items; years.
COUNTING = 10
NAMED = re.compile(r"(?:[Ss]ection|Python|torch|version|[Dd]ay)\s$")
ITEM = re.compile(r"\s*(?:#+ )?\d+(?=\. )")
YEAR = re.compile(r"(?:\b[Ii]n\s|\bsince\s|\()$")


class Numeral(NamedTuple):
    """A number as it is written, and how far a number that it rounds may be from it."""

    text: str
    value: float
    half_unit: float
    start: int = 0
    end: int = 0
    is_at: bool = False  # behind "at": the place of the one before

    def rounds(self, number: float) -> bool:
        """Whether this is a rounding of `number`; of its size, where no sign is written."""
        if self.text[0] not in "+−-":
            number = abs(number)
        return abs(number - self.value) <= self.half_unit + 1e-9 * abs(self.value)

    def repeats(self, shown: "Numeral") -> bool:
        """Whether this is a rounding of a number that the page shows.

        A whole number or a zero shows no more decimals than are written: 0 is not 0.00.
        """
        if shown.is_whole or not shown.value:
            return self.decimals <= shown.decimals and self.rounds(shown.value)
        return self.rounds(shown.value)

    @property
    def is_whole(self) -> bool:
        """Whether it is written with digits alone."""
        return self.text.lstrip("+−-").replace(",", "").isdigit()

    @property
    def decimals(self) -> int:
        """How many are written."""
        found = re.search(r"\.(\d+)", self.text)
        return len(found[1]) if found else 0


class Row(NamedTuple):
    """Numbers that the page shows, in their order: of a "text", of a "line" of it, of "data"."""

    numbers: list[Numeral]
    of: str = "data"


class Sentence(NamedTuple):
    """A numeral, or a list of them, with the comment behind it: its kind and what it says."""

    numerals: list[Numeral]
    line: int
    kind: str = ""
    comment: str = ""

    @property
    def reason(self) -> str:
        """Why it is not checked."""
        return self.comment if self.kind == "not run:" else ""

    @property
    def text(self) -> str:
        """The numerals as they are written."""
        return ", ".join(numeral.text for numeral in self.numerals)


def of(page: Page) -> list[Sentence]:
    """The numerals of a page that claim something; those of a list claim it together."""
    text = COMMENT.sub(blank, FORMULA.sub(_said, TARGET.sub(blank, page.prose)))
    found, reason = [], ""
    lines = zip(text.split("\n"), page.prose.split("\n"), strict=True)
    for line, (row, whole) in enumerate(lines, start=1):
        above = BEHIND.fullmatch(whole.strip())  # a reason for all lines up to the next blank one
        reason = above["text"] if above else reason if whole.strip() else ""
        for group in _groups(row):
            behind = BEHIND.match(whole, group[-1].end)
            if behind or len(group) > 1 or not _only_names(group[0], row):
                kind, comment = behind.groups() if behind else ("not run:" * bool(reason), reason)
                found.append(Sentence(group, line, kind, comment))
    return found


def numerals(text: str) -> Iterator[Numeral]:
    """The numerals in a text."""
    for match in NUMERAL.finditer(text):
        digits, decimals = match["digits"].replace(",", ""), match["decimals"] or ""
        exponent = _exponent(match["exponent"] or match["times"]) - 2 * bool(match["percent"])
        value = float(f"{digits}.{decimals}") * 10.0**exponent
        significant = (digits + decimals).lstrip("0") if decimals else digits.rstrip("0")
        is_exact = len(significant) <= 1 and value >= 0.1  # 0.5 is no rounding of 0.47
        half_unit = 0.0 if is_exact else 0.5 * 10.0 ** (exponent - len(decimals))
        if match["power"]:
            value = math.exp(_exponent(match["power"]) * math.log(value)) if value else math.nan
            half_unit = 0.0
        if match["sign"] in ("−", "-"):
            value = -value
        if (len(digits) > 1 and digits[0] == "0") or (match["times"] and not value):
            value = math.nan  # no one writes 07, or 0 times a power
        yield Numeral(match[0], value, half_unit, *match.span())


def _groups(row: str) -> list[list[Numeral]]:
    groups: list[list[Numeral]] = []
    for numeral in numerals(row):
        between = groups and BETWEEN.fullmatch(row, groups[-1][-1].end, numeral.start)
        if between:
            groups[-1].append(numeral._replace(is_at=bool(between["at"])))
        else:
            groups.append([numeral])
    return groups


def _exponent(text: str | None) -> int:
    return int(text.translate(SUPERSCRIPTS).strip("^{}")) if text else 0


def _said(formula: re.Match[str]) -> str:
    """The number that a formula says, in its place; of any other formula nothing."""
    latex = formula["display"] or formula["inline"]
    return formula[0].replace("$", " ") if SAYS.fullmatch(latex.strip()) else blank(formula)


def _only_names(numeral: Numeral, row: str) -> bool:
    before = row[: numeral.start]
    is_year = numeral.text.isdigit() and 1900 <= numeral.value < 2100 and YEAR.search(before)
    item = ITEM.match(row)
    is_item = item is not None and item.end() == numeral.end
    return _only_counts(numeral) or is_item or bool(NAMED.search(before) or is_year)


def _only_counts(numeral: Numeral) -> bool:
    return numeral.is_whole and -1 <= numeral.value <= COUNTING


def claims(page: Page) -> list[Claim]:
    """The numerals of the page that claim something."""
    return [
        Claim("number", sentence.line, numeral.text, sentence.reason)
        for sentence in of(page)
        for numeral in sentence.numerals
    ]


def parts(page: Page) -> list[Part]:
    """The page's numerals, all together, with all that may compute them."""
    sentences = of(page)
    if not sentences:
        return []
    code = [(block.code, block.output) for block in page.blocks if block.language == "python"]
    modules = [f"softmax_ce.figures.{image.name.partition('.')[0]}" for image in page.images]
    script = ""
    if page.path.suffix == ".py":
        script = ast.unparse(ast.parse(page.source))  # less the comments
        modules += imports(page.source.encode())
    if any(sentence.kind == "=" for sentence in sentences):
        modules.append("softmax_ce")
    said = [
        ([(numeral.text, numeral.is_at) for numeral in s.numerals], s.kind, s.comment)
        for s in sentences
    ]
    text = repr((said, [image.name for image in page.images], code, script))
    return [Part(page, text, [claim.line for claim in claims(page)], modules)]


def check(page: Page) -> Iterator[Fault]:
    """Look for what the numerals of the page are bound to."""
    sentences = of(page)
    rows = [*sources(page)] if sentences else []
    for sentence in sentences:
        problem = ""
        if sentence.kind == "=":
            problem = _wrong(sentence)
        elif not sentence.kind and not _is_bound(sentence.numerals, rows):
            problem = _unbound(sentence, rows)
        if problem:
            yield Fault(page.path, sentence.line, problem)


def _is_bound(numerals: list[Numeral], rows: list[Row]) -> bool:
    """Whether the numerals stand in a row; of what is at a place, in one line of an output."""
    places = [place for place, numeral in enumerate(numerals) if numeral.is_at]
    if not places:
        counts = len(numerals) == 1 and _only_counts(numerals[0])
        return counts or any(_stand_in(numerals, row.numbers) for row in rows)
    if any(_stand_in(numerals, row.numbers) for row in rows if row.of != "text"):
        return True
    if places == [len(numerals) - 1] and _only_counts(numerals[-1]):
        return _is_bound(numerals[:-1], rows)
    lines = [row.numbers for row in rows if row.of == "line"]
    return any(all(any(map(numeral.repeats, line)) for numeral in numerals) for line in lines)


def _stand_in(numerals: list[Numeral], row: list[Numeral]) -> bool:
    """Whether the numerals are roundings of numbers that follow each other in the row."""
    starts = range(len(row) - len(numerals) + 1)
    return any(all(map(Numeral.repeats, numerals, row[start:])) for start in starts)


def _unbound(sentence: Sentence, rows: list[Row]) -> str:
    remedy = f"Print it, or write what it is behind it: {sentence.text}<!-- = expression -->"
    if len(sentence.numerals) > 1:
        where = "one line" if any(numeral.is_at for numeral in sentence.numerals) else "a row"
        return f"nothing that this page computes has {sentence.text} in {where}. {remedy}"
    value = abs(sentence.numerals[0].value)
    numbers = [shown.value for row in rows for shown in row.numbers]
    nearest = min(numbers, key=lambda number: abs(abs(number) - value), default=math.nan)
    found = f" (the nearest is {nearest:.10g})" * bool(numbers)
    return f"{sentence.text} is bound to nothing that this page computes{found}. {remedy}"


def _wrong(sentence: Sentence) -> str:
    """What is wrong with numerals that have an expression behind them."""
    import torch
    import torch.nn.functional as F

    import softmax_ce

    names = {"F": F, "math": math, "sce": softmax_ce, "torch": torch}
    try:
        value = eval(sentence.comment, names)
        result = torch.as_tensor(value, dtype=torch.float64).flatten().tolist()
    except Exception as error:
        return f"the expression behind {sentence.text} fails: {error}"
    if sentence.text.startswith("10^"):  # its order of magnitude
        result = [10.0 ** round(math.log10(number)) for number in result]
    numerals = sentence.numerals
    if len(result) == len(numerals) and all(map(Numeral.rounds, numerals, result)):
        return ""
    shown = ", ".join(f"{number:.10g}" for number in result)
    return f"{sentence.text} is no rounding of {sentence.comment}, which is {shown}"


def sources(page: Page) -> Iterator[Row]:
    """What a page computes, in rows: its outputs, its figures, and its code, which runs."""
    for block in page.blocks:
        if block.language == "python":
            yield Row(literals(block.code))
            yield from _written(block.output)
    for image in page.images:
        with suppress(figures.NoFigureError):  # another check says so
            drawn = figures.drawn(image.name)
            yield from (Row([*map(_plain, row)]) for row in drawn.numbers)
            yield from (row for text in drawn.texts for row in _written(text))
    if page.path.suffix == ".py":
        yield Row(literals(page.source))
    if page.is_notebook:
        yield from _written(_output_of_notebook(page.path, page.source))


def _written(text: str) -> Iterator[Row]:
    """The numbers of a text, and those of each line."""
    yield Row([*numerals(text)], "text")
    yield from (Row([*numerals(line)], "line") for line in text.split("\n"))


def _plain(value: float) -> Numeral:
    return Numeral(repr(value), value, 0.0)


def literals(code: str) -> list[Numeral]:
    """The numbers in a program, with their signs, in their order."""
    signs, found = {}, []
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            signs[node.operand] = -1
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            value = signs.get(node, 1) * node.value
            found.append((node.lineno, node.col_offset, value))
    return [_plain(value) for *_, value in sorted(found)]


def _output_of_notebook(path: Path, script: str) -> str:
    """All that a notebook prints, and all that its figures show."""
    show = f"from {figures.__name__} import print_numbers as _; _(); "
    ran = run(show + script, str(path))
    if ran.failure:
        raise ValueError(f"{path} fails:\n{ran.failure}")
    return ran.output
