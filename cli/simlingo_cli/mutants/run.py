"""A run over one folder or file: record, select, try, keep; with the tests beside the code first, with others then."""

from __future__ import annotations

import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simlingo_cli.mutants import pool, sampling, sessions
from simlingo_cli.mutants.equivalents import Equivalents
from simlingo_cli.mutants.facing import Batch, Chunk, Trial, work
from simlingo_cli.mutants.imports import Imports
from simlingo_cli.mutants.journal import CAUGHT, Journal, Result
from simlingo_cli.mutants.libraries import import_libraries
from simlingo_cli.mutants.mutant import Mutant
from simlingo_cli.mutants.page import Outcome
from simlingo_cli.mutants.progress import Progress
from simlingo_cli.mutants.project import MutationError, Project
from simlingo_cli.mutants.recording import Record, Recordings
from simlingo_cli.mutants.selection import Selection
from simlingo_cli.mutants.usage import Usage

#: Trials of one worker; it imports our own modules once for all of them.
_CHUNK = 8


@dataclass(frozen=True)
class Options:
    """How to run."""

    jobs: int = 2  # processes at a time
    seed: int = 1  # of the sample
    minutes: float = 30.0  # no trial begins later
    budget_s: float = 40.0  # CPU seconds of tests, as they are traced, that a mutant faces in each of the two rounds
    tests: tuple[str, ...] = ()  # test files; none for all that reach the folder
    fresh: bool = False  # forget earlier results
    keep_only: bool = False  # record and try nothing: what earlier runs found


def run_path(
    project: Project, path: str, count: int | None, equivalents: Equivalents, options: Options
) -> tuple[int, list[Outcome]]:
    """Plant the mutants of a folder or file.

    Args:
        project: the repository.
        path: what is mutated, relative to it.
        count: mutants of the sample; None for all.
        equivalents: claims that a mutant cannot be told from the code; the tests beside the code try such as well.
        options: how to run.

    Returns:
        The number of all mutants there, and what became of those of the sample.

    Raises:
        MutationError: no mutants, no tests, or tests that fail without any mutant.
    """
    os.environ.update(sessions.ENVIRONMENT)
    found = sampling.all_mutants(project, path)
    if not found:
        raise MutationError(f"{path} holds nothing to mutate: name a folder or file with Python code.")
    run = _Run(project, path, options)
    near, far = run.tests({mutant.file for mutant in found})
    mutants = sampling.sample(found, count, options.seed)
    results = run.round("near", near, mutants)
    reasons = {mutant.key: equivalents.reason(mutant) for mutant in mutants}
    left = [
        mutant
        for mutant in mutants
        if (result := results[mutant.key]) and result.status not in CAUGHT and not reasons[mutant.key]
    ]
    if left and far:
        for key, result in run.round("far", far, left).items():
            if result is None or result.status in CAUGHT or result.status == "survived":
                results[key] = result
    return len(found), [Outcome(mutant, results[mutant.key], reasons[mutant.key]) for mutant in mutants]


