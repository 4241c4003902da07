"""Dreams of another lane, another way, and what stands in it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from dream_cases import FAR_RIGHT, NOTHING, OWN, WIDTH_M, lane, road, scene, user

from simlingo.contracts import Command
from simlingo.requests import Reason, RequestKind, Verdict
from training.language.dreams.ahead import keep_distance, overtake, pull_over
from training.language.dreams.dream import Dream, Slots
from training.language.dreams.kinematics import kinematics_of, violations
from training.language.dreams.lanes import change, count_of, find_target, lane_dreams
from training.language.dreams.limits import vehicle_limits
from training.language.dreams.scene import Scene
from training.language.dreams.turns import turn_dreams
from training.language.surroundings.road import Beside, RoadMap, Side, road_of

LEFT, RIGHT = RequestKind.LANE_LEFT, RequestKind.LANE_RIGHT


def changed(case: Scene, kind: RequestKind, **slots: object) -> Dream:
    return change(case, kind, Slots(**(slots or {"lanes": 1})))  # type: ignore[arg-type]


def test_a_change_to_the_right_ends_in_the_middle_of_the_next_lane() -> None:
    dream = changed(scene(5.0), RIGHT)
    assert dream.verdict is Verdict.FOLLOW
    assert dream.path[-1, 1] == pytest.approx(WIDTH_M, abs=0.35)
    assert abs(math.atan2(*(dream.path[-1] - dream.path[-2])[::-1])) < 0.1
    assert violations(kinematics_of(dream.path, dream.speed_waypoints, 5.0), vehicle_limits()) == []


def test_left_is_left() -> None:
    dream = changed(scene(7.0), LEFT)
    assert dream.path[-1, 1] < -0.5 * WIDTH_M
    assert (dream.verdict, dream.reason) == (Verdict.UNSAFE, Reason.ONCOMING_LANE)
    assert dream.at_s is not None
    assert 0.3 < dream.at_s < 2.5


def test_by_two_goes_twice_as_far() -> None:
    target = find_target(road(), OWN, 1, 2)
    assert (target.lane, target.offset_m, target.wrong) == (FAR_RIGHT, 2 * WIDTH_M, ())
    assert changed(scene(5.0), RIGHT, lanes=2).path[-1, 1] > 1.5 * WIDTH_M


def test_without_a_lane_there_is_nothing_to_imagine() -> None:
    case = scene(7.0, around=road(oncoming=False))
    dream = changed(case, LEFT)
    assert (dream.verdict, dream.reason, dream.dreamt) == (Verdict.IMPOSSIBLE, Reason.NO_LANE, False)
    assert dream.path == pytest.approx(case.row["path_m"])
    assert dream.labels(case.row, safety=False)[0] == pytest.approx(case.row["path_m"])
    assert changed(scene(7.0), RIGHT, lanes=3).reason is Reason.NO_LANE


def test_a_solid_line_is_not_crossed() -> None:
    dream = changed(scene(7.0, around=road(may_cross=False)), RIGHT)
    assert (dream.verdict, dream.reason) == (Verdict.UNSAFE, Reason.SOLID_LINE)
    assert dream.path[-1, 1] > 0.5 * WIDTH_M  # imagined all the same


def test_named_lanes_are_counted_from_the_left() -> None:
    assert count_of(road(), OWN, Slots(lane="rightmost")) == 2
    assert count_of(road(), OWN, Slots(lane="2")) == 1
    assert count_of(road(), OWN, Slots(lane="4")) == 0
    assert changed(scene(7.0), RIGHT, lane="4").reason is Reason.NO_LANE


def test_a_car_beside_is_hit() -> None:
    dream = changed(scene(7.0, [user(71, 1.0, WIDTH_M, speed_mps=7.0)]), RIGHT)
    assert (dream.verdict, dream.reason, dream.by) == (Verdict.UNSAFE, Reason.VEHICLE, 71)


def test_nobody_cuts_in_before_a_fast_car() -> None:
    fast = user(72, -40.0, WIDTH_M, speed_mps=20.0)
    assert changed(scene(6.0, [fast]), RIGHT).by == 72
    slow = user(72, -27.0, WIDTH_M, speed_mps=6.0)
    assert changed(scene(6.0, [slow]), RIGHT).verdict is Verdict.FOLLOW


def test_a_change_needs_room_before_the_junction() -> None:
    own = lane(0.0, NOTHING, Side(Beside.SAME, 1, True, WIDTH_M), 15.0, successors=(2,))
    other = lane(WIDTH_M, Side(Beside.SAME, 0, True, WIDTH_M), NOTHING, 15.0, successors=(3,))
    ways = [lane(y, NOTHING, NOTHING, 200.0, junction=True) for y in (0.0, WIDTH_M)]
    near = road_of((own, other, *(replace(way, points=way.points[75:], yaw=way.yaw[75:]) for way in ways)))
    assert changed(scene(10.0, around=near), RIGHT).reason is Reason.OUT_OF_REACH
    solid = replace(own, right=replace(own.right, may_cross=False))
    never = road_of((solid, *near.lanes[1:]))
    assert changed(scene(10.0, around=never), RIGHT).reason is Reason.SOLID_LINE  # room or not
    assert changed(scene(4.0, around=near), RIGHT).verdict is Verdict.FOLLOW


def test_every_lane_request_has_its_side() -> None:
    found = lane_dreams(scene(7.0), np.random.default_rng(1))
    assert {dream.kind for dream in found} == {LEFT, RIGHT}
    assert (
        lane_dreams(
            scene(7.0, command=int(Command.CHANGE_LANE_RIGHT), distance_to_command_m=5.0), np.random.default_rng(1)
        )
        == []
    )


def fork() -> RoadMap:
    """The ego's lane leads into a junction 12 m ahead, where it goes straight on or turns right."""
    own = lane(0.0, NOTHING, NOTHING, 12.0, successors=(1, 2))
    turn = np.linspace(0.0, math.pi / 2, 14)
    bend = np.stack((12.0 + 8.0 * np.sin(turn), 8.0 - 8.0 * np.cos(turn)), axis=1)
    straight = np.stack((np.arange(12.0, 90.0), np.zeros(78)), axis=1)
    ways = [(straight, np.zeros(78), Command.STRAIGHT), (bend, turn, Command.RIGHT)]
    made = [lane(0.0, NOTHING, NOTHING, junction=True, manoeuvre=command) for _, _, command in ways]
    lanes = [replace(one, points=points, yaw=yaw) for one, (points, yaw, _) in zip(made, ways, strict=True)]
    return road_of((own, *lanes))


