"""Numbers (ROS domains, TCP ports) that one stack of this machine holds, so that two never share one."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO


@dataclass(frozen=True)
class Lease:
    """``number`` is ours until ``release`` or the end of this process."""

    number: int
    _lock: IO[str]

    def release(self) -> None:
        """Let others have it."""
        self._lock.close()


def take(kind: str, candidates: Iterable[int], is_free: Callable[[int], bool]) -> Lease | None:
    """The first of ``candidates`` that nobody holds and for which ``is_free``; ``None`` when there is none."""
    for number in candidates:
        path = Path(tempfile.gettempdir()) / f"simlingo-{os.getuid()}-{kind}-{number}.lock"
        lock = path.open("w", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        if is_free(number):
            return Lease(number, lock)
        lock.close()
    return None
