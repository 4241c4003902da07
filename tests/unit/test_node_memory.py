"""What a node's state says of memory."""

from __future__ import annotations

import math
import sys
from types import SimpleNamespace

import pytest

from simlingo_node.statistics import gpu_memory_mib, resident_memory_mib


def torch_with(initialized: bool) -> SimpleNamespace:
    return SimpleNamespace(
        cuda=SimpleNamespace(
            is_initialized=lambda: initialized,
            memory_allocated=lambda: 3 * 2**20,
            memory_reserved=lambda: 5 * 2**20,
        )
    )


def test_gpu_memory_is_told_where_a_gpu_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch_with(initialized=True))
    assert gpu_memory_mib() == (3.0, 5.0)


@pytest.mark.parametrize("torch", [None, torch_with(initialized=False)])
def test_a_process_on_the_cpu_has_none_and_loads_nothing_to_say_so(
    torch: SimpleNamespace | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert all(math.isnan(size) for size in gpu_memory_mib())
    assert resident_memory_mib() > 1.0
