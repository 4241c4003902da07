"""Runs the stages of a recipe that are not whole, one after the other."""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from simlingo.contracts import InvalidInputError, SimlingoError
from training.recipe.keys import Product
from training.recipe.plan import Planned, State, check_from, plan
from training.recipe.process import run_command
from training.recipe.reading import Recipe
from training.recipe.record import STAGE_FILE, StageRecord, merged, start_of
from training.recipe.stage import LOG_FILE, ROOT
from training.trainer.commit import commit_of

_LOCK_FILE = "lock"
Tell = Callable[[str], None]


def run_recipe(
    recipe: Recipe,
    run: Path,
    tell: Tell,
    *,
    until: str | None = None,
    start: str | None = None,
    accept_code: bool = False,
) -> list[Planned]:
    """Make what is not whole, up to the stage ``until``; all stages as they are then.

    Args:
        recipe: sized by a profile.
        run: folder with an outcome folder for each stage.
        tell: takes a line for people.
        start: a stage before which all must be whole.
        accept_code: see :func:`training.recipe.plan.plan`.

    Raises:
        InvalidInputError: something that the stages need is missing; nothing has been begun.
        SimlingoError: a stage failed.
        KeyboardInterrupt: it was interrupted; the same call goes on from there.
    """
    run.mkdir(parents=True, exist_ok=True)
    with _alone_in(run) as lock:
        planned = plan(recipe, run, until=until, accept_code=accept_code)
        if start is not None:
            check_from(planned, start)
        _check_packages(planned)
        expected = recipe.expected_s()
        for number, each in enumerate(planned, 1):
            title = f"stage {number} of {len(planned)}, {each.stage.name} ({each.stage.kind})"
            if each.due:
                why = f"; {each.note}" if each.note else ""
                tell(f"== {title}: {about(expected[each.stage.name])} expected, in {each.place.folder}{why}")
                _do(each, _records(each, planned), expected[each.stage.name], tell, lock)
            else:
                tell(f"== {title}: {each.state.value}{f', {each.note}' if each.note else ''}")
        return planned


def about(seconds: float) -> str:
    """A time for people, such as 1 h 05 min."""
    minutes = round(seconds / 60.0)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min" if seconds >= 90.0 else f"{seconds:.0f} s"


@contextmanager
def _alone_in(run: Path) -> Iterator[int]:
    """Hold the run's folder; the file is handed to the commands, so that one left over by a kill holds it too."""
    lock = os.open(run / _LOCK_FILE, os.O_RDWR | os.O_CREAT)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InvalidInputError(
                f"another recipe run, or a command that one has left, is at work in {run}; wait for it, or choose another --run"
            ) from error
        yield lock
    finally:
        os.close(lock)


def _check_packages(planned: list[Planned]) -> None:
    """See that everything that the stages import is there, before the first of them works for hours."""
    needed = {package: each.stage.name for each in planned if each.due for package in each.stage.settings.packages}
    missing = sorted(package for package in needed if importlib.util.find_spec(package) is None)
    if missing:
        stages = sorted({needed[package] for package in missing})
        raise InvalidInputError(
            f"this Python lacks {', '.join(missing)}, which the stages {', '.join(stages)} need; ./simlingo recipe run installs "
            "them, or take another environment"
        )


def _records(each: Planned, planned: list[Planned]) -> dict[str, StageRecord]:
    """Those of its inputs, which are whole by now."""
    by_name = {one.stage.name: one.record for one in planned}
    records = {name: by_name[name] for name in each.stage.settings.inputs()}
    return {name: record for name, record in records.items() if record is not None}


def _do(each: Planned, inputs: dict[str, StageRecord], expected_s: float, tell: Tell, lock: int) -> None:
    """Make one stage whole."""
    settings, place = each.stage.settings, replace(each.place, records=inputs)
    record = each.record or StageRecord(
        each.stage.name,
        each.stage.kind,
        each.fingerprint,
        each.asked,
        each.code,
        {},
        {name: one.fingerprint for name, one in inputs.items()},
    )
    record.digest, record.settings = "", settings.told()
    record.lineage = merged([settings.history(place), *(one.with_lineage() for one in inputs.values())])
    record.starts.append(start_of(commit_of(ROOT), datetime.now(UTC).isoformat(timespec="seconds")))
    before, begin = record.seconds, time.monotonic()

    def passed() -> float:
        return before + time.monotonic() - begin

    def note() -> None:
        record.starts[-1]["seconds"] = round(time.monotonic() - begin, 1)
        record.write(place.folder)

    def show(line: str) -> None:
        tell(f"[{each.stage.name} {clock(passed())} of about {clock(expected_s)}] {line}")

    def idle() -> None:
        note()
        show("at work")

    note()
    try:
        for command in settings.commands(place):
            status = run_command(command, place.folder / LOG_FILE, show, idle, keep=(lock,))
            if status not in settings.statuses:
                raise SimlingoError(
                    f"stage {each.stage.name} failed: its command ended with {status}; mend what its last lines say "
                    f"({place.folder / LOG_FILE}) and start the same command again"
                )
        settings.finish(place)
        digest = settings.digest(place)
        record.figures = settings.figures(place)
    finally:
        note()
    record.digest = digest
    record.write(place.folder)
    each.record, each.state = record, State.WHOLE
    if settings.hands_on in (Product.MODEL, Product.REPORT) and each.made.parent == place.folder:
        shutil.copyfile(place.folder / STAGE_FILE, each.made / STAGE_FILE)  # the model travels alone
    tell(f"== {each.stage.name}: whole after {about(passed())}, expected {about(expected_s)}; {record.fingerprint[:8]}")


def clock(seconds: float) -> str:
    """H:MM:SS."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