class _Run:
    """One folder's run."""

    def __init__(self, project: Project, path: str, options: Options) -> None:
        self._project, self._path, self._options = project, path, options
        self._imports = Imports(project)
        self._deadline = time.monotonic() + 60.0 * options.minutes
        self._warm = False

    def tests(self, files: set[str]) -> tuple[list[str], list[str]]:
        """The test files that import one of ``files``, they or their helpers, and those that reach one by others."""
        known = self._project.test_files()
        unknown = sorted(set(self._options.tests) - set(known))
        if unknown:
            raise MutationError(f"no test file {', '.join(unknown)}: name files test_*.py in {self._project.tests}.")
        asked = self._options.tests or known
        near = [test for test in asked if self._imports.of_test(test) & files]
        far = [test for test in asked if test not in near and self._imports.reach([test]) & files]
        if not near and not far:
            raise MutationError(f"no test in {self._project.tests} imports {sorted(files)[0]}: write one first.")
        return near, far

    def round(self, name: str, tests: Sequence[str], mutants: Sequence[Mutant]) -> dict[str, Result | None]:
        """Let ``mutants`` face ``tests``; the results by key, None where the time was over before."""
        selection = Selection(self._record(tests), self._imports, Usage(self._project, tests), self._options.budget_s)
        journal = Journal(self._project, self._imports, f"{self._path}.{name}")
        if self._options.fresh:
            journal.clear()
        trials = [Trial(mutant, selection.batches(mutant)) for mutant in mutants]
        if not self._options.keep_only:
            self._try(name, selection, journal, trials)
        return {trial.mutant.key: journal.find(trial.mutant, trial.batches) for trial in trials}

    def _record(self, tests: Sequence[str]) -> list[Record]:
        """Recordings of the test files, made where they are missing."""
        recordings = Recordings(self._project, self._imports)
        stale = [test for test in tests if recordings.read(test) is None]
        failures: dict[str, str] = {}
        if stale and not self._options.keep_only:
            self._warm_up(tests)
            progress = Progress("recording tests", len(stale))
            progress.show()
            for message in pool.run(stale, self._options.jobs, recordings.work):
                failures.update(message["failures"])
                progress.step(message["recorded"])
            progress.close()
        if failures:
            name, text = next(iter(failures.items()))
            raise MutationError(
                f"{len(failures)} tests fail without any mutant: {', '.join(list(failures)[:5])}. "
                f"Mend them first (./simlingo test {name.partition('::')[0]}). The first says:\n{text[-2000:]}"
            )
        records = {test: recordings.read(test) for test in tests}
        changed = [test for test, record in records.items() if record is None]
        if changed and not self._options.keep_only:
            raise MutationError(
                f"{changed[0]} or a file that it uses changed while lines were recorded: run again, and work in "
                "another clone meanwhile."
            )
        return [record for record in records.values() if record is not None]

    def _try(self, name: str, selection: Selection, journal: Journal, trials: Sequence[Trial]) -> None:
        by_key = {trial.mutant.key: trial for trial in trials}
        todo = [trial for trial in trials if journal.find(trial.mutant, trial.batches) is None]
        for trial in [trial for trial in todo if not trial.batches]:
            journal.add(trial.mutant, (), "uncovered", "", 0.0)
            todo.remove(trial)
        if not todo:
            return
        self._warm_up([batch.file for trial in todo for batch in trial.batches])
        progress = Progress(f"mutants of {self._path}, {name} tests", len(todo))
        progress.show()
        survivors = 0
        killers: dict[str, list[str]] = defaultdict(list)
        for message in self._pool(self._chunks(selection, todo)):
            trial = by_key[message["key"]]
            journal.add(trial.mutant, trial.batches, message["status"], message["by"], message["seconds"])
            survivors += message["status"] == "survived"
            if "::" in message["by"]:
                killers[message["by"].partition("::")[0]].append(message["by"])
            progress.step(f"{survivors} survived")
        progress.close()
        if killers:
            self._check(killers, trials[0].mutant)

    def _pool(self, chunks: Iterator[Chunk]) -> Iterator[pool.Message]:
        for message in pool.run(chunks, self._options.jobs, lambda chunk, emit: work(self._project, chunk, emit)):
            if message["status"] == "broken":
                raise MutationError(f"a trial broke down, an error of the mutation run itself:\n{message['by']}")
            yield message

    def _chunks(self, selection: Selection, todo: Sequence[Trial]) -> Iterator[Chunk]:
        project = self._project
        file_of = {project.module(file): file for folder in project.packages for file in project.files(folder)}
        files: dict[str, list[Trial]] = defaultdict(list)
        for trial in todo:
            files[trial.mutant.file].append(trial)
        groups = [rows[first : first + _CHUNK] for rows in files.values() for first in range(0, len(rows), _CHUNK)]
        # In any order but that of the code, so that a run which is stopped has a fair part of the sample.
        random.Random(len(groups)).shuffle(groups)
        for group in groups:
            if time.monotonic() > self._deadline:
                return
            batches = [batch for trial in group for batch in trial.batches]
            yield Chunk(tuple(group), selection.modules(batches, group[0].mutant.file, file_of), self._deadline)

    def _check(self, killers: dict[str, list[str]], any_mutant: Mutant) -> None:
        """Run the tests that caught mutants once more without any: alone, as the mutants met them.

        Raises:
            MutationError: one fails; then what it caught means nothing.
        """
        values: dict[str, Any] = vars(any_mutant) | {"start": 0, "end": 0, "after": "", "operator": "none"}
        no_fault = Mutant(**values)
        chunks: list[Chunk] = []
        for file, tests in killers.items():
            unique = tuple(dict.fromkeys(tests))
            trial = Trial(no_fault, (Batch(file, unique, (600.0,) * len(unique)),))
            chunks.append(Chunk((trial,), (), float("inf")))
        progress = Progress("the tests that caught them, without any", len(chunks))
        for message in self._pool(iter(chunks)):
            progress.step()
            if message["status"] in CAUGHT:
                raise MutationError(
                    f"{message['by']} fails without any mutant when only some tests of its file run: "
                    "let it stand alone, then run again with --fresh."
                )
        progress.close()

    def _warm_up(self, tests: Sequence[str]) -> None:
        """Import what the tests need from others, once, before the first fork."""
        if not self._warm:
            print("importing packages ...", file=sys.stderr, flush=True)
            import_libraries(self._project, self._imports.reach(tests))
            sessions.prepare()
            sessions.warm_up(self._project.root)
            self._warm = True
