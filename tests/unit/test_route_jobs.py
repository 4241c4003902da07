"""Work on routes in processes of its own: what ends it, and what does not."""

from __future__ import annotations

import os
import signal

import pytest

from training.datasets.route_jobs import in_processes

pytestmark = pytest.mark.medium


def interrupted(number: int) -> None:
    """What a terminal's Ctrl-C sends to every process of its group; then job 2 fails."""
    os.kill(os.getpid(), signal.SIGINT)
    if number == 2:
        raise ValueError("job 2 cannot be done")


def test_ctrl_c_is_the_parents_to_hear() -> None:
    assert list(in_processes(interrupted, [0, 1, 3], 2)) == [None] * 3


def test_the_first_error_ends_the_work_and_is_raised() -> None:
    with pytest.raises(ValueError, match="job 2 cannot be done"):
        list(in_processes(interrupted, [2, 0, 1, 3], 2))
