"""The language model of names: what it counts, what it learns, and which files it takes."""

import math
import re
from importlib.metadata import metadata
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from softmax_ce.bigram import (
    Bigram,
    census_first_names,
    count_bigrams,
    read_names,
    train_bigram,
)
from softmax_ce.command import main

EPS = torch.finfo(torch.float64).eps
NAMES = ["emma", "olivia", "ava", "isabella", "sophia", "mia"]
some_names = st.lists(st.text("abcé", min_size=1, max_size=6), min_size=1, max_size=12)


def examples(model: Bigram, names: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Each pair of the names by itself: the first character's index and the second's."""
    pairs = [pair for name in names for pair in pairwise(f"\n{name}\n")]
    places = [[model.alphabet.index(character) for character in pair] for pair in pairs]
    before, after = torch.tensor(places).T
    return before, after


@given(some_names)
def test_every_pair_of_every_name_is_counted_once(names: list[str]) -> None:
    model = count_bigrams(names)
    before, after = examples(model, names)
    counts = torch.zeros_like(model.counts)
    counts.index_put_((before, after), torch.ones(len(before)).double(), accumulate=True)
    assert torch.equal(model.counts, counts)
    assert model.counts.sum() == sum(len(name) + 1 for name in names)


@given(some_names)
def test_its_losses_are_those_of_torch_over_all_examples(names: list[str]) -> None:
    model = train_bigram(names, most_steps=20)
    before, after = examples(model, names)
    shares = model.counts / model.counts.sum(1, keepdim=True)
    for logits, loss in ((model.logits, model.loss), (shares.log(), model.count_loss)):
        theirs = F.cross_entropy(logits[before], after)
        # A sum of as many rounded losses as there are examples, none of them large.
        assert abs(loss - theirs) <= 4 * len(before) * EPS


@given(some_names)
def test_no_step_makes_the_loss_larger_and_none_goes_below_the_counts(names: list[str]) -> None:
    losses = [count_bigrams(names).loss]
    train_bigram(names, report=lambda _, loss: losses.append(loss), most_steps=200, tolerance=0)
    slack = 100 * EPS  # of a mean of a hundred terms, each of a few nats
    assert all(later <= earlier + slack for earlier, later in pairwise(losses))
    model = train_bigram(names, most_steps=20)
    assert model.count_loss <= model.loss + slack


def test_the_first_step_is_one_of_autograd_row_by_row() -> None:
    start = count_bigrams(NAMES)
    before, after = examples(start, NAMES)
    logits = start.logits.clone().requires_grad_()
    for _ in range(20):
        of_rows = F.cross_entropy(logits[before], after, reduction="none") / len(before)
        of_rows = of_rows / (start.counts.sum(1)[before] / len(before))
        (gradient,) = torch.autograd.grad(of_rows.sum(), logits)
        logits = (logits - 2 * gradient).detach().requires_grad_()
    trained = train_bigram(NAMES, most_steps=20, tolerance=0)
    # 20 steps of 2, each rounded where the sum over a row is, and the rows are short.
    assert (trained.logits - logits).abs().max() <= 20 * 2 * 30 * EPS


def test_on_the_census_names_it_comes_within_a_thousandth_of_a_nat_of_the_counts() -> None:
    names = census_first_names()
    model = train_bigram(names)
    assert count_bigrams(names).loss == pytest.approx(math.log(27), abs=30 * EPS)
    assert 0 < model.loss - model.count_loss <= 1e-3
    unseen = model.counts == 0
    assert unseen.any()
    assert model.logits[unseen].isfinite().all(), "they would have to be −inf"


def test_the_year_of_the_census_is_the_one_that_the_names_come_with() -> None:
    described = str(metadata("names").json["description"])
    (year,) = re.findall(r"derived from (\d+) Census data", described)
    assert re.findall(r"\b\d{4}\b", str(census_first_names.__doc__)) == [year], (
        "softmax_ce/bigram.py: census_first_names names another year"
    )


def test_samples_are_drawn_from_the_model_and_by_seed() -> None:
    model = train_bigram(NAMES)
    drawn = [*model.samples(20, T=1.0, seed=3)]
    assert drawn == [*model.samples(20, T=1.0, seed=3)] != [*model.samples(20, T=1.0, seed=4)]
    assert set("".join(drawn)) <= set(model.alphabet)
    cold = {*train_bigram(census_first_names()).samples(5, T=1e-3)}
    assert len(cold) == 1, "the most probable path, where no two logits are equal"


def test_a_name_that_never_ends_ends() -> None:
    endless = Bigram("\na", torch.ones(2, 2).double(), torch.tensor([[0.0, 99.0], [0.0, 99.0]]))
    assert [*endless.samples(1)] == ["a" * 100]


@pytest.mark.parametrize(
    "content",
    [
        b"anna\nbob\n",
        b"anna\r\nbob\r\n",
        b"\n\n  anna \n\n\t\nbob",
        b"\xef\xbb\xbfanna\nbob\n",
        b"anna\rbob",
    ],
)
def test_blank_lines_line_ends_and_byte_order_marks_are_no_names(
    content: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "names.txt"
    file.write_bytes(content)
    assert read_names(file) == ["anna", "bob"]
    assert torch.equal(train_bigram(str(file)).counts, count_bigrams(["anna", "bob"]).counts)


@pytest.mark.parametrize("names", [["Ζωή", "Άννα"], ["Анна"], ["O'Neil", "Jean Luc", "X."]])
def test_any_alphabet_will_do(names: list[str], tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("\n".join(names), encoding="utf-8")
    assert set(train_bigram(file).alphabet) == {"\n"}.union(*names)


def test_a_file_of_300_000_names_takes_seconds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "names.txt"
    file.write_text("\n".join(f"{number:06b}" for number in range(300_000)))
    assert main(["bigram", str(file), "--samples", "1"]) == 0
    assert "of 3\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory; expected a text file of names, one a line"),
        (b"", "holds no names; expected one a line"),
        (b" \r\n\n", "holds no names; expected one a line"),
        (b"\xff\xfea\x00", "is not UTF-8 text: byte 0 cannot be read. Save it as UTF-8."),
        ("\n".join(map(chr, range(0x4E00, 0x5000))).encode(), "512 different characters"),
    ],
)
def test_the_command_says_what_is_wrong_with_a_file(
    content: bytes | None, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "names.txt"
    if content is not None:
        file.write_bytes(content)
    assert main(["bigram", str(file)]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert not said.out


@pytest.mark.parametrize("names", [[], ["anna", ""], ["an\nna"]])
def test_what_is_no_list_of_names_is_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"no names to count|a name is a line"):
        count_bigrams(names)


def test_the_command_prints_the_losses_and_the_samples(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bigram", "--samples", "2", "-T", "0.5"]) == 0
    model = train_bigram(census_first_names())
    perplexity = math.exp(model.loss)
    expected = [
        f"characters   {int(model.counts.sum()):,}, ends of names included, of 27",
        f"equal logits {math.log(27):.6f} nats a character",
        f"count table  {model.count_loss:.6f}",
        f"trained      {model.loss:.6f}, {math.log2(perplexity):.4f} bits, "
        f"perplexity {perplexity:.3f}",
        f"steps        {model.steps:,}",
        *model.samples(2, T=0.5),
    ]
    printed = capsys.readouterr().out.splitlines()
    assert printed == expected, "softmax_ce/command.py: bigram prints something else"
    assert main(["bigram", "-T", "0"]) == 2
    assert "a temperature is a positive number; got -T 0" in capsys.readouterr().err
