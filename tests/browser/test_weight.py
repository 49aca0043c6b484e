"""What a reader downloads."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

KB = 1000


def test_the_first_load_of_a_page_is_light(
    url: str, pages: list[str], new_phone: Callable[[], Any]
) -> None:
    """Prints what every page weighs, in kB, compressed as hosts do."""
    heavy = []
    print(f"\n{'page':24} {'HTML':>6} {'first load':>11} {'requests':>9}")
    for address in pages:
        finished: list[Any] = []
        with new_phone() as phone:
            phone.page.on("requestfinished", lambda request, to=finished: to.append(request))
            phone.goto(url + address)
            sizes = {request.url: request.sizes()["responseBodySize"] for request in finished}
        html, total = sizes[url + address], sum(sizes.values())
        print(f"{address:24} {html / KB:6.1f} {total / KB:11.1f} {len(finished):9}")
        if html > 30 * KB or total > 120 * KB or len(finished) > 10:
            heavy.append(address)
    assert heavy == [], "over 30 kB of HTML, 120 kB in all or 10 requests: see the table"


def test_the_whole_site_is_small_and_has_no_source_maps(site: Path) -> None:
    files = [path for path in site.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 3200 * KB
    assert [path for path in files if path.suffix == ".map"] == []
