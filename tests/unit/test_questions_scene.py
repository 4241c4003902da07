"""Scenes made of rows, in a town whose lanes are known by its map: what is where, and which side is left."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from question_cases import CAR_TAG, PEDESTRIAN_TAG, asked, box_at, draw, route_meta, row_at

from simlingo.contracts import Command, EgoState, FloatArray, InvalidInputError
from simlingo.geometry import map_to_ego
from simlingo_drive.expert.causes import Cause
from simlingo_sim import towns
from training.language.questions import around, placing, things
from training.language.questions.about_crossing import may_cross
from training.language.questions.build import scene_of
from training.language.questions.scene import Scene, Where
from training.language.surroundings.town import Pose, Town

pytestmark = pytest.mark.medium


@pytest.fixture(scope="module")
def roads() -> Town:
    """gridtown."""
    town = towns.load("gridtown")
    return Town(town.xodr_text, town.decor)


def pose_of(roads: Town, place: int, right_m: float = 0.0, turned_rad: float = 0.0) -> Pose:
    """A pose on a lane's middle, or beside it."""
    (x, y), yaw = roads.graph.positions[place], float(roads.yaw[place])
    return Pose(float(x - right_m * math.sin(yaw)), float(y + right_m * math.cos(yaw)), yaw + turned_rad)


def lane_before(roads: Town, ways: set[Command], lanes: int = 1) -> int:
    """A lane's place 30 m before a junction with such ways, on a road with so many lanes a direction."""
    for lane in roads.graph.lanes:
        onward = {roads.graph.lanes[index].manoeuvre for index in lane.successors if roads.graph.lanes[index].junction}
        if lane.junction is None and onward == ways and len(lane.waypoints) > 60:
            place = lane.last - 30
            if len([i for i in roads.lane_ids(place) if i * roads.road(place)[1] > 0]) == lanes:
                return place
    raise AssertionError("gridtown has no such lane")


ALL = {Command.LEFT, Command.RIGHT, Command.STRAIGHT}


def build(roads: Town, place: int, boxes: list[dict[str, Any]] | None = None, **changed: Any) -> Scene:
    row = row_at(pose_of(roads, place), boxes or [], **changed)
    return scene_of(row, row, route_meta(roads, roads.ways_on(place, 70.0)[0]), roads)


def where_of(found: Scene, actor_id: int) -> Where | None:
    return next(thing.where for thing in found.things if thing.id == actor_id)


def test_lanes_of_a_street_and_of_an_avenue(roads: Town) -> None:
    street = build(roads, lane_before(roads, ALL)).lanes
    assert street is not None
    assert (street.index, street.same, street.opposite) == (0, 1, 1)
    assert street.left_marking in ("broken yellow", "solid yellow")
    assert street.right_marking == "solid white"
    assert (street.may_left, street.may_right, street.from_left, street.from_right) == (False,) * 4
    avenue = next(
        place for place, options in roads.graph.lane_changes.items() if options[0][1] == Command.CHANGE_LANE_RIGHT
    )
    left = build(roads, avenue).lanes
    assert left is not None
    assert (left.index, left.same, left.opposite, left.right_marking) == (0, 2, 2, "broken white")
    assert (left.may_left, left.may_right, left.from_left, left.from_right) == (False, True, False, True)


def test_where_things_are(roads: Town) -> None:
    place = lane_before(roads, ALL)
    width = roads.graph.waypoints[place].lane_width
    beside = {
        1: pose_of(roads, place + 12),
        2: pose_of(roads, place + 14, -width, math.pi),
    }
    walkers = {3: pose_of(roads, place + 10, 0.5 * width + 1.5), 4: pose_of(roads, place + 10, -1.5 * width - 1.5)}
    boxes = [box_at(pose, number) for number, pose in beside.items()]
    boxes += [box_at(pose, number, "walker") for number, pose in walkers.items()]
    found = build(roads, place, boxes)
    assert [where_of(found, number) for number in (1, 2, 3, 4)] == [
        Where.OWN_LANE, Where.ONCOMING, Where.BESIDE_RIGHT, Where.BESIDE_LEFT,
    ]  # fmt: skip
    positions = {thing.id: thing.position_m for thing in found.things}
    assert positions[3][1] > 2.0
    assert positions[4][1] < -2.0


