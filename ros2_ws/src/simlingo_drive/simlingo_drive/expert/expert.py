"""The expert: knows every road user, light and lane, and drives the route gently and without infractions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import carla
import numpy as np

from simlingo.contracts import SPEED_WAYPOINT_PERIOD_S, SPEED_WAYPOINTS, TICK_S, Command, EgoState, FloatArray
from simlingo.control.lateral import LateralController
from simlingo.geometry import map_to_ego
from simlingo.navigation.global_planner import GlobalPlanner
from simlingo_drive.expert.constants import CONSTANTS, ExpertConstants
from simlingo_drive.expert.forecast import forecast_ego, offset_points
from simlingo_drive.expert.junctions import Junctions
from simlingo_drive.expert.labels import path_label
from simlingo_drive.expert.obstacles import find_leads, forecast_stop, walker_stops
from simlingo_drive.expert.pedals import pedals
from simlingo_drive.expert.route import ExpertRoute, Place
from simlingo_drive.expert.signals import LightInfo, Signals
from simlingo_drive.expert.situation import Bound, Situation
from simlingo_drive.expert.standing import find_passages, read_things
from simlingo_drive.expert.traffic import TrafficView
from simlingo_drive.rig import ego_state


@dataclass(frozen=True)
class ExpertInfo:
    """What the expert saw and meant at one tick."""

    ego: EgoState
    target_speed: float  # m/s, wanted half a second from now
    speed_limit: float  # m/s
    acceleration: float  # m/s^2, wanted now
    place: Place  # on the route
    path: FloatArray  # (20, 2) m, ego frame, the path label (spec B.4)
    light: LightInfo
    lead_distance: float  # m, bumper to bumper; infinite without
    lead_id: int
    lead_speed: float  # m/s
    cause: Bound | None  # what bounds the speed; None: the road itself
    situation: Situation  # everything that bounds the speed
    junction: bool  # the ego is in a junction

    def stop_distance(self, reason: str) -> float | None:
        """Distance (m) along the route to the nearest stop of ``reason``; None without one."""
        places = [stop.s - self.place.s for stop in self.situation.stops if stop.reason == reason]
        return min(places) if places else None


class Expert:
    """Drives ``ego`` along one route; call ``run_step`` once a tick, before ``world.tick()``."""

    def __init__(
        self,
        world: Any,
        ego: Any,
        route: Sequence[tuple[Any, Command]],
        planner: GlobalPlanner | None = None,
        constants: ExpertConstants = CONSTANTS,
    ) -> None:
        """Prepare for a route.

        Args:
            world: carla.World or the embedded one; what stands there now (``static.prop.*``) is driven around.
            ego: the vehicle.
            route: carla.Waypoint and command, about a metre apart, as ``GlobalPlanner.trace`` gives it.
            planner: of this map; made here where it is missing (a second).
            constants: how to drive.
        """
        self._world, self._ego, self._constants = world, ego, constants
        planner = planner or GlobalPlanner(world.get_map())
        extended = extend(route)
        self._front = float(ego.bounding_box.extent.x + ego.bounding_box.location.x)
        self._half_width = float(ego.bounding_box.extent.y)
        straight = ExpertRoute(planner.polyline(extended), constants)
        things = read_things(world)
        self._passages = find_passages(straight, extended, things, self._front, self._half_width, constants)
        self.route = self._passages.route
        self._signals = Signals(world, self.route, constants)
        self._junctions = Junctions(world, self.route, extended, self._signals, constants)
        self._vehicles = TrafficView(world, ego, "vehicle.*", constants.forecast_radius + 15.0)
        self._walkers = TrafficView(world, ego, "walker.*", constants.forecast_radius)
        self._lateral = LateralController()
        self._acceleration = 0.0

    def run_step(self) -> tuple[carla.VehicleControl, ExpertInfo]:
        """Control for the next tick, and the reasons for it."""
        info = self.observe()
        throttle, brake = pedals(info.acceleration, info.ego.speed)
        steer = self._lateral.step(info.path, info.ego.speed)
        return carla.VehicleControl(throttle=throttle, steer=steer, brake=brake), info

    def observe(self) -> ExpertInfo:
        """The expert's view of the present state, whoever drives. Once a tick."""
        constants = self._constants
        ego = ego_state(self._world, self._ego)
        place = self.route.locate(ego.x, ego.y)
        situation, light = self._situation(ego, place)
        wanted, cause = situation.acceleration(self.route, place.s, ego.speed, 0.0, constants)
        if ego.speed < 0.1:
            wanted = max(wanted, -constants.comfort_deceleration)
        self._acceleration = wanted
        lead = situation.leads[0] if situation.leads else None
        return ExpertInfo(
            ego=ego,
            target_speed=max(ego.speed + 0.5 * wanted, 0.0),
            speed_limit=self._ego.get_speed_limit() / 3.6,
            acceleration=wanted,
            place=place,
            path=path_label(self.route, place, ego, constants),
            situation=situation,
            light=light,
            lead_distance=lead.rear_s - place.s - self._front if lead else math.inf,
            lead_id=lead.actor_id if lead else -1,
            lead_speed=lead.speed if lead else 0.0,
            cause=cause,
            junction=any(passage.begin < place.s < passage.end for passage in self._junctions.passages),
        )

    def places_ahead(self, info: ExpertInfo, speed: float | None = None) -> FloatArray:
        """Where the expert means to be at +0.25, ..., +2.5 s: (10,) m along the route, from a forecast of ``info``.

        It knows no more than ``info``: lights keep their state, other vehicles their speed. ``speed`` (m/s): as if the ego
        drove at it here, instead of at its own.
        """
        seconds = SPEED_WAYPOINTS * SPEED_WAYPOINT_PERIOD_S
        s, start = info.place.s, info.acceleration
        if speed is not None:
            start, _ = info.situation.acceleration(self.route, s, speed, 0.0, self._constants)
        else:
            speed = info.ego.speed
        track = forecast_ego(self.route, info.situation, s, speed, start, seconds, self._constants)
        every = round(SPEED_WAYPOINT_PERIOD_S / TICK_S)
        return np.asarray(track[every::every, 0])

    def speed_waypoints(self, info: ExpertInfo) -> FloatArray:
        """Speed waypoints (10, 2) m in the ego frame of ``info``, as a plan would hold them."""
        places, place = self.places_ahead(info), info.place
        return map_to_ego(offset_points(self.route, places, place.s, place.lateral, info.ego.speed), info.ego)

    def _situation(self, ego: EgoState, place: Place) -> tuple[Situation, LightInfo]:
        constants, s, speed = self._constants, place.s, ego.speed
        limit = self._ego.get_speed_limit() / 3.6
        free = min(constants.limit_ratio * limit, constants.max_speed)
        vehicles, walkers = self._vehicles.read(ego.x, ego.y), self._walkers.read(ego.x, ego.y)
        leads = find_leads(self.route, s, self._half_width, vehicles, constants)
        stops, light, _ = self._signals.update(s, speed, self._front)
        stops += walker_stops(self.route, s, speed, self._front, self._half_width, walkers, constants)
        bend, _ = self.route.bend(s + 5.0)
        stops += self._junctions.update(s, speed, self._front, min(free, max(bend, 4.0)), vehicles, leads)
        narrows, blocked = self._passages.ahead(s, constants.look_ahead)
        base = Situation(free, self._front, stops + blocked, leads, narrows)
        followed = {lead.actor_id for lead in leads}
        others = vehicles.without(followed)
        if len(others):
            stop = forecast_stop(
                self.route, s, self._ego_track(base, place, speed), self._front, self._half_width, others, constants
            )
            if stop is not None:
                return replace(base, stops=[*base.stops, stop]), light
        return base, light

    def _ego_track(self, situation: Situation, place: Place, speed: float) -> FloatArray:
        """(T, 4) of s, x, y, yaw in the next seconds for the forecast."""
        constants = self._constants
        seconds, step_s = constants.forecast_s, constants.forecast_step_s
        track = forecast_ego(self.route, situation, place.s, speed, self._acceleration, seconds, constants, step_s)
        places = track[:, 0]
        points = self.route.at(places)
        yaw = np.interp(places, self.route.s, self.route.yaw)
        return np.column_stack((places, points, yaw))


def extend(route: Sequence[tuple[Any, Command]], metres: int = 50) -> list[tuple[Any, Command]]:
    """``route`` continued along its lane beyond its end (spec N: 50 m), so that labels never run out of road."""
    extended = list(route)
    for _ in range(metres):
        following = extended[-1][0].next(1.0)
        if not following:
            break
        yaw = extended[-1][0].transform.rotation.yaw
        best = min(
            following, key=lambda waypoint: abs(math.sin(math.radians(waypoint.transform.rotation.yaw - yaw) / 2))
        )
        extended.append((best, Command.FOLLOW_LANE))
    return extended
