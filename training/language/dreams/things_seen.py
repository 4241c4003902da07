"""What of a scene can be spoken of: what its picture shows, and what nobody may say of the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from simlingo.geometry import map_to_ego, wrap_angle
from training.datasets.pictures import LENS_GREEN, LENS_RED, LENS_YELLOW, LIGHT_TAG
from training.language.dreams.record import GREEN, RED, YELLOW
from training.language.dreams.scene import Scene, StopLine
from training.language.dreams.things import FARTHEST_M, LIGHT, NEAREST_M, SIGN, Thing
from training.language.naming import PEDESTRIAN
from training.language.surroundings.bodies import Body
from training.language.surroundings.signals import light_seen, sign_seen
from training.language.surroundings.town import Pose, Town
from training.language.surroundings.visibility import SEEN_SAMPLES, SIGN_TAGS, Seen

#: Vehicles that have a name of their own where they are parked.
_PARKED = ("car", "van")
#: Stop lines nearer to the bumper than this are under the bonnet, m.
_STOP_LINES_FROM_M = 4.0
_STATES = {RED: "red", YELLOW: "yellow", GREEN: "green"}
_LIGHT_TAGS = (LIGHT_TAG, LENS_RED, LENS_YELLOW, LENS_GREEN)


def things_in_sight(
    scene: Scene, bodies: Sequence[Body], seen: Seen, town: Town, opendrive_ids: Mapping[int, str]
) -> tuple[tuple[Thing, ...], frozenset[str]]:
    """The things that are seen ahead within ``FARTHEST_M``, and the names of which more may be in the picture.

    Args:
        scene: the frame, without things.
        bodies: everything around.
        seen: the surfaces in the picture.
        town: of the route.
        opendrive_ids: signal id of each light by its actor's.
    """
    found, unsure = [], set()
    for body in bodies:
        samples = body.samples(seen, scene.ego)
        if samples == 0:
            continue
        thing = _thing(scene, body)
        if samples >= SEEN_SAMPLES and NEAREST_M < thing.x_m < FARTHEST_M:
            found.append(thing)
        else:
            unsure.add(thing.name)
    signals = _signals(scene, seen, town, opendrive_ids)
    for name, tags in ((LIGHT, _LIGHT_TAGS), (SIGN, SIGN_TAGS)):
        if not any(thing.name == name for thing in signals) and seen.shows(tags):
            unsure.add(name)
    return (*found, *signals), frozenset(unsure)


def _signals(scene: Scene, seen: Seen, town: Town, opendrive_ids: Mapping[int, str]) -> list[Thing]:
    """The lights and stop signs on the ego's way that are seen; each is its stop line, for it has no body here."""
    found = []
    for stop, s in scene.lines_on(scene.line):
        if _STOP_LINES_FROM_M < s - scene.front_m < FARTHEST_M and _shown(scene, stop, seen, town, opendrive_ids):
            x, y = scene.line.at(s)
            line = Body(stop.actor_id, "", "", Pose(float(x), float(y), stop.yaw_rad), (0.1, 1.5, 0.0))
            found.append(_thing(scene, line, SIGN if stop.states is None else LIGHT))
    return found


def _shown(scene: Scene, stop: StopLine, seen: Seen, town: Town, opendrive_ids: Mapping[int, str]) -> bool:
    ground = float(scene.row["ego_z_m"])
    if stop.states is None:
        return sign_seen(seen, town, stop.x_m, stop.y_m, scene.ego, ground)
    state = _STATES.get(int(stop.states[0]))
    return state is not None and light_seen(
        seen, town, [opendrive_ids[stop.actor_id]], state, scene.ego, ground
    )  # fmt: skip


def _thing(scene: Scene, body: Body, name: str | None = None) -> Thing:
    spot = np.array([(body.pose.x, body.pose.y)])
    x, y = map_to_ego(spot, scene.ego)[0]
    along, right = scene.line.locate(spot)
    if name is None:
        name = f"parked {body.kind}" if body.stands and body.kind in _PARKED else body.kind
    return Thing(
        actor_id=body.id,
        name=name,
        colour=body.colour or None if body.kind != PEDESTRIAN else None,
        x_m=float(x),
        y_m=float(y),
        yaw_rad=wrap_angle(body.pose.yaw - scene.ego.yaw),
        half_length_m=body.half_m[0],
        half_width_m=body.half_m[1],
        speed_mps=math.hypot(*body.velocity_mps),
        along_m=float(along[0]) - scene.place_m,
        right_m=float(right[0]),
    )
