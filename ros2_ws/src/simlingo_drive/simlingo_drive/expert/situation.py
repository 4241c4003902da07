"""Everything that bounds the ego's speed at one tick, and the acceleration that follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from simlingo_drive.expert import laws
from simlingo_drive.expert.constants import ExpertConstants
from simlingo_drive.expert.route import ExpertRoute


@dataclass(frozen=True)
class Stop:
    """A place that the front bumper must not pass."""

    s: float  # m along the route
    reason: str  # "traffic_light", "stop_sign", "junction", "walker", "vehicle", "obstacle"
    actor_id: int = -1
    firm: bool = False  # full brake where it is late, instead of the firm deceleration


@dataclass(frozen=True)
class Lead:
    """A vehicle ahead on the ego's way."""

    rear_s: float  # m along the route, its nearest end
    speed: float  # m/s along the route, >= 0
    actor_id: int


@dataclass(frozen=True)
class Narrow:
    """A place where things leave little room beside the ego."""

    begin: float  # m along the route, of the ego's middle
    end: float  # m
    speed: float  # m/s, at most
    actor_id: int  # the first thing


#: What can bound the ego's speed beside the road itself.
Bound = Stop | Lead | Narrow


@dataclass(frozen=True)
class Situation:
    """The bounds; they hold as they are for the seconds of a forecast, leading vehicles keep their speed."""

    free_speed: float  # m/s
    front: float  # m, ego's middle to its front bumper
    stops: list[Stop] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)
    narrows: list[Narrow] = field(default_factory=list)

    def acceleration(
        self, route: ExpertRoute, s: float, speed: float, time: float, constants: ExpertConstants
    ) -> tuple[float, Bound | None]:
        """Acceleration (m/s^2) at ``s`` m and ``speed`` m/s, ``time`` s from now, and its cause (None: the road)."""
        allowed, slope = route.bend(s)
        best = min(
            laws.towards_speed(speed, self.free_speed, constants),
            laws.through_bend(speed, allowed, slope, constants),
        )
        cause: Bound | None = None
        for stop in self.stops:
            strongest = constants.emergency_deceleration if stop.firm else constants.firm_deceleration
            wanted = laws.stop_in(speed, stop.s - s - self.front, constants, strongest)
            if wanted < best:
                best, cause = wanted, stop
        for lead in self.leads:
            gap = lead.rear_s + lead.speed * time - s - self.front
            wanted = laws.follow(speed, gap, lead.speed, constants)
            if wanted < best:
                best, cause = wanted, lead
        for narrow in self.narrows:
            if s < narrow.end:
                wanted = laws.slow_to(speed, narrow.begin - s, narrow.speed, constants)
                if wanted < best:
                    best, cause = wanted, narrow
        return best, cause
