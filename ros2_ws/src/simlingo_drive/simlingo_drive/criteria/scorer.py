"""A list of criteria makes a score: judges a drive along a route, tick by tick, as CARLA's leaderboard does (spec F.1)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import carla

from simlingo_drive.criteria.base import Criterion, EgoMotion, Infraction
from simlingo_drive.criteria.blocked import Blocked
from simlingo_drive.criteria.collision import Collisions
from simlingo_drive.criteria.completion import Completion
from simlingo_drive.criteria.deviation import RouteDeviation
from simlingo_drive.criteria.lane import LaneInvasions, LaneKeeping
from simlingo_drive.criteria.red_light import RedLights
from simlingo_drive.criteria.route_progress import RouteProgress
from simlingo_drive.criteria.score import COLLISIONS, RouteResult, driving_score
from simlingo_drive.criteria.stop_sign import StopSigns
from simlingo_drive.criteria.timeout import RouteTimeout


def default_criteria(world: Any, ego: Any, progress: RouteProgress) -> list[Criterion]:
    """The criteria of a score, in the order in which they judge a tick; the first that ends the route decides how."""
    return [
        Collisions(world, ego),
        LaneInvasions(world, ego),
        RedLights(world),
        StopSigns(world),
        LaneKeeping(world),
        Completion(progress),
        RouteDeviation(progress),
        Blocked(),
        RouteTimeout(progress),
    ]


class RouteScorer:
    """Scores one ego on one route. Call ``tick`` once after every tick of the world, and ``close`` at the end."""

    def __init__(
        self, world: Any, ego: Any, route: list[carla.Transform], criteria: Sequence[Criterion] | None = None
    ) -> None:
        """Begin now.

        Args:
            world: the embedded world or a carla.World in synchronous mode.
            ego: the vehicle to judge.
            route: lane centres about 1 m apart, in driving order.
            criteria: what to judge beside the default list.

        Raises:
            InvalidInputError: the route is shorter than 1 m.
        """
        self._world, self._ego = world, ego
        self.progress = RouteProgress(route)
        self._criteria = [*default_criteria(world, ego, self.progress), *(criteria or ())]
        self._infractions: list[Infraction] = []
        self._begin = world.get_snapshot().timestamp.elapsed_seconds
        self._status = "running"
        self._last: tuple[float, float] | None = None

    @property
    def status(self) -> str:
        """running, completed, blocked, deviated or timeout."""
        return self._status

    def tick(self) -> None:
        """Judge the tick that the world has just made; nothing more happens once the route has ended."""
        if self._status != "running":
            return
        ego = self._motion()
        self._last = (ego.x, ego.y)
        self.progress.update(ego.x, ego.y)
        for criterion in self._criteria:
            self._infractions += [
                Infraction(found.kind, ego.time, ego.x, ego.y, found.other, found.text)
                for found in criterion.update(ego)
            ]
            if criterion.ending:
                self._status = criterion.ending
                return

    def change_route(self, route: list[carla.Transform]) -> None:
        """Score along another route from here on; up to the ego it must be the old one."""
        self.progress.follow(route)

    def result(self) -> RouteResult:
        """The score so far, or of the whole route once ``status`` is no longer ``running``."""
        figures = {name: value for criterion in self._criteria for name, value in criterion.figures().items()}
        kinds = Counter(infraction.kind for infraction in self._infractions)
        factor = math.prod(criterion.factor() for criterion in self._criteria)
        return RouteResult(
            status=self._status,
            driving_score=driving_score(figures["route_completion"], kinds.elements(), factor),
            infractions=list(self._infractions),
            collisions={kind.value.removeprefix("collision_"): kinds[kind] for kind in COLLISIONS},
            **figures,
        )

    def close(self) -> None:
        """Take the criteria's sensors out of the world."""
        for criterion in self._criteria:
            criterion.close()

    def _motion(self) -> EgoMotion:
        pose, velocity, box = self._ego.get_transform(), self._ego.get_velocity(), self._ego.bounding_box
        x, y = pose.location.x, pose.location.y
        return EgoMotion(
            x,
            y,
            math.radians(pose.rotation.yaw),
            math.hypot(velocity.x, velocity.y),
            front=box.extent.x + box.location.x,
            rear=box.extent.x - box.location.x,
            now=self._world.get_snapshot().timestamp.elapsed_seconds,
            begin=self._begin,
            step=0.0 if self._last is None else math.hypot(x - self._last[0], y - self._last[1]),
        )
