"""Collection's what-if labels: the light in the other colour, and speeds that the ego did not have."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from simlingo.contracts import Command
from simlingo.geometry import ego_to_map
from simlingo.navigation.route import RoutePlanner
from simlingo_drive.backends.embedded import EmbeddedBackend, embedded_planner
from simlingo_drive.expert import CONSTANTS, Expert, ExpertInfo
from simlingo_drive.expert.signals import LightInfo
from simlingo_drive.expert.situation import Lead, Narrow, Stop
from simlingo_drive.routes import RouteSpec
from simlingo_drive.session import open_numbered
from simlingo_drive.views import ViewChanges
from training.collect.counterfactual import LATE_DECELERATION, LATE_SPEED, _is_free, at_speed, other_light, other_speed
from training.collect.labels import cause_columns, labels_of, place_beside
from training.collect.nearer import REMAINING_M, nearer, room_ahead
from training.collect.other_lead import other_lead
from training.evaluation.closed_loop import route_of


class Approach:
    """The expert on its way to a route's first light, without traffic."""

    def __init__(self) -> None:
        route = route_of(RouteSpec("gridtown", 1, 0))
        self.backend = EmbeddedBackend()
        session = open_numbered(self.backend, route, "none", "cloudy_noon")
        planner = embedded_planner("gridtown")
        self.world, self.ego = session.world, session.ego
        self.expert = Expert(self.world, self.ego, route.dense, planner)
        self.planner = RoutePlanner(planner.polyline(route.dense), [Command(command) for _, command in route.dense])
        self.camera = self.backend.views(self.world, self.ego)

    def drive(self, until: Any, ticks: int = 2400) -> ExpertInfo:
        """Drive until ``until(info)``; that tick's view."""
        for _ in range(ticks):
            control, info = self.expert.run_step()
            self.navigation = self.planner.update(info.ego)
            if until(info):
                return info
            self.ego.apply_control(control)
            self.world.tick()
        raise AssertionError("never came there")

    def set_light(self, info: ExpertInfo, state: str) -> ExpertInfo:
        """Freeze the light ahead in ``state``."""
        import carla

        light = self.world.get_actor(info.light.actor_id)
        light.set_state(getattr(carla.TrafficLightState, state))
        light.freeze(True)
        self.frozen = light
        return self.expert.observe()

    def go_on(self) -> None:
        """Let the ego pass the light that stands, so that a test needs none before it."""
        import carla

        self.frozen.set_state(carla.TrafficLightState.Green)


@pytest.fixture
def approach() -> Approach:
    made = Approach()
    info = made.drive(lambda info: info.light.state != "none" and 10.0 < info.light.distance < 14.0)
    made.set_light(info, "Red")
    return made


@pytest.mark.medium
def test_a_red_light_in_green_lets_the_car_go_on(approach: Approach) -> None:
    info = approach.expert.observe()
    changed, colours = other_light(info, approach.expert, approach.navigation, approach.backend, approach.world) or (
        None,
        {},
    )
    assert changed is not None
    assert (info.light.state, changed.light.state) == ("red", "green")
    before, after = approach.expert.places_ahead(info), approach.expert.places_ahead(changed)
    assert after[-1] > before[-1] + 1.0
    light = approach.world.get_actor(info.light.actor_id)
    assert colours[light.get_opendrive_id()] == "green"
    assert "red" in colours.values()
    assert light.get_state().name == "Red"  # the world itself is as it was


def test_the_picture_shows_the_other_colour(approach: Approach) -> None:
    info = approach.expert.observe()
    _, colours = other_light(info, approach.expert, approach.navigation, approach.backend, approach.world) or (None, {})
    real, changed = (
        approach.camera.capture(info.ego, ViewChanges(lights=lights)).rgb.astype(int) for lights in ({}, colours)
    )
    different = np.abs(real - changed).max(axis=2) > 60
    assert 4 < different.sum() < 4000
    assert (real[different][:, 0] > real[different][:, 1] + 60).any()  # red was there
    assert (changed[different][:, 1] > changed[different][:, 0] + 60).any()  # green is there
    assert (approach.camera.capture(info.ego).rgb == real).all()


