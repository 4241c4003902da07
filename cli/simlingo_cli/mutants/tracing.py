"""Which lines each test executes, in its own process and in those that it starts."""

from __future__ import annotations

import atexit
import json
import os
from pathlib import Path
from typing import Any

#: Environment variables: folder for what children executed, what they count for, and the files that matter.
_FOLDER, _CONTEXT, _INCLUDE = "SIMLINGO_MUTANT_TRACE", "SIMLINGO_MUTANT_CONTEXT", "SIMLINGO_MUTANT_INCLUDE"

#: Lines by file and by who executed them: a test's id, or the key of a fixture that several tests share.
Lines = dict[str, dict[str, list[int]]]


class Tracer:
    """Records executed lines of the files that match ``include``; those of child processes through ``folder``."""

    def __init__(self, include: list[str], folder: Path) -> None:
        import coverage

        self._folder = folder
        self._coverage = coverage.Coverage(data_file=None, config_file=False, include=include, messages=False)
        os.environ.update({_FOLDER: str(folder), _INCLUDE: json.dumps(include)})

    def start(self) -> None:
        """Begin."""
        self._coverage.start()

    def switch(self, context: str) -> None:
        """All that is executed from now on counts for ``context``."""
        self._coverage.switch_context(context)
        os.environ[_CONTEXT] = context

    def stop(self) -> Lines:
        """End, and what was executed."""
        self._coverage.stop()
        found = _lines(self._coverage)
        for file in sorted(self._folder.glob("*.lines.json")):
            for name, contexts in json.loads(file.read_text()).items():
                mine = found.setdefault(name, {})
                for context, lines in contexts.items():
                    mine[context] = sorted({*mine.get(context, []), *lines})
        return found


def _lines(measured: Any) -> Lines:
    data = measured.get_data()
    found: Lines = {}
    for file in data.measured_files():
        contexts: dict[str, list[int]] = {}
        for line, names in data.contexts_by_lineno(file).items():
            for name in names:
                if name:  # executed between tests, at import
                    contexts.setdefault(name, []).append(line)
        if contexts:
            found[file] = contexts
    return found


def trace_from_environment() -> None:
    """What a process started by a test does: count its lines for the test, written when it ends."""
    import multiprocessing.util

    import coverage

    context = os.environ.get(_CONTEXT, "")
    include = json.loads(os.environ[_INCLUDE])
    folder = Path(os.environ[_FOLDER])
    measured = coverage.Coverage(
        data_file=None, config_file=False, include=include, messages=False, context=context or None
    )
    measured.set_option("run:disable_warnings", ["no-data-collected"])  # a test may compare what the process says
    measured.start()
    pid, saved = os.getpid(), False

    def save() -> None:
        nonlocal saved
        if saved or os.getpid() != pid or not folder.is_dir():
            return
        saved = True
        measured.stop()
        target = folder / f"{pid}.lines.json"
        part = target.with_suffix(".part")
        part.write_text(json.dumps(_lines(measured)))
        part.rename(target)

    # A worker of multiprocessing ends without atexit.
    multiprocessing.util.Finalize(None, save, exitpriority=-100)
    atexit.register(save)
