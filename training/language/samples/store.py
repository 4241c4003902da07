"""The samples of a data set, made once in worker processes and kept in files beside the pictures' cache.

Like that cache they are whole or absent, follow from the routes, the seed and this format, and a killed build goes on after
the last whole route.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from simlingo.contracts import InvalidInputError
from simlingo_drive.expert.causes import Cause
from training.datasets.files import write_whole
from training.datasets.reader import Route, fingerprint, read
from training.datasets.route_jobs import do_jobs
from training.language.dreams.dream import ObjectSlots
from training.language.dreams.route_dreams import RouteDreams
from training.language.dreams.wording import description
from training.language.languages import language
from training.language.questions.ask import questions_of
from training.language.questions.frames import scene_at
from training.language.questions.scene import Scene
from training.language.samples.tables import (
    CAUSES,
    DREAMS,
    QUESTIONS,
    Samples,
    dream_record,
    dreams_of_table,
    question_record,
    questions_of_table,
)

#: Changes when dreams, questions or their columns change their meaning.
FORMAT = 1
_KEY = "key"
_SCHEMAS = {"dreams": DREAMS, "questions": QUESTIONS, "causes": CAUSES}
#: What bounds the speed and has a name that a commentary can say.
_NAMED = (Cause.WALKER, Cause.VEHICLE, Cause.LEAD, Cause.OBSTACLE)


@dataclass(frozen=True)
class _Job:
    """One route's share."""

    route: Route
    number: int
    start: int  # first row of the cache
    folder: Path
    seed: int

    def part(self, name: str) -> Path:
        """The route's file of one table; that of ``causes`` comes last and makes it whole."""
        return self.folder / f"{name}-{self.number:06d}.parquet"


def build_samples(routes: Sequence[Route], folder: Path, seed: int = 0, workers: int | None = None) -> Samples:
    """The samples of ``routes``, made where they are not in ``folder`` for exactly these routes and this seed.

    Args:
        routes: as they were given to :func:`training.datasets.cache.build_cache`; rows are those of that cache.
        folder: for the samples alone.
        seed: other seeds draw other requests and questions.
        workers: processes; without: one a core.

    Raises:
        InvalidInputError: no routes, or a route that lacks what dreams and questions need (it names the cure).
    """
    if not routes:
        raise InvalidInputError("there are no routes to speak of; collect some with ./simlingo collect")
    key = samples_key(routes, seed)
    if not (folder / _KEY).is_file() or (folder / _KEY).read_text(encoding="utf-8") != key:
        _build(routes, folder, key, seed, workers or os.cpu_count() or 1)
    dreams, questions, causes = (pq.read_table(folder / f"{name}.parquet") for name in _SCHEMAS)
    named = dict(zip(causes["row"].to_pylist(), causes["object"].to_pylist(), strict=True))
    return Samples(dreams_of_table(dreams), questions_of_table(questions), named)


def samples_key(routes: Sequence[Route], seed: int) -> str:
    """Stands for everything that the samples follow from."""
    told = (FORMAT, fingerprint(routes), [route.name for route in routes], seed)
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _build(routes: Sequence[Route], folder: Path, key: str, seed: int, workers: int) -> None:
    partial = folder.with_name(folder.name + ".partial")
    if not (partial / _KEY).is_file() or (partial / _KEY).read_text(encoding="utf-8") != key:
        shutil.rmtree(partial, ignore_errors=True)
        write_whole(partial / _KEY, key.encode())
    starts = np.cumsum([0, *(route.rows for route in routes)]).tolist()
    jobs = [_Job(route, number, starts[number], partial, seed) for number, route in enumerate(routes)]
    do_jobs(_fill, [job for job in jobs if not job.part("causes").is_file()], workers, "dreaming and asking")
    for name in _SCHEMAS:
        parts = [pq.read_table(job.part(name)) for job in jobs]
        pq.write_table(pa.concat_tables(parts), partial / f"{name}.parquet", compression="zstd")
    for job in jobs:
        for name in _SCHEMAS:
            job.part(name).unlink()
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _fill(job: _Job) -> None:
    """Write one route's tables."""
    records: dict[str, list[dict[str, Any]]] = {name: [] for name in _SCHEMAS}
    whole = RouteDreams(job.route, job.seed)
    for number, view in enumerate(whole.numbers):
        if whole.dreamable(number):
            records["dreams"] += [dream_record(job.start + view, dream) for dream in whole.dreams(number)]
    columns, name_number = read(job.route, ["cause", "cause_actor_id"]).to_pylist(), zlib.crc32(job.route.name.encode())
    for index, told in enumerate(columns):
        scene = scene_at(job.route, index)
        asked = questions_of(scene, np.random.default_rng((job.seed, name_number, index)))
        records["questions"] += [question_record(job.start + index, question) for question in asked]
        name = _cause_object(scene, told)
        if name is not None:
            records["causes"].append({"row": job.start + index, "object": name})
    for name, schema in _SCHEMAS.items():
        table = pa.Table.from_pylist(records[name], schema)
        temporary = job.part(name).with_suffix(".tmp")
        pq.write_table(table, temporary, compression="zstd")
        temporary.replace(job.part(name))


def _cause_object(scene: Scene, told: dict[str, Any]) -> str | None:
    """The thing that bounds the ego's speed, in plain words; None: nothing that has a name and is seen."""
    if Cause[told["cause"].upper()] not in _NAMED:
        return None
    thing = next((thing for thing in scene.things if thing.id == told["cause_actor_id"] and thing.seen), None)
    if thing is None:
        return None
    return description(ObjectSlots(thing.kind, thing.colour or None), language())
