"""Judges a drive along a route, tick by tick, as CARLA's leaderboard does (spec F.1)."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import carla

from simlingo_drive.criteria.progress import RouteProgress
from simlingo_drive.criteria.result import COLLISIONS, Infraction, Kind, RouteResult, driving_score
from simlingo_drive.criteria.rules import EgoMotion, LaneKeeping, RedLights, StopSigns

#: The route ends when the ego is further from it, m (spec F.1).
DEVIATION_M = 30.0
#: The ego is blocked after this long below this speed (Bench2Drive, spec F.1).
BLOCKED_S = 60.0
BLOCKED_SPEED = 0.1
#: The route is complete above this share and nearer than this to its end, m (CARLA's RouteCompletion).
COMPLETE_SHARE = 0.99
COMPLETE_M = 10.0
#: Time given: a start and so much a metre, s (CARLA's leaderboard 1.0), never less than two blocked limits.
TIMEOUT_START_S = 5.0
TIMEOUT_PER_M = 0.8
TIMEOUT_LEAST_S = 2.0 * BLOCKED_S
#: A contact with the same actor (all that is static is one) counts again after this time without one, s, and not this
#: near to where it counted, m, unless the ego has been further away meanwhile, m (CARLA's CollisionTest).
SAME_ACTOR_S = 5.0
SAME_PLACE_M = 3.0
FORGOTTEN_M = 5.0


class RouteScorer:
    """Scores one ego on one route. Call ``tick`` once after every tick of the world, and ``close`` at the end."""

    def __init__(self, world: Any, ego: Any, route: list[carla.Transform]) -> None:
        """Begin now.

        Args:
            world: the embedded world or a carla.World in synchronous mode.
            ego: the vehicle to judge.
            route: lane centres about 1 m apart, in driving order.

        Raises:
            SimulatorError: the route is shorter than 1 m.
        """
        self._world, self._ego = world, ego
        self._progress = RouteProgress(route)
        self._red_lights = RedLights(list(world.get_actors().filter("traffic.traffic_light*")))
        self._stop_signs = StopSigns(list(world.get_actors().filter("traffic.stop*")))
        self._lanes = LaneKeeping(world.get_map())
        self._infractions: list[Infraction] = []
        self._begin = self._now = world.get_snapshot().timestamp.elapsed_seconds
        self._moved_at = self._begin
        self._status = "running"
        self._driven_m = 0.0
        self._last: tuple[float, float] | None = None
        self._last_speed = 0.0  # m/s, before the tick: a collision changes it
        self._was_outside = False
        self._invasions = 0
        self._hits: list[Any] = []
        self._last_hits: dict[int, float] = {}
        self._hit_places: dict[int | None, tuple[float, float]] = {}  # by actor; None: anything static
        self._sensors = [
            self._attach("sensor.other.collision", self._hits.append),
            self._attach("sensor.other.lane_invasion", self._count_invasion),
        ]

    @property
    def status(self) -> str:
        """running, completed, blocked, deviated or timeout."""
        return self._status

    def tick(self) -> None:
        """Judge the tick that the world has just made; nothing more happens once the route has ended."""
        if self._status != "running":
            return
        self._now = self._world.get_snapshot().timestamp.elapsed_seconds
        ego = self._motion()
        step = 0.0 if self._last is None else math.hypot(ego.x - self._last[0], ego.y - self._last[1])
        self._last = (ego.x, ego.y)
        self._driven_m += step
        self._progress.update(ego.x, ego.y)
        self._judge_collisions(ego)
        self._last_speed = ego.speed
        for light in self._red_lights.update(ego):
            self._note(Kind.RED_LIGHT, ego, f"light {light.id}", f"ran the red light {light.id}")
        for sign in self._stop_signs.update(ego):
            self._note(Kind.STOP_SIGN, ego, f"sign {sign.id}", f"did not stand at the stop sign {sign.id}")
        outside = self._lanes.update(ego, step)
        if outside and not self._was_outside:
            self._note(Kind.OUTSIDE_LANES, ego, "", "left the lanes of its direction")
        self._was_outside = outside
        self._judge_end(ego)

    def change_route(self, route: list[carla.Transform]) -> None:
        """Score along another route from here on; up to the ego it must be the old one (spec of ``route``: as before)."""
        progress = RouteProgress(route)
        progress.along = self._progress.along
        self._progress = progress

    def result(self) -> RouteResult:
        """The score so far, or of the whole route once ``status`` is no longer ``running``."""
        length = self._progress.length
        completion = 100.0 if self._status == "completed" else 100.0 * min(self._progress.along / length, 1.0)
        kinds = Counter(infraction.kind for infraction in self._infractions)
        return RouteResult(
            status=self._status,
            route_completion=completion,
            driving_score=driving_score(completion, kinds.elements(), self._lanes.share),
            infractions=list(self._infractions),
            outside_share=self._lanes.share,
            red_lights_met=self._red_lights.met,
            red_lights_stopped=self._red_lights.stopped,
            lane_invasions=self._invasions,
            driven_m=self._driven_m,
            route_m=length,
            duration_s=self._now - self._begin,
            collisions={kind.value.removeprefix("collision_"): kinds[kind] for kind in COLLISIONS},
        )

    def close(self) -> None:
        """Take the scorer's sensors out of the world."""
        for sensor in self._sensors:
            if sensor.is_alive:
                sensor.stop()
                sensor.destroy()

    def _attach(self, blueprint: str, callback: Any) -> Any:
        sensor = self._world.spawn_actor(
            self._world.get_blueprint_library().find(blueprint), carla.Transform(), attach_to=self._ego
        )
        sensor.listen(callback)
        return sensor

    def _count_invasion(self, _event: Any) -> None:
        self._invasions += 1

    def _motion(self) -> EgoMotion:
        pose, velocity, box = self._ego.get_transform(), self._ego.get_velocity(), self._ego.bounding_box
        front, rear = box.extent.x + box.location.x, box.extent.x - box.location.x
        speed = math.hypot(velocity.x, velocity.y)
        return EgoMotion(pose.location.x, pose.location.y, math.radians(pose.rotation.yaw), speed, front, rear)

    def _judge_collisions(self, ego: EgoMotion) -> None:
        """Count a contact once: two vehicles that stand locked into each other touch again and again."""
        self._hit_places = {
            key: place for key, place in self._hit_places.items() if math.dist(place, (ego.x, ego.y)) <= FORGOTTEN_M
        }
        hits = list(self._hits)
        self._hits.clear()  # the sensor holds on to this very list
        for event in hits:
            other = event.other_actor
            kind = _collision_kind(other.type_id)
            seen = self._last_hits.get(other.id)
            self._last_hits[other.id] = self._now
            if seen is not None and self._now - seen < SAME_ACTOR_S:
                continue
            key = None if kind == Kind.COLLISION_STATIC else other.id
            place = self._hit_places.get(key)
            if place is not None and math.dist(place, (ego.x, ego.y)) < SAME_PLACE_M:
                continue
            self._hit_places[key] = (ego.x, ego.y)
            self._note(kind, ego, other.type_id, f"hit {other.type_id} ({other.id}) at {self._last_speed:.1f} m/s")

    def _judge_end(self, ego: EgoMotion) -> None:
        progress = self._progress
        if ego.speed >= BLOCKED_SPEED:
            self._moved_at = self._now
        timeout = max(TIMEOUT_START_S + TIMEOUT_PER_M * progress.length, TIMEOUT_LEAST_S)
        if progress.along >= COMPLETE_SHARE * progress.length and progress.remaining < COMPLETE_M:
            self._status = "completed"
        elif progress.deviation > DEVIATION_M:
            self._status = "deviated"
            self._note(Kind.ROUTE_DEVIATION, ego, "", f"was {progress.deviation:.0f} m from the route")
        elif self._now - self._moved_at >= BLOCKED_S:
            self._status = "blocked"
            self._note(Kind.BLOCKED, ego, "", f"stood for {BLOCKED_S:.0f} s")
        elif self._now - self._begin >= timeout:
            self._status = "timeout"
            self._note(Kind.TIMEOUT, ego, "", f"had not arrived after {timeout:.0f} s")

    def _note(self, kind: Kind, ego: EgoMotion, other: str, text: str) -> None:
        self._infractions.append(Infraction(kind, self._now - self._begin, ego.x, ego.y, other, text))


def _collision_kind(type_id: str) -> Kind:
    """Kind of a collision by the other's blueprint (CARLA's CollisionTest)."""
    if type_id.startswith("walker."):
        return Kind.COLLISION_PEDESTRIAN
    return Kind.COLLISION_VEHICLE if type_id.startswith("vehicle.") else Kind.COLLISION_STATIC
