"""Who and what is around at a frame, read once for all who speak of it: vehicles, pedestrians, standing things, parked cars."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlingo.contracts import EgoState
from simlingo.geometry import map_to_ego, wrap_angle
from training.language.naming import PEDESTRIAN, VEHICLES, colour_of, name_of, paint_of
from training.language.surroundings.town import Pose, Town
from training.language.surroundings.visibility import OBJECT_TAGS, PEDESTRIAN_TAGS, VEHICLE_TAGS, Seen

#: Parked cars of the town are looked at within this distance, m, as far as boxes reach (spec B.1).
PARKED_WITHIN_M = 64.0
#: Ids of a town's parked cars count down from here; actors have positive ones.
FIRST_PARKED_ID = -10
#: Classes of boxes that stand for things that do not move (spec K.1), and for all that has a body.
STATIC_CLASSES = ("static", "static_car", "static_trafficwarning")
_CLASSES = ("car", "walker", *STATIC_CLASSES)


@dataclass(frozen=True)
class Body:
    """Somebody or something that can be seen. Map frame."""

    id: int
    kind: str  # what it is called, see training.language.naming
    colour: str  # of its paint; empty: unknown, or it has none
    pose: Pose  # of its middle
    half_m: tuple[float, float, float]  # half length, width, height
    velocity_mps: tuple[float, float] = (0.0, 0.0)
    foot_m: float = 0.0  # height of its foot above the ego's ground
    stands: bool = False  # for good: parked, or a thing

    @property
    def tags(self) -> tuple[int, ...]:
        """CARLA's tags that it may be drawn with."""
        if self.kind in VEHICLES:
            return VEHICLE_TAGS
        return PEDESTRIAN_TAGS if self.kind == PEDESTRIAN else OBJECT_TAGS

    def samples(self, seen: Seen, view: EgoState) -> int:
        """Samples of a picture's depth that lie on it."""
        x, y = map_to_ego(np.array([[self.pose.x, self.pose.y]]), view)[0]
        turned = wrap_angle(self.pose.yaw - view.yaw)
        return seen.samples_on((float(x), float(y), self.foot_m), turned, self.half_m, self.tags)


def bodies_around(
    boxes: Iterable[Mapping[str, Any]],
    velocities: Mapping[int, tuple[float, float]],
    actors: Iterable[Mapping[str, Any]],
    town: Town,
    view: EgoState,
    ground_m: float,
) -> list[Body]:
    """Everything within 64 m, but the ego.

    Args:
        boxes: records of the frame.
        velocities: x and y (m/s, map frame) by actor; along the heading of those who are not in it.
        actors: ``actors`` of the route's metadata.
        town: of the route.
        view: whose surroundings; parked cars are looked at around it.
        ground_m: height of the ego's ground, ``ego_z_m``.
    """
    known = {int(actor["id"]): actor for actor in actors}
    found = [_of_box(box, known, velocities, ground_m) for box in boxes if box["class"] in _CLASSES]
    for number, car in enumerate(town.parked):
        if math.dist((car.pose.x, car.pose.y), (view.x, view.y)) < PARKED_WITHIN_M:
            colour = colour_of(*car.paint)
            found.append(Body(FIRST_PARKED_ID - number, car.kind, colour, car.pose, car.extent_m, stands=True))
    return found


def _of_box(
    box: Mapping[str, Any],
    actors: Mapping[int, Mapping[str, Any]],
    velocities: Mapping[int, tuple[float, float]],
    ground_m: float,
) -> Body:
    matrix, number = box["matrix"], int(box.get("id", -1))
    yaw = math.atan2(float(matrix[1][0]), float(matrix[0][0]))
    actor = actors.get(number, {})
    kind, colour = PEDESTRIAN, ""
    if box["class"] != "walker":
        kind = name_of(str(box.get("type_id") or actor.get("type_id", "")), str(box.get("mesh_path", "")))
        colour = paint_of(str(box.get("color") or actor.get("color", ""))) if kind in VEHICLES else ""
    half = (float(box["extent"][0]), float(box["extent"][1]), float(box["extent"][2]))
    # The origin of a pedestrian is the middle of its body, that of all else lies on the ground.
    ahead, right, up = actor.get("box_centre_m", (0.0, 0.0, 0.0 if kind == PEDESTRIAN else half[2]))
    cos, sin = math.cos(yaw), math.sin(yaw)
    pose = Pose(
        float(matrix[0][3]) + ahead * cos - right * sin, float(matrix[1][3]) + ahead * sin + right * cos, yaw
    )  # fmt: skip
    speed = float(box.get("speed", 0.0))
    velocity = velocities.get(number, (speed * cos, speed * sin))
    foot = float(matrix[2][3]) + float(up) - half[2] - ground_m
    return Body(number, kind, colour, pose, half, velocity, foot, box["class"] in STATIC_CLASSES)
