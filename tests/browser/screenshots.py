"""Pictures of every page in light and dark, wide and narrow, for people to look at.

    python tests/browser/screenshots.py

writes them into .cache/screenshots/. It is no test, and pytest collects it only when told to.
"""

import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / ".cache" / "screenshots"


def test_screenshot(visit: Any, setting: Any, address: str) -> None:
    name = address.removesuffix(".html").replace("/", "-")
    path = FOLDER / f"{name}-{setting.scheme}-{setting.width}.png"
    visit.scroll_through()  # what moves comes alive when it is seen
    visit.page.screenshot(path=path, full_page=True)


if __name__ == "__main__":
    print(f"writing to {FOLDER}")
    sys.exit(pytest.main([__file__, "-v", "--no-header"]))
