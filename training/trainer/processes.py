"""``--processes``: this command started several times on one machine."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from simlingo.contracts import InvalidInputError
from training.trainer.group import RANK, SIZE

_HERE = "127.0.0.1"
#: A process ends this long after its group has, s.
_GRACE_S = 5.0


def cores_of(size: int) -> int:
    """Threads of one of ``size`` processes on this machine."""
    return max(1, len(os.sched_getaffinity(0)) // size)


@contextmanager
def others(count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """While it lasts, ``count - 1`` more processes run this command; this one is the first of their group.

    They say nothing but errors, and end with this one. A process that is one of a group already starts none.

    Raises:
        InvalidInputError: it is one of a group of another size.
    """
    size = int(os.environ.get(SIZE, count))
    if count not in (1, size):
        raise InvalidInputError(
            f"--processes {count} in a group of {size}; leave it out under torchrun or accelerate launch"
        )
    if count == 1 or SIZE in os.environ:
        yield []
        return
    with socket.socket() as free:
        free.bind((_HERE, 0))
        port = free.getsockname()[1]
    common = {SIZE: str(count), "MASTER_ADDR": _HERE, "MASTER_PORT": str(port)}
    command = [sys.executable, *sys.orig_argv[1:]]
    started = [
        subprocess.Popen(command, env={**os.environ, **common, RANK: str(rank)}, stdout=subprocess.DEVNULL)
        for rank in range(1, count)
    ]
    os.environ.update({**common, RANK: "0"})
    try:
        yield started
    finally:
        for name in (*common, RANK):
            os.environ.pop(name)
        for process in started:
            try:
                process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def ended_badly(started: list[subprocess.Popen[bytes]]) -> str | None:
    """Which of the processes ended with an error, for a message; None: none did."""
    for rank, process in enumerate(started, 1):
        try:
            status = process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            continue
        if status:
            how = f"was ended by signal {-status}" if status < 0 else f"ended with exit status {status}"
            return f"process {rank} of {len(started) + 1} {how}"
    return None
