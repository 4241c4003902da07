"""The things around a view, in its frame, with how much of each its picture shows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlingo.contracts import EgoState
from simlingo.geometry import map_to_ego, wrap_angle
from simlingo_sim.vehicle_models import VEHICLE_MODELS
from training.language.naming import colour_of, name_of
from training.language.questions.scene import Thing
from training.language.surroundings.bodies import Body, bodies_around
from training.language.surroundings.town import Pose, Town
from training.language.surroundings.visibility import Seen

#: Id of the vehicle that a counterfactual view shows; actors have positive ones.
DRAWN_ID = -2


@dataclass(frozen=True)
class Placed:
    """A thing in the map frame, before anybody looks where it is on the road."""

    thing: Thing  # in the view's frame
    pose: Pose  # in the map frame


def things_around(
    row: Mapping[str, Any],
    ego_row: Mapping[str, Any],
    meta: Mapping[str, Any],
    town: Town,
    seen: Seen,
    view: EgoState,
) -> list[Placed]:
    """Every thing within 64 m.

    Args:
        row: the view's own row.
        ego_row: the ego's row of the same frame, which has the boxes.
        meta: of the route.
        town: its town.
        seen: the surfaces in the view's picture.
        view: pose of the view's ego.
    """
    ground = float(ego_row["ego_z_m"])
    states = ego_row["actor_states"] or ()
    velocities = {int(state["id"]): (float(state["vx_mps"]), float(state["vy_mps"])) for state in states}
    bodies = bodies_around(json.loads(ego_row["boxes"]), velocities, meta["actors"], town, view, ground)
    if row["counterfactual"] == "lead":
        bodies.append(_drawn(json.loads(row["counterfactual_detail"]), ground))
    return [Placed(_in_view(body, seen, view), body.pose) for body in bodies]


def _drawn(detail: Mapping[str, Any], ground_m: float) -> Body:
    pose = Pose(float(detail["x"]), float(detail["y"]), float(detail["yaw"]))
    model = VEHICLE_MODELS[detail["type_id"]]
    half = (model.length / 2.0, model.width / 2.0, model.height / 2.0)
    kind, colour = name_of(model.type_id), colour_of(*(int(part) for part in detail["color"]))
    return Body(DRAWN_ID, kind, colour, pose, half, foot_m=float(detail["z"]) - ground_m)


def _in_view(body: Body, seen: Seen, view: EgoState) -> Thing:
    x, y = map_to_ego(np.array([[body.pose.x, body.pose.y]]), view)[0]
    cos, sin = math.cos(view.yaw), math.sin(view.yaw)
    vx, vy = body.velocity_mps
    moving = (vx * cos + vy * sin, vy * cos - vx * sin)
    turned = wrap_angle(body.pose.yaw - view.yaw)
    return Thing(
        body.id, body.kind, (float(x), float(y)), turned, moving, body.half_m, body.colour, body.samples(seen, view),
        parked=body.stands,
    )  # fmt: skip