def test_a_view_ahead_means_to_go_as_far_from_where_it_stands(approach: Approach) -> None:
    """On a straight street, a metre ahead of the ego: the same waypoints before its own bumper."""
    info = approach.expert.observe()
    step = np.array((math.cos(info.ego.yaw), math.sin(info.ego.yaw)))
    view = replace(info.ego, x=info.ego.x + step[0], y=info.ego.y + step[1])
    here, ahead = (labels_of(info, approach.expert, approach.navigation, pose, 3.0) for pose in (info.ego, view))
    for name in ("speed_waypoints_m", "other_speed_waypoints_m"):
        np.testing.assert_allclose(ahead[name], here[name], atol=0.25)
    assert here["other_speed_waypoints_m"][-1, 0] > 2.0


def test_causes_without_an_actor_name_none(approach: Approach) -> None:
    info = approach.expert.observe()
    for actor, told in ((-1, None), (0, 0), (7, 7)):
        cause = Stop(info.place.s + 12.5, "stop_sign", actor)
        columns = cause_columns(replace(info, cause=cause))
        assert (columns["cause_actor_id"], columns["cause_distance_m"]) == (told, pytest.approx(12.5))
    assert cause_columns(replace(info, cause=None))["cause_distance_m"] is None


def test_other_speeds_could_still_stop(approach: Approach) -> None:
    info = approach.expert.observe()
    rng = np.random.default_rng(0)
    speeds = [other_speed(info, approach.expert, rng) for _ in range(300)]
    gap = min(stop.s for stop in info.situation.stops) - info.place.s - info.situation.front
    assert max(speeds) <= math.sqrt(2.0 * LATE_DECELERATION * gap) + LATE_SPEED
    assert max(speeds) > 3.0
    assert 0.25 < np.mean(np.array(speeds) == 0.0) < 0.55


def test_waypoints_belong_to_the_speed_that_is_told(approach: Approach) -> None:
    info = approach.expert.observe()
    standing, rolling = (approach.expert.places_ahead(info, speed) - info.place.s for speed in (0.0, 4.0))
    assert standing[0] < 0.2 < 0.8 < rolling[0]
    assert approach.expert.places_ahead(info, info.ego.speed) == pytest.approx(
        approach.expert.places_ahead(info), abs=0.3
    )


def test_a_green_light_in_red_stops_the_car_at_its_line(approach: Approach) -> None:
    info = approach.drive(lambda info: info.ego.speed < 0.05 and info.light.distance < 5.0)
    changed, _ = other_light(info, approach.expert, approach.navigation, approach.backend, approach.world) or (None, {})
    assert changed is not None  # red to green while standing: the car sets off
    assert changed.target_speed > 0.5
    assert approach.expert.places_ahead(changed)[-1] > info.place.s + 3.0
    green = approach.set_light(info, "Green")
    back, _ = other_light(green, approach.expert, approach.navigation, approach.backend, approach.world) or (None, {})
    assert back is not None  # and green to red: it stays
    assert back.target_speed < 0.1
    assert approach.expert.places_ahead(back)[-1] < info.place.s + 0.5


def test_a_green_light_stays_green_for_one_who_could_not_stop_any_more(approach: Approach) -> None:
    info = approach.expert.observe()
    light_id = next(light.id for light in approach.world.get_actors().filter("traffic.traffic_light"))

    def changed(distance: float, speed: float) -> bool:
        told = replace(info, ego=replace(info.ego, speed=speed), light=LightInfo("green", distance, light_id))
        args = (approach.expert, approach.navigation, approach.backend, approach.world)
        return other_light(told, *args) is not None

    for distance in (CONSTANTS.stop_margin + 8.0, CONSTANTS.stop_margin + 24.5):
        most = math.sqrt(2.0 * (distance - CONSTANTS.stop_margin) * CONSTANTS.yellow_deceleration)
        assert changed(distance, most - 0.05)
        assert not changed(distance, most + 0.05)
    least = math.sqrt(2.0 * 0.1 * CONSTANTS.yellow_deceleration)  # nearer than the margin counts as 0.1 m
    assert changed(0.5 * CONSTANTS.stop_margin, least - 0.02)
    assert not changed(0.5 * CONSTANTS.stop_margin, least + 0.02)


