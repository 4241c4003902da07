"""One expert's drive, collected once: how to read its rows and what the world was like at them."""

from __future__ import annotations

from typing import Any

import numpy as np
from collect_cases import Recording

from simlingo.contracts import EgoState, FloatArray
from simlingo.geometry import project_onto_polyline
from training.collect.settings import RouteJob

Row = dict[str, Any]
#: Passes a stop sign, red, yellow and green lights, junctions and vehicles ahead.
JOB = RouteJob(0, "gridtown", 5, "clear_noon", 25, 12)


def ego_pose(row: Row) -> EgoState:
    return EgoState(row["stamp_ns"], row["ego_x_m"], row["ego_y_m"], row["ego_yaw_rad"], row["ego_speed_mps"])


def view_pose(row: Row) -> EgoState:
    return EgoState(row["stamp_ns"], row["view_x_m"], row["view_y_m"], row["view_yaw_rad"], row["speed_mps"])


def pairs(drive: Recording) -> list[tuple[Row, Row]]:
    return list(zip(drive.view("ego"), drive.view("second"), strict=True))


def ego_actor(drive: Recording) -> dict[str, Any]:
    found: dict[str, Any] = next(a for a in drive.route.meta["actors"] if a["id"] == drive.episode.session.ego.id)
    return found


def front(drive: Recording) -> float:
    actor = ego_actor(drive)
    return float(actor["extent_m"][0] + actor["box_centre_m"][0])


def track(drive: Recording) -> dict[int, tuple[float, float]]:
    """Place of the ego at each tick, by what the rows say of all actors."""
    ego = drive.episode.session.ego.id
    states = (state for row in drive.view("ego") for state in row["actor_states"])
    return {state["tick"]: (state["x_m"], state["y_m"]) for state in states if state["id"] == ego}


def line(drive: Recording) -> FloatArray:
    return np.array([waypoint[:2] for waypoint in drive.route.meta["waypoints"]])


def along_route(drive: Recording, pose: EgoState) -> float:
    """Metres along the expert's line."""
    return project_onto_polyline(drive.episode.expert.route.points, np.array((pose.x, pose.y)))[1]


def true_at(drive: Recording, row: Row) -> dict[str, Any]:
    """What the world was like at a row's tick."""
    return drive.truth[row["tick"] + min(drive.truth)]
