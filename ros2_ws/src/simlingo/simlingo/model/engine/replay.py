"""Work on tensors that stay in place: captured once as a CUDA graph and replayed; on a CPU simply done."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

#: Runs before the capture: libraries choose kernels and take memory in the first ones.
_WARM_UP = 3


class Replayed:
    """A function without arguments that reads and writes fixed tensors only, and decides nothing by their values.

    Its results lie in the same memory each time: take them away before the next call.

    Args:
        work: the function.
        capture: capture it now, on the current CUDA device.
    """

    def __init__(self, work: Callable[[], tuple[Tensor, ...]], capture: bool) -> None:
        self._work = work
        self._graph: torch.cuda.CUDAGraph | None = None
        if capture:
            beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            beside.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(beside):
                for _ in range(_WARM_UP):
                    work()
            torch.cuda.current_stream().wait_stream(beside)
            self._graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self._graph):
                self._results = work()

    def __call__(self) -> tuple[Tensor, ...]:
        """Do the work on what the tensors hold now."""
        if self._graph is None:
            return self._work()
        self._graph.replay()
        return self._results


class Inlet:
    """A fixed tensor on the device, filled from the host through pinned memory without waiting."""

    def __init__(self, shape: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> None:
        self.tensor = torch.zeros(shape, dtype=dtype, device=device)
        self._host = torch.zeros(shape, dtype=dtype, pin_memory=device.type == "cuda")

    def put(self, values: npt.NDArray[np.generic]) -> None:
        """Fill it with ``values`` of its shape; the copy before must have been waited for."""
        self._host.numpy()[...] = values
        self.tensor.copy_(self._host, non_blocking=True)
