"""A block's expected output, as pytest-codeblocks reads it, becomes an output on the page."""

import re

EXPECTED = re.compile(r"^<!--\s*pytest-codeblocks:expected-output\s*-->\s*\n```\w*\n", re.MULTILINE)
OPENING = "``` { .text .output .no-copy }\n"


def mark(markdown: str) -> str:
    """Open every expected output as a block of its own class, without a copy button."""
    return EXPECTED.sub(OPENING, markdown)
