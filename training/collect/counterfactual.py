"""What the expert would do at another speed, or with the light ahead in another colour.

Drives alone teach a model that a standing car stays and a rolling car rolls on: speed and light change rarely, and mostly
together. Labels come from a forecast of the expert's law (``Expert.places_ahead``), so they exist for states that the drive
never reached, too; and the renderer draws a light in any colour.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from simlingo.contracts import Command, Navigation
from simlingo_drive.backends.base import Backend
from simlingo_drive.expert import CONSTANTS, Expert, ExpertInfo
from simlingo_drive.expert.signals import LightInfo
from simlingo_drive.expert.situation import Stop

#: Share of the other speeds that are a standstill.
STANDSTILL_SHARE = 0.4
#: A car that meant to stop would not be faster than what this deceleration allows, m/s^2, plus this speed, m/s.
LATE_DECELERATION, LATE_SPEED = 3.5, 0.5
#: Nearer than this to a stop sign's line nobody is told to stand still, m.
AT_SIGN_M = 4.0
#: Lights farther away than this keep their colour, m.
FARTHEST_LIGHT_M = 45.0
#: A junction is free for a green light when nothing moves within this distance of a place so far behind the line, m.
JUNCTION_RADIUS_M, BEHIND_LINE_M = 18.0, 10.0
#: Oncoming vehicles nearer than this to that place matter for a turn to the left, m.
ONCOMING_RADIUS_M = 32.0


def other_speed(info: ExpertInfo, expert: Expert, rng: np.random.Generator) -> float:
    """A speed (m/s) at which the ego could be where it is: often zero, never too fast for what lies ahead."""
    situation, s = info.situation, info.place.s
    sign = info.stop_distance("stop_sign")
    at_sign = sign is not None and sign - situation.front < AT_SIGN_M  # standing there, the ego might drive on at once
    if info.ego.speed > 0.3 and not at_sign and rng.random() < STANDSTILL_SHARE:
        return 0.0
    allowed, _ = expert.route.bend(s)
    most = min(1.1 * situation.free_speed, 1.2 * allowed + 0.5)
    gaps = [stop.s - s - situation.front for stop in situation.stops]
    gaps += [lead.rear_s - s - situation.front - 1.0 for lead in situation.leads if lead.speed < 0.5]
    for gap in gaps:
        most = min(most, math.sqrt(2.0 * LATE_DECELERATION * max(gap, 0.0)) + LATE_SPEED)
    for narrow in situation.narrows:
        room = max(narrow.begin - s, 0.0)
        most = min(most, math.sqrt(narrow.speed**2 + 2.0 * LATE_DECELERATION * room) + LATE_SPEED)
    return float(rng.uniform(0.5 if at_sign else 0.0, most))


def at_speed(info: ExpertInfo, expert: Expert, speed: float) -> ExpertInfo:
    """``info`` as if the ego drove at ``speed`` m/s there, with what the expert would then want."""
    wanted, cause = info.situation.acceleration(expert.route, info.place.s, speed, 0.0, CONSTANTS)
    if speed < 0.1:
        wanted = max(wanted, -CONSTANTS.comfort_deceleration)
    return replace(
        info,
        ego=replace(info.ego, speed=speed),
        acceleration=wanted,
        cause=cause,
        target_speed=max(speed + 0.5 * wanted, 0.0),
    )


def other_light(
    info: ExpertInfo, expert: Expert, navigation: Navigation, backend: Backend, world: Any
) -> tuple[ExpertInfo, dict[str, str]] | None:
    """``info`` with the light ahead red instead of green, or green instead of red, and the colours to draw.

    The colours go by OpenDRIVE signal id, for all lights of the junction. None where there is no light near, where the ego
    could not stop any more, or where the junction is not free.
    """
    light, s, constants = info.light, info.place.s, CONSTANTS
    if light.state not in ("red", "green") or not 0.0 < light.distance < FARTHEST_LIGHT_M:
        return None
    line = s + info.situation.front + light.distance
    if light.state == "green":
        room = light.distance - constants.stop_margin
        if info.ego.speed**2 / (2.0 * max(room, 0.1)) > constants.yellow_deceleration:
            return None
        stops = [*info.situation.stops, Stop(line - constants.stop_margin, "traffic_light", light.actor_id)]
    else:
        if not _is_free(info, expert, navigation, world, line + BEHIND_LINE_M):
            return None
        stops = [stop for stop in info.situation.stops if stop.actor_id != light.actor_id]
    state = "red" if light.state == "green" else "green"
    situation = replace(info.situation, stops=stops)
    changed = replace(info, situation=situation, light=LightInfo(state, light.distance, light.actor_id))
    colours = dict(backend.light_colours(world.get_actor(light.actor_id), state))
    return at_speed(changed, expert, info.ego.speed), colours


def _is_free(info: ExpertInfo, expert: Expert, navigation: Navigation, world: Any, s: float) -> bool:
    """Nobody is on the move in the junction, and for a turn to the left nobody comes from the other side."""
    x, y = expert.route.at(np.array([s]))[0]
    forward = math.cos(info.ego.yaw), math.sin(info.ego.yaw)
    for vehicle in world.get_actors().filter("vehicle.*"):
        transform, velocity = vehicle.get_transform(), vehicle.get_velocity()
        distance = math.hypot(transform.location.x - x, transform.location.y - y)
        heading = math.radians(transform.rotation.yaw)
        along = math.cos(heading) * forward[0] + math.sin(heading) * forward[1]
        moving = math.hypot(velocity.x, velocity.y) > 0.5
        if distance < JUNCTION_RADIUS_M and moving and along < 0.7:
            return False
        if navigation.command == Command.LEFT and distance < ONCOMING_RADIUS_M and along < -0.5:
            return False
    return True
