"""Corrected on-policy data: a model drives for stretches, the expert labels, and takes over where the model is lost."""

from __future__ import annotations

import math
from itertools import groupby
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import carla
import numpy as np
import pytest
from collect_cases import Recording, record

from simlingo.contracts import Command, DrivingPlan, EgoState, ImageArray, Navigation, Observation
from simlingo.geometry import ego_to_map, project_onto_polyline
from simlingo_drive.drivers.frames import ViewFrames
from simlingo_drive.drivers.model import Pilot
from training.collect.policy_drive import EXPERT_S, MODEL_S, PLAN_EVERY, RESCUE_M, PolicyStretches
from training.collect.settings import RouteJob

#: Drives for many seconds.
pytestmark = pytest.mark.medium

NAVIGATION = Navigation(np.array([[20.0, 0.0], [40.0, 0.0]]), Command.FOLLOW_LANE, Command.FOLLOW_LANE, 0.0)


def ego(tick: int) -> EgoState:
    return EgoState(50_000_000 * (tick + 1), 1.0, 2.0, 0.3, 5.0)


class Veering:
    """A small policy: half throttle, bending to one side."""

    name, licence, simulation_only = "veering", "none", False

    def __init__(self, side: float = 0.0) -> None:
        self.side, self.observations, self.resets = side, list[Observation](), 0

    def reset(self) -> None:
        self.resets += 1

    def plan(self, observation: Observation) -> DrivingPlan:
        self.observations.append(observation)
        steps = np.arange(20.0)
        path = np.stack((steps, self.side * 0.02 * steps**2), axis=1)
        waypoints = np.stack((1.25 * np.arange(1.0, 11.0), np.zeros(10)), axis=1)
        return DrivingPlan(observation.stamp, path, waypoints)

    def set_instruction(self, instruction: Any) -> None: ...

    def ask(self, question: str) -> Any:
        raise NotImplementedError

    def close(self) -> None: ...


class Camera:
    """Grey, and counts."""

    def __init__(self) -> None:
        self.poses: list[EgoState] = []

    def rgb(self, pose: EgoState) -> ImageArray:
        self.poses.append(pose)
        return np.full((512, 1024, 3), 128, np.uint8)


def stretches(seed: int = 0, side: float = 0.0) -> tuple[PolicyStretches, Veering, Camera]:
    policy, camera = Veering(side), Camera()
    frames = ViewFrames(SimpleNamespace(ego_state=lambda: ego(0)), camera, PLAN_EVERY)  # type: ignore[arg-type]
    return PolicyStretches(Pilot(policy, frames), np.random.default_rng(seed)), policy, camera


def test_model_and_expert_take_turns_for_their_seconds() -> None:
    made, _, _ = stretches()
    drives = [made.control(tick, ego(tick), NAVIGATION, 0.1) is not None for tick in range(12000)]
    runs = [(model, len(list(ticks)) / 20.0) for model, ticks in groupby(drives)]
    assert not drives[0], "the expert begins"
    model = [seconds for drove, seconds in runs[1:-1] if drove]
    expert = [seconds for drove, seconds in runs[1:-1] if not drove]
    assert len(model) > 20
    for found, (least, most) in ((model, MODEL_S), (expert, EXPERT_S)):
        assert least - 0.06 <= min(found) < least + 0.4 * (most - least)
        assert most >= max(found) > most - 0.4 * (most - least)
    assert (MODEL_S, EXPERT_S) == ((6.0, 25.0), (1.0, 4.0))


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_the_expert_takes_over_from_a_model_that_is_lost_on_either_side(side: float) -> None:
    made, _, _ = stretches(1)
    tick = 0
    while made.control(tick, ego(tick), NAVIGATION, 0.0) is None:
        tick += 1
    assert made.control(tick + 1, ego(tick + 1), NAVIGATION, side * (RESCUE_M - 0.05)) is not None
    assert made.control(tick + 2, ego(tick + 2), NAVIGATION, side * (RESCUE_M + 0.05)) is None
    # The expert keeps the wheel for its time, although it begins beside the route.
    kept = [made.control(tick + 3 + step, ego(tick + 3 + step), NAVIGATION, side * 2.5) is None for step in range(18)]
    assert all(kept)
    assert RESCUE_M == 2.2


