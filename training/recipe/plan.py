"""Which stages of a run are whole, which are to be done, and which nobody needs any more."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from simlingo.contracts import InvalidInputError
from training.recipe.fingerprint import asked_digest, code_digest, fingerprint_of
from training.recipe.reading import Recipe, Stage
from training.recipe.record import StageRecord, read_record
from training.recipe.stage import Place


class State(Enum):
    """Of a stage in a run."""

    WHOLE = "whole"
    BEGUN = "begun"
    TO_DO = "to do"
    NOT_NEEDED = "not needed"  # it is not there, and all that need it are whole


@dataclass
class Planned:
    """A stage and its place in a run."""

    stage: Stage
    place: Place
    asked: str
    code: str
    record: StageRecord | None  # of the outcome that is there, whole or begun
    state: State
    note: str = ""  # what is wrong with an outcome that should be whole, or that other code made it

    @property
    def fingerprint(self) -> str:
        """Of the outcome that is there or will be."""
        return self.record.fingerprint if self.record is not None else fingerprint_of(self.asked, self.code)

    @property
    def made(self) -> Path:
        """What it hands on."""
        return self.stage.settings.made_at(self.place.folder)

    @property
    def due(self) -> bool:
        """Whether it is to be done."""
        return self.state in (State.BEGUN, State.TO_DO)


def plan(recipe: Recipe, run: Path, *, until: str | None = None, accept_code: bool = False) -> list[Planned]:
    """All stages in order, up to ``until``.

    An outcome lies in ``<stage>-<fingerprint>``; one of other settings, inputs or code has another folder, and nothing is
    ever overwritten. With ``accept_code`` an outcome of other code will do where there is none of this code.

    Raises:
        InvalidInputError: no such stage, a file that a stage names is missing, or a record cannot be read.
    """
    last = None if until is None else recipe.stage(until)
    found: dict[str, Planned] = {}
    for stage in recipe.stages:
        found[stage.name] = _planned(stage, found, run, accept_code)
        if stage is last:
            break
    planned = list(found.values())
    _leave_out(planned)
    return planned


def check_from(planned: list[Planned], start: str) -> None:
    """See that every stage before ``start`` is whole, or needed by nothing.

    Raises:
        InvalidInputError: names the first that is not, and the cure.
    """
    for each in planned:
        if each.stage.name == start:
            return
        if each.due:
            raise InvalidInputError(
                f"--from {start}: the earlier stage {each.stage.name} is not whole ({each.note or each.state.value}); leave --from out, "
                f"or copy its folder {each.place.folder.name} of another run here"
            )
    raise InvalidInputError(
        f"--from {start} is none of the stages to run: {', '.join(one.stage.name for one in planned)}"
    )


def _planned(stage: Stage, earlier: dict[str, Planned], run: Path, accept_code: bool) -> Planned:
    inputs = {name: earlier[name] for name in stage.settings.inputs()}
    fingerprints = {name: each.fingerprint for name, each in inputs.items()}
    asked = asked_digest(stage.kind, stage.settings, fingerprints)
    code = code_digest(stage.settings.sources)
    folder = run / f"{stage.name}-{fingerprint_of(asked, code)[:8]}"
    record = read_record(folder)
    note = ""
    if record is None and accept_code and (older := _of_other_code(stage, run, asked)) is not None:
        folder, record = older
        note = "made by other code"
    place = Place(folder, run, {name: each.made for name, each in inputs.items()})
    state, fault = _state(stage, place, record)
    return Planned(stage, place, asked, code, record, state, fault or note)


def _of_other_code(stage: Stage, run: Path, asked: str) -> tuple[Path, StageRecord] | None:
    """The newest outcome of the same settings and inputs, whole ones first."""
    found = [
        (folder, record)
        for folder in run.glob(f"{stage.name}-{'[0-9a-f]' * 8}")
        if (record := read_record(folder)) is not None and record.asked == asked
    ]
    return max(found, key=lambda one: (bool(one[1].digest), one[1].starts[-1]["when"]), default=None)


def _state(stage: Stage, place: Place, record: StageRecord | None) -> tuple[State, str]:
    if record is None:
        return State.TO_DO, ""
    if not record.digest:
        return State.BEGUN, ""
    try:
        there = stage.settings.digest(place)
    except InvalidInputError as error:
        return State.BEGUN, str(error)
    if there != record.digest:
        return State.BEGUN, f"{stage.settings.made_at(place.folder)} has changed since it was made"
    return State.WHOLE, ""


def _leave_out(planned: list[Planned]) -> None:
    """A stage that others name is needed only while one of them is to be done; one that nobody names always is."""
    named = {name for each in planned for name in each.stage.settings.inputs()}
    needed: set[str] = set()
    for each in reversed(planned):
        if not each.due:
            continue
        if each.stage.name in named and each.stage.name not in needed:
            each.state = State.NOT_NEEDED
        else:
            needed |= set(each.stage.settings.inputs())
