"""What is to catch a fault. Each returns an exit code, and runs in a process of its own."""

import os
from pathlib import Path

from tests.verify.faulty.fault import Fault


def verify_page(fault: Fault) -> int:
    """The page through `softmax-ce verify`."""
    return _verify(fault.path)


def verify_chapter(fault: Fault) -> int:
    """The page that shows the figures of the module."""
    return _verify(f"docs/{_stem(fault).replace('_', '-')}.md")


def verify_book(_: Fault) -> int:
    """All pages: this file says what they mean."""
    return _verify()


def place_tests(_: Fault) -> int:
    """The tests of where figures stand, and with which words."""
    return _test("tests/figures/test_every_figure.py", "-k", "alt or caption or page")


def chapter_tests(fault: Fault) -> int:
    """The tests of the chapter's figures."""
    path = f"tests/figures/test_{_stem(fault)}.py"
    return _test(path) if os.path.exists(path) else 0


def figure_tests(fault: Fault) -> int:
    """What holds for every figure, of those of the chapter."""
    return _test("tests/figures/test_every_figure.py", "-k", f"{_stem(fault)}.")


def docstring_tests(_: Fault) -> int:
    """The examples of the docstrings."""
    return _test("tests/mathematics/test_docstrings.py")


def module_tests(fault: Fault) -> int:
    """The module's own tests."""
    folders = map(Path, ("tests/mathematics", "tests/verify", "tests/check"))
    return _test(*(str(p) for f in folders for p in sorted(f.glob(f"test_{_stem(fault)}*.py"))))


def sentence_tests(fault: Fault) -> int:
    """The same, of a sentence in a docstring of the module."""
    return module_tests(fault) if fault.path.startswith("softmax_ce/") else 0


def mathematics_tests(_: Fault) -> int:
    """All tests of the mathematics."""
    return _test("tests/mathematics")


def all_tests(_: Fault) -> int:
    """All tests that stand here."""
    return _test("tests/figures", "tests/mathematics")


def build_site(_: Fault) -> int:
    """A strict build."""
    from mkdocs.__main__ import cli

    cli(["build", "--strict"])
    return 0


def _verify(*pages: str) -> int:
    from softmax_ce.command import main

    return main(["verify", *pages])


def _test(*arguments: str) -> int:
    import pytest

    plain = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    plain += ["-W", "ignore:Module already imported"]  # a worker has loaded pytest's plugins
    return int(pytest.main([*plain, *arguments]))


def _stem(fault: Fault) -> str:
    return Path(fault.path).stem.replace("-", "_")
