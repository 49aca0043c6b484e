"""Forward and backward of softmax_ce.cross_entropy beside F.cross_entropy, in time and memory.

Run `python tests/benchmarks/cross_entropy.py [--device cuda]`; exit code 1 if a bar is not met.
"""

import argparse
import gc
import os
import platform
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

import softmax_ce

Loss = Callable[[Tensor, Tensor], Tensor]
LOSSES: dict[str, Loss] = {"ours": softmax_ce.cross_entropy, "torch": F.cross_entropy}
ROUNDS = {(4096, 1000): 25, (2048, 50257): 9}
TIME_BAR, MEMORY_BAR = 0.8, 1.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--memory", choices=LOSSES, help="print one loss's peak in bytes, no table")
    parser.add_argument("--shape", type=int, nargs=2, metavar=("N", "V"))
    args = parser.parse_args()
    if args.memory:
        print(peak_memory(LOSSES[args.memory], tuple(args.shape), args.device))
        return 0

    load = os.getloadavg()[0]  # on cores that others use, the time ratio says little
    shapes = [tuple(args.shape)] if args.shape else list(ROUNDS)
    table, met = [], True
    for shape in shapes:
        low, median, high = time_ratio(shape, args.device, ROUNDS.get(shape, 9))
        memory = memory_ratio(shape, args.device)
        table.append((str(shape), f"{median:.2f} ({low:.2f}, {high:.2f})", f"{memory:.2f}"))
        met &= median <= TIME_BAR and memory <= MEMORY_BAR
    progress("")
    print("ours over F.cross_entropy, forward + backward, float32")
    heads = [
        ("shape", "time ratio (quartiles)", "memory ratio"),
        ("bar", f"<= {TIME_BAR}", f"<= {MEMORY_BAR}"),
    ]
    for row in heads + table:
        print("{:<15}{:<25}{}".format(*row))
    print(f"{machine(args.device)}, load {load:.1f} at the start")
    return 0 if met else 1


def time_ratio(shape: tuple[int, int], device: str, rounds: int) -> list[float]:
    """The quartiles of ours / torch, over rounds that run both, each first every other time."""
    logits, targets = batch(shape, device)
    ratios = []
    for i in range(-2, rounds):  # two rounds warm up
        progress(f"{shape} time: round {max(i + 1, 0)}/{rounds}")
        seconds = {
            name: stopwatch(LOSSES[name], logits, targets)
            for name in sorted(LOSSES, reverse=i % 2 == 0)
        }
        if i >= 0:
            ratios.append(seconds["ours"] / seconds["torch"])
    return statistics.quantiles(ratios, n=4, method="inclusive")


def stopwatch(loss: Loss, logits: Tensor, targets: Tensor) -> float:
    synchronize(logits)
    start = time.perf_counter()
    step(loss, logits, targets)
    synchronize(logits)
    return time.perf_counter() - start


def step(loss: Loss, logits: Tensor, targets: Tensor) -> None:
    torch.autograd.grad(loss(logits, targets), logits)


def memory_ratio(shape: tuple[int, int], device: str) -> float:
    """Each loss has a fresh process, so that neither inherits what the other left behind."""
    peaks = {}
    for name in LOSSES:
        progress(f"{shape} memory: {name}")
        command = [sys.executable, __file__, "--device", device, "--memory", name, "--shape"]
        command += map(str, shape)
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        peaks[name] = int(run.stdout)
    return peaks["ours"] / peaks["torch"]


def peak_memory(loss: Loss, shape: tuple[int, int], device: str) -> int:
    """Bytes above those that hold the logits, the gradient included, after a small warm-up."""
    logits, targets = batch(shape, device)
    step(loss, *batch((8, shape[1]), device))
    gc.collect()
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        step(loss, logits, targets)
        return torch.cuda.max_memory_allocated() - before
    Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak starts again from here
    before = resident("VmRSS")
    step(loss, logits, targets)
    return resident("VmHWM") - before


def resident(field: str) -> int:
    match = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert match is not None
    return 1024 * int(match[1])


def batch(shape: tuple[int, int], device: str) -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    logits = torch.randn(shape, device=device, requires_grad=True)
    return logits, torch.randint(shape[1], shape[:1], device=device)


def synchronize(tensor: Tensor) -> None:
    if tensor.is_cuda:
        torch.cuda.synchronize()


def machine(device: str) -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if device == "cuda":
        model = torch.cuda.get_device_name()
    elif cpuinfo.exists() and (match := re.search(r"model name\s*: (.*)", cpuinfo.read_text())):
        model = match[1]
    return f"{model}, {torch.get_num_threads()} threads, torch {torch.__version__}"


def progress(message: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{message}", end="", file=sys.stderr, flush=True)
    elif message:
        print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
