"""One expert's drive, collected: every row tells what holds the ego, who is about and what the route asks."""

from __future__ import annotations

import json
import math
from typing import Any

import carla
import numpy as np
import pytest
from collect_cases import Recording, record
from collect_drive_cases import (
    JOB,
    Row,
    along_route,
    ego_actor,
    ego_pose,
    front,
    true_at,
)

from simlingo.contracts import Command
from simlingo.geometry import arc_length, ego_to_map, map_to_ego, project_onto_polyline, wrap_angle
from simlingo_drive.expert.constants import CONSTANTS
from training.collect.boxes import BOX_RADIUS_M, WEATHER_KEYS
from training.datasets.schema import CAUSES

#: Drives for many seconds.
pytestmark = pytest.mark.medium


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record(tmp_path_factory.mktemp("drive"), JOB, perturb=False, repaint=False)


def test_causes_name_who_bounds_the_speed(drive: Recording) -> None:
    lights = {light["id"] for light in drive.route.meta["lights"]}
    signs = {sign["id"] for sign in drive.route.meta["stop_signs"]}
    seen = set()
    for row in drive.view("ego"):
        seen.add(row["cause"])
        stops = {(stop["reason"], stop["actor_id"]): stop["distance_m"] for stop in row["stops"]}
        if row["cause"] == "road":
            assert (row["cause_actor_id"], row["cause_distance_m"]) == (None, None)
        elif row["cause"] == "lead":
            assert row["cause_actor_id"] in true_at(drive, row)["poses"]
            assert row["cause_distance_m"] == pytest.approx(row["lead_distance_m"] + front(drive), abs=0.01)
        else:
            assert row["cause_distance_m"] == pytest.approx(stops[row["cause"], row["cause_actor_id"]])
        if row["cause"] == "traffic_light":
            assert row["cause_actor_id"] in lights
            assert row["light_state"] in ("red", "yellow")
            expected = row["light_distance_m"] + front(drive) - CONSTANTS.stop_margin
            assert row["cause_distance_m"] == pytest.approx(expected, abs=0.01)
        if row["cause"] == "stop_sign":
            assert row["cause_actor_id"] in signs
    assert seen >= {"road", "traffic_light", "stop_sign", "lead", "junction"}
    assert {row["other_cause"] for row in drive.rows} <= set(CAUSES)
    assert any(row["other_cause"] != row["cause"] for row in drive.view("ego"))
    assert all(not row["hazard"] for row in drive.rows if row["cause"] in ("road", "traffic_light", "stop_sign"))


def test_the_vehicle_ahead_is_where_the_rows_say(drive: Recording) -> None:
    bumper, checked, ego_id = front(drive), 0, drive.episode.session.ego.id
    actors = {actor["id"]: actor for actor in drive.route.meta["actors"]}
    points = drive.episode.expert.route.points
    for row in drive.view("ego"):
        true, gaps = true_at(drive, row), {}
        here = along_route(drive, ego_pose(row))
        for key, pose in true["poses"].items():
            index, along, beside = project_onto_polyline(points, np.array((pose.location.x, pose.location.y)))
            aligned = abs(wrap_angle(math.radians(pose.rotation.yaw) - drive.episode.expert.route.yaw[index])) < 0.15
            vehicle = key != ego_id and actors[key]["type_id"].startswith("vehicle.")
            if vehicle and aligned and beside < 1.0 and 0.0 < along - here < 40.0:
                gaps[along - here - actors[key]["extent_m"][0] - bumper] = key
        if gaps:
            assert row["lead_distance_m"] == pytest.approx(min(gaps), abs=0.6)
            assert row["lead_speed_mps"] == pytest.approx(true["speeds"][gaps[min(gaps)]], abs=0.3)
            checked += 1
    assert checked >= 5
    assert any(row["lead_distance_m"] is None and row["lead_speed_mps"] is None for row in drive.view("ego"))


def test_the_route_ahead_and_the_commands_are_those_of_the_way(drive: Recording) -> None:
    route = drive.episode.expert.route.points
    commands = [waypoint[3] for waypoint in drive.route.meta["waypoints"]]
    for row in drive.view("ego"):
        points = row["route_m"]
        assert np.hypot(*np.diff(points, axis=0).T) == pytest.approx(np.ones(39), abs=0.05)
        assert float(np.hypot(*points[0])) == pytest.approx(2.5, abs=0.3)
        assert points[0, 0] > 0.0
        in_map = ego_to_map(points, ego_pose(row))
        for point in in_map[::5]:
            _, along, gap = project_onto_polyline(route, point)
            assert gap < 0.1 or along > arc_length(route)[-1] - 1.0
        assert row["command"] in {*commands, int(Command.FOLLOW_LANE)}
    assert all(row["route_m"] is None for row in drive.view("second"))
    turning = [row["command"] for row in drive.view("ego") if row["junction"] and row["command"] != Command.FOLLOW_LANE]
    assert turning
    assert all(
        row["speed_limit_mps"] == pytest.approx(limit, abs=0.1)
        for row, limit in zip(drive.view("ego"), [row["speed_limit_mps"] for row in drive.view("second")], strict=True)
    )
    assert {round(row["speed_limit_mps"] * 3.6) for row in drive.rows} <= {30, 40, 50}


