"""What Lighthouse says of three pages, and how busy a slow phone is with their first visit.

    python tests/browser/lighthouse.py

It is no test, since times say little on a busy machine: pytest collects it only when told to. It
needs npm, and fetches Lighthouse with a Node.js that it runs on into .cache/lighthouse/.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from statistics import median
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".cache" / "lighthouse"
PACKAGES = ("lighthouse@13.5.0", "node@24")

LONGEST = max((ROOT / "docs").glob("*.md"), key=lambda file: file.stat().st_size).stem
PAGES = ["index.html", f"{LONGEST}.html", "notebook/day14.html"]
PRESETS = {"mobile": [], "desktop": ["--preset=desktop"]}
SCORES = ("performance", "accessibility", "best-practices", "seo")
TIMES = ("largest-contentful-paint", "cumulative-layout-shift")

# The theme without any setting of ours, for the text of a chapter.
BARE = """\
site_name: Bare
use_directory_urls: false
theme: {name: material, font: false}
markdown_extensions:
  - admonition
  - tables
  - pymdownx.arithmatex: {generic: true}
  - pymdownx.details
  - pymdownx.superfences
  - softmax_ce.site.mathml
"""

LONG_TASKS = """() => new Promise(resolve => {
    new PerformanceObserver((list, observer) => {
        observer.disconnect()
        resolve(list.getEntries().map(task => task.duration))
    }).observe({ type: "longtask", buffered: true })
    setTimeout(() => resolve([]), 100)
})"""


@pytest.fixture(scope="module")
def lighthouse(chromium: str) -> Callable[..., dict[str, Any]]:
    """Ask Lighthouse about an address."""
    npm = shutil.which("npm")
    assert npm, "npm is missing: install Node.js"
    options = ("--no-fund", "--no-audit", "--loglevel=error", "--prefix", str(FOLDER))
    subprocess.run([npm, "install", *options, *PACKAGES], check=True)
    binaries = FOLDER / "node_modules" / ".bin"
    environment = os.environ | {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "CHROME_PATH": chromium,
    }
    chrome = "--chrome-flags=--headless --no-sandbox"

    def lighthouse(address: str, arguments: list[str]) -> dict[str, Any]:
        command = ["lighthouse", address, *arguments, chrome, "--quiet", "--output=json"]
        ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        report: dict[str, Any] = json.loads(ran.stdout)
        return report

    return lighthouse


def test_lighthouse_gives_100(url: str, site: Path, lighthouse: Any) -> None:
    rows = []
    lighthouse(url, [])  # the first run of all reads Chromium and Lighthouse from the disk
    for preset, arguments in PRESETS.items():
        for page in PAGES:
            print(f"{page}, {preset}", flush=True)
            reports = [lighthouse(url + page, arguments) for _ in range(3)]
            scores = [median(100 * r["categories"][s]["score"] for r in reports) for s in SCORES]
            lcp, cls = (median(r["audits"][t]["numericValue"] for r in reports) for t in TIMES)
            rows.append((page, preset, *scores, lcp / 1000, cls))
    heads = ("median of 3", "", "perf.", "acc.", "pract.", "SEO", "LCP, s", "CLS")
    print("\n{:22}{:9}{:>8}{:>8}{:>8}{:>8}{:>8}{:>8}".format(*heads))
    for row in rows:
        print("{:22}{:9}{:8.0f}{:8.0f}{:8.0f}{:8.0f}{:8.2f}{:8.2f}".format(*row))
    assert all(min(scores) == 100 for _, _, *scores, _, _ in rows)
    assert all(lcp <= 1.4 for _, preset, *_, lcp, _ in rows if preset == "mobile"), "seconds"


@pytest.fixture
def bare(site: Path, tmp_path: Path, mkdocs: Any) -> str:
    """Where the longest chapter is served as the bare theme shows it, without its figures."""
    (tmp_path / "mkdocs.yml").write_text(BARE)
    (tmp_path / "docs").mkdir()
    text = (ROOT / "docs" / f"{LONGEST}.md").read_text()
    (tmp_path / "docs" / "index.md").write_text(re.sub(r"^!\[.*\n", "", text, flags=re.MULTILINE))
    built = mkdocs(tmp_path, "build", "--site-dir", str(site / "bare"), PYTHONPATH=str(ROOT))
    assert built.returncode == 0, built.stderr
    return "bare/index.html"


def test_a_phone_four_times_as_slow_as_this_machine_is_not_busy_for_long(
    url: str, bare: str, new_phone: Callable[[], AbstractContextManager[Any]]
) -> None:
    """Beside the bare theme in the same run, for a slow machine makes every time longer."""
    print(f"\n{'long tasks, median of 9':28}{'in all':>9}{'beyond 50 ms':>15}")
    beyond = {}
    for page in [*PAGES, bare]:
        visits = []
        for _ in range(9):
            with new_phone() as phone:
                session = phone.page.context.new_cdp_session(phone.page)
                session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
                phone.page.goto(url + page)
                phone.page.wait_for_timeout(3000)  # to look whether it is ready keeps it busy
                visits.append(phone.page.evaluate(LONG_TASKS))
        beyond[page] = median(sum(task - 50 for task in tasks) for tasks in visits)
        print(f"{page:28}{median(map(sum, visits)):6.0f} ms{beyond[page]:12.0f} ms")
    assert max(beyond[page] for page in PAGES) <= max(120, beyond[bare]), "ms"


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-s", "-q", "--no-header", "--tb=line"]))
