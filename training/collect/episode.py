"""Drive one route and write what the camera saw and the expert meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import carla
import numpy as np

from simlingo.contracts import Command
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner
from simlingo.navigation.route import RoutePlanner
from simlingo.policy import Policy
from simlingo_drive.backends.base import Capability
from simlingo_drive.criteria import Kind, RouteScorer
from simlingo_drive.drivers.frames import ViewFrames
from simlingo_drive.drivers.model import Pilot
from simlingo_drive.expert import CONSTANTS, Expert
from simlingo_drive.rig import DROP_M
from simlingo_drive.rollout import Hook, Score, roll_out
from simlingo_drive.routes import draw_training_route, sign_lines
from simlingo_drive.session import Session, open_session
from training.collect.collect_driver import CollectDriver
from training.collect.disturbance import Disturbance
from training.collect.frame_recorder import FRAME_EVERY, FrameRecorder
from training.collect.policy_drive import PLAN_EVERY, PolicyStretches
from training.collect.second_view import SecondViews
from training.collect.settings import FRAMES_BEFORE_INFRACTION, PROCEDURAL, CollectSettings, RouteJob
from training.collect.world_log import WorldLog, describe_objects, describe_signals
from training.datasets.writer import RouteFile, store_map

#: Longest drive, ticks.
MOST_TICKS = 6000
#: The ego starts so far beside its lane's middle, m, and turned by so much, degrees.
START_SIDEWAYS_M, START_TURN_DEG = 0.5, 4.0
#: The expert stands only a moment at a stop sign: how long it has stood is nothing that one picture shows.
EXPERT = replace(CONSTANTS, sign_stop_ticks=3)
#: Share of the routes whose town is drawn in other colours than its own.
PAINTED_SHARE = 0.75
#: Green time of the lights on a route, s; shorter than the town's own, for more starts and stops.
GREEN_S = 4.0, 10.0

#: Infractions that end an expert's route, and one that a model drives part of.
ENDING = frozenset({Kind.COLLISION_PEDESTRIAN, Kind.COLLISION_VEHICLE, Kind.COLLISION_STATIC})
ENDING_EXPERT = ENDING | {Kind.RED_LIGHT, Kind.STOP_SIGN}


class Episode:
    """One route of a collection: a world, an ego, an expert, and the hooks that write."""

    def __init__(
        self, settings: CollectSettings, job: RouteJob, policy: Policy | None = None, ego_views_only: bool = False
    ) -> None:
        self._settings, self._job, self._policy, self._ego_views_only = settings, job, policy, ego_views_only
        self._rng = np.random.default_rng((job.seed, 2))
        self._backend = settings.backend()
        self.session = self._open()
        world = self.session.world
        planner = GlobalPlanner(self.session.map)
        self.dense = draw_training_route(self.session.map, planner, self._rng, sign_lines(world))
        start = self._start(self.dense)
        green_s = float(self._rng.uniform(*GREEN_S))
        for light in self.session.traffic_lights:
            light.set_green_time(green_s)
        self.session.begin(start, job.vehicles, job.walkers, job.seed, obstacles=job.obstacles)
        self.expert = Expert(world, self.session.ego, self.dense, planner, EXPERT)
        self._route = RoutePlanner(planner.polyline(self.dense), [Command(command) for _, command in self.dense])
        paint = None
        if settings.repaint and self._rng.random() < PAINTED_SHARE:
            self._backend.require(Capability.DOMAIN_RANDOMISATION)
            paint = np.random.default_rng((job.seed, 3))
        self.camera = self._backend.views(world, self.session.ego, paint)

    def _open(self) -> Session:
        job = self._job
        if job.town == PROCEDURAL:
            self._backend.require(Capability.PROCEDURAL_TOWN)
            return Session(self._backend, self._backend.procedural_town((job.seed, 4), job.seed), job.weather)
        return open_session(self._backend, job.town, job.seed, job.weather)

    def _start(self, dense: DenseRoute) -> carla.Transform:
        """Where the ego begins: near the middle of its lane."""
        pose, perturbed = dense[0][0].transform, float(self._settings.perturb)
        sideways = float(self._rng.uniform(-START_SIDEWAYS_M, START_SIDEWAYS_M)) * perturbed
        turn = float(self._rng.uniform(-START_TURN_DEG, START_TURN_DEG)) * perturbed
        right, place = pose.get_right_vector(), pose.location
        spot = carla.Location(place.x + right.x * sideways, place.y + right.y * sideways, place.z + DROP_M)
        return carla.Transform(spot, carla.Rotation(yaw=pose.rotation.yaw + turn))

    def run(self, file: RouteFile, told: Callable[[int], bool]) -> dict[str, Any]:
        """Drive to the end of the route, to the first infraction, or until nothing moves; returns the metadata.

        ``told`` hears the number of frames now and then; True ends the drive.
        """
        session, settings = self.session, self._settings
        scorer = RouteScorer(session.world, session.ego, [waypoint.transform for waypoint, _ in self.dense])
        disturbance = Disturbance(self._rng) if settings.perturb else None
        driver = CollectDriver(self.expert, self._route, disturbance, self._stretches())
        second_views = None
        if settings.counterfactual:
            for capability in (Capability.ANY_VIEW, Capability.DRAWN_VEHICLE, Capability.OTHER_LIGHT):
                self._backend.require(capability)
            second_views = SecondViews(self._backend, session.world, self.expert, self._rng)
        log = WorldLog(session)
        recorder = FrameRecorder(
            session, driver, self.expert, self.camera, second_views, log, file, self._rng, told, self._ego_views_only
        )
        session.tick()  # cameras that are sensors see nothing before
        ends = ENDING_EXPERT if self._policy is None else ENDING
        try:
            roll_out(session, driver, [log, recorder, Score(scorer), EndAtInfraction(scorer, file, ends)], MOST_TICKS)
            return {**self._meta(scorer.result().to_json(), log), "ended_early": recorder.finished}
        finally:
            self.camera.close()
            session.close()

    def _stretches(self) -> PolicyStretches | None:
        if self._policy is None:
            return None
        return PolicyStretches(Pilot(self._policy, ViewFrames(self.session, self.camera, PLAN_EVERY)), self._rng)

    def _meta(self, result: dict[str, Any], log: WorldLog) -> dict[str, Any]:
        opendrive, decor = self._backend.map_files(self.session.world)
        weather = self.session.world.get_weather()
        return {
            "town": self._job.town,
            "map": store_map(self._settings.out, opendrive, decor),
            "weather": {"name": self._job.weather, **_numbers(weather)},
            "job": asdict(self._job),
            "policy": self._settings.policy,
            "perturb": self._settings.perturb,
            "expert": asdict(EXPERT),
            "waypoints": [_waypoint(waypoint, command) for waypoint, command in self.dense],
            "actors": list(log.seen.values()),
            "objects": describe_objects(self.session),
            **describe_signals(self.session, self._backend),
            "result": result,
        }


class EndAtInfraction(Hook):
    """Ends the drive at an infraction, and takes the frames before it out again."""

    def __init__(self, scorer: RouteScorer, file: RouteFile, kinds: frozenset[Kind]) -> None:
        self._scorer, self._file, self._kinds = scorer, file, kinds

    def judge(self, tick: int) -> None:
        """Look once a frame."""
        driven = tick + 1
        if driven % FRAME_EVERY == 0 and any(found.kind in self._kinds for found in self._scorer.result().infractions):
            self._file.cut(driven // FRAME_EVERY - FRAMES_BEFORE_INFRACTION)
            self.finished = True


def _waypoint(waypoint: Any, command: Command) -> list[float]:
    """x (m), y (m), yaw (rad) and command."""
    pose = waypoint.transform
    return [
        round(pose.location.x, 3),
        round(pose.location.y, 3),
        round(float(np.radians(pose.rotation.yaw)), 5),
        int(command),
    ]


def _numbers(weather: carla.WeatherParameters) -> dict[str, float]:
    names = [name for name in dir(weather) if not name.startswith("_")]
    return {name: float(value) for name in names if isinstance(value := getattr(weather, name), float)}
