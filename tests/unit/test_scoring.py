"""The route scorer on a scripted world: every rule can be broken, and obeyed."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import carla
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simlingo.contracts import InvalidInputError
from simlingo_drive.criteria import Kind, RouteScorer, driving_score

RED, GREEN = carla.TrafficLightState.Red, carla.TrafficLightState.Green
LANE_WIDTH = 3.5


class Sensor:
    def __init__(self) -> None:
        self.is_alive, self.callback = True, None

    def listen(self, callback: Any) -> None:
        self.callback = callback

    def stop(self) -> None:
        self.callback = None

    def destroy(self) -> None:
        self.is_alive = False


class Actors(list[Any]):
    def filter(self, pattern: str) -> Actors:
        return Actors(actor for actor in self if actor.type_id.startswith(pattern.rstrip("*")))


class StraightRoad:
    """World of one straight lane along x; the ego is put where the test says, 20 ticks a second."""

    def __init__(self, actors: list[Any] | None = None) -> None:
        self.actors, self.sensors, self.tick_count = Actors(actors or []), [], 0
        self.pose, self.speed = carla.Transform(), 0.0
        self.bounding_box = carla.BoundingBox(carla.Location(0.0, 0.0, 0.7), carla.Vector3D(2.0, 1.0, 0.7))

    def get_actors(self) -> Actors:
        return self.actors

    def get_map(self) -> StraightRoad:
        return self

    def get_waypoint(self, location: carla.Location) -> Any:
        lane = carla.Transform(carla.Location(location.x, 0.0, 0.0))
        return SimpleNamespace(transform=lane, lane_width=LANE_WIDTH, is_junction=False)

    def get_snapshot(self) -> Any:
        return SimpleNamespace(timestamp=SimpleNamespace(elapsed_seconds=self.tick_count * 0.05))

    def get_blueprint_library(self) -> Any:
        return SimpleNamespace(find=lambda name: name)

    def spawn_actor(self, *_args: Any, attach_to: Any) -> Sensor:
        assert attach_to is self
        self.sensors.append(Sensor())
        return self.sensors[-1]

    def get_transform(self) -> carla.Transform:
        return self.pose

    def get_velocity(self) -> carla.Vector3D:
        return carla.Vector3D(self.speed, 0.0, 0.0)

    def drive(self, scorer: RouteScorer, to: float, speed: float = 10.0, y: float = 0.0, yaw: float = 0.0) -> None:
        """Drive on along x up to ``to``."""
        x = self.pose.location.x
        while x < to and scorer.status == "running":
            x += speed * 0.05
            self.put(scorer, x, y, speed, yaw)

    def stand(self, scorer: RouteScorer, seconds: float) -> None:
        for _ in range(round(seconds / 0.05)):
            self.put(scorer, self.pose.location.x, self.pose.location.y, 0.0)

    def put(self, scorer: RouteScorer, x: float, y: float, speed: float, yaw: float = 0.0) -> None:
        self.pose, self.speed = carla.Transform(carla.Location(x, y, 0.0), carla.Rotation(yaw=yaw)), speed
        self.tick_count += 1
        scorer.tick()

    def hit(self, type_id: str, actor_id: int) -> None:
        self.sensors[0].callback(SimpleNamespace(other_actor=SimpleNamespace(type_id=type_id, id=actor_id)))


def light_at(x: float, state: Any) -> Any:
    stop = SimpleNamespace(transform=carla.Transform(carla.Location(x, 0.0, 0.0)), lane_width=LANE_WIDTH)
    return SimpleNamespace(type_id="traffic.traffic_light", id=7, state=state, get_stop_waypoints=lambda: [stop])


def stop_sign_at(x: float) -> Any:
    box = carla.BoundingBox(carla.Location(-5.0, 0.0, 1.0), carla.Vector3D(5.0, 1.75, 1.5))
    pose = carla.Transform(carla.Location(x, 0.0, 0.0))
    return SimpleNamespace(type_id="traffic.stop", id=9, trigger_volume=box, get_transform=lambda: pose)


def scored(actors: list[Any] | None = None, length: int = 200) -> tuple[StraightRoad, RouteScorer]:
    world = StraightRoad(actors)
    return world, RouteScorer(world, world, [carla.Transform(carla.Location(float(x))) for x in range(length + 1)])


def kinds(scorer: RouteScorer) -> list[Kind]:
    return [infraction.kind for infraction in scorer.result().infractions]


def test_a_clean_drive_scores_100() -> None:
    world, scorer = scored()
    world.drive(scorer, 200.0)
    result = scorer.result()
    assert (result.status, result.route_completion, result.driving_score) == ("completed", 100.0, 100.0)
    assert result.success
    assert result.driven_m == pytest.approx(198.0, abs=1.0)


def test_published_arithmetic() -> None:
    assert driving_score(100.0, [Kind.COLLISION_VEHICLE]) == pytest.approx(60.0)  # spec I
    assert driving_score(100.0, [Kind.COLLISION_VEHICLE, Kind.STOP_SIGN]) == pytest.approx(48.0)  # spec I
    assert driving_score(50.0, [Kind.COLLISION_PEDESTRIAN, Kind.RED_LIGHT], 0.9) == pytest.approx(15.75)
    assert driving_score(100.0, [Kind.COLLISION_STATIC]) == pytest.approx(65.0)


@given(st.floats(0.0, 100.0), st.lists(st.sampled_from(list(Kind)), max_size=6), st.floats(0.0, 1.0))
def test_a_score_stays_between_zero_and_completion(completion: float, found: list[Kind], share: float) -> None:
    assert 0.0 <= driving_score(completion, found, share) <= completion


def test_running_a_red_light_counts_once_when_the_rear_crosses() -> None:
    world, scorer = scored([light_at(100.0, RED)])
    world.drive(scorer, 101.5)
    assert kinds(scorer) == []
    world.drive(scorer, 200.0)
    assert kinds(scorer) == [Kind.RED_LIGHT]
    result = scorer.result()
    assert (result.red_lights_met, result.red_lights_stopped) == (1, 0)
    assert result.driving_score == pytest.approx(70.0)


def test_waiting_at_a_red_light_counts_as_stopped() -> None:
    light = light_at(100.0, RED)
    world, scorer = scored([light])
    world.drive(scorer, 95.0)
    world.stand(scorer, 5.0)
    light.state = GREEN
    world.drive(scorer, 200.0)
    result = scorer.result()
    assert result.success
    assert (result.red_lights_met, result.red_lights_stopped) == (1, 1)


def test_a_green_light_and_a_red_one_of_another_lane_are_not_met() -> None:
    other = light_at(120.0, RED)
    other.get_stop_waypoints()[0].transform.location.y = 3.5
    world, scorer = scored([light_at(100.0, GREEN), other])
    world.drive(scorer, 200.0)
    assert scorer.result().success
    assert scorer.result().red_lights_met == 0


@pytest.mark.parametrize(("pause", "expected"), [(0.0, [Kind.STOP_SIGN]), (1.0, [])])
def test_a_stop_sign_asks_to_stand(pause: float, expected: list[Kind]) -> None:
    world, scorer = scored([stop_sign_at(100.0)])
    world.drive(scorer, 96.0, speed=3.0)
    world.stand(scorer, pause)
    world.drive(scorer, 200.0)
    assert kinds(scorer) == expected


def test_collisions_count_once_per_actor_and_by_kind() -> None:
    world, scorer = scored()
    world.drive(scorer, 20.0)
    for _ in range(10):
        world.hit("vehicle.sedan", 3)
        world.hit("static.building", 0)
        world.put(scorer, 20.0, 0.0, 1.0)
    world.hit("walker.pedestrian.0001", 4)
    world.drive(scorer, 80.0)
    world.hit("vehicle.sedan", 3)
    world.drive(scorer, 200.0)
    result = scorer.result()
    assert result.collisions == {"pedestrian": 1, "vehicle": 2, "static": 1}
    assert result.driving_score == pytest.approx(100.0 * 0.6 * 0.6 * 0.65 * 0.5)
    assert "vehicle.sedan" in result.infractions[0].text


def test_vehicles_locked_into_each_other_have_collided_once() -> None:
    world, scorer = scored()
    world.drive(scorer, 20.0)
    for _ in range(5):
        world.hit("vehicle.sedan", 3)
        world.stand(scorer, 7.0)
    assert scorer.result().collisions["vehicle"] == 1
    world.drive(scorer, 24.0)
    world.hit("vehicle.sedan", 3)
    world.stand(scorer, 7.0)
    assert scorer.result().collisions["vehicle"] == 2
    world.drive(scorer, 40.0)
    world.put(scorer, 24.0, 0.0, 3.0)
    world.hit("vehicle.sedan", 3)
    world.stand(scorer, 1.0)
    assert scorer.result().collisions["vehicle"] == 3


def test_metres_outside_the_lane_lower_the_score_by_their_share() -> None:
    world, scorer = scored()
    world.drive(scorer, 100.0)
    world.drive(scorer, 150.0, y=4.0)
    world.drive(scorer, 200.0)
    result = scorer.result()
    assert kinds(scorer) == [Kind.OUTSIDE_LANES]
    assert result.outside_share == pytest.approx(0.25, abs=0.03)
    assert result.driving_score == pytest.approx(100.0 * (1.0 - result.outside_share))


def test_driving_against_the_lane_is_outside() -> None:
    world, scorer = scored()
    world.drive(scorer, 50.0, yaw=180.0)
    assert scorer.result().outside_share > 0.9


def test_leaving_the_route_ends_it() -> None:
    world, scorer = scored()
    world.drive(scorer, 50.0)
    world.put(scorer, 50.0, 31.0, 5.0)
    result = scorer.result()
    assert result.status == "deviated"
    assert result.route_completion == pytest.approx(25.0, abs=1.0)


def test_standing_for_a_minute_ends_the_route_and_time_does_too() -> None:
    world, scorer = scored()
    world.drive(scorer, 50.0)
    world.stand(scorer, 59.0)
    assert scorer.status == "running"
    world.stand(scorer, 2.0)
    assert scorer.status == "blocked"
    world, scorer = scored()
    world.drive(scorer, 200.0, speed=1.0)
    assert scorer.status == "timeout"
    assert kinds(scorer) == [Kind.TIMEOUT]


def test_record_is_plain_data_and_close_removes_the_sensors() -> None:
    world, scorer = scored([light_at(100.0, RED)])
    world.drive(scorer, 200.0)
    record = scorer.result().to_json()
    assert record["infractions"][0]["kind"] == "red_light"
    assert record["infractions"][0]["location"][0] == pytest.approx(102.0, abs=0.6)
    scorer.close()
    assert not any(sensor.is_alive for sensor in world.sensors)


@pytest.mark.parametrize("route", [[], [carla.Transform()], [carla.Transform(carla.Location(math.nan))] * 2])
def test_a_route_of_nothing_is_refused(route: list[carla.Transform]) -> None:
    world = StraightRoad()
    with pytest.raises(InvalidInputError, match="route"):
        RouteScorer(world, world, route)


def test_a_changed_route_is_scored_from_where_the_ego_is() -> None:
    world, scorer = scored(length=200)
    world.drive(scorer, 100.0)
    scorer.change_route([carla.Transform(carla.Location(float(x))) for x in range(151)])
    assert scorer.result().route_completion == pytest.approx(100.0 * 100.0 / 150.0, abs=1.0)
    world.drive(scorer, 200.0)
    assert (scorer.status, scorer.result().route_m) == ("completed", 150.0)
