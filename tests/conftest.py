"""pytest-codeblocks collects the blocks of the pages; here each one runs alone."""

import pytest
from pytest_codeblocks.plugin import TestBlock

from softmax_ce.verify.run import run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if isinstance(item, TestBlock):
            item.runtest = lambda item=item: run_block(item)


def run_block(item: TestBlock) -> None:
    """Every stream of the block must be what its page shows, and nothing leaks to the next one."""
    block, file = item.obj, item.path.relative_to(item.config.rootpath)
    place = f"{file}:{block.lineno}"
    assert block.syntax == "python", f"{place}: write shell commands as console, which is not run"
    ran = run(block.code, str(item.path), block.lineno)
    if ran.failure or ran.errors:
        raise RuntimeError(f"{place}: this block fails or warns:\n{ran.failure}{ran.errors}")
    if ran.output != (block.expected_output or ""):
        raise RuntimeError(
            f"{place}: this block prints something else than its page shows.\n"
            f"The page shows:\n{block.expected_output or '(nothing)'}\n"
            f"If the new output is right, write it below the block:\n\n"
            f"<!--pytest-codeblocks:expected-output-->\n\n```text\n{ran.output}```"
        )