def test_the_model_begins_each_stretch_with_a_fresh_plan_at_whatever_tick() -> None:
    made, policy, camera = stretches(2)
    before, starts = False, []
    for tick in range(3000):
        count = len(policy.observations)
        drives = made.control(tick, ego(tick), NAVIGATION, 0.0) is not None
        planned = len(policy.observations) > count
        if drives and not before:
            starts.append(tick)
            assert planned, "it would follow a plan from before the expert drove"
        elif drives:
            assert planned == (tick % PLAN_EVERY == 0)
        else:
            assert not planned
        before = drives
    assert {start % 2 for start in starts} == {0, 1}
    assert len(camera.poses) == len(policy.observations)
    seen = policy.observations[0]
    assert (seen.stamp, seen.speed) == (ego(starts[0]).stamp, 5.0)
    assert (seen.navigation.target_points == NAVIGATION.target_points).all()


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    job = RouteJob(0, "gridtown", 4, "clear_noon", 0, 0)
    return record(
        tmp_path_factory.mktemp("policy"), job, frames=110, policy=Veering(1.0), counterfactual=False, repaint=False
    )


def test_a_model_that_leaves_the_lane_is_labelled_back_by_the_expert(drive: Recording) -> None:
    rows = drive.view("ego")
    route = drive.episode.expert.route
    lateral = []
    for row in rows:
        gap = route.points - (row["ego_x_m"], row["ego_y_m"])
        nearest = int(np.argmin(np.hypot(*gap.T)))
        yaw = route.yaw[nearest]
        lateral.append(float(gap[nearest] @ (math.sin(yaw), -math.cos(yaw))))
    drove = [row["model_drives"] for row in rows]
    assert 5 < sum(drove) < len(rows) - 5
    assert not any(row["disturbed"] for row in rows if row["model_drives"])
    assert 1.0 < max(lateral) < RESCUE_M + 1.5
    assert max(there for there, model in zip(lateral, drove, strict=True) if model) < RESCUE_M + 0.1
    far = [(row, there) for row, there in zip(rows, lateral, strict=True) if there > 1.0]
    assert far
    for row, _ in far:
        here = EgoState(0, row["view_x_m"], row["view_y_m"], row["view_yaw_rad"], 0.0)
        back = ego_to_map(row["path_m"][12:], here)
        assert max(project_onto_polyline(route.points, point)[2] for point in back) < 0.3
    assert drive.route.meta["policy"] is None  # the settings named none: the policy was given


def test_a_drive_that_is_told_to_end_says_so(drive: Recording) -> None:
    meta = drive.route.meta
    assert (drive.route.frames, meta["ended_early"], meta["driven_frames"]) == (110, True, 110)
    assert drive.told[-1] == 110
    assert meta["result"]["status"] == "running"


def test_an_infraction_takes_the_frames_before_it_out(tmp_path: Path) -> None:
    """Another vehicle is set onto the ego's way: the drive ends there, and two seconds before it are not kept."""
    hit: list[int] = []

    def ram(episode: Any, tick: int) -> None:
        world, ego = episode.session.world, episode.session.ego
        if len(hit) == 0 and tick >= 100 and ego.get_velocity().length() > 3.0:
            hit.append(tick)
            other = next(actor for actor in world.get_actors().filter("vehicle.*") if actor.id != ego.id)
            other.set_autopilot(False)
            pose = ego.get_transform()
            forward = pose.get_forward_vector()
            pose.location.x += 5.2 * forward.x
            pose.location.y += 5.2 * forward.y
            other.set_transform(pose)
            other.set_target_velocity(carla.Vector3D())

    job = RouteJob(0, "gridtown", 4, "clear_noon", 8, 0)
    made = record(tmp_path, job, watch=ram, counterfactual=False, repaint=False)
    (infraction,) = made.route.meta["result"]["infractions"]
    assert infraction["kind"] == "collision_vehicle"
    ticks = round(infraction["time"] * 20) - 1  # one tick of the world is made before the drive
    ended = -(-ticks // 5) * 5
    assert max(made.truth) - min(made.truth) == ended - 5
    assert made.rows[-1]["frame"] == ended // 5 - 8 - 1
    assert not made.route.meta["ended_early"]
    assert made.route.meta["driven_frames"] == made.route.frames
    assert any(row["disturbed"] for row in made.rows) or len(made.rows) < 100
    start = made.route.meta["waypoints"][0]
    assert 0.01 < math.dist((made.rows[0]["ego_x_m"], made.rows[0]["ego_y_m"]), start[:2]) < 0.6
    assert 0.0 < abs(made.rows[0]["ego_yaw_rad"] - start[2]) < math.radians(4.5)
