"""A block's expected output, as pytest-codeblocks reads it, becomes an output on the page."""

import re

# A longer fence shows Markdown as it is written: nothing in it is an output.
LONGER_FENCE = r"^(`{4,})[^`]*\n.*?^\1\n"
EXPECTED = r"^( *)<!-- *pytest-codeblocks:expected-output *-->\s*\n *```\w*\n"
OUTPUT = re.compile(f"{LONGER_FENCE}|{EXPECTED}", re.MULTILINE | re.DOTALL)
OPENING = "``` { .text .output .no-copy }\n"


def mark(markdown: str) -> str:
    """Open every expected output as a block of its own class, without a copy button."""
    return OUTPUT.sub(lambda m: m[0] if m[1] else m[2] + OPENING, markdown)
