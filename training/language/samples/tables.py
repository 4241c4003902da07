"""Dreams, questions and causes of many frames as columns, and as the values that they are."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simlingo.contracts import PATH_POINTS, SPEED_WAYPOINTS
from simlingo.requests import Reason, RequestKind, Verdict
from training.language.dreams.dream import Dream, ObjectSlots, Slots
from training.language.questions.question import Question

DREAMS = pa.schema(
    [
        ("row", pa.int32()),  # of the cache: a view of a frame
        ("kind", pa.string()),
        ("slots", pa.string()),  # JSON
        ("verdict", pa.string()),
        ("reason", pa.string()),  # null: it is followed
        ("dreamt", pa.bool_()),
        ("path", pa.list_(pa.float32(), 2 * PATH_POINTS)),  # m, ego frame
        ("speed_waypoints", pa.list_(pa.float32(), 2 * SPEED_WAYPOINTS)),  # m, ego frame
    ]
)
QUESTIONS = pa.schema(
    [
        ("row", pa.int32()),
        ("type", pa.string()),
        ("slots", pa.string()),
        ("answer", pa.string()),
        ("sentence", pa.string()),
    ]
)
CAUSES = pa.schema([("row", pa.int32()), ("object", pa.string())])


def dream_record(row: int, dream: Dream) -> dict[str, Any]:
    """A row of ``DREAMS``."""
    return {
        "row": row,
        "kind": dream.kind.value,
        "slots": json.dumps({name: value for name, value in asdict(dream.slots).items() if value is not None}),
        "verdict": dream.verdict.value,
        "reason": None if dream.reason is None else dream.reason.value,
        "dreamt": dream.dreamt,
        "path": np.asarray(dream.path, np.float32).reshape(-1),
        "speed_waypoints": np.asarray(dream.speed_waypoints, np.float32).reshape(-1),
    }


def question_record(row: int, question: Question) -> dict[str, Any]:
    """A row of ``QUESTIONS``."""
    slots = json.dumps(dict(question.slots))
    return {"row": row, "type": question.type, "slots": slots, "answer": question.answer, "sentence": question.sentence}


@dataclass(frozen=True)
class Dreams:
    """All dreams of a cache, by the row that they belong to."""

    table: pa.Table
    path: npt.NDArray[np.float32]  # (N, 20, 2) m
    speed_waypoints: npt.NDArray[np.float32]  # (N, 10, 2) m
    of_row: dict[int, npt.NDArray[np.int64]]

    def __getitem__(self, index: int) -> Dream:
        """Dream ``index``; without its track."""
        record = self.table.slice(index, 1).to_pylist()[0]
        reason = record["reason"]
        return Dream(
            RequestKind(record["kind"]),
            slots_of(json.loads(record["slots"])),
            self.path[index],
            self.speed_waypoints[index],
            Verdict(record["verdict"]),
            None if reason is None else Reason(reason),
            dreamt=record["dreamt"],
        )


@dataclass(frozen=True)
class Questions:
    """All questions of a cache, by the row that they belong to."""

    table: pa.Table
    of_row: dict[int, npt.NDArray[np.int64]]

    def __getitem__(self, index: int) -> Question:
        record = self.table.slice(index, 1).to_pylist()[0]
        return Question(record["type"], record["answer"], record["sentence"], json.loads(record["slots"]))


@dataclass(frozen=True)
class Samples:
    """What there is to say about the rows of a cache."""

    dreams: Dreams
    questions: Questions
    causes: dict[int, str]  # row -> the thing that bounds the ego's speed, in plain words without article


def slots_of(values: dict[str, Any]) -> Slots:
    """Slots from their JSON."""
    thing = values.pop("object", None)
    return Slots(**values, object=None if thing is None else ObjectSlots(**thing))


def dreams_of_table(table: pa.Table) -> Dreams:
    """Dreams from their columns."""
    path, speed = (_points(table, name) for name in ("path", "speed_waypoints"))
    return Dreams(table.drop_columns(["path", "speed_waypoints"]), path, speed, _by_row(table))


def questions_of_table(table: pa.Table) -> Questions:
    """Questions from their columns."""
    return Questions(table, _by_row(table))


def _points(table: pa.Table, name: str) -> npt.NDArray[np.float32]:
    flat = table.column(name).combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, np.float32).reshape(len(table), table.schema.field(name).type.list_size // 2, 2)


def _by_row(table: pa.Table) -> dict[int, npt.NDArray[np.int64]]:
    found: dict[int, list[int]] = {}
    for index, row in enumerate(table.column("row").to_pylist()):
        found.setdefault(row, []).append(index)
    return {row: np.array(indices, np.int64) for row, indices in found.items()}
