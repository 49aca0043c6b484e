"""What a check finds."""

from pathlib import Path
from typing import NamedTuple


class Fault(NamedTuple):
    """What does not hold, and where: as text, `file:line: message`."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"
