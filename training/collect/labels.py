"""Labels of one view: the model's inputs and targets, in the frame of the (possibly shifted) camera."""

from __future__ import annotations

from typing import Any

import numpy as np

from simlingo.contracts import EgoState, FloatArray, Navigation
from simlingo.geometry import ego_to_map, map_to_ego
from simlingo_drive.expert import CONSTANTS, Expert, ExpertInfo
from simlingo_drive.expert.causes import cause_of, is_hazard
from simlingo_drive.expert.labels import path_label
from simlingo_drive.expert.rollout import offset_points
from simlingo_drive.expert.route import ExpertRoute, Place
from training.collect.counterfactual import at_speed

#: Light states of the labels.
LIGHT_STATES = {"none": 0, "red": 1, "yellow": 1, "green": 2}
#: Farther lights and leading vehicles count as none, m.
FARTHEST_M = 50.0


def labels_of(
    info: ExpertInfo, expert: Expert, navigation: Navigation, view: EgoState, other_speed: float
) -> dict[str, Any]:
    """Labels for a camera that stands at ``view``.

    Args:
        info: the expert's view from the ego.
        expert: who saw it.
        navigation: what the route planner says for the ego's pose.
        view: the pose the camera stands at; the ego's own, or one beside it.
        other_speed: m/s, for ``other_speed_waypoints``.

    Returns:
        name -> array or numpy scalar; points in metres in the frame of ``view``.
    """
    route = expert.route
    place = place_beside(info, route, view)
    target_points = map_to_ego(ego_to_map(navigation.target_points, info.ego), view)

    def waypoints(speed: float, places: FloatArray) -> FloatArray:
        moved = offset_points(route, places + (place.s - info.place.s), place.s, place.lateral, speed)
        return map_to_ego(moved, view).astype(np.float32)

    near = info.light.state != "none" and 0.0 <= info.light.distance + 1.0 <= FARTHEST_M
    return {
        "speed": np.float32(info.ego.speed),
        "target_speed": np.float32(info.target_speed),
        "target_points": target_points.astype(np.float32),
        "command": np.uint8(navigation.command),
        "next_command": np.uint8(navigation.next_command),
        "distance_to_command": np.float32(navigation.distance_to_command),
        "path": path_label(route, place, view, CONSTANTS).astype(np.float32),
        "speed_waypoints": waypoints(info.ego.speed, expert.places_ahead(info)),
        "other_speed": np.float32(other_speed),
        "other_speed_waypoints": waypoints(other_speed, expert.places_ahead(info, other_speed)),
        "light_state": np.uint8(LIGHT_STATES[info.light.state] if near else 0),
        "light_distance": np.float32(max(info.light.distance, 0.0) if near else FARTHEST_M),
        "lead_distance": np.float32(min(max(info.lead_distance, 0.0), FARTHEST_M)),
        "hazard": np.uint8(is_hazard(info)),
        "cause": np.uint8(cause_of(info.cause)),
        "other_cause": np.uint8(cause_of(at_speed(info, expert, other_speed).cause)),
    }


def place_beside(info: ExpertInfo, route: ExpertRoute, view: EgoState) -> Place:
    """The place on the route of a view near the ego."""
    low = max(info.place.index - 8, 0)
    delta = route.points[low : info.place.index + 9] - (view.x, view.y)
    index = low + int(np.argmin(np.einsum("ij,ij->i", delta, delta)))
    dx, dy = view.x - route.points[index, 0], view.y - route.points[index, 1]
    yaw = float(route.yaw[index])
    along, lateral = dx * np.cos(yaw) + dy * np.sin(yaw), dy * np.cos(yaw) - dx * np.sin(yaw)
    return Place(float(route.s[index] + along), float(lateral), index)
