"""Collections without rendering: the embedded world with a camera that notes where it looked, and small pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from simlingo.contracts import EgoState, ImageArray
from simlingo.policy import Policy
from simlingo_drive.backends.embedded import EmbeddedBackend
from simlingo_drive.rig import ego_state
from simlingo_drive.views import View, ViewChanges
from training.collect.episode import Episode
from training.collect.settings import CollectSettings, RouteJob
from training.datasets.reader import Route, open_dataset, read
from training.datasets.rows import loaded
from training.datasets.schema import COLUMNS, PICTURES
from training.datasets.writer import RouteFile, write_dataset_card

#: All columns but the pictures.
PLAIN = [column.name for column in COLUMNS if column.name not in PICTURES]


@dataclass(frozen=True)
class Look:
    """One picture that was asked for."""

    frame: int  # of the world
    pose: EgoState
    placed: tuple[float, float]  # shift and turn of the second camera, as they were at that tick
    changes: ViewChanges


class FlatCamera:
    """Sees two plain colours, and notes from where."""

    def __init__(self, world: Any, ego: Any, looks: list[Look]) -> None:
        self._world, self._ego, self.looks = world, ego, looks
        self._placed = [(0.0, 0.0), (0.0, 0.0)]
        self._placed_at = -1

    def place_second(self, shift: float, turn: float) -> None:
        self._placed = [self._placed[1], (shift, turn)]
        self._placed_at = int(self._world.get_snapshot().frame)

    def capture(self, pose: EgoState, changes: ViewChanges | None = None) -> View:
        frame = int(self._world.get_snapshot().frame)
        placed = self._placed[1 if self._placed_at < frame else 0]
        self.looks.append(Look(frame, pose, placed, changes or ViewChanges()))
        second = pose != ego_state(self._world, self._ego)
        shade = 200 if second else 100
        return View(
            np.full((8, 16, 3), shade, np.uint8),
            np.full((8, 16), 2 if second else 1, np.uint8),
            np.full((8, 16), 20.0 if second else 10.0, np.float32),
        )

    def rgb(self, pose: EgoState) -> ImageArray:
        del pose
        return np.zeros((512, 1024, 3), np.uint8)

    def close(self) -> None: ...


class FlatBackend(EmbeddedBackend):
    """The embedded world with that camera."""

    def __init__(self, looks: list[Look]) -> None:
        self._looks = looks

    def views(self, world: Any, ego: Any, paint: np.random.Generator | None = None) -> FlatCamera:  # type: ignore[override]
        return FlatCamera(world, ego, self._looks)


@dataclass(frozen=True)
class FlatSettings(CollectSettings):
    """Settings of a collection in it."""

    looks: list[Look] = field(default_factory=list, compare=False)

    def backend(self) -> FlatBackend:
        return FlatBackend(self.looks)


@dataclass
class Recording:
    """A route that was collected, as it is on disk, with what the world was like."""

    rows: list[dict[str, Any]]  # without pictures
    route: Route
    truth: dict[int, dict[str, Any]]  # by tick: what the world was like when its frame was taken
    looks: list[Look]
    told: list[int]
    episode: Episode

    def view(self, name: str) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["view"] == name]


def record(
    out: Path,
    job: RouteJob,
    frames: int | None = None,
    policy: Policy | None = None,
    watch: Callable[[Episode, int], None] | None = None,
    **options: Any,
) -> Recording:
    """Collect one route, as a worker would, and read it back; ``watch`` hears of each frame before the tick."""
    settings = FlatSettings(out, **options)
    episode = Episode(settings, job, policy)
    truth: dict[int, dict[str, Any]] = {}
    told: list[int] = []
    begin = int(episode.session.world.get_snapshot().frame)

    def hear(count: int) -> bool:
        world, ego = episode.session.world, episode.session.ego
        tick = int(world.get_snapshot().frame) - begin
        actors = world.get_actors()
        truth[tick] = {
            "ego": ego.get_transform(),
            "speed": ego.get_velocity().length(),
            "poses": {a.id: a.get_transform() for kind in ("vehicle.*", "walker.*") for a in actors.filter(kind)},
            "speeds": {
                a.id: a.get_velocity().length() for kind in ("vehicle.*", "walker.*") for a in actors.filter(kind)
            },
            "lights": {light.id: light.get_state() for light in episode.session.traffic_lights},
            "stamp_ns": round(world.get_snapshot().timestamp.elapsed_seconds * 1e9),
        }
        told.append(count)
        if watch is not None:
            watch(episode, tick)
        return frames is not None and count >= frames

    file = RouteFile(out, job.name)
    meta = episode.run(file, hear)
    file.close({**meta, "driven_frames": file.frames})
    write_dataset_card(out, {"name": "test", "collection": settings.card()})
    route = open_dataset([out]).routes[0]
    rows = [loaded(row) for row in read(route, PLAIN).to_pylist()]
    return Recording(rows, route, truth, settings.looks, told, episode)
