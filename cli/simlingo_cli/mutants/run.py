"""A run over one folder or file: record, select, try, keep."""

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
from simlingo_cli.mutants.journal import CAUGHT, Journal
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
    budget_s: float = 40.0  # seconds of tests that a mutant faces
    tests: tuple[str, ...] = ()  # test files; none for all that reach the folder
    fresh: bool = False  # forget earlier results
    keep_only: bool = False  # try nothing: what earlier runs found


def run_path(
    project: Project, path: str, count: int | None, equivalents: Equivalents, options: Options
) -> tuple[int, list[Outcome]]:
    """Plant the mutants of a folder or file.

    Args:
        project: the repository.
        path: what is mutated, relative to it.
        count: mutants of the sample; None for all.
        equivalents: claims that a mutant cannot be told from the code; such are tried as well.
        options: how to run.

    Returns:
        The number of all mutants there, and what became of those of the sample.

    Raises:
        MutationError: no mutants, no tests, or tests that fail without any mutant.
    """
    os.environ.update(sessions.ENVIRONMENT)
    deadline = time.monotonic() + 60.0 * options.minutes
    found = sampling.all_mutants(project, path)
    if not found:
        raise MutationError(f"{path} holds nothing to mutate: name a folder or file with Python code.")
    mutants = sampling.sample(found, count, options.seed)
    imports = Imports(project)
    tests = _tests_of(project, imports, {mutant.file for mutant in found}, options.tests)
    records = _record(project, imports, tests, options)
    usage = Usage(project, tests)
    selection = Selection(records, imports, usage, options.budget_s)
    journal = Journal(project, imports, path)
    if options.fresh:
        journal.clear()
    trials = {mutant.key: Trial(mutant, selection.batches(mutant)) for mutant in mutants}
    if not options.keep_only:
        _try_all(project, selection, journal, list(trials.values()), options, deadline, path)
    outcomes = [
        Outcome(trial.mutant, journal.find(trial.mutant, trial.batches), equivalents.reason(trial.mutant))
        for trial in trials.values()
    ]
    return len(found), outcomes


def _tests_of(project: Project, imports: Imports, files: set[str], asked: Sequence[str]) -> list[str]:
    known = project.test_files()
    unknown = sorted(set(asked) - set(known))
    if unknown:
        raise MutationError(f"no test file {', '.join(unknown)}: name files test_*.py in {project.tests}.")
    tests = [test for test in asked or known if imports.reach([test]) & files]
    if not tests:
        raise MutationError(f"no test in {project.tests} imports {sorted(files)[0]}: write one first.")
    return tests


def _record(project: Project, imports: Imports, tests: Sequence[str], options: Options) -> list[Record]:
    """Recordings of the test files, made where they are missing."""
    recordings = Recordings(project, imports)
    stale = [test for test in tests if recordings.read(test) is None]
    if stale or not options.keep_only:
        print("importing packages ...", file=sys.stderr, flush=True)
        import_libraries(project, imports.reach(tests))
        sessions.prepare()
        sessions.warm_up(project.root)
    failures: dict[str, str] = {}
    if stale:
        progress = Progress("recording tests", len(stale))
        progress.show()
        for message in pool.run(stale, options.jobs, recordings.work):
            failures.update(message["failures"])
            progress.step(message["recorded"])
        progress.close()
    if failures:
        name, text = next(iter(failures.items()))
        raise MutationError(
            f"{len(failures)} tests fail without any mutant: {', '.join(list(failures)[:5])}. "
            f"Mend them first (./simlingo test {name.partition('::')[0]}). The first says:\n{text[-2000:]}"
        )
    return [record for test in tests if (record := recordings.read(test)) is not None]


def _try_all(
    project: Project,
    selection: Selection,
    journal: Journal,
    trials: Sequence[Trial],
    options: Options,
    deadline: float,
    path: str,
) -> None:
    by_key = {trial.mutant.key: trial for trial in trials}
    todo = [trial for trial in trials if journal.find(trial.mutant, trial.batches) is None]
    for trial in [trial for trial in todo if not trial.batches]:
        journal.add(trial.mutant, (), "uncovered", "", 0.0)
        todo.remove(trial)
    progress = Progress(f"mutants of {path}", len(todo))
    progress.show()
    survivors = 0
    killers: dict[str, list[str]] = defaultdict(list)
    chunks = _chunks(project, selection, todo, deadline)
    for message in pool.run(chunks, options.jobs, lambda chunk, emit: work(project, chunk, emit)):
        if message["status"] == "broken":
            raise MutationError(f"a trial broke down, which is an error of the mutation run itself:\n{message['by']}")
        trial = by_key[message["key"]]
        journal.add(trial.mutant, trial.batches, message["status"], message["by"], message["seconds"])
        survivors += message["status"] == "survived"
        if "::" in message["by"]:
            killers[message["by"].partition("::")[0]].append(message["by"])
        progress.step(f"{survivors} survived")
    progress.close()
    if killers:
        _check_killers(project, killers, trials[0].mutant, options.jobs)


def _chunks(project: Project, selection: Selection, todo: Sequence[Trial], deadline: float) -> Iterator[Chunk]:
    file_of = {project.module(file): file for folder in project.packages for file in project.files(folder)}
    files: dict[str, list[Trial]] = defaultdict(list)
    for trial in todo:
        files[trial.mutant.file].append(trial)
    groups = [rows[first : first + _CHUNK] for rows in files.values() for first in range(0, len(rows), _CHUNK)]
    # In any order but that of the code, so that a run which is stopped has a fair part of the sample.
    random.Random(len(groups)).shuffle(groups)
    for group in groups:
        if time.monotonic() > deadline:
            return
        batches = [batch for trial in group for batch in trial.batches]
        modules = selection.modules(batches, group[0].mutant.file, file_of)
        yield Chunk(tuple(group), modules, deadline)


def _check_killers(project: Project, killers: dict[str, list[str]], any_mutant: Mutant, jobs: int) -> None:
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
    for message in pool.run(chunks, jobs, lambda chunk, emit: work(project, chunk, emit)):
        progress.step()
        if message["status"] in (*CAUGHT, "broken"):
            raise MutationError(
                f"{message['by']} fails without any mutant when only some tests of its file run: "
                "let it stand alone, then run again with --fresh."
            )
    progress.close()