def test_a_junction_offers_its_ways_and_whom_to_watch(roads: Town) -> None:
    junction = build(roads, lane_before(roads, ALL)).junction
    assert junction is not None
    assert 25.0 < junction.distance_m < 33.0
    assert junction.offered == ALL
    assert junction.ways[Command.STRAIGHT].watch >= {"left", "right"}
    assert "left" in junction.ways[Command.RIGHT].watch
    assert "right" not in junction.ways[Command.RIGHT].watch  # who comes from the right never meets a right turn
    ends = {way: float(junction.ways[way].line_m[-1, 1]) for way in ALL}
    assert ends[Command.LEFT] < -10.0 < ends[Command.STRAIGHT] < 10.0 < ends[Command.RIGHT]


def test_a_t_junction_has_no_way_straight_on(roads: Town) -> None:
    found = build(roads, lane_before(roads, {Command.LEFT, Command.RIGHT}))
    assert [question.answer for question in asked(found, "watch_straight")] == ["not possible"]
    assert [question.answer for question in asked(found, "watch_right")] == ["left"]
    assert [question.answer for question in asked(found, "watch_left")] == ["left and right"]


@pytest.mark.parametrize(
    ("module", "name"), [(things, "map_to_ego"), (around, "map_to_ego"), (placing, "map_to_ego"), (around, "_side_of")]
)
def test_a_wrong_sign_is_noticed(roads: Town, monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> None:
    """With left and right swapped at one place, one of the tests above fails."""
    right: Callable[..., Any] = getattr(module, name)

    def mirrored(*given: Any) -> Any:
        if name == "_side_of":
            return right(-given[0])
        flat: FloatArray = right(*given) * (1.0, -1.0)
        return flat

    monkeypatch.setattr(module, name, mirrored)
    with pytest.raises(AssertionError):
        sides_are_right(roads)


def sides_are_right(roads: Town) -> None:
    """What tells left from right, in one."""
    test_where_things_are(roads)
    test_a_junction_offers_its_ways_and_whom_to_watch(roads)
    test_who_comes_from_the_left_may_cross_the_way_straight_on(roads)


def test_what_is_in_the_picture_is_seen(roads: Town) -> None:
    place = lane_before(roads, ALL)
    boxes = [box_at(pose_of(roads, place + 15), 1), box_at(pose_of(roads, place + 10, 4.0), 2, "walker")]
    row = row_at(pose_of(roads, place), boxes)
    meta = route_meta(roads, roads.ways_on(place, 70.0)[0])
    hidden = {thing.id: thing.seen for thing in scene_of(row, row, meta, roads).things if thing.id > 0}
    assert hidden == {1: False, 2: False}
    draw(row, (15.0 - 2.3, 0.0, 0.75), (0.9, 0.75), CAR_TAG)
    assert {thing.id for thing in scene_of(row, row, meta, roads).things if thing.seen} == {1}
    draw(row, (10.0, 4.0, 0.88), (0.25, 0.88), PEDESTRIAN_TAG)
    assert {thing.id for thing in scene_of(row, row, meta, roads).things if thing.seen} == {1, 2}
    row["depth"][:] = 5.0  # a wall before all of it
    assert not any(thing.seen for thing in scene_of(row, row, meta, roads).things)


def test_the_vehicle_ahead_must_agree_with_the_label(roads: Town) -> None:
    place = lane_before(roads, ALL)
    boxes = [box_at(pose_of(roads, place + 15), 1)]
    row = row_at(pose_of(roads, place), boxes, lead_distance_m=10.2)
    meta = route_meta(roads, roads.ways_on(place, 70.0)[0])
    draw(row, (15.0 - 2.3, 0.0, 0.75), (0.9, 0.75), CAR_TAG)
    found = scene_of(row, row, meta, roads)
    assert found.lead is not None
    assert (found.lead.thing.id, found.lead.gap_m) == (1, pytest.approx(10.2))
    unlike = scene_of(row | {"lead_distance_m": 25.0}, row, meta, roads)
    assert unlike.lead is None
    assert not unlike.lead_known
    alone = build(roads, place)
    assert (alone.lead, alone.lead_known) == (None, True)


def test_a_drawn_vehicle_belongs_to_the_second_view(roads: Town) -> None:
    place = lane_before(roads, ALL)
    ego = row_at(pose_of(roads, place))
    at = pose_of(roads, place + 12)
    detail = {
        "type_id": "vehicle.mercedes.sprinter",
        "x": at.x,
        "y": at.y,
        "z": 0.0,
        "yaw": at.yaw,
        "color": [170, 20, 25],
    }
    moved = pose_of(roads, place, right_m=0.8)
    row = row_at(
        moved, view="second", counterfactual="lead", counterfactual_detail=json.dumps(detail), lead_distance_m=6.6
    )
    draw(row, (12.0 - 2.96, -0.8, 1.28), (0.99, 1.28), CAR_TAG)
    found = scene_of(row, ego, route_meta(roads, roads.ways_on(place, 70.0)[0]), roads)
    assert found.lead is not None
    assert (found.lead.thing.kind, found.lead.thing.colour) == ("van", "red")
    assert found.lead.thing.position_m[1] == pytest.approx(-0.8, abs=0.1)


def test_lights_count_as_seen_with_a_lit_lens_of_their_state(roads: Town) -> None:
    place = lane_before(roads, ALL)
    pose = pose_of(roads, place)
    light = next(key for key, heads in roads.heads.items() if any(_ahead(pose, head) for head in heads))
    stop = pose_of(roads, place + 28)
    meta = route_meta(roads, roads.ways_on(place, 70.0)[0])
    meta["lights"] = [{"id": 3, "opendrive_id": light, "stop_lines": [[stop.x, stop.y, stop.yaw]]}]
    row = row_at(
        pose, light_state="red", light_distance_m=25.0, cause="traffic_light", stops=[{"reason": "traffic_light"}]
    )
    assert asked(scene_of(row, row, meta, roads), "light_state") == []
    head = next(head for head in roads.heads[light] if _ahead(pose, head))
    x, y = map_to_ego(np.array([head[:2]]), _ego(pose))[0]
    draw(row, (float(x), float(y), head[2] + 0.5), (0.2, 0.2), 103)
    assert asked(scene_of(row, row, meta, roads), "light_state") == []  # a green lens is no red one
    draw(row, (float(x), float(y), head[2] + 0.5), (0.2, 0.2), 101)
    found = scene_of(row, row, meta, roads)
    assert [question.answer for question in asked(found, "light_state")] == ["red"]
    assert found.plan.cause is Cause.TRAFFIC_LIGHT
    assert found.plan.cause_seen


def _ego(pose: Pose) -> EgoState:
    return EgoState(0, pose.x, pose.y, pose.yaw, 0.0)


def _ahead(pose: Pose, head: tuple[float, float, float]) -> bool:
    x, y = map_to_ego(np.array([head[:2]]), _ego(pose))[0]
    return bool(20.0 < x < 50.0 and abs(y) < 8.0)


def test_a_route_without_waypoints_is_named(roads: Town) -> None:
    row = row_at(pose_of(roads, 0))
    with pytest.raises(InvalidInputError, match="no waypoints"):
        scene_of(row, row, {"route": "first", "waypoints": [], "actors": []}, roads)


def test_who_comes_from_the_left_may_cross_the_way_straight_on(roads: Town) -> None:
    place = lane_before(roads, ALL)
    junction = build(roads, place).junction
    assert junction is not None
    own = [lane for lane in roads.graph.lanes if lane.junction is not None]
    first = roads.graph.lanes[roads.graph.lane_of[place]].successors[0]
    yaw = float(roads.yaw[roads.graph.lanes[first].first])
    crossing = {
        "left" if turned > 0.0 else "right": lane
        for lane in own
        if lane.junction == roads.graph.lanes[first].junction
        and lane.manoeuvre == Command.STRAIGHT
        and abs(abs(turned := math.remainder(float(roads.yaw[lane.first]) - yaw, 2.0 * math.pi)) - math.pi / 2.0) < 0.4
    }
    boxes = []
    for number, side in enumerate(("left", "right"), start=1):
        before = next(lane for lane in roads.graph.lanes if roads.graph.lanes.index(crossing[side]) in lane.successors)
        boxes.append(box_at(pose_of(roads, before.last - 8), number))
    leaving = roads.graph.lanes[crossing["left"].successors[0]]
    boxes.append(box_at(pose_of(roads, leaving.first + 6), 3))
    found = build(roads, place, boxes)
    line = junction.ways[Command.STRAIGHT].line_m
    crosses = {thing.id: may_cross(thing, line) for thing in found.things if thing.id > 0}
    assert crosses == {1: True, 2: True, 3: False}
    assert next(thing for thing in found.things if thing.id == 3).ways[0][-1, 1] > 15.0  # it drives away to the right
    assert [where_of(found, number) for number in (1, 2, 3)] == [Where.ROAD_LEFT, Where.ROAD_RIGHT, Where.ROAD_RIGHT]
    assert {thing.id: thing.position_m[1] < 0.0 for thing in found.things if thing.id > 0} == {
        1: True,
        2: False,
        3: False,
    }
