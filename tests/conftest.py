"""What holds for all tests."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

# A job that a shell puts into the background ignores Ctrl-C, and so would every process that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """With ``-n 2 --dist loadfile``, as ./simlingo test has it, tests that need a quiet machine come at the end."""
    if config.getoption("dist") != "loadfile":
        return None
    from quiet_last import QuietLast

    return QuietLast(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order of a parallel run; all its workers have to agree on it."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        from quiet_last import put_in_order

        put_in_order(items)
