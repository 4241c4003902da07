"""Tick loop, session, drivers by name, capabilities, and route files."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import carla
import numpy as np
import pytest

from simlingo.contracts import InvalidInputError, SimlingoError
from simlingo_drive.backends.base import Capability, CapabilityError
from simlingo_drive.backends.carla_server import CarlaBackend
from simlingo_drive.backends.embedded import EmbeddedBackend, embedded_map, embedded_planner
from simlingo_drive.driver import DriverSettings
from simlingo_drive.drivers.expert import ExpertDriver
from simlingo_drive.drivers.registry import make_driver, register, unregister
from simlingo_drive.rig import DROP_M
from simlingo_drive.rollout import Hook, Score, roll_out
from simlingo_drive.routes import RouteSpec, numbered_route, route_along, route_between, signalled_lanes
from simlingo_drive.routes.leaderboard_xml import RouteEntry, entry_of, read_routes, to_route, write_routes
from simlingo_drive.session import Session, open_numbered, open_session
from simlingo_sim import Client
from simlingo_sim.weather import weather_named


class Journal:
    """A session and driver that write down what is asked of them."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.entries: list[str] = []
        self.ego = SimpleNamespace(apply_control=lambda control: self.entries.append(f"apply {control.steer:.0f}"))
        self.world = SimpleNamespace(tick=lambda: self.entries.append("tick"))
        self._fails_at = fails_at

    def control(self, tick: int) -> carla.VehicleControl:
        self.entries.append(f"control {tick}")
        if tick == self._fails_at:
            raise SimlingoError("the driver has gone")
        return carla.VehicleControl(steer=float(tick % 2))


class Noter(Hook):
    """Writes down when it is called."""

    def __init__(self, name: str, entries: list[str], ends: int | None = None) -> None:
        self._name, self._entries, self._ends = name, entries, ends

    def observe(self, tick: int) -> None:
        self._entries.append(f"{self._name} observe {tick}")

    def decide(self, tick: int, control: carla.VehicleControl) -> None:
        self._entries.append(f"{self._name} decide {tick} {control.steer:.0f}")

    def judge(self, tick: int) -> None:
        self._entries.append(f"{self._name} judge {tick}")
        self.finished = tick == self._ends

    def close(self) -> None:
        self._entries.append(f"{self._name} close")


def test_a_tick_is_observed_decided_applied_once_and_judged_in_order() -> None:
    journal: Any = Journal()
    assert roll_out(journal, journal, [Noter("a", journal.entries), Noter("b", journal.entries)], 2) == 2
    assert journal.entries == [
        "a observe 0", "b observe 0", "control 0", "a decide 0 0", "b decide 0 0", "apply 0", "tick", "a judge 0", "b judge 0",
        "a observe 1", "b observe 1", "control 1", "a decide 1 1", "b decide 1 1", "apply 1", "tick", "a judge 1", "b judge 1",
        "a close", "b close",
    ]  # fmt: skip


def test_a_drive_ends_with_the_tick_in_which_any_hook_is_finished() -> None:
    journal: Any = Journal()
    hooks = [Noter("a", journal.entries, ends=3), Noter("b", journal.entries)]
    assert roll_out(journal, journal, hooks) == 4
    assert journal.entries[-3:] == ["b judge 3", "a close", "b close"]
    assert journal.entries.count("tick") == 4
    assert roll_out(journal, journal, [], 0) == 0


def test_hooks_are_closed_when_the_driver_raises() -> None:
    journal: Any = Journal(fails_at=1)
    with pytest.raises(SimlingoError, match="gone"):
        roll_out(journal, journal, [Noter("a", journal.entries), Noter("b", journal.entries)], 9)
    assert journal.entries[-3:] == ["control 1", "a close", "b close"]


def test_a_hook_may_leave_everything_as_it_is() -> None:
    journal: Any = Journal()
    assert roll_out(journal, journal, [Hook()], 3) == 3


def test_a_score_ends_the_drive_when_the_route_is_over() -> None:
    states = iter(["running", "running", "completed"])
    calls: list[str] = []
    scorer = SimpleNamespace(status="", close=lambda: calls.append("close"))

    def tick() -> None:
        calls.append("tick")
        scorer.status = next(states)

    scorer.tick = tick
    journal: Any = Journal()
    assert roll_out(journal, journal, [Score(scorer)], 9) == 3
    assert calls == ["tick"] * 3 + ["close"]


class ServerWorld:
    """What a session asks of a server's world, around the embedded one; it was asynchronous before."""

    def __init__(self) -> None:
        self.inside = Client(seed=1).load_world("ringtown")
        self.applied: list[carla.WorldSettings] = []

    def get_settings(self) -> carla.WorldSettings:
        return carla.WorldSettings(synchronous_mode=False, fixed_delta_seconds=0.0)

    def apply_settings(self, settings: carla.WorldSettings) -> None:
        self.applied.append(settings)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inside, name)