def test_turns_go_where_the_junction_leads() -> None:
    found = {dream.kind: dream for dream in turn_dreams(scene(4.0, around=fork()))}
    assert found[RequestKind.TURN_RIGHT].verdict is Verdict.FOLLOW
    assert found[RequestKind.TURN_RIGHT].path[-1, 1] > 1.0
    assert abs(found[RequestKind.STRAIGHT].path[-1, 1]) < 0.1
    assert found[RequestKind.TURN_LEFT].reason is Reason.NO_JUNCTION


def test_without_a_junction_near_no_way_is_offered() -> None:
    assert {dream.reason for dream in turn_dreams(scene(4.0))} == {Reason.NO_JUNCTION}


def test_overtaking_needs_somebody_and_a_lane() -> None:
    slow = user(71, 20.0, 0.0, speed_mps=3.0)
    assert overtake(scene(6.0), None).reason is Reason.NO_LEAD
    case = scene(6.0, [slow])
    assert overtake(case, case.lead_on(case.line, case.place_m)).reason is Reason.ONCOMING_LANE
    fast = scene(6.0, [user(71, 20.0, 0.0, speed_mps=15.0)])
    assert overtake(fast, fast.lead_on(fast.line, fast.place_m)).reason is Reason.OUT_OF_REACH


def test_too_near_is_unsafe_and_far_is_kept() -> None:
    case = scene(10.0, [user(71, 25.0, 0.0, speed_mps=10.0)])
    lead = case.lead_on(case.line, case.place_m)
    assert lead is not None
    assert lead.rear_m - case.front_m == pytest.approx(20.15, abs=0.1)
    near = keep_distance(case, lead, 5.0)
    assert (near.reason, near.by) == (Reason.VEHICLE, 71)
    far = keep_distance(case, lead, 30.0)
    assert far.verdict is Verdict.FOLLOW
    assert far.track[-1, 3] < 9.5  # it drops back
    assert keep_distance(case, None, 20.0).reason is Reason.NO_LEAD


def test_pulling_over_ends_at_the_kerb_and_stands() -> None:
    one = road_of((lane(0.0, NOTHING, NOTHING),))
    dream = pull_over(scene(5.0, around=one))
    assert dream.verdict is Verdict.FOLLOW
    assert dream.path[-1, 1] == pytest.approx(WIDTH_M / 2 - 0.92 - 0.25, abs=0.1)
    assert dream.track[-1, 3] < 1.6
    parked = pull_over(scene(5.0, around=one, boxes=[(10.0, 1.5, 0.0, 2.2, 0.9)]))
    assert (parked.reason, parked.by) == (Reason.OBSTACLE, 900)
