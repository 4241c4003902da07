"""Each criterion by itself, and the speed that the traffic around keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import carla
import pytest
from expert_world import Car, StubWorld

from simlingo.contracts import InvalidInputError
from simlingo_drive.criteria.base import EgoMotion, Kind
from simlingo_drive.criteria.blocked import BLOCKED_S, Blocked
from simlingo_drive.criteria.collision import collision_kind
from simlingo_drive.criteria.completion import Completion
from simlingo_drive.criteria.deviation import DEVIATION_M, RouteDeviation
from simlingo_drive.criteria.lane import LaneKeeping
from simlingo_drive.criteria.minimum_speed import AROUND_M, CHECKPOINTS, LEAST_FACTOR, MinimumSpeed
from simlingo_drive.criteria.red_light import RedLights
from simlingo_drive.criteria.route_progress import RouteProgress
from simlingo_drive.criteria.timeout import RouteTimeout


def straight(metres: int = 400) -> RouteProgress:
    return RouteProgress([carla.Transform(carla.Location(float(x), 0.0, 0.0)) for x in range(metres + 1)])


def at(
    x: float, y: float = 0.0, speed: float = 5.0, now: float = 0.0, step: float = 0.0, yaw: float = 0.0
) -> EgoMotion:
    return EgoMotion(x, y, yaw, speed, front=2.4, rear=2.4, now=now + 100.0, begin=100.0, step=step)


@dataclass
class Other(Car):
    """A vehicle with a place."""

    def get_location(self) -> carla.Location:
        return self.get_transform().location


def with_traffic(*others: Other) -> StubWorld:
    world = StubWorld()
    world.actors.extend([Other(1, 0.0, 0.0), *others])
    return world


def drive(minimum: MinimumSpeed, progress: RouteProgress, speeds: Sequence[float]) -> list[str]:
    """A tick a metre along the route at the speed of its quarter; what was found."""
    found = []
    for metre in range(1, 401):
        progress.update(float(metre), 0.0)
        found += minimum.update(at(float(metre), speed=speeds[min((metre - 1) // 100, 3)]))
    assert all(finding.kind == Kind.MINIMUM_SPEED for finding in found)
    return [finding.text for finding in found]


def test_an_ego_as_fast_as_the_traffic_loses_nothing() -> None:
    world: Any = with_traffic(Other(2, 200.0, 3.0, speed=8.0), Other(3, 200.0, -3.0, speed=4.0))
    progress = straight()
    minimum = MinimumSpeed(world, world.actors[0], progress)
    assert drive(minimum, progress, [6.0, 6.0, 6.0, 6.0]) == []
    assert (minimum.percent, minimum.factor()) == (100.0, 1.0)
    assert minimum.shares == [100.0, 100.0]  # nobody was near on the first and the last quarter


def test_a_slow_ego_loses_its_share_on_each_stretch_with_traffic() -> None:
    world: Any = with_traffic(*(Other(2 + number, 40.0 * number, 3.0, speed=8.0) for number in range(11)))
    progress = straight()
    minimum = MinimumSpeed(world, world.actors[0], progress)
    texts = drive(minimum, progress, [8.0, 4.0, 9.0, 2.0])
    assert len(minimum.shares) == CHECKPOINTS == 4
    assert minimum.shares == pytest.approx([100.0, 50.0, 100.0, 25.0], abs=1.0)
    assert minimum.percent == pytest.approx(69.0, abs=1.0)
    assert len(texts) == 2
    assert "50 % of the speed of the traffic around" in texts[0]
    assert minimum.factor() == pytest.approx(1.0 - 0.3 * (1.0 - minimum.percent / 100.0))


def test_an_ego_that_stands_is_multiplied_by_the_least_and_own_speed_is_no_traffic() -> None:
    world: Any = with_traffic(Other(2, 0.0, 0.0, speed=7.0))
    world.actors[0].speed = 30.0
    progress = straight()
    minimum = MinimumSpeed(world, world.actors[0], progress)
    minimum.update(at(0.0, speed=0.0))
    progress.update(15.0, 0.0)
    progress.along = 101.0
    assert len(minimum.update(at(AROUND_M + 10.0, speed=3.0))) == 1
    assert minimum.shares == [0.0]
    assert minimum.factor() == pytest.approx(LEAST_FACTOR)
    alone: Any = with_traffic()
    nobody = MinimumSpeed(alone, alone.actors[0], straight())
    assert nobody.update(at(1.0)) == []
    assert nobody.factor() == 1.0
    assert nobody.figures() == {}


def test_an_ego_that_stands_for_a_minute_is_blocked() -> None:
    blocked = Blocked()
    assert blocked.update(at(0.0, speed=0.0, now=BLOCKED_S - 1.0)) == []
    assert blocked.update(at(0.0, speed=0.1, now=BLOCKED_S - 0.5)) == []
    assert blocked.update(at(0.0, speed=0.0, now=2 * BLOCKED_S - 0.6)) == []
    assert blocked.ending == ""
    (found,) = blocked.update(at(0.0, speed=0.05, now=2 * BLOCKED_S - 0.5))
    assert (found.kind, found.text, blocked.ending) == (Kind.BLOCKED, "stood for 60 s", "blocked")


def test_an_ego_that_never_moves_is_blocked_from_the_begin() -> None:
    blocked = Blocked()
    assert [len(blocked.update(at(0.0, speed=0.0, now=now))) for now in (1.0, 59.9, 60.0)] == [0, 0, 1]


def test_a_route_takes_no_longer_than_its_length_allows() -> None:
    for metres, limit in ((100, 120.0), (400, 325.0)):
        timeout = RouteTimeout(straight(metres))
        assert timeout.update(at(0.0, now=limit - 0.01)) == []
        (found,) = timeout.update(at(0.0, now=limit))
        assert (found.kind, timeout.ending) == (Kind.TIMEOUT, "timeout")
        assert f"{limit:.0f} s" in found.text


def test_a_route_is_left_thirty_metres_beside_it() -> None:
    progress = straight()
    deviation = RouteDeviation(progress)
    for side in (1.0, -1.0):
        progress.update(10.0, side * (DEVIATION_M - 0.1))
        assert deviation.update(at(0.0)) == []
    progress.update(10.0, -DEVIATION_M - 0.1)
    (found,) = deviation.update(at(0.0))
    assert (found.kind, found.text, deviation.ending) == (Kind.ROUTE_DEVIATION, "was 30 m from the route", "deviated")


def test_completion_counts_metres_and_ends_near_the_end() -> None:
    progress = straight()
    completion = Completion(progress)
    for metre in range(0, 396, 5):
        progress.update(float(metre), 0.0)
        assert completion.update(at(float(metre), now=0.1 * metre, step=5.0 if metre else 0.0)) == []
    assert completion.ending == ""
    figures = completion.figures()
    assert figures == {
        "route_completion": pytest.approx(98.75), "driven_m": 395.0, "route_m": 400.0, "duration_s": pytest.approx(39.5),
    }  # fmt: skip
    progress.update(396.5, 0.0)
    completion.update(at(396.5, step=1.5))
    assert (completion.ending, completion.percent) == ("completed", 100.0)


def test_progress_never_falls_nor_counts_far_from_the_route() -> None:
    progress = straight()
    for x, y, along in ((5.0, 0.0, 5.0), (3.0, 1.0, 5.0), (15.0, 10.5, 5.0), (15.0, 9.5, 15.0), (90.0, 0.0, 15.0)):
        progress.update(x, y)
        assert progress.along == pytest.approx(along, abs=1e-6) or (x == 90.0 and progress.along < 40.0)
    with pytest.raises(InvalidInputError, match="at least two places"):
        straight(0)


def test_metres_outside_the_lanes_and_against_them_count() -> None:
    world: Any = StubWorld()
    lane = LaneKeeping(world)
    first = world.map.generate_waypoints(20.0)
    spot = next(
        w for w in first if not w.is_junction and len(w.next(30.0)) == 1 and abs(w.transform.rotation.yaw) < 0.5
    )
    place, yaw = spot.transform.location, 0.0
    inside = [at(place.x + metre, place.y, step=1.0, yaw=yaw) for metre in range(5)]
    assert [lane.update(motion) for motion in inside] == [[]] * 5
    assert lane.share == 0.0
    against = [at(place.x + metre, place.y, step=1.0, yaw=3.1) for metre in range(5)]
    found = [lane.update(motion) for motion in against]
    assert [len(findings) for findings in found] == [1, 0, 0, 0, 0]
    assert found[0][0].kind == Kind.OUTSIDE_LANES
    assert (lane.share, lane.factor(), lane.figures()) == (0.5, 0.5, {"outside_share": 0.5})
    assert lane.update(at(place.x, place.y + 4000.0, step=1.0)) == []  # still outside
    assert lane.outside_m == 6.0
    assert lane.update(inside[0]) == []
    assert len(lane.update(against[0])) == 1


@dataclass
class Line:
    """A light that holds the lane along x at the origin."""

    state: carla.TrafficLightState = carla.TrafficLightState.Red
    id: int = 9
    type_id: str = "traffic.traffic_light"

    def get_stop_waypoints(self) -> list[Any]:
        class Stop:
            transform = carla.Transform(carla.Location(0.0, 0.0, 0.0))
            lane_width = 3.5

        return [Stop()]


@pytest.mark.parametrize(
    ("yaw", "y", "state", "run"),
    [
        (0.0, 0.0, "Red", True),
        (0.0, 0.0, "Green", False),
        (0.0, 0.0, "Yellow", False),
        (0.0, 3.5, "Red", False),  # the next lane
        (3.14, 0.0, "Red", False),  # the other way
    ],
)
def test_a_red_light_is_run_when_the_rear_bumper_crosses_its_line(yaw: float, y: float, state: str, run: bool) -> None:
    world: Any = StubWorld()
    world.actors.append(Line(getattr(carla.TrafficLightState, state)))
    lights = RedLights(world)
    places = [-6.0 + 0.5 * step for step in range(25)]
    direction = 1.0 if yaw == 0.0 else -1.0
    found = [(x, lights.update(at(direction * x, y, yaw=yaw))) for x in places]
    crossed = [x for x, findings in found if findings]
    assert bool(crossed) == run
    if run:
        assert crossed == [2.5]  # its middle is 2.4 m past the line
        (finding,) = next(findings for _, findings in found if findings)
        assert (finding.kind, finding.other) == (Kind.RED_LIGHT, "light 9")
    assert lights.figures() == {"red_lights_met": int(run), "red_lights_stopped": 0}


def test_a_red_light_that_was_waited_for_is_met_and_stopped_at() -> None:
    world: Any = StubWorld()
    light = Line()
    world.actors.append(light)
    lights = RedLights(world)
    for x in (-8.0, -6.0):
        assert lights.update(at(x, speed=0.0)) == []
    light.state = carla.TrafficLightState.Green
    for before, x in pairwise([-6.0 + 0.5 * step for step in range(25)]):
        del before
        assert lights.update(at(x)) == []
    assert (lights.met, lights.stopped) == (1, 1)


def test_kinds_of_collisions_follow_the_other_actor() -> None:
    assert collision_kind("walker.pedestrian.0001") == Kind.COLLISION_PEDESTRIAN
    assert collision_kind("vehicle.tesla.model3") == Kind.COLLISION_VEHICLE
    assert collision_kind("static.prop.mesh") == collision_kind("traffic.traffic_light") == Kind.COLLISION_STATIC
