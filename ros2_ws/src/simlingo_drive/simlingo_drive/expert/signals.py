"""Traffic lights and stop signs along the route."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import carla

from simlingo_drive.expert.constants import ExpertConstants
from simlingo_drive.expert.route import ExpertRoute, Place
from simlingo_drive.expert.situation import Stop

#: A stop line belongs to the route when the route passes it within this distance, m.
LANE_HALF_WIDTH = 1.6
#: A bumper farther beyond the line than this has passed it, m.
PASSED = 0.6


@dataclass
class LineOnRoute:
    """A stop line on the route."""

    s: float  # m
    actor: Any  # traffic light or stop sign
    cleared: bool = False  # stop signs: the ego has stopped here
    ticks: int = 0  # stop signs: ticks stood
    running: bool = False  # lights: too late to stop for the yellow light


@dataclass(frozen=True)
class LightInfo:
    """The next light that holds for the ego."""

    state: str  # "none", "red", "yellow", "green"
    distance: float  # m from the front bumper to the stop line; infinite without a light
    actor_id: int = -1


class Signals:
    """Watches the lights and stop signs on one route."""

    def __init__(self, world: Any, route: ExpertRoute, constants: ExpertConstants) -> None:
        self._constants = constants
        actors = world.get_actors()
        self.lights = _lines(actors.filter("traffic.traffic_light*"), route)
        self.stop_signs = _lines(actors.filter("traffic.stop*"), route)
        self.yield_signs = _lines(actors.filter("traffic.yield*"), route)

    def update(self, s: float, speed: float, front: float) -> tuple[list[Stop], LightInfo, bool]:
        """Stops to respect with the ego at ``s`` m, the next light, and whether a stop sign holds the ego.

        Call once a tick.
        """
        stops: list[Stop] = []
        info = LightInfo("none", math.inf)
        for line in self.lights:
            distance = line.s - s - front
            if distance < -PASSED or distance > self._constants.light_radius:
                continue
            state = str(line.actor.get_state()).lower()
            if info.state == "none" and state in ("red", "yellow", "green"):
                info = LightInfo(state, distance, line.actor.id)
            if self._must_stop(line, state, distance, speed):
                stops.append(Stop(line.s - self._constants.stop_margin, "traffic_light", line.actor.id))
        held = False
        for line in self.stop_signs:
            if not line.cleared and self._stand_at_sign(line, line.s - s - front, speed):
                stops.append(Stop(line.s - self._constants.stop_margin, "stop_sign", line.actor.id))
                held = True
        return stops, info, held

    def _must_stop(self, line: LineOnRoute, state: str, distance: float, speed: float) -> bool:
        if state == "green":
            line.running = False
            return False
        if state not in ("red", "yellow"):
            return False
        room = max(distance - self._constants.stop_margin, 0.1)
        late = speed * speed / (2.0 * room) > self._constants.yellow_deceleration
        if state == "yellow" and late and speed > 2.0:
            line.running = True
        return not line.running

    def _stand_at_sign(self, line: LineOnRoute, distance: float, speed: float) -> bool:
        """Count the ticks of standing at a stop sign; True while it holds the ego."""
        if distance < -PASSED:
            line.cleared = True
        elif distance < self._constants.sign_stop_distance and speed < 0.1:
            line.ticks += 1
            line.cleared = line.ticks > self._constants.sign_stop_ticks
        return not line.cleared and distance < self._constants.light_radius


def _lines(actors: Any, route: ExpertRoute) -> list[LineOnRoute]:
    """Stop lines of ``actors`` on the route, nearest first."""
    found = []
    for actor in actors:
        for x, y, yaw in stop_points(actor):
            begin: float = 0.0
            while (place := route.place_of(x, y, yaw, begin, LANE_HALF_WIDTH)) is not None:
                found.append(LineOnRoute(place.s, actor))
                begin = _beyond(place)
    return sorted(found, key=lambda line: line.s)


def _beyond(place: Place) -> float:
    """Where to look for another pass of the route over the same line, m."""
    return place.s + 10.0


def stop_points(actor: Any) -> list[tuple[float, float, float]]:
    """Places (x m, y m, yaw rad) of an actor's stop lines, one a lane."""
    if hasattr(actor, "get_stop_waypoints"):
        transforms = [waypoint.transform for waypoint in actor.get_stop_waypoints()]
        return [(t.location.x, t.location.y, math.radians(t.rotation.yaw)) for t in transforms]
    centre = actor.trigger_volume.location
    middle = actor.get_transform().transform(carla.Location(centre.x, centre.y, centre.z))  # it changes its argument
    # CARLA's signs face the traffic that they speak to: it drives in the direction of yaw + 90 degrees.
    return [(middle.x, middle.y, math.radians(actor.get_transform().rotation.yaw + 90.0))]
