"""Which traffic light the vehicle is about to meet, from the simulator's lists. Shown to people; nothing drives by it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from carla_msgs.msg import CarlaTrafficLightInfo, CarlaTrafficLightStatus
from geometry_msgs.msg import Point

from simlingo.contracts import EgoState
from simlingo_node.conversions import point_to_carla_location, yaw_of

#: A light is shown while the end of its stop area is this near ahead, m, ...
SHOWN_WITHIN_M = 45.0
#: ... and its middle this near to the line straight ahead, m: half a lane, so that the other direction's light stays out.
HALF_LANE_M = 2.0

STATE_NAMES = {
    CarlaTrafficLightStatus.RED: "red",
    CarlaTrafficLightStatus.YELLOW: "yellow",
    CarlaTrafficLightStatus.GREEN: "green",
}


@dataclass(frozen=True)
class StopArea:
    """The area before a stop line: its middle in the map frame of the core, and half its length, m."""

    x: float
    y: float
    reach: float


def stop_area(info: CarlaTrafficLightInfo) -> StopArea:
    """The stop area of a light: its trigger volume, which is given relative to the light's own pose.

    Which of its sides lies along the road the message does not say; it is the longer one for a single lane.
    """
    position, center, size = info.transform.position, info.trigger_volume.center, info.trigger_volume.size
    yaw = yaw_of(info.transform.orientation)
    middle = Point(
        x=position.x + center.x * math.cos(yaw) - center.y * math.sin(yaw),
        y=position.y + center.x * math.sin(yaw) + center.y * math.cos(yaw),
    )
    x, y, _ = point_to_carla_location(middle)
    return StopArea(x, y, max(size.x, size.y) / 2.0)


def light_ahead(areas: dict[int, StopArea], states: dict[int, int], ego: EgoState) -> dict[str, object] | None:
    """State of the nearest light ahead, and the distance (m) to the end of its stop area, where the line is.

    ``None`` without one that shows red, yellow or green. A car that waits in the area still has its light ahead.
    """
    best: tuple[float, str] | None = None
    cos, sin = math.cos(ego.yaw), math.sin(ego.yaw)
    for number, area in areas.items():
        dx, dy = area.x - ego.x, area.y - ego.y
        ahead, aside = dx * cos + dy * sin + area.reach, -dx * sin + dy * cos
        name = STATE_NAMES.get(states.get(number, CarlaTrafficLightStatus.UNKNOWN))
        if name is None or not 0.0 < ahead < SHOWN_WITHIN_M or abs(aside) > HALF_LANE_M:
            continue
        if best is None or ahead < best[0]:
            best = (ahead, name)
    return None if best is None else {"state": best[1], "distance": round(best[0], 1)}
