"""What holds for all tests."""

from __future__ import annotations

import faulthandler
import os
import signal
from collections.abc import Generator
from typing import Any

import pytest
from _pytest.faulthandler import fault_handler_stderr_fd_key
from hypothesis import settings

# A job that a shell puts into the background ignores Ctrl-C, and so would every process that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


# No test asserts times, and how long an example takes depends on what else the machine does.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

#: Seconds after the time limit of a test, which pytest-timeout enforces by a signal, at which its process is ended.
GRACE_S = 60.0


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """End a process that waits in a library of C for ever, where no signal reaches Python; its stacks are printed.

    In a parallel run the test is reported as crashed, and another process goes on with the rest.
    """
    limit = float(item.config.getini("timeout"))
    stderr = item.config.stash.get(fault_handler_stderr_fd_key, 2)
    faulthandler.dump_traceback_later(limit + GRACE_S, exit=True, file=stderr)
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


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
