"""Keeps the finished parts of a benchmark beside its result file, so that an interrupted run goes on where it was."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simlingo_drive.routes import RouteSpec
from training.evaluation.closed_loop import DriveRecord


class LineJournal:
    """One JSON line of conditions, then one a part: its key and plain data. Without a result file nothing is kept."""

    def __init__(self, result_file: Path | None, conditions: dict[str, Any]) -> None:
        """Take up the journal of ``result_file`` if it was begun under the same ``conditions``, else begin anew."""
        self._path = None if result_file is None else result_file.with_name(f"{result_file.name}.part")
        self.kept: dict[str, Any] = {}
        if self._path is None:
            return
        header = json.dumps(conditions, sort_keys=True)
        if self._path.is_file():
            lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
            if lines and lines[0].rstrip("\n") == header:
                self.kept = dict(
                    json.loads(line) for line in lines[1:] if line.endswith("\n")
                )  # the last may be cut off
        self._path.parent.mkdir(parents=True, exist_ok=True)
        kept = [json.dumps(part) for part in self.kept.items()]
        self._path.write_text("".join(f"{line}\n" for line in (header, *kept)), encoding="utf-8")

    def keep(self, key: str, data: Any) -> None:
        """Keep a part that is done; data must be what JSON can hold."""
        self.kept[key] = data
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps((key, data))}\n")

    def close(self) -> None:
        """The result is written: the journal is no longer needed."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


class Journal:
    """A journal of routes."""

    def __init__(self, result_file: Path | None, conditions: dict[str, Any]) -> None:
        """See :class:`LineJournal`."""
        self._lines = LineJournal(result_file, conditions)
        records = [_record(data) for data in self._lines.kept.values()]
        self.finished: dict[RouteSpec, DriveRecord] = {record.spec: record for record in records}

    def add(self, record: DriveRecord) -> None:
        """Keep a route that was driven to its end."""
        self._lines.keep(record.spec.name, asdict(record))

    def close(self) -> None:
        """See :class:`LineJournal`."""
        self._lines.close()


def _record(data: dict[str, Any]) -> DriveRecord:
    return DriveRecord(**{**data, "spec": RouteSpec(**data["spec"])})
