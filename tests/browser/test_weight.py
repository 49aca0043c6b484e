"""What a host has to store; what a reader downloads is asked of the visit of every page."""

from pathlib import Path

KB = 1000


def test_the_whole_site_is_small_and_has_no_source_maps(site: Path) -> None:
    files = [path for path in site.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 3000 * KB
    assert [path for path in files if path.suffix == ".map"] == []
