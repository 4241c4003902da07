"""Red lights: met, stopped at, run (CARLA's RunningRedLightTest)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import carla

from simlingo_drive.criteria.base import Criterion, EgoMotion, Finding, Kind

#: The ego obeys a red light when it stands slower than this, m/s, with its front this near before the line, m.
STANDING_SPEED = 0.5
STANDING_NEAR_M = 12.0


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


class RedLights(Criterion):
    """Counts the red lights that the ego met; a light is run when the rear bumper crosses its line in red (CARLA)."""

    def __init__(self, world: Any) -> None:
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
            for light in world.get_actors().filter("traffic.traffic_light*")
            for stop in light.get_stop_waypoints()
        ]

    def update(self, ego: EgoMotion) -> list[Finding]:
        """The lights run at this tick."""
        found = []
        for line in self._lines:
            if abs(line.x - ego.x) + abs(line.y - ego.y) > 60.0:
                line.rear_before, line.stood = None, False
                continue
            if self._crossed(line, ego):
                number = line.light.id
                found.append(Finding(Kind.RED_LIGHT, f"light {number}", f"ran the red light {number}"))
        return found

    def figures(self) -> dict[str, Any]:
        """Red lights met and stopped at."""
        return {"red_lights_met": self.met, "red_lights_stopped": self.stopped}

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
