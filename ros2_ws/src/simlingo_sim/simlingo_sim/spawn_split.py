"""Which start points belong to training and which to the benchmark, so that no benchmark drive begins where one was
learnt: in every town the spawn points of even index are training's, those of odd index the benchmark's.
"""

from __future__ import annotations

from collections.abc import Sequence

import carla


def training_spawn_points(spawn_points: Sequence[carla.Transform]) -> list[carla.Transform]:
    """The points of even index of a town's ``spawn_points``: the only ones where training drives begin and end."""
    return list(spawn_points[0::2])


def benchmark_spawn_points(spawn_points: Sequence[carla.Transform]) -> list[carla.Transform]:
    """The points of odd index of a town's ``spawn_points``: the only ones where benchmark drives begin and end."""
    return list(spawn_points[1::2])
