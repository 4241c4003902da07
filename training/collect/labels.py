"""Labels of one view: inputs and targets of a model, in the frame of the (possibly shifted) camera."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from simlingo.contracts import EgoState, FloatArray, Navigation
from simlingo.geometry import ego_to_map, map_to_ego
from simlingo_drive.expert import CONSTANTS, Expert, ExpertInfo
from simlingo_drive.expert.explanation import cause_of, is_hazard
from simlingo_drive.expert.forecast import offset_points
from simlingo_drive.expert.labels import path_label
from simlingo_drive.expert.route import ExpertRoute, Place
from simlingo_drive.expert.situation import Bound, Lead, Narrow
from training.collect.counterfactual import at_speed


def labels_of(
    info: ExpertInfo, expert: Expert, navigation: Navigation, view: EgoState, other_speed: float
) -> dict[str, Any]:
    """Inputs and labels for a camera that stands at ``view``, by the names of ``training.datasets.schema``.

    Args:
        info: the expert's view from the ego.
        expert: who saw it.
        navigation: what the route planner says for the ego's pose.
        view: the pose the camera stands at; the ego's own, or one beside it.
        other_speed: m/s, for ``other_speed_waypoints_m``.

    Returns:
        column -> value; points in metres in the frame of ``view``.
    """
    route = expert.route
    place = place_beside(info, route, view)

    def waypoints(speed: float, places: FloatArray) -> FloatArray:
        moved = offset_points(route, places + (place.s - info.place.s), place.s, place.lateral, speed)
        return map_to_ego(moved, view)

    light, lead = info.light, math.isfinite(info.lead_distance)
    return {
        "speed_mps": info.ego.speed,
        "target_points_m": map_to_ego(ego_to_map(navigation.target_points, info.ego), view),
        "command": int(navigation.command),
        "next_command": int(navigation.next_command),
        "distance_to_command_m": navigation.distance_to_command,
        "path_m": path_label(route, place, view, CONSTANTS),
        "speed_waypoints_m": waypoints(info.ego.speed, expert.places_ahead(info)),
        "target_speed_mps": info.target_speed,
        "other_speed_mps": other_speed,
        "other_speed_waypoints_m": waypoints(other_speed, expert.places_ahead(info, other_speed)),
        "cause": cause_of(info.cause).name.lower(),
        "other_cause": cause_of(at_speed(info, expert, other_speed).cause).name.lower(),
        "hazard": is_hazard(info),
        "light_state": light.state,
        "light_distance_m": light.distance if light.state != "none" else None,
        "lead_distance_m": info.lead_distance if lead else None,
        "lead_speed_mps": info.lead_speed if lead else None,
        "speed_limit_mps": info.speed_limit,
        "acceleration_mps2": info.acceleration,
        "junction": info.junction,
        **cause_columns(info),
    }


def cause_columns(info: ExpertInfo) -> dict[str, Any]:
    """Who bounds the expert's speed, how far away, and every place where it must stand."""
    cause = info.cause
    distance = None
    if cause is not None:
        distance = place_of(cause) - info.place.s
    return {
        "cause_actor_id": cause.actor_id if cause is not None and cause.actor_id != -1 else None,
        "cause_distance_m": distance,
        "stops": [
            {"reason": stop.reason, "distance_m": stop.s - info.place.s, "actor_id": stop.actor_id}
            for stop in info.situation.stops
        ],
    }


def place_of(bound: Bound) -> float:
    """Where along the route something bounds the speed, m."""
    if isinstance(bound, Lead):
        return bound.rear_s
    return bound.begin if isinstance(bound, Narrow) else bound.s


def place_beside(info: ExpertInfo, route: ExpertRoute, view: EgoState) -> Place:
    """The place on the route of a view near the ego."""
    low = max(info.place.index - 8, 0)
    delta = route.points[low : info.place.index + 9] - (view.x, view.y)
    index = low + int(np.argmin(np.einsum("ij,ij->i", delta, delta)))
    dx, dy = view.x - route.points[index, 0], view.y - route.points[index, 1]
    yaw = float(route.yaw[index])
    along, lateral = dx * np.cos(yaw) + dy * np.sin(yaw), dy * np.cos(yaw) - dx * np.sin(yaw)
    return Place(float(route.s[index] + along), float(lateral), index)
