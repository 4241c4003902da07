"""One pytest session in this process, on one test file: to record what each test executes, or to face a fault."""

from __future__ import annotations

import gc
import importlib.util
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simlingo_cli.mutants.tracing import Tracer

#: Environment of every session: plug-ins are named, numeric libraries keep to one thread.
ENVIRONMENT = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
_PLUGINS = ("pytest_timeout", "_hypothesis_pytestplugin")
#: Parts of pytest that collect garbage after each test to warn of what nobody waited for.
_LEFT_OUT = ("-p", "no:unraisableexception", "-p", "no:threadexception")
#: A test that waits costs something too: this share of its wall time at least.
_WAITING_SHARE = 0.25
#: CPU seconds for the collection of a file.
_COLLECTION_S = 60.0


@dataclass
class Recording:
    """What a session without any fault showed; seconds are of CPU, as they are traced."""

    seconds: dict[str, float] = field(default_factory=dict)  # by test
    fixtures: dict[str, float] = field(default_factory=dict)  # s of each fixture that tests share, by its key
    used: dict[str, list[str]] = field(default_factory=dict)  # keys of those fixtures, by test
    skipped: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)  # what went wrong, by test or file


def prepare() -> None:
    """Make hypothesis repeat itself: the same examples for every fault, no shrinking of those that fail."""
    os.environ.update(ENVIRONMENT)
    if importlib.util.find_spec("hypothesis") is not None:
        from hypothesis import HealthCheck, Phase, settings

        settings.register_profile(
            "mutants",
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutants")


_WARM_UP = """
from hypothesis import given, strategies as st

@given(st.lists(st.tuples(st.floats(-1.0, 1.0), st.integers(0, 9))), st.sampled_from("ab"), st.booleans(), st.text())
def test_nothing(pairs, letter, flag, text):
    pass
"""


def warm_up(root: Path) -> None:
    """Run a session over a test of nothing, so that forked processes find pytest and hypothesis imported and their tables made.

    All objects made so far are then left out of garbage collections, which would copy them into every fork.
    """
    streams = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryDirectory(prefix="simlingo-warm-") as folder, open(os.devnull, "wb") as nothing:
        try:
            for number in (1, 2):
                os.dup2(nothing.fileno(), number)
            file = Path(folder) / "test_warm_up.py"
            file.write_text(_WARM_UP)
            run_pytest(root, str(file), Path(folder) / "scratch", object())
        finally:
            for number, stream in zip((1, 2), streams, strict=True):
                os.dup2(stream, number)
                os.close(stream)
    sys.modules.pop("test_warm_up", None)
    gc.collect()
    gc.freeze()


def run_pytest(root: Path, file: str, scratch: Path, plugin: object, *options: str) -> int:
    """One session over ``file``; its exit status."""
    import pytest

    plugins = [word for name in _PLUGINS if importlib.util.find_spec(name) for word in ("-p", name)]
    words = [
        "-q",
        "--tb=short",
        "-p",
        "no:cacheprovider",
        *_LEFT_OUT,
        "-m",
        "not slow",
        f"--rootdir={root}",
        *plugins,
        *options,
    ]
    return int(pytest.main([*words, f"--basetemp={scratch}", str(root / file)], plugins=[plugin]))


def record(root: Path, file: str, scratch: Path, tracer: Tracer) -> Recording:
    """Run all tests of ``file`` and note what each executes and how long it takes."""
    found = Recording()
    tracer.start()
    status = run_pytest(root, file, scratch, _recorder(found, tracer))
    if status not in (0, 1, 5) and not found.failures:
        found.failures[file] = f"pytest ended with status {status}"
    return found


class _Clock:
    """Seconds of CPU, those of child processes that have ended too, that a piece of work took."""

    def __init__(self) -> None:
        self._cpu, self._wall = self._now(), time.monotonic()

    def seconds(self) -> float:
        return max(self._now() - self._cpu, _WAITING_SHARE * (time.monotonic() - self._wall))

    @staticmethod
    def _now() -> float:
        return sum(os.times()[:4])


def _recorder(found: Recording, tracer: Tracer) -> object:
    import pytest

    shared: list[float] = []  # CPU s spent in shared fixtures during the present test
    contexts = [""]

    class Recorder:
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
            contexts[:] = [item.nodeid]
            shared.clear()
            tracer.switch(item.nodeid)
            clock = _Clock()
            result = yield
            found.seconds[item.nodeid] = max(clock.seconds() - sum(shared), 0.0)
            found.used[item.nodeid] = _shared_fixtures(item)
            return result

        @pytest.hookimpl(wrapper=True)
        def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Iterator[None]:
            if fixturedef.scope == "function":
                return (yield)
            key = _fixture_key(fixturedef, getattr(request, "param_index", 0))
            contexts.append(key)
            tracer.switch(key)
            clock, before = _Clock(), sum(shared)
            try:
                return (yield)
            finally:
                own = max(clock.seconds() - (sum(shared) - before), 0.0)
                shared.append(own)
                found.fixtures[key] = found.fixtures.get(key, 0.0) + own
                contexts.pop()
                tracer.switch(contexts[-1])

        def pytest_runtest_logreport(self, report: Any) -> None:
            if report.failed:
                found.failures.setdefault(report.nodeid, str(report.longrepr))
            if report.skipped:
                found.skipped.append(report.nodeid)

        def pytest_collectreport(self, report: Any) -> None:
            if report.failed:
                found.failures[report.nodeid] = str(report.longrepr)

    return Recorder()


def _fixture_key(definition: Any, index: int) -> str:
    return f"fixture {definition.baseid}::{definition.argname}[{index}]"


def _shared_fixtures(item: Any) -> list[str]:
    indices = item.callspec.indices if hasattr(item, "callspec") else {}
    chains = item._fixtureinfo.name2fixturedefs if hasattr(item, "_fixtureinfo") else {}
    return [
        _fixture_key(definition, indices.get(name, 0))
        for name, chain in chains.items()
        for definition in chain
        if definition.scope != "function"
    ]


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
