"""Joins image, odometry and navigation of equal stamp; keeps only the newest, never a queue."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

#: Parts of this many stamps are kept for those that are still on their way: two seconds at 20 Hz. What came first goes
#: first, so that stamps far ahead of the others cannot crowd these out.
KEPT_STAMPS = 40


class FrameJoin:
    """Collects the parts of each stamp; ``take`` waits for a stamp whose parts are all there.

    ``put`` may be called from any thread. Only a stamp newer than the last one taken is given out; complete stamps
    that a newer one overtook are counted in ``dropped``.
    """

    def __init__(self, parts: Iterable[str]) -> None:
        self._wanted = frozenset(parts)
        self._condition = threading.Condition()
        self._pending: dict[int, dict[str, Any]] = {}
        self._ready: int | None = None
        self._last_taken = -1
        self._closed = False
        self.dropped = 0

    def put(self, part: str, stamp: int, value: Any) -> bool:
        """Add ``value`` of ``stamp`` (ns).

        Returns:
            False when the stamp is not newer than the one last taken: the value comes too late.
        """
        with self._condition:
            if stamp <= self._last_taken:
                return False
            parts = self._pending.setdefault(stamp, {})
            parts[part] = value
            if self._wanted <= parts.keys():
                self._complete(stamp)
            while len(self._pending) > KEPT_STAMPS:
                del self._pending[next(known for known in self._pending if known != self._ready)]
            return True

    def take(self, timeout_s: float) -> tuple[int, dict[str, Any]] | None:
        """Newest complete stamp (ns) with its parts; ``None`` after ``timeout_s`` seconds or once closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._ready is not None or self._closed, timeout_s)
            if self._ready is None or self._closed:
                return None
            stamp, self._ready = self._ready, None
            parts = self._pending[stamp]
            self._last_taken = stamp
            self._pending = {known: values for known, values in self._pending.items() if known > stamp}
            return stamp, parts

    @property
    def closed(self) -> bool:
        """Nothing is given out any more."""
        return self._closed

    def clear(self) -> None:
        """Forget everything, the last stamp too, and open again."""
        with self._condition:
            self._pending = {}
            self._ready, self._last_taken, self._closed, self.dropped = None, -1, False, 0

    def close(self) -> None:
        """Wake the waiting thread up for good."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _complete(self, stamp: int) -> None:
        overtaken = stamp
        if self._ready is None or stamp > self._ready:
            overtaken, self._ready = self._ready if self._ready is not None else stamp, stamp
            self._condition.notify()
        if overtaken != stamp or self._ready != stamp:
            self._pending.pop(overtaken, None)
            self.dropped += 1
