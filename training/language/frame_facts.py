"""From the labels of a route's frames to the facts that there are to tell of one."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simlingo.contracts import Command, Navigation
from simlingo_drive.expert.causes import Cause
from training.datasets.labels import LIGHT_STATES
from training.language.commentary import FrameFacts


def navigation_of(labels: Mapping[str, np.ndarray], row: int) -> Navigation:
    """What the route tells at frame ``row``."""
    return Navigation(
        labels["target_points"][row],
        Command(int(labels["command"][row])),
        Command(int(labels["next_command"][row])),
        float(labels["distance_to_command"][row]),
    )


def facts_of(
    labels: Mapping[str, np.ndarray], row: int, speed: float, speed_waypoints: np.ndarray, cause: int
) -> FrameFacts:
    """Frame ``row`` at ``speed`` (m/s), with the waypoints (10, 2) m and the cause that belong to that speed."""
    navigation = navigation_of(labels, row)
    return FrameFacts(
        speed,
        speed_waypoints,
        labels["path"][row],
        navigation.command,
        navigation.distance_to_command,
        Cause(int(cause)),
        bool(labels["light_state"][row] == LIGHT_STATES["green"]),
        float(labels["light_distance"][row]),
    )
