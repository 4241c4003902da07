"""Counts and latencies of one node, for its state message."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import numpy as np

#: Latencies kept: five minutes of 20 Hz.
WINDOW = 6000
_PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20


class Statistics:
    """Latency percentiles and counters; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latencies_ms: deque[float] = deque(maxlen=WINDOW)
        self._phases_ms: dict[str, deque[float]] = {}
        self.processed = 0
        self.dropped = 0
        self.refused = 0

    def add(self, latency_s: float, phases_s: Mapping[str, float] | None = None) -> None:
        """Count one input worked on in ``latency_s`` seconds of the steady clock, spent in ``phases_s``."""
        with self._lock:
            self._latencies_ms.append(latency_s * 1e3)
            for phase, duration_s in (phases_s or {}).items():
                self._phases_ms.setdefault(phase, deque(maxlen=WINDOW)).append(duration_s * 1e3)
            self.processed += 1

    def reset(self) -> None:
        """Start anew, at activation."""
        with self._lock:
            self._latencies_ms.clear()
            self._phases_ms.clear()
            self.processed = self.dropped = self.refused = 0

    def percentiles_ms(self) -> tuple[float, float]:
        """p50 and p99 in milliseconds over the window; NaN without a sample."""
        with self._lock:
            values = list(self._latencies_ms)
        if not values:
            return math.nan, math.nan
        p50, p99 = np.percentile(values, (50, 99))
        return float(p50), float(p99)

    def phase_medians_ms(self) -> dict[str, float]:
        """p50 of each phase in milliseconds over the window, in the order in which they first came."""
        with self._lock:
            values = {phase: list(found) for phase, found in self._phases_ms.items()}
        return {phase: float(np.median(found)) for phase, found in values.items()}


def process_age_s() -> float:
    """Seconds since this process began, before any exec; so of the command that a user typed (Linux)."""
    fields = Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    started_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")  # field 22, after pid and name
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_s


def resident_memory_mib() -> float:
    """Resident memory of this process, MiB (Linux)."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_MIB


def gpu_memory_mib() -> tuple[float, float]:
    """GPU memory of this process, MiB: in use, and held by torch; NaN where it uses no GPU."""
    # A process that has not loaded torch, or has not begun with CUDA, has no memory there: nothing is loaded to ask.
    cuda = getattr(sys.modules.get("torch"), "cuda", None)
    if cuda is None or not cuda.is_initialized():
        return math.nan, math.nan
    return cuda.memory_allocated() / 2**20, cuda.memory_reserved() / 2**20
