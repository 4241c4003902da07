"""The things of a scene that might be spoken of, before anybody asks whether the camera sees them."""

from __future__ import annotations

import math

import numpy as np

from simlingo.contracts import FloatArray
from simlingo.geometry import map_to_ego, wrap_angle
from training.language.dreams.obstacles import PARKED_CAR
from training.language.dreams.record import VX, VY, YAW, X, Y
from training.language.dreams.scene import Scene
from training.language.dreams.things import FARTHEST_M, LIGHT, SIGN, Thing
from training.language.naming import name_of

#: Scenery that nobody speaks of.
_UNNAMED = ("building", "tree", "pole")
_THING_HEIGHT_M = {PARKED_CAR: 1.5, "cone": 0.7}
#: Stop lines farther than this from the way are another's, m.
_STOP_LINES_FROM_M = 4.0


def candidates(scene: Scene) -> list[Thing]:
    """Vehicles, people, standing things, lights and signs ahead within ``FARTHEST_M``."""
    found = []
    for actor, state in zip(scene.others.actors, scene.others.now, strict=True):
        if math.isnan(state[X]) or math.dist(state[[X, Y]], (scene.ego.x, scene.ego.y)) > FARTHEST_M:
            continue
        speed = math.hypot(state[VX], state[VY])
        name, colour = name_of(actor.type_id), None if actor.is_walker else actor.colour
        box = (float(state[X]), float(state[Y]), float(state[YAW]), actor.half_length_m, actor.half_width_m)
        found.append(_thing(scene, actor.id, name, colour, box, actor.height_m, speed))
    standing = scene.obstacles
    for box, name, colour, number in zip(standing.boxes, standing.names, standing.colours, standing.ids, strict=True):
        if name not in _UNNAMED:
            height = _THING_HEIGHT_M.get(name, 1.0)
            found.append(_thing(scene, number, name, colour, tuple(box), height, 0.0))
    for stop, s in scene.lines_on(scene.line):
        along = s - scene.front_m
        if _STOP_LINES_FROM_M < along < FARTHEST_M:
            name = SIGN if stop.states is None else LIGHT
            spot = scene.line.at(s)
            box = (float(spot[0]), float(spot[1]), stop.yaw_rad, 0.1, 1.5)
            found.append(_thing(scene, stop.actor_id, name, None, box, 0.0, 0.0))
    return found


def _thing(
    scene: Scene,
    actor_id: int | None,
    name: str,
    colour: str | None,
    box: tuple[float, ...] | FloatArray,
    height_m: float,
    speed_mps: float,
) -> Thing:
    """A thing whose ``box`` (x, y, yaw, half length, half width; m, rad) stands in the map frame."""
    spot = np.array([box[:2]])
    x, y = map_to_ego(spot, scene.ego)[0]
    along, right = scene.line.locate(spot)
    return Thing(
        actor_id, name, colour, float(x), float(y), wrap_angle(float(box[2]) - scene.ego.yaw), float(box[3]), float(box[4]),
        height_m, speed_mps, float(along[0]) - scene.place_m, float(right[0]),
    )  # fmt: skip
