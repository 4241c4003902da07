"""Batches made ahead: how many, and by threads that end with the run."""

from __future__ import annotations

import threading
import time

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from training.trainer.prefetch import Prefetch  # noqa: E402


@pytest.mark.parametrize("workers", [1, 3])
def test_one_batch_more_than_there_are_threads_is_made_ahead(workers: int) -> None:
    made: list[int] = []

    def make(step: int) -> dict[str, torch.Tensor]:
        made.append(step)
        time.sleep(0.01)
        return {}

    with Prefetch(make, 0, workers) as batches:
        for taken in (1, 2):
            batches.get()
            deadline = time.monotonic() + 10.0
            while len(made) < taken + workers + 1 and time.monotonic() < deadline:
                time.sleep(0.01)
            time.sleep(0.05)
            assert sorted(made) == list(range(taken + workers + 1))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]
