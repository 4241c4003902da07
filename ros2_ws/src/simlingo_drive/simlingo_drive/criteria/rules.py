"""Red lights, stop signs and lanes: what the ego did at each, judged from its poses."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import carla

#: The ego obeys a red light when it stands slower than this, m/s, with its front this near before the line, m.
STANDING_SPEED = 0.5
STANDING_NEAR_M = 12.0
#: A stop sign asks for less than this, m/s (CARLA's criterion).
STOP_SPEED = 0.1
#: The ego may leave its lane's edge by this much, m, before it is outside (CARLA's OutsideRouteLanes).
OUTSIDE_MARGIN_M = 1.3
#: Driving against a lane means an angle to it above this, degrees (CARLA's OutsideRouteLanes).
WRONG_WAY_DEG = 120.0


@dataclass(frozen=True)
class EgoMotion:
    """What the rules need of the ego at one tick: map frame, m, rad, m/s."""

    x: float
    y: float
    yaw: float
    speed: float
    front: float  # m from the reference point to the front bumper
    rear: float  # m from the reference point to the rear bumper


@dataclass
class _Line:
    """Stop line of one lane and the ego's dealings with it."""

    light: Any
    x: float
    y: float
    yaw: float  # rad, driving direction
    half_width: float  # m
    rear_before: float | None = None  # m of the rear bumper past the line at the last tick; None: not in the lane
    stood: bool = False  # stood before it in red on this approach


class RedLights:
    """Counts the red lights that the ego met; a light is run when the rear bumper crosses its line in red (CARLA)."""

    def __init__(self, lights: list[Any]) -> None:
        self.met = 0
        self.stopped = 0
        self._lines = [
            _Line(
                light,
                stop.transform.location.x,
                stop.transform.location.y,
                math.radians(stop.transform.rotation.yaw),
                stop.lane_width / 2.0,
            )
            for light in lights
            for stop in light.get_stop_waypoints()
        ]

    def update(self, ego: EgoMotion) -> list[Any]:
        """The lights run at this tick."""
        run = []
        for line in self._lines:
            if abs(line.x - ego.x) + abs(line.y - ego.y) > 60.0:
                line.rear_before, line.stood = None, False
                continue
            if self._crossed(line, ego):
                run.append(line.light)
        return run

    def _crossed(self, line: _Line, ego: EgoMotion) -> bool:
        """Follow the ego's approach to one line; True when it runs the light."""
        facing = math.cos(ego.yaw - line.yaw)
        rear, rear_across = _past(line, ego, -ego.rear)
        front, _ = _past(line, ego, ego.front)
        red = bool(line.light.state == carla.TrafficLightState.Red)
        beside = abs(rear_across) > line.half_width or facing < 0.5
        before, line.rear_before = line.rear_before, None if beside else rear
        if beside:
            line.stood = line.stood and rear < 0.0
            return False
        if red and ego.speed < STANDING_SPEED and front > -STANDING_NEAR_M and rear < 0.0:
            line.stood = True
        if before is None or not (before < 0.0 <= rear):
            return False
        if red or line.stood:
            self.met += 1
        if line.stood and not red:
            self.stopped += 1
        line.stood = False
        return red


def _past(line: _Line, ego: EgoMotion, ahead: float) -> tuple[float, float]:
    """Metres past the line and beside the middle of its lane of the point ``ahead`` m before the ego's origin."""
    dx, dy = ego.x + ahead * math.cos(ego.yaw) - line.x, ego.y + ahead * math.sin(ego.yaw) - line.y
    cos, sin = math.cos(line.yaw), math.sin(line.yaw)
    return dx * cos + dy * sin, -dx * sin + dy * cos


class StopSigns:
    """A stop sign is run when the ego leaves its trigger volume without having stood in it (CARLA)."""

    def __init__(self, signs: list[Any]) -> None:
        self._signs = signs
        self._inside: dict[int, bool] = {}  # id of the sign -> has stood

    def update(self, ego: EgoMotion) -> list[Any]:
        """The stop signs run at this tick."""
        run = []
        for sign in self._signs:
            inside = self._is_inside(sign, ego)
            if inside:
                stands = ego.speed < STOP_SPEED
                self._inside[sign.id] = self._inside.get(sign.id, False) or stands
            elif sign.id in self._inside and not self._inside.pop(sign.id):
                run.append(sign)
        return run

    @staticmethod
    def _is_inside(sign: Any, ego: EgoMotion) -> bool:
        box, pose = sign.trigger_volume, sign.get_transform()
        if abs(pose.location.x - ego.x) + abs(pose.location.y - ego.y) > 40.0:
            return False
        center = pose.transform(carla.Location(box.location.x, box.location.y, box.location.z))
        yaw = math.radians(pose.rotation.yaw + box.rotation.yaw)
        dx, dy = ego.x - center.x, ego.y - center.y
        along, across = dx * math.cos(yaw) + dy * math.sin(yaw), -dx * math.sin(yaw) + dy * math.cos(yaw)
        return bool(abs(along) <= box.extent.x and abs(across) <= box.extent.y)


class LaneKeeping:
    """Measures the metres driven off the driving lanes or against them."""

    def __init__(self, carla_map: carla.Map) -> None:
        self._map = carla_map
        self.outside_m = 0.0
        self.total_m = 0.0

    @property
    def share(self) -> float:
        """Share of the driven metres that were outside, 0 to 1."""
        return self.outside_m / self.total_m if self.total_m > 1.0 else 0.0

    def update(self, ego: EgoMotion, driven_m: float) -> bool:
        """Add the metres of one tick; True while the ego is outside."""
        self.total_m += driven_m
        outside = self._is_outside(ego)
        if outside:
            self.outside_m += driven_m
        return outside

    def _is_outside(self, ego: EgoMotion) -> bool:
        lane = self._map.get_waypoint(carla.Location(ego.x, ego.y, 0.0))
        if lane is None:
            return True
        place = lane.transform.location
        if math.hypot(ego.x - place.x, ego.y - place.y) > lane.lane_width / 2.0 + OUTSIDE_MARGIN_M:
            return True
        angle = math.degrees(ego.yaw) - lane.transform.rotation.yaw
        against = abs((angle + 180.0) % 360.0 - 180.0) > WRONG_WAY_DEG
        return against and not lane.is_junction
