"""The towns' road networks as carla.Map sees them: geometry, marks, signals, crosswalks, routes."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from itertools import pairwise
from xml.etree import ElementTree

import carla
import pytest

from simlingo_sim.towns import TOWNS, Town, load
from simlingo_sim.towns.extras import STOP_SIGN_TYPE, TRAFFIC_LIGHT_TYPE

LaneKey = tuple[int, int]


@pytest.fixture(scope="module", params=TOWNS)
def town(request: pytest.FixtureRequest) -> Town:
    return load(request.param)


def lanes_of(town: Town) -> list[LaneKey]:
    return [(road, lane) for road, lanes in sorted(town.extras.driving_lanes.items()) for lane in lanes]


def road_lengths(town: Town) -> dict[int, float]:
    root = ElementTree.fromstring(town.xodr_text.encode())
    return {int(road.get("id", "")): float(road.get("length", "")) for road in root.iter("road")}


def lane_waypoints(town: Town, key: LaneKey, length: float, step: float) -> list[carla.Waypoint]:
    """Waypoints along a lane in driving direction, at equal distances along the road."""
    count = max(2, math.ceil((length - 0.002) / step) + 1)
    stations = [0.001 + (length - 0.002) * index / (count - 1) for index in range(count)]
    if key[1] > 0:
        stations.reverse()
    return [town.map.get_waypoint_xodr(*key, s) for s in stations]


def yaw_between(one: carla.Waypoint, other: carla.Waypoint) -> float:
    """Turn from one waypoint to the other in degrees, clockwise positive."""
    return (other.transform.rotation.yaw - one.transform.rotation.yaw + 180.0) % 360.0 - 180.0


def successors(town: Town) -> dict[LaneKey, set[LaneKey]]:
    """Lane graph: lanes that follow, and lanes to which the marks allow a change."""
    graph: dict[LaneKey, set[LaneKey]] = defaultdict(set)
    for start, end in town.map.get_topology():
        graph[(start.road_id, start.lane_id)].add((end.road_id, end.lane_id))
        change = start.lane_change
        for beside, allowed in ((start.get_left_lane(), "Left"), (start.get_right_lane(), "Right")):
            if beside is not None and str(change) in (allowed, "Both"):
                graph[(start.road_id, start.lane_id)].add((beside.road_id, beside.lane_id))
    return graph


def reached(graph: dict[LaneKey, set[LaneKey]], start: LaneKey) -> set[LaneKey]:
    seen, todo = {start}, [start]
    while todo:
        for following in graph[todo.pop()]:
            if following not in seen:
                seen.add(following)
                todo.append(following)
    return seen


def test_every_lane_is_reachable_from_every_lane(town: Town) -> None:
    graph = successors(town)
    backward: dict[LaneKey, set[LaneKey]] = defaultdict(set)
    for lane, following in graph.items():
        for other in following:
            backward[other].add(lane)
    lanes = set(lanes_of(town))
    first = min(lanes)
    assert reached(graph, first) == lanes
    assert reached(backward, first) == lanes


def test_no_lane_is_a_dead_end(town: Town) -> None:
    lengths = road_lengths(town)
    for key in lanes_of(town):
        last = lane_waypoints(town, key, lengths[key[0]], 1e9)[-1]
        assert last.next(1.0), f"lane {key} leads nowhere"


def test_lanes_join_without_gap_or_kink(town: Town) -> None:
    """Position within 1 cm and heading within 0.1 degrees at every joint of lanes."""
    lengths = road_lengths(town)
    for key in lanes_of(town):
        last = lane_waypoints(town, key, lengths[key[0]], 1e9)[-1]
        for following in last.next(0.01):
            assert (following.road_id, following.lane_id) != key
            assert last.transform.location.distance(following.transform.location) < 0.02, key
            assert abs(yaw_between(last, following)) < 0.1, key


def test_lines_and_arcs_of_a_road_join(town: Town) -> None:
    for road in ElementTree.fromstring(town.xodr_text.encode()).iter("road"):
        for piece, following in pairwise(road.iter("geometry")):
            x, y, heading, length = (float(piece.get(name, "nan")) for name in ("x", "y", "hdg", "length"))
            arc = piece.find("arc")
            turn = 0.0 if arc is None else length * float(arc.get("curvature", "nan"))
            chord = length if turn == 0.0 else 2.0 * length / turn * math.sin(turn / 2.0)
            x, y = x + chord * math.cos(heading + turn / 2.0), y + chord * math.sin(heading + turn / 2.0)
            assert math.dist((x, y), [float(following.get(name, "nan")) for name in ("x", "y")]) < 1e-3
            kink = float(following.get("hdg", "nan")) - heading - turn
            assert abs((kink + math.pi) % (2.0 * math.pi) - math.pi) < 1e-4


def test_turns_are_wide_enough_and_bends_fit_their_speed(town: Town) -> None:
    """In junctions right turns keep 7 m and left turns 10 m; on streets the limit asks for at most 3.2 m/s²."""
    lengths = road_lengths(town)
    for key in lanes_of(town):
        waypoints = lane_waypoints(town, key, lengths[key[0]], 1.0)
        for one, other in pairwise(waypoints):
            turn = math.radians(yaw_between(one, other))
            distance = one.transform.location.distance(other.transform.location)
            if abs(turn) < 1e-3:
                continue
            radius = distance / abs(turn)
            if one.is_junction:
                assert radius > (6.98 if turn > 0.0 else 9.98), key
            else:
                speed = town.extras.speed_limits[key[0]] / 3.6
                assert speed * speed / radius < 3.2, (key, radius)


def test_speed_limits_suit_town_and_country(town: Town) -> None:
    roads = ElementTree.fromstring(town.xodr_text.encode()).iter("road")
    for road in roads:
        limit, kind = town.extras.speed_limits[int(road.get("id", ""))], road.find("type")
        assert kind is not None
        assert limit in ((60.0, 70.0) if kind.get("type") == "rural" else (30.0, 40.0, 50.0))
    assert (max(town.extras.speed_limits.values()) > 50.0) == (town.name == "ringtown")


def test_marks_and_lane_changes(town: Town) -> None:
    kinds = carla.LaneMarkingType
    wide = 0
    for road, length in town.extras.street_lengths.items():
        per_side = len(town.extras.driving_lanes[road]) // 2
        for lane in town.extras.driving_lanes[road]:
            waypoint = town.map.get_waypoint_xodr(road, lane, length / 2.0)
            left, right = waypoint.left_lane_marking, waypoint.right_lane_marking
            inner, outer = abs(lane) == 1, abs(lane) == per_side
            assert left.color == (carla.LaneMarkingColor.Yellow if inner else carla.LaneMarkingColor.White)
            assert left.type in ((kinds.Solid, kinds.Broken) if inner else (kinds.Broken,))
            assert right.color == carla.LaneMarkingColor.White
            assert right.type == (kinds.Solid if outer else kinds.Broken)
            expected = "NONE" if per_side == 1 else "Right" if inner else "Left"
            assert str(waypoint.lane_change) == expected
            assert waypoint.lane_width == pytest.approx(3.5)
            wide += per_side == 2
    assert (wide > 0) == (town.name != "ringtown")


def test_junction_lanes_have_no_marks(town: Town) -> None:
    for road in town.extras.driving_lanes.keys() - town.extras.street_lengths.keys():
        waypoint = town.map.get_waypoint_xodr(road, -1, 1.0)
        assert waypoint.is_junction
        assert str(waypoint.left_lane_marking.type) == "NONE"
        assert str(waypoint.right_lane_marking.type) == "NONE"


def test_every_approach_of_a_signalled_junction_has_one_light(town: Town) -> None:
    lights = [signal for signal in town.extras.signals.values() if signal.type == TRAFFIC_LIGHT_TYPE]
    signalled = {signal.junction_id for signal in lights}
    assert len(signalled) >= 6
    incoming: set[tuple[int, int, int]] = set()
    for start, end in town.map.get_topology():
        if end.is_junction and not start.is_junction and end.junction_id in signalled:
            incoming.add((end.junction_id, start.road_id, start.lane_id))
    covered = [(light.junction_id, light.road_id, lane) for light in lights for lane in light.lane_ids]
    assert sorted(covered) == sorted(incoming)
    controlled = [signal for controller in town.extras.controllers for signal in controller.signal_ids]
    assert sorted(controlled) == sorted(light.id for light in lights)
    for junction in signalled:
        phases = [controller.sequence for controller in town.extras.controllers if controller.junction_id == junction]
        assert phases == [0, 1]


def test_carla_finds_each_signal_from_the_lanes_it_rules(town: Town) -> None:
    lengths = road_lengths(town)
    assert {mark.id for mark in town.map.get_all_landmarks()} == set(town.extras.signals)
    lights = {mark.id for mark in town.map.get_all_landmarks_of_type(TRAFFIC_LIGHT_TYPE)}
    assert lights == {signal.id for signal in town.extras.signals.values() if signal.type == TRAFFIC_LIGHT_TYPE}
    for signal in town.extras.signals.values():
        before = 6.0 if signal.lane_ids[0] > 0 else -6.0
        s = min(max(signal.s + before, 0.1), lengths[signal.road_id] - 0.1)
        for lane in signal.lane_ids:
            found = town.map.get_waypoint_xodr(signal.road_id, lane, s).get_landmarks(20.0, True)
            assert [mark.id for mark in found] == [signal.id]
            assert found[0].is_dynamic == (signal.type == TRAFFIC_LIGHT_TYPE)
        opposite = town.map.get_waypoint_xodr(signal.road_id, -signal.lane_ids[0], s)
        assert signal.id not in [mark.id for mark in opposite.get_landmarks(20.0, True)]


def test_signals_and_stop_lines_stand_where_a_driver_looks(town: Town) -> None:
    """Stop line 1-4 m before the junction; the head right of the lanes and 1.5-2.5 m behind the line."""
    lengths = road_lengths(town)
    marks = {mark.id: mark for mark in town.map.get_all_landmarks()}
    for signal in town.extras.signals.values():
        length = lengths[signal.road_id]
        forward = signal.lane_ids[0] < 0
        to_border = length - signal.stop_line.s if forward else signal.stop_line.s
        assert 1.0 <= to_border <= 4.0
        assert signal.stop_line.lane_ids == signal.lane_ids
        behind = abs(signal.stop_line.s - signal.s)
        assert 1.5 <= behind <= 2.5 if signal.type == TRAFFIC_LIGHT_TYPE else behind == 0.0
        outer = town.map.get_waypoint_xodr(signal.road_id, signal.lane_ids[-1], signal.s).transform
        offset = marks[signal.id].transform.location - outer.location
        assert 3.0 <= offset.dot(outer.get_right_vector()) <= 4.0
        assert abs(offset.dot(outer.get_forward_vector())) < 0.3  # carla.Map moves landmarks by 0.25 m
        assert signal.faces_along_road != forward


def test_each_repeater_looks_at_its_drivers_from_beyond_the_junction(town: Town) -> None:
    repeaters = {item["signal_id"]: item for item in town.decor["repeaters"]}
    lights = [signal for signal in town.extras.signals.values() if signal.type == TRAFFIC_LIGHT_TYPE]
    assert sorted(repeaters) == sorted(light.id for light in lights)
    for light in lights:
        driver = town.map.get_waypoint_xodr(light.road_id, light.lane_ids[0], light.stop_line.s).transform
        head = repeaters[light.id]
        offset = carla.Location(head["x"], head["y"], 0.0) - driver.location
        ahead, right = offset.dot(driver.get_forward_vector()), offset.dot(driver.get_right_vector())
        assert 12.0 < ahead < 60.0
        assert abs(math.degrees(math.atan2(right, ahead))) < 35.0
        turn = (head["yaw_deg"] - driver.rotation.yaw) % 360.0
        assert abs(turn - 180.0) < 45.0


def test_stop_signs_stand_only_on_minor_approaches(town: Town) -> None:
    signs = [signal for signal in town.extras.signals.values() if signal.type == STOP_SIGN_TYPE]
    lights = {s.junction_id for s in town.extras.signals.values() if s.type == TRAFFIC_LIGHT_TYPE}
    junctions = [sign.junction_id for sign in signs]
    assert signs
    assert len(set(junctions)) == len(junctions)
    assert not lights & set(junctions)


@pytest.mark.medium
def test_crosswalks_lie_between_stop_line_and_junction(town: Town) -> None:
    corners, zones = [], []
    for corner in town.map.get_crosswalks():
        corners.append(corner)
        if len(corners) > 1 and corners[0].distance(corners[-1]) < 1e-3:
            zones.append(corners)
            corners = []
    assert not corners
    lights = [signal for signal in town.extras.signals.values() if signal.type == TRAFFIC_LIGHT_TYPE]
    assert len(lights) - 1 <= len(zones) <= len(lights)  # ringtown's rural approach has no sidewalks to join
    for zone in zones:
        assert len(zone) == 5
        middle = carla.Location(sum(c.x for c in zone[:4]) / 4.0, sum(c.y for c in zone[:4]) / 4.0, 0.0)
        waypoint = town.map.get_waypoint(middle)
        assert not waypoint.is_junction
        s = {round(town.map.get_waypoint(c).s, 1) for c in zone}
        near = [light for light in lights if light.road_id == waypoint.road_id and abs(light.s - waypoint.s) < 3.0]
        assert len(near) == 1
        border = 0.0 if near[0].faces_along_road else road_lengths(town)[waypoint.road_id]
        assert max(abs(station - border) for station in s) < abs(near[0].stop_line.s - border) - 0.5


def test_spawn_points_lie_on_lanes_in_driving_direction(town: Town) -> None:
    points = town.spawn_points
    assert len(points) >= 80
    for point in points:
        waypoint = town.map.get_waypoint(point.location, project_to_road=False)
        assert waypoint is not None
        assert not waypoint.is_junction
        offset = point.location - waypoint.transform.location
        assert abs(offset.dot(waypoint.transform.get_right_vector())) < 0.02
        assert offset.z == pytest.approx(0.3)
        assert abs((waypoint.transform.rotation.yaw - point.rotation.yaw + 180.0) % 360.0 - 180.0) < 0.5


@pytest.mark.medium
def test_random_drives_meet_signals_and_turns(town: Town) -> None:
    """Two of five random drives of 800 m, from all spawn points, meet two signals and two turns."""
    choice = random.Random(5)
    lit = {s.junction_id for s in town.extras.signals.values() if s.type == TRAFFIC_LIGHT_TYPE}
    good = 0
    for point in town.spawn_points:
        waypoint, signals, turns, entered = town.map.get_waypoint(point.location), 0, 0, None
        for _ in range(800):
            following = choice.choice(waypoint.next(1.0))
            if following.is_junction and not waypoint.is_junction:
                entered = waypoint
                signals += following.junction_id in lit
            elif waypoint.is_junction and not following.is_junction and entered is not None:
                turns += abs(yaw_between(entered, following)) > 40.0
            waypoint = following
        good += signals >= 2 and turns >= 2
    assert good >= 0.4 * len(town.spawn_points), f"{good} of {len(town.spawn_points)}"
