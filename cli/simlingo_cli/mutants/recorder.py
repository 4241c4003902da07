"""A pytest session without any fault: what each test executes, how long it takes, and which fixtures it shares."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simlingo_cli.mutants.sessions import run_pytest
from simlingo_cli.mutants.tracing import Tracer

#: A test that waits costs something too: this share of its wall time at least.
_WAITING_SHARE = 0.25


@dataclass
class Recording:
    """What a session without any fault showed; seconds are of CPU, as they are traced."""

    seconds: dict[str, float] = field(default_factory=dict)  # by test
    fixtures: dict[str, float] = field(default_factory=dict)  # s of each fixture that tests share, by its key
    used: dict[str, list[str]] = field(default_factory=dict)  # keys of those fixtures, by test
    skipped: list[str] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)  # what went wrong, by test or file


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
