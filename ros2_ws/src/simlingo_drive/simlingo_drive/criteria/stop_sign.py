"""Stop signs: the ego must stand within their trigger volume (CARLA's RunningStopTest)."""

from __future__ import annotations

import math
from typing import Any

import carla

from simlingo_drive.criteria.base import Criterion, EgoMotion, Finding, Kind

#: A stop sign asks for less than this, m/s (CARLA's criterion).
STOP_SPEED = 0.1


class StopSigns(Criterion):
    """A stop sign is run when the ego leaves its trigger volume without having stood in it (CARLA)."""

    def __init__(self, world: Any) -> None:
        self._signs = list(world.get_actors().filter("traffic.stop*"))
        self._inside: dict[int, bool] = {}  # id of the sign -> has stood

    def update(self, ego: EgoMotion) -> list[Finding]:
        """The stop signs run at this tick."""
        found = []
        for sign in self._signs:
            inside = self._is_inside(sign, ego)
            if inside:
                stands = ego.speed < STOP_SPEED
                self._inside[sign.id] = self._inside.get(sign.id, False) or stands
            elif sign.id in self._inside and not self._inside.pop(sign.id):
                text = f"did not stand at the stop sign {sign.id}"
                found.append(Finding(Kind.STOP_SIGN, f"sign {sign.id}", text))
        return found

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
