"""Small parts of collection on their own: frames that wait, places of second views, the log of lights, what a backend must offer."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import carla
import numpy as np
import pytest

from simlingo.contracts import EgoState, SimlingoError
from simlingo_drive.backends.base import Capability
from training.collect.boxes import _signal_record
from training.collect.episode import Episode
from training.collect.frame_recorder import FrameRecorder
from training.collect.settings import CollectSettings, route_job
from training.collect.standing import WaitingFrames
from training.collect.world_log import WorldLog


def test_of_a_wait_the_first_eight_frames_and_every_sixth_are_kept() -> None:
    waiting = WaitingFrames()
    assert all(waiting.keeps(5.0, 5.0) for _ in range(30))
    kept = [waiting.keeps(0.0, 0.0) for _ in range(26)]
    assert [number for number, one in enumerate(kept, 1) if one] == [*range(1, 9), 12, 18, 24]
    assert waiting.keeps(0.0, 0.3)  # it means to go on, which ends the wait
    assert [waiting.keeps(0.0, 0.0) for _ in range(9)] == [True] * 8 + [False]


@pytest.mark.parametrize(("speed", "target", "waits"), [(0.09, 0.29, True), (0.1, 0.29, False), (0.09, 0.3, False)])
def test_a_car_waits_that_stands_and_means_to(speed: float, target: float, waits: bool) -> None:
    waiting = WaitingFrames()
    assert [waiting.keeps(speed, target) for _ in range(9)] == [*[True] * 8, not waits]


def test_second_views_stand_on_both_sides_and_are_turned_both_ways() -> None:
    places: list[tuple[float, float]] = []
    camera: Any = SimpleNamespace(place_second=lambda *place: places.append(place))
    nothing: Any = None
    recorder = FrameRecorder(
        nothing, nothing, nothing, camera, None, nothing, nothing, np.random.default_rng(0), nothing
    )
    for _ in range(400):
        recorder._place_second()
    for values, most in zip(zip(*places, strict=True), (1.5, math.radians(20.0)), strict=True):
        assert -most <= min(values) < -0.97 * most
        assert 0.97 * most < max(values) <= most


def test_lights_are_logged_at_every_tick() -> None:
    light = SimpleNamespace(id=3, get_state=lambda: carla.TrafficLightState.Green)
    world = SimpleNamespace(get_actors=lambda: SimpleNamespace(filter=lambda kind: []))
    session: Any = SimpleNamespace(world=world, traffic_lights=[light])
    log = WorldLog(session)
    log.observe(0)
    log.observe(1)
    wanted = [{"tick": tick, "id": 3, "state": int(carla.TrafficLightState.Green)} for tick in (0, 1)]
    assert log.take() == {"actor_states": [], "light_states": wanted}
    assert log.take() == {"actor_states": [], "light_states": []}


@pytest.mark.parametrize(("yaw", "wanted"), [(170.0, -20.0), (-5.0, 165.0), (5.0, 175.0), (15.0, -175.0)])
def test_the_heading_of_a_signal_is_told_the_short_way_round(yaw: float, wanted: float) -> None:
    """Against an ego that looks along -170 degrees."""
    ego = EgoState(0, 10.0, 20.0, math.radians(-170.0), 0.0)
    info: Any = SimpleNamespace(ego=ego, light=SimpleNamespace(actor_id=5), situation=SimpleNamespace(stops=[]))
    pose = carla.Transform(carla.Location(14.0, 23.0, 1.0), carla.Rotation(yaw=yaw))
    volume = carla.BoundingBox(carla.Location(0.0, 0.0, 0.0), carla.Vector3D(1.0, 2.0, 3.0))
    actor = SimpleNamespace(id=5, trigger_volume=volume, get_transform=lambda: pose)
    (record,) = _signal_record("stop_sign", actor, info)
    assert math.degrees(record["yaw"]) == pytest.approx(wanted, abs=1e-4)
    assert record["distance"] == pytest.approx(5.0)
    assert record["affects_ego"]


class Lacking:
    """A backend that offers all but one thing, which is asked for first."""

    def __init__(self, backend: Any, lacks: Capability) -> None:
        self._backend, self._lacks = backend, lacks
        self.asked: list[Capability] = []

    def require(self, capability: Capability) -> None:
        self.asked.append(capability)
        if capability is self._lacks:
            raise SimlingoError(f"{capability.name} is not offered")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)


@pytest.mark.medium
@pytest.mark.parametrize(
    "lacks",
    [Capability.DOMAIN_RANDOMISATION, Capability.ANY_VIEW, Capability.DRAWN_VEHICLE, Capability.OTHER_LIGHT],
)
def test_what_a_world_does_not_offer_is_refused_before_a_frame_is_taken(
    lacks: Capability, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = CollectSettings(tmp_path, ("gridtown",), procedural=0.0, seed=3)
    backend = Lacking(settings.backend(), lacks)
    monkeypatch.setattr(CollectSettings, "backend", lambda self: backend)
    file: Any = None

    def drive() -> None:
        for index in range(4):  # three routes in four are painted
            Episode(settings, route_job(settings, index)).run(file, lambda frames: True)

    with pytest.raises(SimlingoError, match=lacks.name):
        drive()