def test_junctions_are_those_of_the_map(drive: Recording) -> None:
    carla_map = drive.episode.session.map
    agree = [
        row["junction"] == carla_map.get_waypoint(carla.Location(row["ego_x_m"], row["ego_y_m"], 0.0)).is_junction
        for row in drive.view("ego")
    ]
    assert np.mean(agree) > 0.9
    assert 0 < sum(row["junction"] for row in drive.view("ego")) < 0.7 * len(agree)


def boxes(row: Row, name: str) -> list[dict[str, Any]]:
    return [box for box in json.loads(row["boxes"]) if box["class"] == name]


def test_boxes_stand_where_the_actors_are(drive: Recording) -> None:
    actors = {actor["id"]: actor for actor in drive.route.meta["actors"]}
    ego_id, turned = drive.episode.session.ego.id, set()
    for row in drive.view("ego"):
        true, here = true_at(drive, row), ego_pose(row)
        found = {box["id"]: box for name in ("car", "walker") for box in boxes(row, name)}
        for key, pose in true["poses"].items():
            if key == ego_id:
                continue
            place = map_to_ego(np.array([[pose.location.x, pose.location.y]]), here)[0]
            distance = float(np.hypot(*place))
            assert (key in found) == (distance <= BOX_RADIUS_M)
            if key in found:
                box = found[key]
                assert box["class"] == ("car" if actors[key]["type_id"].startswith("vehicle.") else "walker")
                assert box["position"][:2] == pytest.approx(place, abs=1e-3)
                assert box["position"][2] == pytest.approx(pose.location.z, abs=1e-3)
                assert box["distance"] == pytest.approx(distance, abs=1e-3)
                expected = math.radians(pose.rotation.yaw) - here.yaw
                assert wrap_angle(box["yaw"] - expected) == pytest.approx(0.0, abs=1e-4)
                assert abs(box["yaw"]) <= math.pi + 1e-6
                turned.add(round(box["yaw"], 1))
                assert box["extent"] == pytest.approx(actors[key]["extent_m"])
                assert box["speed"] == pytest.approx(true["speeds"][key], abs=1e-3)
                assert [line[3] for line in box["matrix"][:2]] == pytest.approx([pose.location.x, pose.location.y])
                assert box["role_name"] == actors[key]["role_name"]
                assert box.get("type_id", actors[key]["type_id"]) == actors[key]["type_id"]
        assert ego_id not in found
        assert all(box["num_pixels"] == 0 for box in found.values())  # its camera sees nothing
        (own,) = boxes(row, "ego_car")
        assert own["id"] == ego_id
        assert own["extent"] == pytest.approx(ego_actor(drive)["extent_m"])
        assert own["speed"] == pytest.approx(row["ego_speed_mps"], abs=1e-4)
        assert (own["position"], own["yaw"]) == ([0.0, 0.0, 0.0], 0.0)
        assert (own["num_points"], own["distance"]) == (-1, -1)
        assert [line[3] for line in own["matrix"][:2]] == pytest.approx([here.x, here.y], abs=1e-3)
        cars = [found[key] for key in found if found[key]["class"] == "car"]
        assert all(0.0 <= car["throttle"] <= 1.0 and 0.0 <= car["brake"] <= 1.0 for car in cars)
        assert all(car["number_of_wheels"] in (2, 4) and abs(car["steer"]) <= 1.0 for car in cars)
    assert len(turned) > 10
    assert all(row["boxes"] is None for row in drive.view("second"))


