"""The figures of a run as CSV files, which agree with its checkpoint and hold each row once."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path

from simlingo.contracts import InvalidInputError, SimlingoError
from training.trainer.files import write_whole

#: Kinds of rows, each a CSV file of its own: every update, every checkpoint, every closed-loop evaluation.
LOSSES, VALIDATION, EVALUATION = "losses", "validation", "evaluation"
KINDS = (LOSSES, VALIDATION, EVALUATION)


class CsvLogger:
    """``losses.csv``, ``validation.csv`` and ``evaluation.csv``; floats with all digits, so that equal is equal."""

    def __init__(self, folder: Path, step: int) -> None:
        self._paths = {kind: folder / f"{kind}.csv" for kind in KINDS}
        self._columns: dict[str, list[str]] = {}
        self._files: dict[str, io.TextIOWrapper] = {}
        for kind, path in self._paths.items():
            if path.is_file() and (columns := _cut(path, step)):
                self._columns[kind] = columns
        if step and (found := last_step(self._paths[LOSSES])) < step:
            raise InvalidInputError(
                f"{self._paths[LOSSES]} ends at step {found}, the checkpoint is of step {step}; put the file back, or "
                "choose another --run (--start-from goes on from the weights of this one)"
            )

    def log(self, kind: str, row: Mapping[str, float]) -> None:
        """Append a row at once, so that it survives the process."""
        columns = self._columns.setdefault(kind, list(row))
        if columns != list(row):
            raise SimlingoError(f"{self._paths[kind]} has the columns {columns}, the row to write {list(row)}")
        if kind not in self._files:
            begins = not self._paths[kind].is_file()
            self._files[kind] = self._paths[kind].open("a", encoding="utf-8", newline="")
            if begins:
                csv.writer(self._files[kind], lineterminator="\n").writerow(columns)
        csv.writer(self._files[kind], lineterminator="\n").writerow([repr(value) for value in row.values()])
        self._files[kind].flush()

    def flush(self) -> None:
        """To the disk."""
        for file in self._files.values():
            os.fsync(file.fileno())

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


def read_rows(path: Path) -> list[dict[str, float]]:
    """The rows of a CSV file of a run; a last line that was cut off in writing is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.is_file() else []
    return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(lines)]


def last_step(path: Path) -> int:
    """The step of the last row, 0 without."""
    rows = read_rows(path)
    return int(rows[-1]["step"]) if rows else 0


def _cut(path: Path, step: int) -> list[str]:
    """Drop the rows after ``step``, and a line without an end; the columns of what is left."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1]
    if not lines:
        path.unlink()
        return []
    columns = lines[0].split(",")
    place = columns.index("step") if "step" in columns else 0
    kept = [line for line in lines[1:] if int(line.split(",")[place]) <= step]
    write_whole(path, lambda to: to.write_text("\n".join([lines[0], *kept, ""]), encoding="utf-8"))
    return columns
