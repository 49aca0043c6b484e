"""The survivors that are known: what is no fault after all, or nothing can catch, and why."""

import re
from typing import NamedTuple

from tests.verify.faulty.trial import Verdict


class Known(NamedTuple):
    """A pattern for faults of a kind, and why they survive; or why another file is named."""

    kind: str
    pattern: str
    reason: str
    is_named_elsewhere: bool = False


TRUE = "what the formula says then is true, too"
COMPUTED = "its page computes this number as well, for something else"
TICK = "which ticks an axis has is a choice: each stands at the number that it shows"

KNOWN = [
    Known("digit in a sentence", r"lies 10⟦4 → 0⟧ below", COMPUTED),
    Known("digit in a sentence", r"course of ⟦8 → 1⟧0", "up to ten a whole number only counts"),
    Known("digit in a sentence", r"the 2⟦7 → 0⟧ logits are random", COMPUTED),
    Known("digit in a sentence", r"\((?:19|20)?\d*⟦\d → \d⟧\d*\)", "the year of a source is read"),
    Known("digit in a sentence", r' state="', "no reader reads the state of an explorable"),
    Known("digit in an alt or a caption", r"over 0\.5⟦7 → 5⟧ at T = 1", COMPUTED),
    Known("digit in an alt or a caption", r"σ²/⟦2 → 0⟧", COMPUTED),
    Known("digit in an alt or a caption", r"float\d?⟦\d", "a type's name is a word, not a number"),
    Known("digit in an expression", r"10, 5, ⟦1 → 4⟧", "the result has the same digits"),
    Known("sign in a formula", r"log x \\le x ⟦- → \+⟧ 1", TRUE),
    Known("sign in a formula", r"softmax\}\(z ⟦\+ → -⟧ c\) &=", TRUE),
    Known("sign in a formula", r"With \$a = 10\^\{⟦", "a setting claims nothing"),
    Known("index in a formula", r"i = y\]\}\{p_⟦y → i⟧", TRUE),
    Known("index in a formula", r"\\sum_⟦j → i⟧ p_i \(\\mathbb", TRUE),
    Known("operator in a formula", r"e\^\{⟦\\max → \\min⟧_k z_k\} \\le", TRUE),
    Known("numeral in a formula", r"log x \\le x - ⟦1 → 0⟧", TRUE),
    Known("numeral in a formula", r"\\le ⟦0 → 1⟧", TRUE),
    Known("numeral in a formula", r" v \\rVert_⟦2 → 1⟧", TRUE),
    Known("numeral in a formula", r"O\\!\\left\( T\^\{-⟦2 → 1⟧", TRUE),
    Known("numeral in a formula", r"within \} \\frac\{h\^⟦2 → 1⟧", "a wider tolerance claims less"),
    Known("numeral in a formula", r"within \} \\frac\{h\^2\}\{⟦6", TRUE),
    Known("row of the notation", r"linspace\(", "another grid gives the same integral"),
    Known("row of the notation", r"⟦0 → -1⟧\)", "a vector's first dimension is its last"),
    Known("row of the notation", r"⟧[^`|]*` \| `", "the column in code is read, not run"),
    Known("row of the notation", r"docs/index.md", "it fails where the letter is used", True),
    Known(
        "constant of a figure",
        r"powers = |-10, 0, 10|set_yticks\(\[?(?:range\()?0,|exponents in",
        TICK,
    ),
    Known(
        "constant of a figure", r'"\w+": \([\d., ]*⟦', "each box holds its name wherever it stands"
    ),
    Known("constant of a figure", r"_times\(shape\)\) - ⟦", "a box is wide enough for its texts"),
    Known("constant of a figure", r"y = 0\.8 - 0\.1⟦", "a key and its text stand side by side"),
    Known(
        "constant of a figure", r"torch\.\w*float\d+: \d*⟦", "how far an axis reaches is a choice"
    ),
    Known("constant of a figure", r'"ls": \(0, ', "how a dashed line is dashed is a choice"),
    Known("constant of a figure", r"near = torch", "how far a tangent is drawn is a choice"),
    Known("constant of a figure", r"p >= 0\.9⟦9 → 5⟧5", "no bar has a value in between"),
    Known("constant of a figure", r"whole, dead = ⟦0", "a bisection may begin anywhere below"),
    Known(
        "function on a page",
        r"logits - logits\.max\(\) → ",
        "no page stores what a notebook prints",
    ),
    Known(
        "function on a page",
        r"room = ⟦4|difference ⟦<=",
        "the nodes are equal bit for bit, and need no room",
    ),
    Known("function of the package", r"where\(counted, ⟦0 → 1⟧", "no one uses an ignored index"),
    Known(
        "function of the package", r"where\(first ⟦>= → >⟧", "of two equals either is the larger"
    ),
    Known("function of the package", r"materialize_grads", "it saves time, and changes nothing"),
    Known("function of the package", r"losses_and_quotient, \(0, ⟦", "no one sees this output"),
    Known("function of the package", r"total\.where\(counted, ⟦1 → 2⟧", "there it divides 0"),
]


def reason(kind: str, verdict: Verdict) -> str:
    """Why the fault survives, if that is known."""
    for known in KNOWN:
        fits = known.kind == kind and known.is_named_elsewhere == bool(verdict.said)
        if fits and re.search(known.pattern, str(verdict.fault)):
            return known.reason
    return ""
