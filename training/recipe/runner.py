"""Runs the stages of a recipe that are not whole, one after the other."""

from __future__ import annotations

import fcntl
import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from simlingo.contracts import InvalidInputError
from training.recipe.plan import Planned, check_from, plan
from training.recipe.reading import Recipe
from training.recipe.record import StageRecord
from training.recipe.stage_run import StageRun
from training.recipe.times import about

_LOCK_FILE = "lock"


def run_recipe(
    recipe: Recipe,
    run: Path,
    tell: Callable[[str], None],
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
                StageRun(each, _records(each, planned), expected[each.stage.name], tell).make(lock)
            else:
                tell(f"== {title}: {each.state.value}{f', {each.note}' if each.note else ''}")
        return planned


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
    due = [each for each in planned if each.due]
    needed = {package for each in due for package in each.stage.settings.packages}
    missing = {package for package in needed if importlib.util.find_spec(package) is None}
    if missing:
        stages = [each.stage.name for each in due if missing & set(each.stage.settings.packages)]
        raise InvalidInputError(
            f"this Python lacks {', '.join(sorted(missing))}, which the stages {', '.join(stages)} need; ./simlingo recipe run "
            "installs them, or take another environment"
        )


def _records(each: Planned, planned: list[Planned]) -> dict[str, StageRecord]:
    """Those of its inputs, which are whole by now."""
    by_name = {one.stage.name: one.record for one in planned}
    records = {name: by_name[name] for name in each.stage.settings.inputs()}
    return {name: record for name, record in records.items() if record is not None}
