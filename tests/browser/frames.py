"""How smoothly the interactive pictures move, on a processor four times as slow as this one.

    python tests/browser/frames.py

drags two sliders of each, on each of its pages, with as many classes as it takes, and prints the
median of the frames per second and the longest task. It is no test, since times say little on a
busy machine: pytest collects it only when told to.
"""

import re
import sys
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

MODULES = Path(__file__).parents[2] / "docs" / "assets" / "explorables"
LONGEST = 50  # ms, from which on a browser calls a task long

WATCH = """() => {
    window.frames_at = []
    window.tasks = []
    const frame = time => { frames_at.push(time); requestAnimationFrame(frame) }
    requestAnimationFrame(frame)
    new PerformanceObserver(list => tasks.push(...list.getEntries().map(task => task.duration)))
        .observe({ type: "longtask" })
}"""


def drag(page: Page, slider: Locator) -> None:
    box = slider.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    for step in [*range(60), *range(60, 0, -1)]:
        page.mouse.move(box["x"] + box["width"] * (0.05 + 0.9 * step / 60), middle)
        page.wait_for_timeout(10)
    page.mouse.up()


def test_no_task_is_long_while_a_picture_is_moved(url: str, site: Path, reader: Any) -> None:
    page = reader.page
    session = page.context.new_cdp_session(page)
    tags = "|".join(module.stem for module in MODULES.glob("*-*.js"))
    paths = [path for path in sorted(site.rglob("*.html")) if path.name != "explorables.html"]
    texts = {str(path.relative_to(site)): path.read_text() for path in paths}
    places = [
        (where, tag) for where, text in texts.items() for tag in re.findall(f"<({tags})\\b", text)
    ]
    rows = []
    for where, tag in places:
        reader.goto(url + where)
        element = page.locator(tag)
        element.scroll_into_view_if_needed()  # what asks for its script
        page.wait_for_function("tag => document.querySelector(tag).shadowRoot", arg=tag)
        more = element.get_by_role("button", name="Add class")
        while more.count() and more.is_enabled():
            more.click()
        sliders = element.get_by_role("slider")
        sliders.last.scroll_into_view_if_needed()
        reader.settle()
        session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        page.wait_for_timeout(1000)  # what is laid out when a browser is idle is none of theirs
        page.evaluate(WATCH)
        for slider in (sliders.first, sliders.last):
            drag(page, slider)
        page.wait_for_timeout(200)
        times, tasks = page.evaluate("[frames_at, tasks]")
        session.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        lasted = [end - start for start, end in pairwise(times)]
        rows.append((f"{where}: {tag}", 1000 / median(lasted), max(tasks, default=0)))
    print(f"\n{'':40}{'frames/s':>10}{'longest task':>15}")
    for name, rate, longest in rows:
        task = f"{longest:.0f} ms" if longest else f"under {LONGEST} ms"
        print(f"{name:40}{rate:10.0f}{task:>15}")
    assert all(longest <= LONGEST for *_, longest in rows), "ms"


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-s", "-q", "--no-header", "--tb=line"]))
