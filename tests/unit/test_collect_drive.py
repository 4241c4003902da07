"""One expert's drive, collected: every row says what the world was like, and where the ego really went afterwards."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import carla
import numpy as np
import pytest
from collect_cases import Recording, record
from collect_drive_cases import (
    JOB,
    along_route,
    ego_pose,
    front,
    line,
    pairs,
    track,
    true_at,
    view_pose,
)

from simlingo.geometry import arc_length, ego_to_map, map_to_ego, project_onto_polyline, wrap_angle
from simlingo_drive.views import MAX_SHIFT_M, MAX_TURN_RAD
from simlingo_sim.vehicle_models import VEHICLE_MODELS

#: Drives for many seconds.
pytestmark = pytest.mark.medium


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record(tmp_path_factory.mktemp("drive"), JOB, perturb=False, repaint=False)


def test_frames_come_every_five_ticks_with_two_views_each(drive: Recording) -> None:
    assert [row["view"] for row in drive.rows[:4]] == ["ego", "second", "ego", "second"]
    assert len(drive.view("ego")) == len(drive.view("second")) == drive.route.frames == drive.told[-1]
    for one, other in pairs(drive):
        assert one["frame"] == other["frame"]
        assert one["tick"] == other["tick"] == 5 * one["frame"]
        assert one["stamp_ns"] == other["stamp_ns"]
    ticks = [tick - min(drive.truth) for tick in drive.truth]
    assert ticks == list(range(0, 5 * len(ticks), 5))
    stamps = [row["stamp_ns"] for row in drive.view("ego")]
    steps = [row["tick"] for row in drive.view("ego")]
    assert np.diff(stamps) == pytest.approx(np.diff(steps) * 50_000_000, abs=2)


def test_of_frames_that_stand_only_the_first_eight_and_every_sixth_is_kept(drive: Recording) -> None:
    gaps, begin = [], None  # begin: frame at which it came to stand
    for before, after in pairwise(drive.view("ego")):
        if before["ego_speed_mps"] < 0.1 and before["target_speed_mps"] < 0.3:
            begin = before["frame"] if begin is None else begin
        else:
            begin = None
        stood = 0 if begin is None else before["frame"] - begin + 1
        gap = after["frame"] - before["frame"]
        if gap > 1:
            gaps.append((stood, gap))
            assert stood == 8 or (stood > 8 and stood % 6 == 0)
            assert gap <= (4 if stood == 8 else 6)
        else:
            assert stood < 8 or after["ego_speed_mps"] > 0.1 or after["target_speed_mps"] > 0.3
    assert (8, 4) in gaps
    assert any(standing > 8 and gap == 6 for standing, gap in gaps)


def test_poses_speeds_and_stamps_are_the_worlds(drive: Recording) -> None:
    for row in drive.rows:
        true = true_at(drive, row)
        pose = true["ego"]
        assert (row["ego_x_m"], row["ego_y_m"], row["ego_z_m"]) == pytest.approx(
            (pose.location.x, pose.location.y, pose.location.z), abs=1e-4
        )
        assert wrap_angle(row["ego_yaw_rad"] - math.radians(pose.rotation.yaw)) == pytest.approx(0.0, abs=1e-5)
        assert row["ego_speed_mps"] == pytest.approx(true["speed"], abs=1e-4)
        assert row["stamp_ns"] == true["stamp_ns"]
        if row["view"] == "ego":
            assert view_pose(row) == ego_pose(row)
            assert (row["ahead_m"], row["shift_m"], row["turn_rad"], row["counterfactual"]) == (0.0, 0.0, 0.0, "")
            assert row["counterfactual_detail"] == ""


def test_actor_states_hold_everybody_at_every_tick(drive: Recording) -> None:
    seen: list[int] = []
    for row in drive.view("ego"):
        states = row["actor_states"]
        seen += sorted({state["tick"] for state in states})
        now = {state["id"]: state for state in states if state["tick"] == row["tick"]}
        true = true_at(drive, row)
        assert set(now) == set(true["poses"])
        for key, pose in true["poses"].items():
            state = now[key]
            assert (state["x_m"], state["y_m"], state["z_m"]) == pytest.approx(
                (pose.location.x, pose.location.y, pose.location.z), abs=1e-3
            )
            assert wrap_angle(state["yaw_rad"] - math.radians(pose.rotation.yaw)) == pytest.approx(0.0, abs=1e-4)
            assert math.hypot(state["vx_mps"], state["vy_mps"]) == pytest.approx(true["speeds"][key], abs=1e-3)
    assert seen == list(range(drive.rows[-1]["tick"] + 1))
    assert {actor["id"] for actor in drive.route.meta["actors"]} == set(next(iter(drive.truth.values()))["poses"])


def test_velocity_and_yaw_rate_are_those_of_the_motion(drive: Recording) -> None:
    ego = drive.episode.session.ego.id
    states = [state for row in drive.view("ego") for state in row["actor_states"] if state["id"] == ego]
    turned = 0
    for before, after in pairwise(states):
        assert after["x_m"] - before["x_m"] == pytest.approx(0.05 * after["vx_mps"], abs=0.03)
        assert after["y_m"] - before["y_m"] == pytest.approx(0.05 * after["vy_mps"], abs=0.03)
        rate = wrap_angle(after["yaw_rad"] - before["yaw_rad"]) / 0.05
        assert after["yaw_rate_rps"] == pytest.approx(rate, abs=0.15)
        turned += abs(rate) > 0.3
    assert turned > 20
    assert all(row["actor_states"] is None and row["light_states"] is None for row in drive.view("second"))


def test_light_states_are_carlas_codes_of_all_lights(drive: Recording) -> None:
    codes = {carla.TrafficLightState.Red: 0, carla.TrafficLightState.Yellow: 1, carla.TrafficLightState.Green: 2}
    seen = set()
    for row in drive.view("ego"):
        now = {entry["id"]: entry["state"] for entry in row["light_states"] if entry["tick"] == row["tick"]}
        assert now == {key: codes[state] for key, state in true_at(drive, row)["lights"].items()}
        seen |= set(now.values())
    assert seen == {0, 1, 2}


def test_the_light_ahead_is_told_with_its_colour_and_distance(drive: Recording) -> None:
    route, colours = drive.episode.expert.route, set()
    bumper = front(drive)
    for row in drive.view("ego"):
        if row["light_state"] == "none":
            assert row["light_distance_m"] is None
            continue
        place = route.at(along_route(drive, ego_pose(row)) + bumper + row["light_distance_m"])
        near = {
            light["id"]
            for light in drive.route.meta["lights"]
            for x, y, _ in light["stop_lines"]
            if math.dist((x, y), place) < 1.6
        }
        assert row["light_state"].capitalize() in {true_at(drive, row)["lights"][key].name for key in near}
        colours.add(row["light_state"])
    assert colours == {"red", "yellow", "green"}


def test_the_ego_goes_where_the_speed_waypoints_say_while_nothing_holds_it(drive: Recording) -> None:
    places, rows = track(drive), drive.view("ego")
    by_frame = {row["frame"]: row for row in rows}
    errors, sideways = [], 0
    for row in rows:
        following = [by_frame.get(row["frame"] + step) for step in range(11)]
        if not all(found is not None and found["cause"] == "road" for found in following):
            continue
        future = np.array([places[row["tick"] + 5 * step] for step in range(1, 11)])
        moved = map_to_ego(future, ego_pose(row))
        errors.append(np.hypot(*(moved - row["speed_waypoints_m"]).T))
        sideways += abs(moved[-1, 1]) > 1.5
    assert len(errors) > 60
    assert sideways > 8
    assert np.max(errors) < 1.2
    assert np.median(errors) < 0.15


def test_paths_of_both_views_lie_on_the_driven_line(drive: Recording) -> None:
    places = track(drive)
    driven = np.array([places[tick] for tick in sorted(places)])
    driven = driven[np.concatenate(([True], np.hypot(*np.diff(driven, axis=0).T) > 1e-3))]
    end = arc_length(driven)[-1]
    checked = {"ego": 0, "second": 0}
    for row in drive.rows:
        path = np.asarray(row["path_m"])
        assert path[0] == pytest.approx((0.0, 0.0), abs=1e-3)
        steps = np.hypot(*np.diff(path, axis=0).T)
        assert steps.max() < 1.01
        assert steps.min() > 0.9
        for point in ego_to_map(path[8:], view_pose(row)):
            _, along, gap = project_onto_polyline(driven, point)
            if along < end - 1.0:
                assert gap < 0.45
                checked[row["view"]] += 1
    assert min(checked.values()) > 1000


def test_target_points_are_places_of_the_route_for_both_views(drive: Recording) -> None:
    route, places = line(drive), set()
    for one, other in pairs(drive):
        fixed = ego_to_map(one["target_points_m"], view_pose(one))
        assert ego_to_map(other["target_points_m"], view_pose(other)) == pytest.approx(fixed, abs=0.01)
        for point in fixed:
            assert np.hypot(*(route - point).T).min() < 0.6
            places.add((round(float(point[0]), 1), round(float(point[1]), 1)))
        assert one["target_points_m"][0, 0] > 0.0 or one["target_points_m"][0] == pytest.approx((0, 0), abs=8.0)
    assert 3 <= len(places) <= 25  # fixed ones, not some that move with the ego


def test_the_second_view_stands_to_the_right_and_is_turned_clockwise(drive: Recording) -> None:
    shifts, turns = [], []
    for row in drive.view("second"):
        if row["counterfactual"] == "nearer":
            assert row["ahead_m"] > 0.0
            continue
        assert row["ahead_m"] == 0.0
        right = -math.sin(row["ego_yaw_rad"]), math.cos(row["ego_yaw_rad"])
        assert row["view_x_m"] == pytest.approx(row["ego_x_m"] + row["shift_m"] * right[0], abs=1e-4)
        assert row["view_y_m"] == pytest.approx(row["ego_y_m"] + row["shift_m"] * right[1], abs=1e-4)
        assert row["view_yaw_rad"] == pytest.approx(row["ego_yaw_rad"] + row["turn_rad"], abs=1e-6)
        shifts.append(row["shift_m"])
        turns.append(row["turn_rad"])
    for values, most in ((shifts, MAX_SHIFT_M), (turns, MAX_TURN_RAD)):
        assert 0.9 * most < max(values) <= most
        assert -most <= min(values) < -0.9 * most
        assert abs(np.mean(values)) < 0.2 * most


def test_pictures_are_taken_from_where_the_rows_say_and_the_camera_stood_there_before_the_tick(
    drive: Recording,
) -> None:
    looks = iter(drive.looks)
    for one, other in pairs(drive):
        first, second = next(looks), next(looks)
        assert (first.pose.x, first.pose.y, first.pose.yaw) == (one["view_x_m"], one["view_y_m"], one["view_yaw_rad"])
        assert (second.pose.x, second.pose.y, second.pose.yaw) == (
            other["view_x_m"], other["view_y_m"], other["view_yaw_rad"],
        )  # fmt: skip
        assert second.placed == pytest.approx((other["shift_m"], other["turn_rad"]), abs=1e-6)
        assert not first.changes
        assert bool(second.changes) == (other["counterfactual"] in ("lead", "light"))
    assert next(looks, None) is None


def test_nearer_views_lie_ahead_on_the_route(drive: Recording) -> None:
    rows = [pair for pair in pairs(drive) if pair[1]["counterfactual"] == "nearer"]
    assert len(rows) > 3
    for one, other in rows:
        moved = along_route(drive, view_pose(other)) - along_route(drive, ego_pose(one))
        assert moved == pytest.approx(other["ahead_m"], abs=0.8)
        route = drive.episode.expert.route
        bend = route.yaw_at(along_route(drive, view_pose(other))) - route.yaw_at(along_route(drive, ego_pose(one)))
        expected = one["ego_yaw_rad"] + bend + other["turn_rad"]
        assert wrap_angle(other["view_yaw_rad"] - expected) == pytest.approx(0.0, abs=0.1)
        if one["light_distance_m"] is not None:
            assert other["light_distance_m"] == pytest.approx(one["light_distance_m"] - other["ahead_m"], abs=0.01)
        if one["lead_distance_m"] is not None:
            assert other["lead_distance_m"] == pytest.approx(one["lead_distance_m"] - other["ahead_m"], abs=0.01)
        assert other["distance_to_command_m"] <= one["distance_to_command_m"]


def test_vehicles_that_are_drawn_stand_ahead_and_are_stopped_for(drive: Recording) -> None:
    bumper, straight = front(drive), 0
    rows = [pair for pair in pairs(drive) if pair[1]["counterfactual"] == "lead"]
    assert 0.15 < len(rows) / drive.route.frames < 0.5
    for one, other in rows:
        drawn = json.loads(other["counterfactual_detail"])
        assert other["lead_speed_mps"] == 0.0
        assert one["lead_distance_m"] is None or one["lead_distance_m"] > other["lead_distance_m"]
        along, across = map_to_ego(np.array([[drawn["x"], drawn["y"]]]), ego_pose(one))[0]
        turned = wrap_angle(drawn["yaw"] - one["ego_yaw_rad"])
        if abs(turned) < 0.2 and abs(across) < 1.0:
            straight += 1
            gap = along - 0.5 * VEHICLE_MODELS[drawn["type_id"]].length - bumper
            assert other["lead_distance_m"] == pytest.approx(gap, abs=0.5)
        held = ego_to_map(other["speed_waypoints_m"], view_pose(other))
        nose = map_to_ego(held, ego_pose(one))[:, 0].max() + bumper
        assert nose < max(along - 0.5 * VEHICLE_MODELS[drawn["type_id"]].length, bumper) + 1.0 or abs(turned) > 0.2
    assert straight > 20


def test_lights_that_are_drawn_otherwise_are_labelled_so(drive: Recording) -> None:
    rows = [pair for pair in pairs(drive) if pair[1]["counterfactual"] == "light"]
    assert len(rows) > 5
    for one, other in rows:
        assert {one["light_state"], other["light_state"]} == {"red", "green"}
        assert other["light_distance_m"] == one["light_distance_m"]
        colours = json.loads(other["counterfactual_detail"])
        assert set(colours.values()) <= {"red", "green"}
        assert other["light_state"] in colours.values()
        if other["light_state"] == "red":
            assert any(stop["reason"] == "traffic_light" for stop in other["stops"])
        else:
            assert other["cause"] != "traffic_light"
    plain = [pair for pair in pairs(drive) if pair[1]["counterfactual"] in ("", "lead")]
    assert all(one["light_state"] == other["light_state"] for one, other in plain)


def test_waypoints_begin_at_the_speed_that_they_are_for(drive: Recording) -> None:
    apart = 0
    for row in drive.rows:
        for speed, points in (
            (row["speed_mps"], row["speed_waypoints_m"]),
            (row["other_speed_mps"], row["other_speed_waypoints_m"]),
        ):
            first = float(np.hypot(*points[0])) if row["view"] == "ego" else float(np.hypot(*(points[1] - points[0])))
            slack = 0.3 if row["view"] == "ego" else 0.7  # a second of braking or setting off changes less
            assert first == pytest.approx(0.25 * speed, abs=slack)
        apart += abs(row["speed_mps"] - row["other_speed_mps"]) > 3.0
    assert apart > 0.3 * len(drive.rows)
    standing = [row["other_speed_mps"] == 0.0 for row in drive.view("ego") if row["speed_mps"] > 0.5]
    assert 0.2 < np.mean(standing) < 0.6


def test_second_views_tell_of_the_way_from_where_they_stand(drive: Recording) -> None:
    """Waypoints of a shifted view begin at that view, not at the ego."""
    for row in drive.view("second"):
        if row["other_speed_mps"] == 0.0 and row["other_speed_waypoints_m"][0, 0] < 0.3:
            first = row["other_speed_waypoints_m"][0]
            assert first == pytest.approx((0.0, 0.0), abs=0.45)
    assert any(row["other_speed_mps"] == 0.0 for row in drive.view("second"))


def test_what_the_expert_wants_comes_about(drive: Recording) -> None:
    rows = drive.view("ego")
    for before, after in pairwise(rows):
        assert before["target_speed_mps"] == pytest.approx(
            max(before["speed_mps"] + 0.5 * before["acceleration_mps2"], 0.0), abs=1e-3
        )
        if after["frame"] == before["frame"] + 1 and abs(before["acceleration_mps2"]) > 1.2 and before["speed_mps"] > 1:
            assert (after["speed_mps"] - before["speed_mps"]) * before["acceleration_mps2"] > 0.0
        assert before["throttle"] * before["brake"] == 0.0
        assert (before["brake"] > 0.0) <= (before["acceleration_mps2"] < 0.1)
    assert not any(row["disturbed"] or row["model_drives"] for row in drive.rows)
    turning = [
        (row["steer"], next(s["yaw_rate_rps"] for s in row["actor_states"] if s["id"] == drive.episode.session.ego.id))
        for row in rows
    ]
    strong = [steer * rate for steer, rate in turning if abs(rate) > 0.2]
    assert len(strong) > 5
    assert min(strong) > 0.0
    for one, other in pairs(drive):
        assert all(one[name] == other[name] for name in ("steer", "throttle", "brake"))


def test_the_ego_begins_in_the_middle_of_its_lane_when_nothing_is_to_be_disturbed(drive: Recording) -> None:
    row, start = drive.rows[0], drive.route.meta["waypoints"][0]
    assert math.dist((row["ego_x_m"], row["ego_y_m"]), start[:2]) < 0.1
    assert abs(wrap_angle(row["ego_yaw_rad"] - start[2])) < 0.01
