"""What has been installed: content hashes per step, one file, and the lock that keeps two set-ups apart."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from simlingo_bootstrap.errors import SetupError
from simlingo_bootstrap.layout import Layout


class State:
    """Finished steps with the hash of what they were made from, and steps that were begun and not finished."""

    def __init__(self, layout: Layout) -> None:
        self._file = layout.own / "state.json"
        self._done: dict[str, str] = {}
        self._begun: set[str] = set()
        try:
            content = json.loads(self._file.read_text())
            self._done, self._begun = dict(content["done"]), set(content["begun"])
        except (OSError, ValueError, KeyError, TypeError):
            # No state or a damaged one: nothing counts as done, every step runs again.
            self._done, self._begun = {}, set()

    def is_done(self, step: str, wanted: str) -> bool:
        """Whether the step was finished from content of this hash."""
        return self._done.get(step) == wanted

    def was_interrupted(self, step: str) -> bool:
        """Whether the step was begun and never finished."""
        return step in self._begun

    def forget_all(self) -> None:
        """Nothing is done any more."""
        self._done, self._begun = {}, set()
        self._write()

    def begin(self, step: str) -> None:
        """Write down that the step runs."""
        self._done.pop(step, None)
        self._begun.add(step)
        self._write()

    def finish(self, step: str, made_from: str) -> None:
        """Write down that the step is finished."""
        self._begun.discard(step)
        self._done[step] = made_from
        self._write()

    def _write(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps({"done": self._done, "begun": sorted(self._begun)}, indent=1))
        temporary.replace(self._file)


def hash_files(files: Iterable[Path], *more: str) -> str:
    """Hash of the files' names and contents, and of further words."""
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(f"{file.name}\0".encode())
        digest.update(file.read_bytes())
    for word in more:
        digest.update(f"\0{word}".encode())
    return digest.hexdigest()[:16]


@contextlib.contextmanager
def only_one(layout: Layout, waiting: Callable[[str], None]) -> Iterator[int]:
    """Hold the environment's lock; ``waiting`` is told once who holds it where that is another set-up.

    Yields the lock's file descriptor. Programs that inherit it hold the lock too, so that what a killed set-up left
    running does not write into the environment beside the next one.

    Raises:
        SetupError: the folder of the environment cannot be written.
    """
    try:
        layout.own.mkdir(parents=True, exist_ok=True)
        handle = os.open(layout.own / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise SetupError(
            f"The environment's folder {layout.env} cannot be written: {error.strerror}.",
            "make it writable, or choose another place: SIMLINGO_ENV=/path/to/env ./simlingo ...",
        ) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting(os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown")
            fcntl.flock(handle, fcntl.LOCK_EX)
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield handle
    finally:
        os.close(handle)