def test_one_who_stands_brakes_comfortably_at_most(approach: Approach) -> None:
    """Whatever stands before the bumper: a standing car cannot brake, and harder braking would tell of danger."""
    info = approach.expert.observe()
    at_bumper = Stop(info.place.s + info.situation.front - 1.0, "stop_sign", -1)
    blocked = replace(info, situation=replace(info.situation, stops=[at_bumper]))
    assert at_speed(blocked, approach.expert, 0.05).acceleration == -CONSTANTS.comfort_deceleration
    assert at_speed(blocked, approach.expert, 3.0).acceleration < -CONSTANTS.comfort_deceleration - 0.5


def test_without_a_light_nothing_changes(approach: Approach) -> None:
    approach.go_on()
    info = approach.drive(lambda info: info.light.state == "none")
    assert other_light(info, approach.expert, approach.navigation, approach.backend, approach.world) is None


@pytest.mark.medium
def test_a_view_nearer_to_a_red_light_means_to_stop_there(approach: Approach) -> None:
    info = approach.drive(lambda info: info.light.state == "red" and 12.0 < info.light.distance < 20.0)
    rng = np.random.default_rng(3)
    found = [nearer(info, approach.expert, approach.navigation, rng) for _ in range(40)]
    moves = [made for made in found if made is not None]
    assert len(moves) > 20
    room = room_ahead(info)
    assert len({moved.ego.speed for moved, *_ in moves}) > 10
    for moved, navigation, ahead in moves:
        assert moved.acceleration == at_speed(moved, approach.expert, moved.ego.speed).acceleration
        assert 0.0 < ahead <= room - REMAINING_M
        assert moved.light.distance == pytest.approx(info.light.distance - ahead)
        assert math.dist((moved.ego.x, moved.ego.y), (info.ego.x, info.ego.y)) == pytest.approx(ahead, abs=0.1)
        assert ego_to_map(navigation.target_points, moved.ego) == pytest.approx(
            ego_to_map(approach.navigation.target_points, info.ego), abs=1e-6
        )
        if ahead > room - 2.0:
            labels = labels_of(moved, approach.expert, navigation, moved.ego, 0.0)
            assert labels["other_speed_waypoints_m"][-1, 0] < 2.5


def test_where_nothing_stops_the_car_no_view_is_nearer(approach: Approach) -> None:
    approach.go_on()
    info = approach.drive(lambda info: not info.situation.stops and not info.situation.leads)
    assert nearer(info, approach.expert, approach.navigation, np.random.default_rng(0)) is None


def test_a_vehicle_drawn_ahead_is_seen_and_stopped_for(approach: Approach) -> None:
    approach.go_on()
    info = approach.drive(lambda info: room_ahead(info) > 40.0 and info.ego.speed > 2.0)
    rng = np.random.default_rng(5)
    made = [
        drawn
        for drawn in (other_lead(info, approach.expert, approach.backend, approach.world, rng) for _ in range(60))
        if drawn
    ]
    assert len(made) > 30
    assert min(behind.lead_distance for behind, _ in made) < 2.0
    for behind, _ in made:
        reached = approach.expert.places_ahead(behind)[-1] - info.place.s
        assert reached < behind.lead_distance, "the roll-out ends behind the vehicle"
        if behind.lead_distance < 3.5 and behind.ego.speed < 0.1:
            assert reached < 0.2
    behind, vehicle = min(made, key=lambda drawn: abs(drawn[0].lead_distance - 6.0))
    empty = approach.camera.capture(info.ego)
    shown = approach.camera.capture(info.ego, ViewChanges(vehicles=(vehicle,)))
    changed = shown.semantic != empty.semantic
    assert changed.sum() > 2000
    # From the camera, 1.5 m behind the ego's middle, to the vehicle's rear.
    assert np.percentile(shown.depth[changed], 2) == pytest.approx(
        1.5 + info.situation.front + behind.lead_distance, abs=1.5
    )


