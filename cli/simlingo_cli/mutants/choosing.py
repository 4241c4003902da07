"""A pytest session that faces a fault: some tests of a file, in a given order, until one fails."""

from __future__ import annotations

import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from simlingo_cli.mutants.sessions import run_pytest

#: CPU seconds for the collection of a file.
_COLLECTION_S = 60.0


def face(
    root: Path,
    file: str,
    tests: Sequence[str],
    limits: Mapping[str, float],
    scratch: Path,
    tell: Callable[[float], None],
) -> str | None:
    """Run some tests of a file, in their order, until one fails.

    Args:
        root: the repository.
        file: the test file.
        tests: their ids, as recorded.
        limits: CPU seconds of each; the process is ended by SIGPROF where one takes longer.
        scratch: folder for ``tmp_path``; it may not exist yet.
        tell: called with a limit (CPU s) before each test and before the collection.

    Returns:
        What failed: a test's id, or the file where it cannot even be collected; None where all passed.
    """
    import pytest

    failed: list[str] = []

    def limit(seconds: float) -> None:
        tell(seconds)
        signal.setitimer(signal.ITIMER_PROF, seconds)

    class Chooser:
        @pytest.hookimpl(trylast=True)
        def pytest_collection_modifyitems(self, items: list[Any]) -> None:
            items[:] = chosen(items, tests)

        def pytest_runtest_logstart(self, nodeid: str) -> None:
            limit(limits.get(nodeid, _COLLECTION_S))

        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed:
                failed.append(report.nodeid)

    limit(_COLLECTION_S)
    status = run_pytest(root, file, scratch, Chooser(), "-x", "--tb=no")
    if status == 0:
        return None
    return failed[0] if failed else f"{file} (collection)"


def chosen(items: Sequence[Any], tests: Sequence[str]) -> list[Any]:
    """The items with the ids ``tests``, in that order.

    A fault may change the parameters in an id: then all parameters of such a test run.
    """
    by_id = {item.nodeid: item for item in items}
    order = {nodeid: place for place, nodeid in enumerate(tests)}
    lost = {nodeid.partition("[")[0] for nodeid in tests if nodeid not in by_id}
    kept = [item for item in items if item.nodeid in order or item.nodeid.partition("[")[0] in lost]
    return sorted(kept, key=lambda item: order.get(item.nodeid, -1))
