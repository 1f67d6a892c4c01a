"""The processes that train together, on one machine or several, as ``torchrun`` starts them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Self

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Processes:
    """This process's place among those that train together; alone unless `join` finds otherwise.

    Each computes its share of every batch, and gradients are averaged: the run is that of one process with all of the
    batch, and ends in the same weights on every rank.
    """

    rank: int = 0
    count: int = 1

    @classmethod
    def join(cls, device: torch.device) -> Self:
        """Meet the others; ``torchrun`` tells how many there are and where, in the environment."""
        count = int(os.environ.get("WORLD_SIZE", "1"))
        if count == 1:
            return cls()
        if device.type == "cuda":
            torch.cuda.set_device(device)
            dist.init_process_group("nccl", device_id=device)
        else:
            dist.init_process_group("gloo")
        return cls(rank(), count)

    @property
    def is_first(self) -> bool:
        """True for the one that validates, saves and logs."""
        return self.rank == 0

    def average(self, tensors: list[Tensor]) -> None:
        """Replace each by its mean over the processes, in place and in one exchange."""
        if self.count == 1:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.count
        parts = flat.split([tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    def agree(self, wish: bool, device: torch.device) -> bool:
        """True for all if it is for any: they must leave a loop at the same step."""
        if self.count == 1:
            return wish
        votes = torch.tensor([float(wish)], device=device)
        dist.all_reduce(votes)
        return bool(votes.item() > 0)

    def is_alike(self, number: int, device: torch.device) -> bool:
        """Whether all have the same number."""
        if self.count == 1:
            return True
        ends = torch.tensor([number, -number], device=device)
        dist.all_reduce(ends, dist.ReduceOp.MAX)
        return int(ends[0]) == -int(ends[1])

    def wait(self) -> None:
        """Go on when all are here."""
        if self.count > 1:
            dist.barrier()

    def leave(self) -> None:
        """Part."""
        if self.count > 1:
            dist.destroy_process_group()


def rank() -> int:
    """Rank of this process, also before it has joined; only the first speaks."""
    return int(os.environ.get("RANK", "0"))


def local_device(name: str) -> torch.device:
    """The device of a config for this process: plain ``cuda`` is another card for each process of one machine."""
    device = torch.device(name)
    if device.type == "cuda" and ":" not in name:
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    return device
