"""What a measurement was made on."""

from __future__ import annotations

import platform
from pathlib import Path


def processor_name() -> str:
    """Cores and kind of the processor, such as ``2 x AMD EPYC``; no name of the machine."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names) or 1} x {names[0] if names else platform.processor() or platform.machine()}"
