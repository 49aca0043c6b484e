"""What a figure's cache key covers."""

from softmax_ce.site.sources import PACKAGE, dependencies


def names(module: str) -> set[str]:
    return {path.relative_to(PACKAGE).as_posix() for path in dependencies(module)}


def test_a_figure_depends_on_its_style_and_on_the_mathematics_that_it_imports() -> None:
    found = names("softmax_ce.figures.temperature")
    assert {"figures/temperature.py", "figures/style.py", "temperature.py", "softmax.py"} <= found


def test_a_figure_does_not_depend_on_other_chapters_or_on_the_site() -> None:
    found = names("softmax_ce.figures.temperature")
    assert "figures/gradient.py" not in found
    assert not any(name.startswith("site/") for name in found)
