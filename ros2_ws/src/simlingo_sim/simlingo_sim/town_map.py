"""``carla.Map`` that knows where cars may start."""

from __future__ import annotations

from collections.abc import Sequence

import carla


class TownMap(carla.Map):  # type: ignore[misc]  # carla carries no types
    """The real ``carla.Map`` of a town; without a server it knows no spawn points, so they are given here."""

    def __init__(self, name: str, xodr_text: str, spawn_points: Sequence[carla.Transform]) -> None:
        super().__init__(name, xodr_text)
        self._spawn_points = list(spawn_points)

    def get_spawn_points(self) -> list[carla.Transform]:
        """Poses on driving lanes away from junctions, in a fixed order."""
        return [carla.Transform(pose.location, pose.rotation) for pose in self._spawn_points]
