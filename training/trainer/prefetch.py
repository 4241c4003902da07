"""Batches made ahead by threads while the network learns from earlier ones.

Threads and not processes: making a batch is copying and looking up, mostly outside the interpreter's lock, and takes a few
hundredths of a step. A batch is a function of its step, so who makes it, and when, changes nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from torch import Tensor

Batch = dict[str, Tensor]


class Prefetch:
    """Gives the batches of ``first``, ``first + 1``, … in order.

    Args:
        make: the batch of a step.
        first: the first step.
        workers: threads; 0 makes each batch when it is asked for.
    """

    def __init__(self, make: Callable[[int], Batch], first: int, workers: int) -> None:
        self._make = make
        self._next = first
        self._ahead = workers + 1 if workers else 0
        self._pool = ThreadPoolExecutor(workers, "batches") if workers else None
        self._coming: deque[Future[Batch]] = deque()

    def get(self) -> Batch:
        """The next batch; an error in making it is raised here."""
        if self._pool is None:
            self._next += 1
            return self._make(self._next - 1)
        while len(self._coming) <= self._ahead:
            self._coming.append(self._pool.submit(self._make, self._next))
            self._next += 1
        return self._coming.popleft().result()

    def __enter__(self) -> Prefetch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the threads go; batches in the making are dropped."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._coming.clear()
