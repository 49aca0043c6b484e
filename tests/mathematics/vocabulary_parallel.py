"""The loss and its gradient where each of two processes holds half of the classes, and no more.

    python tests/mathematics/vocabulary_parallel.py RANK FOLDER

The folder has the logits and the targets, and gets what the process of that rank finds.
"""

import sys

import torch
from torch import distributed

from softmax_ce import logsumexp, merge_logsumexp

PROCESSES = 2


def main(rank: int, folder: str) -> None:
    distributed.init_process_group(
        "gloo", init_method=f"file://{folder}/rendezvous", rank=rank, world_size=PROCESSES
    )
    logits, targets = torch.load(f"{folder}/batch.pt")
    rows, classes = logits.shape
    first, last = rank * classes // PROCESSES, (rank + 1) * classes // PROCESSES
    mine = logits[:, first:last]

    shards = [torch.empty(rows, dtype=logits.dtype) for _ in range(PROCESSES)]
    distributed.all_gather(shards, logsumexp(mine))
    lse = merge_logsumexp(*shards)

    is_here = ((targets >= first) & (targets < last)).unsqueeze(1)
    place = (targets - first).unsqueeze(1).where(is_here, 0)
    at_target = mine.gather(1, place).where(is_here, 0).squeeze(1)
    distributed.all_reduce(at_target)
    dlogits = (mine - lse.unsqueeze(1)).exp()
    dlogits.scatter_add_(1, place, -is_here.to(logits.dtype))
    torch.save((lse - at_target, dlogits), f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