def test_the_place_of_a_view_is_along_and_beside_the_route(approach: Approach) -> None:
    """In a bend, where no axis of the map helps."""
    approach.go_on()
    info = approach.drive(lambda info: abs(math.sin(2.0 * info.ego.yaw)) > 0.6)
    yaw = approach.expert.route.yaw_at(info.place.s)
    for along, right in ((0.0, 0.0), (0.4, 0.0), (0.0, 1.2), (-0.3, -0.8)):
        x = info.ego.x + along * math.cos(yaw) - right * math.sin(yaw)
        y = info.ego.y + along * math.sin(yaw) + right * math.cos(yaw)
        place = place_beside(info, approach.expert.route, replace(info.ego, x=x, y=y))
        assert place.s - info.place.s == pytest.approx(along, abs=0.15)
        assert place.lateral - info.place.lateral == pytest.approx(right, abs=0.1)


class Told:
    """Random numbers that are told: a share of each range, and so many standard deviations."""

    def __init__(self, share: float, deviations: float = 0.0) -> None:
        self.share, self.deviations = share, deviations
        self.bounds: list[tuple[float, ...]] = []

    def random(self) -> float:
        return self.share

    def uniform(self, low: float = 0.0, high: float = 1.0) -> float:
        return low + self.share * (high - low)

    def normal(self, mean: float, deviation: float) -> float:
        return mean + self.deviations * deviation

    def integers(self, low: int, high: int | None = None, size: int | None = None) -> Any:
        self.bounds.append((low,) if high is None else (low, high))
        first = 0 if high is None else low
        return first if size is None else np.arange(first, first + size)


def test_the_other_speed_is_bounded_by_all_that_lies_ahead(approach: Approach) -> None:
    """v^2 = 2 x 3.5 m/s2 x gap, and what LATE_SPEED adds; the free speed by a tenth, a bend's by a fifth and 0.5 m/s."""
    info, rng = approach.expert.observe(), Told(1.0)
    bumper = info.place.s + info.situation.front
    empty = replace(info.situation, stops=[], leads=[], narrows=[])

    def most(**ahead: Any) -> float:
        return other_speed(replace(info, situation=replace(empty, **ahead)), approach.expert, rng)  # type: ignore[arg-type]

    allowed, _ = approach.expert.route.bend(info.place.s)
    assert most(free_speed=3.0) == pytest.approx(3.3)
    assert most(free_speed=500.0) == pytest.approx(1.2 * allowed + 0.5)
    assert most(stops=[Stop(bumper + 2.0, "traffic_light", 1)]) == pytest.approx(math.sqrt(14.0) + LATE_SPEED)
    assert most(leads=[Lead(bumper + 3.0, 0.0, 1)]) == pytest.approx(math.sqrt(14.0) + LATE_SPEED)
    assert most(leads=[Lead(bumper + 3.0, 0.5, 1)]) == most()
    narrow = Narrow(info.place.s + 2.0, info.place.s + 9.0, 1.0, 1)
    assert most(narrows=[narrow]) == pytest.approx(math.sqrt(1.0 + 14.0) + LATE_SPEED)


def test_a_vehicle_drawn_ahead_stands_as_the_numbers_say(approach: Approach) -> None:
    """Half a metre to the right, turned by six degrees, 5.225 m from bumper to bumper."""
    approach.go_on()
    info = approach.drive(lambda info: room_ahead(info) > 40.0 and info.ego.speed > 2.0)
    rng = Told(0.5, deviations=2.0)
    made = other_lead(info, approach.expert, approach.backend, approach.world, rng)  # type: ignore[arg-type]
    assert made is not None
    behind, vehicle = made
    model = approach.backend.drawable_vehicles()[0]
    gap = 0.3 + 19.7 * 0.25
    middle = info.place.s + info.situation.front + gap + 0.5 * model.length_m
    yaw = approach.expert.route.yaw_at(middle)
    x, y = approach.expert.route.at(middle)
    assert (vehicle.type_id, vehicle.color, vehicle.brake) == (model.type_id, (20, 21, 22), True)
    assert (vehicle.x, vehicle.y) == pytest.approx((x - 0.5 * math.sin(yaw), y + 0.5 * math.cos(yaw)), abs=1e-6)
    assert vehicle.yaw == pytest.approx(yaw + math.radians(6.0))
    assert behind.lead_distance == pytest.approx(gap)
    assert (behind.lead_id, behind.lead_speed) == (-1, 0.0)
    lead = behind.situation.leads[0]
    assert (lead.rear_s, lead.speed, lead.actor_id) == (pytest.approx(middle - 0.5 * model.length_m), 0.0, -1)
    assert rng.bounds == [(len(approach.backend.drawable_vehicles()),), (20, 236), (1 << 30,)]
    dark = other_lead(info, approach.expert, approach.backend, approach.world, Told(0.81))  # type: ignore[arg-type]
    assert dark is not None
    assert not dark[1].brake