class Filling(EmbeddedBackend):
    """Whoever leaves the world must take its traffic out."""

    def populate(self, world: Any, ego: Any, vehicles: int, walkers: int, seed: int) -> list[Any]:
        super().populate(world, ego, vehicles, walkers, seed)
        return [actor for actor in world.get_actors().filter("vehicle.*") if actor.id != ego.id]


def test_a_session_is_synchronous_in_its_weather_and_leaves_the_world_as_it_was() -> None:
    world = ServerWorld()
    session = Session(Filling(), world, "rain_noon")
    assert world.get_weather().precipitation == weather_named("rain_noon").precipitation > 0.0
    assert (world.applied[0].synchronous_mode, world.applied[0].fixed_delta_seconds) == (True, 0.05)
    start = session.map.get_spawn_points()[0]
    before = world.inside.frame
    session.begin(start, 3, 0, 5, role="hero")
    assert world.inside.frame == before + 1
    assert session.ego.attributes["role_name"] == "hero"
    assert len(world.get_actors().filter("vehicle.*")) == 4
    state = session.ego_state()
    assert (state.x, state.y) == pytest.approx((start.location.x, start.location.y), abs=0.01)
    assert state.stamp == 50_000_000 * world.inside.frame
    assert session.tick() == before + 2
    assert session.traffic_lights == [a for a in world.get_actors() if a.type_id == "traffic.traffic_light"]
    with pytest.raises(InvalidInputError):
        session.begin(start, 0, 0, 5)  # the ego stands there
    session.close()
    assert len(world.get_actors().filter("vehicle.*")) == 0
    assert len(world.applied) == 2
    assert not world.applied[1].synchronous_mode
    session.close()  # nothing is destroyed twice


def test_a_wrong_town_or_weather_is_named() -> None:
    with pytest.raises(SimlingoError, match="nowhere"):
        open_session(EmbeddedBackend(), "nowhere", 0, "clear_noon")
    with pytest.raises(SimlingoError, match="raining_frogs"):
        open_session(EmbeddedBackend(), "ringtown", 0, "raining_frogs")
    with pytest.raises(InvalidInputError, match="nowhere"):
        embedded_map("nowhere")


def test_a_numbered_route_opens_its_own_world() -> None:
    planner = embedded_planner("ringtown")
    spec = RouteSpec("ringtown", 1, 0)
    route = numbered_route(embedded_map("ringtown"), planner, spec)
    session = open_numbered(EmbeddedBackend(), route, "none", "clear_noon")
    state = session.ego_state()
    assert math.dist((state.x, state.y), (route.start.location.x, route.start.location.y)) < 0.1
    assert session.world.get_weather().sun_altitude_angle == weather_named("clear_noon").sun_altitude_angle
    driver = make_driver(session, route, planner, DriverSettings(driver="expert"))
    assert isinstance(driver, ExpertDriver)
    assert roll_out(session, driver, [], 40) == 40
    assert driver.info is not None
    assert driver.info.ego.speed > 1.0
    made: list[tuple[Any, ...]] = []

    def factory(*arguments: Any) -> Any:
        made.append(arguments)
        return "mine"

    register("mine", factory)
    register("mine", factory)
    try:
        assert make_driver(session, route, planner, DriverSettings(driver="mine")) == "mine"
        assert made[0][:3] == (session, route, planner)
        with pytest.raises(ValueError, match="'mine' is registered"):
            register("mine", lambda *arguments: arguments)
        with pytest.raises(InvalidInputError, match=r"'exprt' \(expert, mine, model\); did you mean 'expert'\?"):
            make_driver(session, route, planner, DriverSettings(driver="exprt"))
    finally:
        unregister("mine")
    with pytest.raises(InvalidInputError, match=r"\(expert, model\)$"):
        make_driver(session, route, planner, DriverSettings(driver="zzzz"))
    unregister("mine")
    with pytest.raises(InvalidInputError, match="has no number"):
        open_numbered(EmbeddedBackend(), route_along("free", route.dense, planner), "none")


def test_what_a_server_cannot_do_is_refused_by_name() -> None:
    server, embedded = CarlaBackend("127.0.0.1", 1), EmbeddedBackend()
    for capability in Capability:
        embedded.require(capability)
        with pytest.raises(CapabilityError, match=f"the world 'carla' cannot {capability.value}; use the embedded"):
            server.require(capability)
    for ask in (
        lambda: server.procedural_town((1,), 1),
        server.drawable_vehicles,
        lambda: server.light_colours(None, "red"),
        lambda: server.views(None, None, np.random.default_rng(0)),
    ):
        with pytest.raises(CapabilityError, match="'carla' cannot"):
            ask()
    assert server.signal_programs(None) == []
    with pytest.raises(SimlingoError, match=r"no CARLA server answers at 127\.0\.0\.1:1"):
        server.load("Town01", 0)
    assert all(size.length_m > 1.5 and size.type_id.startswith("vehicle.") for size in embedded.drawable_vehicles())


