"""The log-sum-exp of classes that are split: merged in one process, and over two."""

import itertools
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.multiprocessing
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from softmax_ce import logsumexp, merge_logsumexp

EPS = torch.finfo(torch.float64).eps


@given(
    st.lists(st.floats(-1e4, 1e4) | st.just(-math.inf), min_size=2, max_size=9),
    st.integers(1, 8),
)
def test_the_order_in_which_shards_are_merged_is_of_no_account(row: list[float], cut: int) -> None:
    logits = torch.tensor(row, dtype=torch.float64)
    cut = min(cut, len(row) - 1)
    whole = torch.logsumexp(logits, dim=0)
    left, right = logsumexp(logits[:cut]), logsumexp(logits[cut:])
    for merged in (merge_logsumexp(left, right), merge_logsumexp(right, left)):
        # Each of three log-sum-exps rounds its result, and a sum of at most 9 terms.
        assert merged == whole or (merged - whole).abs() <= 16 * EPS * whole.abs().clamp(1)
    one_by_one = torch.tensor(-math.inf, dtype=torch.float64)
    for logit in logits:
        one_by_one = merge_logsumexp(one_by_one, logit)
    assert one_by_one == whole or (one_by_one - whole).abs() <= 32 * EPS * whole.abs().clamp(1)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_it_is_logaddexp(dtype: torch.dtype, device: str) -> None:
    special = [0.0, 1.0, -1.0, 20.0, 1e3, -1e3, math.inf, -math.inf, math.nan]
    pairs = torch.tensor([*itertools.product(special, special)], device=device).to(dtype)
    merged, theirs = merge_logsumexp(*pairs.T), torch.logaddexp(*pairs.double().T)
    # exp, log1p and the sum round once each, in a result that is no smaller than 2^-10 here.
    close = (merged.double() - theirs).abs() <= 4 * torch.finfo(dtype).eps * theirs.abs().clamp(1)
    same = (merged.double() == theirs) | (merged.isnan() & theirs.isnan())
    assert (close | same).all(), pairs[~(close | same)]


def test_its_derivatives_are_those_of_logsumexp_ties_and_empty_shards_included() -> None:
    first = torch.tensor([0.3, 1.0, -40.0, 5.0], dtype=torch.float64, requires_grad=True)
    second = torch.tensor([-1.2, 1.0, 60.0, -math.inf], dtype=torch.float64, requires_grad=True)
    softmax = torch.softmax(torch.stack([first, second]), dim=0)
    gradients = torch.autograd.grad(merge_logsumexp(first, second).sum(), (first, second))
    assert (torch.stack(gradients) - softmax).abs().max() <= 4 * EPS
    finite = slice(0, 3)
    assert torch.autograd.gradgradcheck(merge_logsumexp, (first[finite], second[finite]))


def test_what_are_not_two_shards_of_the_same_rows_is_refused() -> None:
    with pytest.raises(ValueError, match=r"one shape and one dtype.*got \(2,\) in float32 and \(3"):
        merge_logsumexp(torch.zeros(2), torch.zeros(3))
    with pytest.raises(ValueError, match=r"one dtype.*float32 and .*float64"):
        merge_logsumexp(torch.zeros(2), torch.zeros(2, dtype=torch.float64))
    for wrong in (torch.zeros(2, dtype=torch.long), 1.0):
        with pytest.raises(TypeError, match="must be floating-point tensors"):
            merge_logsumexp(torch.zeros(2), wrong)  # type: ignore[arg-type]


def test_two_processes_with_half_of_the_classes_each_find_the_loss(tmp_path: Path) -> None:
    generator = torch.Generator().manual_seed(14)
    logits = 10 * torch.randn(6, 10, generator=generator, dtype=torch.float64)
    targets = torch.randint(10, (6,), generator=generator)
    torch.save((logits, targets), tmp_path / "batch.pt")
    program = Path(__file__).with_name("vocabulary_parallel.py")
    processes = [
        subprocess.Popen([sys.executable, program, str(rank), str(tmp_path)]) for rank in range(2)
    ]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]

    logits.requires_grad_()
    losses = F.cross_entropy(logits, targets, reduction="none")
    (gradient,) = torch.autograd.grad(losses.sum(), logits)
    found = [torch.load(tmp_path / f"{rank}.pt") for rank in range(2)]
    scale = logits.abs().max().item()  # what is subtracted is rounded at its own size
    for of_rank, _ in found:
        assert (of_rank - losses).abs().max() <= 8 * EPS * scale
    dlogits = torch.cat([part for _, part in found], dim=1)
    assert (dlogits - gradient).abs().max() <= 8 * EPS * scale
