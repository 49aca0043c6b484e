"""The clinic's rows: each has its parts, its link at the top, and an address that stays."""

import re
from pathlib import Path

import pytest

CLINIC = Path(__file__, "../../../docs/clinic.md").resolve().read_text()
ROWS = re.findall(r"^## [^\n]*\{#([\w-]+)\}\n(.*?)(?=^## |\Z)", CLINIC, re.MULTILINE | re.DOTALL)

# Links from elsewhere lead here: add rows, but rename and remove none.
ADDRESSES = {
    "accumulation",
    "all-ignored",
    "batch-maximum",
    "class-dimension",
    "double-softmax",
    "epsilon-cap",
    "half-precision",
    "initial-loss",
    "log-of-zero",
    "masked-target",
    "nan-logits",
    "negative-loss",
    "one-hot-mask",
    "one-logit",
    "out-of-bounds",
    "target-dtype",
    "target-shape",
    "unnormalised-targets",
    "wrong-dim",
    "zero-temperature",
}


def test_every_address_that_was_ever_given_leads_to_a_row() -> None:
    assert {address for address, _ in ROWS} >= ADDRESSES


def test_every_heading_has_an_address_of_its_own() -> None:
    addresses = [address for address, _ in ROWS]
    assert len(addresses) == len(set(addresses)) == len(re.findall(r"^## ", CLINIC, re.MULTILINE))


def test_the_table_leads_to_every_row_in_its_order() -> None:
    linked = re.findall(r"^\|.*\]\(#([\w-]+)\) \|$", CLINIC, re.MULTILINE)
    assert linked == [address for address, _ in ROWS]


@pytest.mark.parametrize(("address", "row"), ROWS, ids=[address for address, _ in ROWS])
def test_every_row_has_symptom_cause_test_and_remedy_and_one_block(address: str, row: str) -> None:
    parts = re.findall(r"^(?:\*\*(\w+)\.\*\*|```(python))", row, re.MULTILINE)
    found = [label or fence for label, fence in parts]
    assert found == ["Symptom", "Cause", "python", "Test", "Remedy"], address