def test_boxes_tell_of_lights_signs_and_weather(drive: Recording) -> None:
    weather = drive.episode.session.world.get_weather()
    lines = {light["id"]: light["stop_lines"] for light in drive.route.meta["lights"]}
    lines |= {sign["id"]: sign["stop_lines"] for sign in drive.route.meta["stop_signs"]}
    affecting = {"traffic_light": 0, "stop_sign": 0}
    world = drive.episode.session.world
    volumes = {actor.id: actor.trigger_volume.extent for actor in world.get_actors().filter("traffic.*")}
    for row in drive.view("ego"):
        true = true_at(drive, row)["lights"]
        for name in affecting:
            for box in boxes(row, name):
                middle = ego_to_map(np.array([box["position"][:2]]), ego_pose(row))[0]
                # The middle of a volume that ends at the lines and reaches ten metres back.
                nearest = min(math.dist(middle, stop[:2]) for stop in lines[box["id"]])
                assert 4.9 < nearest < 9.0
                assert box["distance"] == pytest.approx(math.hypot(*box["position"][:2]))
                assert box["distance"] <= BOX_RADIUS_M
                volume = volumes[box["id"]]
                assert box["extent"] == pytest.approx([volume.x, volume.y, volume.z])
                if name == "traffic_light":
                    assert box["state"] == int(true[box["id"]])
                if box["affects_ego"]:
                    affecting[name] += 1
                    assert any(stop["actor_id"] == box["id"] for stop in row["stops"]) or row["light_state"] != "none"
        affects = [box["id"] for box in boxes(row, "traffic_light") if box["affects_ego"]]
        if row["light_state"] == "none":
            assert affects == []
        if row["cause"] == "traffic_light" and row["light_distance_m"] < 30.0:
            assert row["cause_actor_id"] in affects
        (sky,) = boxes(row, "weather")
        assert sky == {"class": "weather", **{key: getattr(weather, key) for key in WEATHER_KEYS}}
        (lane,) = boxes(row, "ego_info")
        assert lane["traffic_light_state"] == row["light_state"]
        waypoint = drive.episode.session.map.get_waypoint(carla.Location(row["ego_x_m"], row["ego_y_m"], 0.0))
        assert (lane["road_id"], lane["lane_id"], lane["is_in_junction"]) == (
            waypoint.road_id, waypoint.lane_id, waypoint.is_junction,
        )  # fmt: skip
        assert lane["junction_id"] == (waypoint.junction_id if waypoint.is_junction else None)
        assert (lane["lane_type_str"], lane["lane_change_str"]) == (str(waypoint.lane_type), str(waypoint.lane_change))
        for side, marking in (("left", waypoint.left_lane_marking), ("right", waypoint.right_lane_marking)):
            assert lane[f"{side}_lane_marking_type_str"] == str(marking.type)
            assert lane[f"{side}_lane_marking_color_str"] == str(marking.color)
    assert min(affecting.values()) > 3


def test_the_metadata_name_the_route_the_actors_and_the_lights(drive: Recording) -> None:
    meta, world = drive.route.meta, drive.episode.session.world
    assert (meta["town"], meta["weather"]["name"], meta["policy"], meta["perturb"]) == (
        "gridtown",
        "clear_noon",
        None,
        False,
    )
    assert meta["job"] == {
        "index": 0, "town": "gridtown", "seed": 5, "weather": "clear_noon", "vehicles": 25, "walkers": 12,
        "obstacles": "none",
    }  # fmt: skip
    assert drive.route.map_path.read_text() == world.get_map().to_opendrive()
    assert drive.route.map_path.with_suffix("").with_suffix(".decor.json").is_file()
    assert meta["result"]["status"] == "completed"
    assert (meta["ended_early"], meta["driven_frames"], meta["frames"]) == (
        False,
        drive.route.frames,
        drive.route.frames,
    )
    dense = drive.episode.dense
    assert len(meta["waypoints"]) == len(dense)
    for written, (waypoint, command) in zip(meta["waypoints"], dense, strict=True):
        pose = waypoint.transform
        assert written[:2] == pytest.approx((pose.location.x, pose.location.y), abs=1e-3)
        assert wrap_angle(written[2] - math.radians(pose.rotation.yaw)) == pytest.approx(0.0, abs=1e-4)
        assert written[3] == int(command)
    kinds = {actor["type_id"].split(".")[0] for actor in meta["actors"]}
    assert kinds == {"vehicle", "walker"}
    assert ego_actor(drive)["role_name"] == "ego_vehicle"
    lights = drive.episode.session.traffic_lights
    assert [light["id"] for light in meta["lights"]] == [light.id for light in lights]
    assert [light["opendrive_id"] for light in meta["lights"]] == [light.get_opendrive_id() for light in lights]
    named = {name for program in meta["signal_programs"] for phase in program["phases"] for name in phase}
    assert named == {light.get_opendrive_id() for light in lights}
    greens = {second for program in meta["signal_programs"] for second in program["green_s"]}
    assert len(greens) == 1
    assert 4.0 <= greens.pop() <= 10.0
    assert meta["weather"]["sun_altitude_angle"] == pytest.approx(world.get_weather().sun_altitude_angle)
    assert meta["expert"]["sign_stop_ticks"] == 3
