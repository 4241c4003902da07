"""The things around a view, from the frame's boxes, the states of actors and the town."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simlingo.contracts import EgoState
from simlingo.geometry import map_to_ego, wrap_angle
from simlingo_sim.vehicle_models import VEHICLE_MODELS
from training.language.naming import PEDESTRIAN, VEHICLES, colour_of, name_of, paint_of
from training.language.questions.roads import Pose, RoadMap
from training.language.questions.scene import Thing
from training.language.questions.visibility import OBJECT_TAGS, PEDESTRIAN_TAGS, VEHICLE_TAGS, Seen

#: Parked cars of the town are looked at within this distance, m, as far as boxes reach (spec B.1).
PARKED_WITHIN_M = 64.0
#: Id of the vehicle that a counterfactual view shows; actors have positive ones.
DRAWN_ID = -2
_OBJECT_CLASSES = ("static", "static_trafficwarning")


@dataclass(frozen=True)
class Placed:
    """A thing in the map frame, before anybody looks where it is on the road."""

    thing: Thing  # in the view's frame
    pose: Pose  # in the map frame
    foot_m: float = 0.0  # height of its foot above the ego's ground


def things_around(
    row: Mapping[str, Any],
    ego_row: Mapping[str, Any],
    meta: Mapping[str, Any],
    roads: RoadMap,
    seen: Seen,
    view: EgoState,
) -> list[Placed]:
    """Every thing within 64 m.

    Args:
        row: the view's own row.
        ego_row: the ego's row of the same frame, which has the boxes.
        meta: of the route.
        roads: its town.
        seen: the surfaces in the view's picture.
        view: pose of the view's ego.
    """
    actors = {int(actor["id"]): actor for actor in meta["actors"]}
    velocities = {int(state["id"]): (state["vx_mps"], state["vy_mps"]) for state in ego_row["actor_states"] or ()}
    found = []
    for record in json.loads(ego_row["boxes"]):
        if record["class"] in ("car", "walker", "static_car", *_OBJECT_CLASSES):
            found.append(_from_box(record, actors, velocities, view, float(ego_row["ego_z_m"])))
    found += [
        Placed(_parked(car, number, view), car.pose)
        for number, car in enumerate(roads.parked)
        if math.dist((car.pose.x, car.pose.y), (view.x, view.y)) < PARKED_WITHIN_M
    ]
    if row["counterfactual"] == "lead":
        found.append(_drawn(json.loads(row["counterfactual_detail"]), view, float(ego_row["ego_z_m"])))
    return [replace(placed, thing=_looked_at(placed, seen)) for placed in found]


def _looked_at(placed: Placed, seen: Seen) -> Thing:
    """The thing with the number of samples that lie on it."""
    thing = placed.thing
    tags = VEHICLE_TAGS if thing.is_vehicle else PEDESTRIAN_TAGS if thing.kind == PEDESTRIAN else OBJECT_TAGS
    foot = (*thing.position_m, placed.foot_m)
    return replace(thing, samples=seen.samples_on(foot, thing.yaw_rad, thing.extent_m, tags))


def _from_box(
    record: Mapping[str, Any],
    actors: Mapping[int, Mapping[str, Any]],
    velocities: Mapping[int, tuple[float, float]],
    view: EgoState,
    ground_m: float,
) -> Placed:
    matrix = np.asarray(record["matrix"])
    pose = Pose(float(matrix[0, 3]), float(matrix[1, 3]), math.atan2(float(matrix[1, 0]), float(matrix[0, 0])))
    actor = actors.get(int(record.get("id", -1)), {})
    type_id = str(record.get("type_id") or actor.get("type_id", ""))
    along = (record.get("speed", 0.0) * math.cos(pose.yaw), record.get("speed", 0.0) * math.sin(pose.yaw))
    velocity = velocities.get(int(record.get("id", -1)), along)
    kind, colour = PEDESTRIAN, ""
    if record["class"] != "walker":
        kind = name_of(type_id, record.get("mesh_path", ""))
        colour = paint_of(record.get("color") or actor.get("color", "")) if kind in VEHICLES else ""
    parked = record["class"] in ("static_car", *_OBJECT_CLASSES)
    thing = _in_view(int(record.get("id", -1)), kind, colour, pose, velocity, record["extent"], view, parked)
    # The origin of a pedestrian is the middle of its body, that of all else lies on the ground.
    centre = actor.get("box_centre_m", (0.0, 0.0, 0.0 if kind == PEDESTRIAN else thing.extent_m[2]))
    foot = float(matrix[2, 3]) + float(centre[2]) - thing.extent_m[2] - ground_m
    return Placed(thing, pose, foot)


def _parked(car: Any, number: int, view: EgoState) -> Thing:
    return _in_view(-10 - number, car.kind, colour_of(*car.paint), car.pose, (0.0, 0.0), car.extent_m, view, True)


def _drawn(detail: Mapping[str, Any], view: EgoState, ground_m: float) -> Placed:
    pose = Pose(float(detail["x"]), float(detail["y"]), float(detail["yaw"]))
    model = VEHICLE_MODELS[detail["type_id"]]
    extent = (model.length / 2.0, model.width / 2.0, model.height / 2.0)
    kind, colour = name_of(model.type_id), colour_of(*(int(part) for part in detail["color"]))
    thing = _in_view(DRAWN_ID, kind, colour, pose, (0.0, 0.0), extent, view, False)
    return Placed(thing, pose, float(detail["z"]) - ground_m)


def _in_view(
    actor_id: int,
    kind: str,
    colour: str,
    pose: Pose,
    velocity: tuple[float, float],
    extent: Any,
    view: EgoState,
    parked: bool,
) -> Thing:
    place = map_to_ego(np.array([[pose.x, pose.y]]), view)[0]
    cos, sin = math.cos(view.yaw), math.sin(view.yaw)
    moving = (velocity[0] * cos + velocity[1] * sin, velocity[1] * cos - velocity[0] * sin)
    half = (float(extent[0]), float(extent[1]), float(extent[2]))
    turned = wrap_angle(pose.yaw - view.yaw)
    return Thing(actor_id, kind, (float(place[0]), float(place[1])), turned, moving, half, colour, 0, parked=parked)
