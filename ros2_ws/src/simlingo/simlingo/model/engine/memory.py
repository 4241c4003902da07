"""Too little memory: found before weights are loaded where it can be, and told with its cure where not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import torch

from simlingo.contracts import SimlingoError

if TYPE_CHECKING:
    from simlingo.model.checkpoints.reader import Checkpoint

_P = ParamSpec("_P")
_R = TypeVar("_R")

#: What a network needs beside its weights while it runs, as a share of them: activations, caches, the runtime.
_BESIDE_WEIGHTS = 0.25
_CURE = (
    "take --precision bf16, on a CPU int8 too, give up text (text policy never), close other programs, "
    "or run simlingo-mini"
)


def require_memory(weights: int, device: torch.device) -> None:
    """Check that a network of ``weights`` bytes fits on ``device``.

    Raises:
        SimlingoError: it does not; names what is free and the cure.
    """
    free, need = free_bytes(device), int(weights * (1.0 + _BESIDE_WEIGHTS))
    if need > free:
        raise SimlingoError(
            f"the model needs about {need / 2**30:.1f} GiB, {device} has {free / 2**30:.1f} GiB free; {_CURE}"
        )


def require_memory_to_load(checkpoint: Checkpoint, precision: str = "fp32", device: str = "cpu") -> None:
    """Check, before weights are taken out of their files, that the CPU's memory holds the network made of them.

    What is read as it is stays in the mapped files until it is converted; adapted weights, and those stored in another
    type than fp32, are made anew. Weights that go to a GPU are only made here.

    Raises:
        SimlingoError: it does not; names what is free and the cure.
    """
    made = held = 0
    for name, tensor in checkpoint.tensors.items():
        if ".lora_" in name:
            continue
        adapted = f"{name.removesuffix('.weight')}.lora_A.weight" in checkpoint.tensors
        made += 4 * tensor.numel() if adapted or tensor.dtype != torch.float32 else 0
        linear = tensor.ndim == 2 and "embed_tokens" not in name
        held += tensor.numel() * (2 if precision == "bf16" else 1 if precision == "int8" and linear else 4)
    require_memory(made if device.startswith("cuda") else max(made, held), torch.device("cpu"))


def free_bytes(device: torch.device) -> int:
    """Memory in bytes that can still be taken on ``device``."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):  # no Linux: all of it is the best that is known
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@contextmanager
def memory_told() -> Iterator[None]:
    """Memory that runs out in here, on a GPU or the CPU, is told as a SimlingoError with its cure."""
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, RuntimeError) as error:
        # On the CPU torch raises a bare RuntimeError, told by the name of its allocator.
        if isinstance(error, torch.OutOfMemoryError | MemoryError) or "DefaultCPUAllocator" in str(error):
            raise SimlingoError(f"memory ran out while the model was loading or running; {_CURE}") from error
        raise


def inferring(work: Callable[_P, _R]) -> Callable[_P, _R]:
    """``work`` without gradients; memory that runs out in it is told as a SimlingoError."""

    @wraps(work)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with memory_told(), torch.inference_mode():
            return work(*args, **kwargs)

    return run
