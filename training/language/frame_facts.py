"""From the arrays of a collected route, or of a picture cache, to the facts that there are to tell of a frame."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simlingo.contracts import Command, Navigation
from simlingo_drive.expert.causes import Cause
from training.language.commentary import FrameFacts

#: Value of ``light_state`` in a frame's labels where the light ahead is green.
GREEN_LIGHT = 2


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
        bool(labels["light_state"][row] == GREEN_LIGHT),
        float(labels["light_distance"][row]),
    )