def test_a_drawn_route_comes_back_from_its_file(tmp_path: Path) -> None:
    planner, carla_map = embedded_planner("gridtown"), embedded_map("gridtown")
    signalled = signalled_lanes(carla_map)
    routes = [numbered_route(carla_map, planner, RouteSpec("gridtown", 1, index)) for index in (0, 3)]
    path = tmp_path / "routes.xml"
    weather = {"cloudiness": 30.0, "sun_altitude_angle": -12.5}
    entries = [entry_of(route, "gridtown") for route in routes]
    write_routes(path, [RouteEntry(entries[0].id, "gridtown", entries[0].keypoints, weather), entries[1]])
    assert [file.name for file in tmp_path.iterdir()] == ["routes.xml"]
    back = read_routes(path)
    assert [(entry.id, entry.town) for entry in back] == [(route.name, "gridtown") for route in routes]
    assert [entry.weather for entry in back] == [weather, {}]
    for entry, route in zip(back, routes, strict=True):
        again = to_route(entry, planner, signalled)
        assert again.name == route.name
        assert again.length == pytest.approx(route.length, abs=0.1)
        assert (again.signals, again.commands[0], again.commands[-1]) == (
            route.signals, route.commands[0], route.commands[-1],
        )  # fmt: skip
        gaps = np.linalg.norm(route.line[:, None] - again.line[None], axis=2).min(axis=1)
        assert gaps.max() < 0.05


VERSION_1 = """<?xml version="1.0"?>
<routes>
  <route id="7" town="gridtown">
    <weather id="Custom" cloudiness="12.5" precipitation="0"/>
    <waypoint pitch="0.0" roll="0.0" x="1.5" y="-2" yaw="90" z="0.25"/>
    <waypoint pitch="0.0" roll="0.0" x="30" y="4" yaw="0" z="0"/>
    <waypoint x="60" y="4" z="0"/>
  </route>
</routes>
"""
VERSION_2 = """<routes>
  <route id="0" town="Town12">
    <weathers>
      <weather route_percentage="0" cloudiness="5.0" fog_density="2"/>
      <weather route_percentage="100" cloudiness="90.0"/>
    </weathers>
    <waypoints><position x="983.5" y="5382.2" z="371.0"/><position x="990" y="5390" z="371"/></waypoints>
    <scenarios><scenario name="a" type="b"><trigger_point x="1" y="2" z="3" yaw="4"/></scenario></scenarios>
  </route>
  <route id="1" town="Town12"><waypoints><position x="0" y="0" z="0"/><position x="1" y="1" z="0"/></waypoints></route>
</routes>
"""


def test_leaderboard_files_of_both_versions_are_read(tmp_path: Path) -> None:
    path = tmp_path / "routes.xml"
    path.write_text(VERSION_1)
    (entry,) = read_routes(path)
    assert (entry.id, entry.town, entry.weather) == ("7", "gridtown", {"cloudiness": 12.5, "precipitation": 0.0})
    assert entry.keypoints.tolist() == [[1.5, -2.0, 0.25], [30.0, 4.0, 0.0], [60.0, 4.0, 0.0]]
    path.write_text(VERSION_2)
    first, second = read_routes(path)
    assert (first.id, first.town, first.weather) == ("0", "Town12", {"cloudiness": 5.0, "fog_density": 2.0})
    assert first.keypoints[0].tolist() == [983.5, 5382.2, 371.0]
    assert (second.id, second.weather, len(second.keypoints)) == ("1", {}, 2)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<routes>", "is no route file of CARLA's leaderboard"),
        ("<routes></routes>", "holds no <route>"),
        (VERSION_1.replace('x="30"', 'x="east"'), "route '7' has a place or weather that is no number"),
        (VERSION_1.replace('cloudiness="12.5"', 'cloudiness="some"'), "route '7' has a place or weather"),
        (VERSION_1.replace('z="0.25"', ""), "route '7' has a place or weather that is no number"),
        (VERSION_1.replace('x="30"', 'x="nan"'), "route '7' needs a town and at least two finite places"),
        (VERSION_2.replace(' town="Town12"', ""), "route '0' needs a town"),
        (
            '<routes><route id="3" town="T"><waypoint x="1" y="2" z="3"/></route></routes>',
            "route '3' needs a town and at",
        ),
        ('<routes><route id="4" town="T"/></routes>', "route '4' needs"),
    ],
)
def test_broken_route_files_are_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "routes.xml"
    path.write_text(text)
    with pytest.raises(InvalidInputError, match=message) as error:
        read_routes(path)
    assert str(path) in str(error.value)


def test_a_missing_route_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"none\.xml"):
        read_routes(tmp_path / "none.xml")


def test_a_route_begins_above_its_first_place() -> None:
    planner, carla_map = embedded_planner("gridtown"), embedded_map("gridtown")
    points = carla_map.get_spawn_points()
    route = route_between(planner, "free", points[0].location, points[30].location)
    first = route.dense[0][0].transform
    assert route.start.location.z == pytest.approx(first.location.z + DROP_M)
    assert route.start.rotation.yaw == first.rotation.yaw
    assert (route.name, route.spec) == ("free", None)
    assert len(route.commands) == len(route.transforms) == len(route.dense)
    assert route.length == pytest.approx(len(route.dense), rel=0.1)
