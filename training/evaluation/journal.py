"""Keeps the finished routes of a benchmark beside its result file, so that an interrupted run goes on where it was."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from simlingo_drive.routes import RouteSpec
from training.evaluation.closed_loop import DriveRecord


class Journal:
    """One JSON line of conditions, then one a route. Without a result file nothing is kept."""

    def __init__(self, result_file: Path | None, conditions: dict[str, Any]) -> None:
        """Take up the journal of ``result_file`` if it was begun under the same ``conditions``, else begin anew."""
        self._path = None if result_file is None else result_file.with_name(f"{result_file.name}.part")
        self.finished: dict[RouteSpec, DriveRecord] = {}
        if self._path is None:
            return
        header = json.dumps(conditions, sort_keys=True)
        if self._path.is_file():
            lines = self._path.read_text(encoding="utf-8").splitlines(keepends=True)
            if lines and lines[0].rstrip("\n") == header:
                records = [_record(line) for line in lines[1:] if line.endswith("\n")]  # the last may be cut off
                self.finished = {record.spec: record for record in records}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        kept = [json.dumps(asdict(record)) for record in self.finished.values()]
        self._path.write_text("".join(f"{line}\n" for line in (header, *kept)), encoding="utf-8")

    def add(self, record: DriveRecord) -> None:
        """Keep a route that was driven to its end."""
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(f"{json.dumps(asdict(record))}\n")

    def close(self) -> None:
        """The result is written: the journal is no longer needed."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)


def _record(line: str) -> DriveRecord:
    data = json.loads(line)
    return DriveRecord(**{**data, "spec": RouteSpec(**data["spec"])})
