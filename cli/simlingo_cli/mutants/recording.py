"""What each test executes and how long it takes, kept per test file until the file or the code that it runs changes."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simlingo_cli.mutants import hook, recorder
from simlingo_cli.mutants.imports import Imports
from simlingo_cli.mutants.pool import Emit
from simlingo_cli.mutants.project import Project
from simlingo_cli.mutants.tracing import Lines, Tracer

#: Raised when recordings of another form would be misread.
_FORM = 2


@dataclass(frozen=True)
class Record:
    """One test file's recording."""

    file: str
    seconds: dict[str, float]  # by test
    fixtures: dict[str, float]  # by the key of a fixture that tests share
    used: dict[str, list[str]]  # keys of those fixtures, by test
    failures: dict[str, str]
    lines: Lines  # file of ours: test or fixture: lines
    modules: list[str]  # our modules that were imported in the end


class Recordings:
    """The recordings of a project, as files in its state folder."""

    def __init__(self, project: Project, imports: Imports) -> None:
        self._project, self._imports = project, imports
        self._folder = project.state / "recordings"

    def read(self, test_file: str) -> Record | None:
        """The recording of a test file; None where there is none that still holds."""
        path = self._path(test_file)
        try:
            stored = json.loads(path.read_text())
        except (OSError, ValueError):
            return None
        if stored.get("form") != _FORM or stored["tests"] != self._digests(self._imports.test_side(test_file)):
            return None
        if stored["sources"] != self._digests(stored["sources"]):
            return None
        return Record(test_file, **stored["record"])

    def work(self, test_file: str, emit: Emit) -> None:
        """In a process of its own: run a test file, write its recording and tell ``{"recorded", "failures"}``."""
        log = self._path(test_file).with_suffix(".log")
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as out, open(os.devnull, "rb") as nothing:
            os.dup2(nothing.fileno(), 0)
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
        os.chdir(self._project.root)
        scratch = Path(tempfile.mkdtemp(prefix="simlingo-record-"))
        try:
            record = self._record(test_file, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        # A failure is told and not kept: it is looked for again at the next run.
        if not record["failures"]:
            self._write(test_file, record)
        emit({"recorded": test_file, "failures": record["failures"]})

    def _record(self, test_file: str, scratch: Path) -> dict[str, Any]:
        include = [str(self._project.root / folder / "*") for folder in (*self._project.packages, self._project.tests)]
        hook.reach_children()
        traces = scratch / "traces"
        traces.mkdir()
        tracer = Tracer(include, traces)
        found = recorder.record(self._project.root, test_file, scratch / "tests", tracer)
        lines = {self._project.name(Path(file)): contexts for file, contexts in tracer.stop().items()}
        for skipped in found.skipped:
            found.seconds.pop(skipped, None)
        ours = {
            self._project.module(file): file
            for folder in self._project.packages
            for file in self._project.files(folder)
        }
        return {
            "seconds": found.seconds,
            "fixtures": found.fixtures,
            "used": found.used,
            "failures": found.failures,
            "lines": lines,
            "modules": sorted(name for name in ours if name in sys.modules),
        }

    def _write(self, test_file: str, record: dict[str, Any]) -> None:
        executed = [file for file in record["lines"] if not file.startswith(self._project.tests)]
        stored = {
            "form": _FORM,
            "tests": self._digests(self._imports.test_side(test_file)),
            "sources": self._digests(executed),
            "record": record,
        }
        path = self._path(test_file)
        part = path.with_suffix(".tmp")
        part.write_text(json.dumps(stored))
        part.rename(path)

    def _path(self, test_file: str) -> Path:
        return self._folder / f"{Path(test_file).with_suffix('').as_posix().replace('/', '.')}.json"

    def _digests(self, files: Iterable[str]) -> dict[str, str]:
        return {file: self._project.digest(file) for file in sorted(files)}
