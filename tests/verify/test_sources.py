"""What a figure's cache key covers."""

import pytest

from softmax_ce.verify.sources import PACKAGE, dependencies, imports


def names(module: str) -> set[str]:
    return {path.relative_to(PACKAGE).as_posix() for path in dependencies(module)}


def test_a_figure_depends_on_its_style_and_on_the_mathematics_that_it_imports() -> None:
    found = names("softmax_ce.figures.temperature")
    assert {"figures/temperature.py", "figures/style.py", "temperature.py", "softmax.py"} <= found


def test_a_figure_does_not_depend_on_other_chapters_or_on_the_site() -> None:
    found = names("softmax_ce.figures.temperature")
    assert "figures/gradient.py" not in found
    assert not any(name.startswith("site/") for name in found)


def test_all_that_an_import_may_bring_is_found_wherever_it_stands() -> None:
    source = b"import a.b\nif True:\n    from c import d\n"
    assert imports(source) == ["a.b", "c", "c.d"]


def test_an_import_that_would_be_missed_is_refused() -> None:
    with pytest.raises(ValueError, match=r"from \.softmax import logsumexp"):
        imports(b"from .softmax import logsumexp")
