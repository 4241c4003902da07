"""Infractions and the arithmetic of the driving score (spec F.1)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from simlingo_drive.criteria.base import Infraction, Kind

#: Factor of each infraction of a kind (spec F.1); kinds that end the route cost the rest of it instead.
PENALTIES: dict[Kind, float] = {
    Kind.COLLISION_PEDESTRIAN: 0.5,
    Kind.COLLISION_VEHICLE: 0.6,
    Kind.COLLISION_STATIC: 0.65,
    Kind.RED_LIGHT: 0.7,
    Kind.STOP_SIGN: 0.8,
}
COLLISIONS = (Kind.COLLISION_PEDESTRIAN, Kind.COLLISION_VEHICLE, Kind.COLLISION_STATIC)


@dataclass(frozen=True)
class RouteResult:
    """Score of a route, final or so far."""

    status: str  # running, completed, blocked, deviated, timeout
    route_completion: float  # %
    driving_score: float  # 0 to 100
    infractions: list[Infraction]
    outside_share: float  # share of the driven metres outside the lanes of the route, 0 to 1
    red_lights_met: int  # red lights that the ego stopped at or ran
    red_lights_stopped: int  # those that it stopped at
    lane_invasions: int  # crossings of lane marks; cost nothing
    driven_m: float
    route_m: float
    duration_s: float  # simulation time
    collisions: dict[str, int] = field(default_factory=dict)  # per kind: pedestrian, vehicle, static

    @property
    def driven_km(self) -> float:
        """Driven distance, km."""
        return self.driven_m / 1000.0

    @property
    def clean(self) -> bool:
        """No infraction at all."""
        return not self.infractions

    @property
    def success(self) -> bool:
        """Completed without infraction."""
        return self.status == "completed" and self.clean

    def to_json(self) -> dict[str, Any]:
        """Plain data for a JSON file, numbers rounded to what they mean."""
        return {
            "status": self.status,
            "route_completion": round(self.route_completion, 3),
            "driving_score": round(self.driving_score, 3),
            "outside_share": round(self.outside_share, 5),
            "red_lights_met": self.red_lights_met,
            "red_lights_stopped": self.red_lights_stopped,
            "lane_invasions": self.lane_invasions,
            "driven_m": round(self.driven_m, 2),
            "route_m": round(self.route_m, 2),
            "duration_s": round(self.duration_s, 2),
            "collisions": dict(self.collisions),
            "infractions": [
                {
                    "kind": infraction.kind.value,
                    "time": round(infraction.time, 2),
                    "location": [round(infraction.x, 2), round(infraction.y, 2)],
                    "other": infraction.other,
                    "text": infraction.text,
                }
                for infraction in self.infractions
            ],
        }


def driving_score(route_completion: float, kinds: Iterable[Kind], factor: float = 1.0) -> float:
    """Route completion (%) times the penalty of every infraction, times ``factor`` (such as the share inside the lanes)."""
    score = route_completion
    for kind in kinds:
        score *= PENALTIES.get(kind, 1.0)
    return score * factor
