"""Makes one stage whole: its commands, then its record."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from simlingo.contracts import SimlingoError
from training.recipe.keys import Product
from training.recipe.plan import Planned, State
from training.recipe.process import run_command
from training.recipe.record import STAGE_FILE, StageRecord, merged, start_of
from training.recipe.stage import LOG_FILE, ROOT
from training.recipe.times import about, clock
from training.trainer.commit import commit_of


class StageRun:
    """One start of a stage.

    Args:
        planned: the stage; its record and state are those of the outcome afterwards.
        inputs: records of its inputs, by stage.
        expected_s: how long all starts together are expected to take.
        tell: takes a line for people.
    """

    def __init__(
        self, planned: Planned, inputs: Mapping[str, StageRecord], expected_s: float, tell: Callable[[str], None]
    ) -> None:
        self._planned, self._expected_s, self._tell = planned, expected_s, tell
        self._name, self._settings = planned.stage.name, planned.stage.settings
        self._place = replace(planned.place, records=inputs)
        self._record = planned.record or StageRecord(
            self._name,
            planned.stage.kind,
            planned.fingerprint,
            planned.asked,
            planned.code,
            settings={},
            inputs={name: record.fingerprint for name, record in inputs.items()},
        )
        self._record.digest, self._record.settings = "", self._settings.told()
        lineages = [record.with_lineage() for record in inputs.values()]
        self._record.lineage = merged([self._settings.history(self._place), *lineages])
        self._before, self._begin = self._record.seconds, time.monotonic()
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._record.starts.append(start_of(commit_of(ROOT), now))

    def make(self, lock: int) -> None:
        """Run the commands, which inherit the open file ``lock``, and write the record of the outcome.

        Raises:
            SimlingoError: a command failed, or left no whole outcome.
            KeyboardInterrupt: it was interrupted, and its command has ended.
        """
        record, settings, place = self._record, self._settings, self._place
        self._note()
        try:
            for command in settings.commands(place):
                self._run(command, lock)
            settings.finish(place)
            digest = settings.digest(place)
            record.figures = settings.figures(place)
        finally:
            self._note()
        record.digest = digest
        record.write(place.folder)
        self._planned.record, self._planned.state = record, State.WHOLE
        made = self._planned.made
        if settings.hands_on in (Product.MODEL, Product.REPORT) and made.parent == place.folder:
            shutil.copyfile(place.folder / STAGE_FILE, made / STAGE_FILE)  # the model travels alone
        took = f"whole after {about(self._passed())}, expected {about(self._expected_s)}"
        self._tell(f"== {self._name}: {took}; {record.fingerprint[:8]}")

    def _run(self, command: list[str], lock: int) -> None:
        log = self._place.folder / LOG_FILE
        status = run_command(command, log, self._show, self._idle, keep=(lock,))
        if status not in self._settings.statuses:
            raise SimlingoError(
                f"stage {self._name} failed: its command ended with {status}; mend what its last lines say ({log}) and start "
                "the same command again"
            )

    def _passed(self) -> float:
        """Seconds of all starts."""
        return self._before + time.monotonic() - self._begin

    def _note(self) -> None:
        """Keep how long it has taken, for the case that this process is killed."""
        self._record.starts[-1]["seconds"] = round(time.monotonic() - self._begin, 1)
        self._record.write(self._place.folder)

    def _show(self, line: str) -> None:
        self._tell(f"[{self._name} {clock(self._passed())} of about {clock(self._expected_s)}] {line}")

    def _idle(self) -> None:
        self._note()
        self._show("at work")
