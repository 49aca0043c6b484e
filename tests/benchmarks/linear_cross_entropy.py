"""Peak memory of the last layer and its loss: all logits at once, beside PyTorch's chunks of them.

Run `python tests/benchmarks/linear_cross_entropy.py` on Linux; it takes half a minute.
"""

import argparse
import gc
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.benchmarks.cross_entropy import machine, progress, resident

VOCABULARY, WIDTH = 50_257, 256
EXAMPLES = (256, 1024, 4096)


def all_at_once(h: Tensor, W: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(h @ W.T, targets)


def in_chunks(h: Tensor, W: Tensor, targets: Tensor) -> Tensor:
    options = torch.nn.LinearCrossEntropyOptions()
    return F.linear_cross_entropy(h, W, targets, options=options)


LOSSES: dict[str, Callable[..., Tensor]] = {"all at once": all_at_once, "in chunks": in_chunks}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peak", choices=LOSSES, help="print one loss's peak in bytes, no table")
    parser.add_argument("--examples", type=int)
    chosen = parser.parse_args()
    if chosen.peak:
        print(peak(LOSSES[chosen.peak], chosen.examples))
        return
    print(f"in chunks over all at once, forward + backward, {VOCABULARY:,} classes, float32")
    print(f"{'examples':<15}memory ratio")
    for examples in EXAMPLES:
        peaks = {}
        for name in LOSSES:  # each in a fresh process, which inherits nothing
            progress(f"{examples} examples: {name}")
            command = [sys.executable, __file__, "--peak", name, "--examples", str(examples)]
            run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            peaks[name] = int(run.stdout)
        progress("")
        print(f"{examples:<15}{peaks['in chunks'] / peaks['all at once']:.2f}")
    print(machine("cpu"))


def peak(loss: Callable[..., Tensor], examples: int) -> int:
    """Bytes above those that hold the inputs, the gradients included, after a small warm-up."""
    step(loss, 8)
    inputs = batch(examples)
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    torch.autograd.grad(loss(*inputs), inputs[:2])
    return resident("VmHWM") - before


def step(loss: Callable[..., Tensor], examples: int) -> None:
    inputs = batch(examples)
    torch.autograd.grad(loss(*inputs), inputs[:2])


def batch(examples: int) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(0)
    h = torch.randn(examples, WIDTH, requires_grad=True)
    W = (torch.randn(VOCABULARY, WIDTH) / WIDTH**0.5).requires_grad_()
    return h, W, torch.randint(VOCABULARY, (examples,))


if __name__ == "__main__":
    main()
