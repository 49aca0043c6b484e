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


def test_the_description_counts_the_rows() -> None:
    words = {20: "Twenty", 21: "Twenty-one", 22: "Twenty-two", 23: "Twenty-three"}
    assert f"\ndescription: {words[len(ROWS)]} rows " in CLINIC, (
        f"docs/clinic.md:2: there are {len(ROWS)} rows"
    )


def test_a_message_in_a_heading_or_in_the_table_is_one_that_its_row_shows() -> None:
    rows = dict(ROWS)
    headings = re.findall(r"^## (\"[^\n]*\") \{#([\w-]+)\}$", CLINIC, re.MULTILINE)
    said = [
        (text, address) for title, address in headings for text in title.strip('"').split('", "')
    ]
    for cell, address in re.findall(r"^\| (.*) \| \[.*\]\(#([\w-]+)\) \|$", CLINIC, re.MULTILINE):
        said += [(text, address) for text in re.findall(r"`([^`]* [^`]*)`", cell)]
    assert len(said) > 6
    for text, address in said:
        assert text in rows[address], f"docs/clinic.md#{address}: nothing there says {text!r}"


def test_the_messages_are_those_of_the_pinned_torch() -> None:
    pins = Path(__file__, "../../../constraints.txt").resolve().read_text()
    (pinned,) = re.findall(r"^torch==(\S+)$", pins, re.MULTILINE)
    assert f"\nThe messages are those of torch {pinned} on a CPU.\n" in CLINIC, (
        f"docs/clinic.md: the messages are those of torch {pinned}"
    )
