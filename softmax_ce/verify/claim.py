"""What a page claims."""

from typing import NamedTuple


class Claim(NamedTuple):
    """One thing that a page says and that is checked, or the reason why it is not."""

    kind: str
    line: int
    text: str
    reason: str = ""