def test_no_vehicle_is_drawn_where_something_stands_within_six_metres(approach: Approach) -> None:
    import carla

    approach.go_on()
    info = approach.drive(lambda info: room_ahead(info) > 40.0 and info.ego.speed > 2.0)

    def drawn(share: float) -> bool:
        return other_lead(info, approach.expert, approach.backend, approach.world, Told(share)) is not None  # type: ignore[arg-type]

    assert drawn(0.0)  # right before the ego, whose own middle is nearer than six metres
    model = approach.backend.drawable_vehicles()[0]
    middle = info.place.s + info.situation.front + 0.3 + 19.7 * 0.25 + 0.5 * model.length_m
    yaw, (x, y) = approach.expert.route.yaw_at(middle), approach.expert.route.at(middle)
    cone = approach.world.get_blueprint_library().find("static.prop.trafficcone01")
    for aside, free in ((6.1, True), (5.9, False)):
        spot = carla.Location(x - aside * math.sin(yaw), y + aside * math.cos(yaw), 0.2)
        actor = approach.world.spawn_actor(cone, carla.Transform(spot))
        assert drawn(0.5) == free
        actor.destroy()


def test_a_junction_is_free_where_none_moves_in_it_or_comes_the_other_way(approach: Approach) -> None:
    """Distance of the other vehicle from the junction's place (m), its heading against the ego's (degrees), its velocity (m/s)."""
    import carla

    info = approach.expert.observe()
    s = info.place.s + 20.0
    x, y = approach.expert.route.at(np.array([s]))[0]
    for aside, heading, velocity, command, free in (
        (17.0, 180.0, (3.0, 4.0), Command.STRAIGHT, False),
        (19.0, 180.0, (3.0, 4.0), Command.STRAIGHT, True),
        (17.0, 180.0, (0.0, 0.4), Command.STRAIGHT, True),
        (17.0, 180.0, (0.5, 0.0), Command.STRAIGHT, True),
        (17.0, 180.0, (0.0, 0.51), Command.STRAIGHT, False),
        (17.0, 90.0, (3.0, 4.0), Command.STRAIGHT, False),
        (17.0, 0.0, (3.0, 4.0), Command.STRAIGHT, True),
        (31.0, 180.0, (0.0, 0.0), Command.LEFT, False),
        (33.0, 180.0, (0.0, 0.0), Command.LEFT, True),
        (31.0, 180.0, (0.0, 0.0), Command.RIGHT, True),
        (31.0, 110.0, (0.0, 0.0), Command.LEFT, True),
    ):
        yaw = math.degrees(info.ego.yaw) + heading
        pose = carla.Transform(carla.Location(x + 0.6 * aside, y + 0.8 * aside, 0.0), carla.Rotation(yaw=yaw))
        moves = carla.Vector3D(*velocity, 0.0)
        others = [SimpleNamespace(get_transform=lambda pose=pose: pose, get_velocity=lambda moves=moves: moves)]
        world: Any = SimpleNamespace(
            get_actors=lambda others=others: SimpleNamespace(filter=lambda kind, others=others: others)
        )
        navigation = replace(approach.navigation, command=command)
        assert _is_free(info, approach.expert, navigation, world, s) == free, (aside, heading, velocity, command)
