"""The processes that train one network together: each learns from its share of every batch, and all stay equal.

Gradients are summed, not averaged, as every loss is divided by what counts in the whole batch: one process and many make the
same update within rounding. They find each other by the environment that torchrun and Accelerate set too.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, distributed

from simlingo.contracts import InvalidInputError

#: One process may make pictures and dreams of a large data set while the others wait.
_PATIENCE = timedelta(hours=12)
RANK, SIZE = "RANK", "WORLD_SIZE"


class Group:
    """This process among those of a run.

    Args:
        rank: of this process; 0 writes the run's files.
        size: processes.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size

    @property
    def main(self) -> bool:
        """Whether this is the process that writes and tells."""
        return self.rank == 0

    def share(self, count: int) -> npt.NDArray[np.int64]:
        """Which of ``count`` things are this process's."""
        return np.arange(count)[self.rank :: self.size]

    def sum(self, tensors: Sequence[Tensor]) -> None:
        """Make each tensor its sum over all processes, in place; all of them have the same shapes, and one type."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        distributed.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))

    def any(self, flag: bool) -> bool:
        """Whether ``flag`` is set in one of the processes."""
        told = torch.tensor([float(flag)])
        self.sum([told])
        return bool(told.item() > 0.0)

    def wait(self) -> None:
        """Go on when all have come here."""
        if self.size > 1:
            distributed.barrier()

    @contextmanager
    def first(self) -> Iterator[None]:
        """What stands inside is done by the main process, and after that by the others."""
        if not self.main:
            self.wait()
        yield
        if self.main:
            self.wait()


ALONE = Group()


def check_group(size: int, batch_frames: int, timed: bool) -> None:
    """Refuse what so many processes cannot do: share fewer frames than they are, or measure one rate.

    Raises:
        InvalidInputError: one of the two.
    """
    if batch_frames < size:
        raise InvalidInputError(
            f"{size} processes cannot share a batch of {batch_frames} frames; set sampler.batch_frames higher"
        )
    if timed and size > 1:
        raise InvalidInputError("several processes share no measurement of time; name --samples instead of minutes")


def joined() -> Group:
    """The group that the environment names, once all its processes are there; without one, this process alone."""
    size = int(os.environ.get(SIZE, "1"))
    if size == 1:
        return ALONE
    distributed.init_process_group("gloo", timeout=_PATIENCE)
    return Group(distributed.get_rank(), size)


def left(group: Group) -> None:
    """Part from the others."""
    if group.size > 1:
        distributed.destroy_process_group()
