"""Dreams of another speed: what the car does, when, and what comes of it."""

from __future__ import annotations

import numpy as np
import pytest
from dream_cases import LIMIT_MPS, end_speed, light, scene, user

from simlingo.requests import Reason, RequestKind, Verdict
from training.language.dreams.dream import KMH, MPS
from training.language.dreams.record import RED
from training.language.dreams.roll_out import Pace, roll_out
from training.language.dreams.scene import StopLine
from training.language.dreams.speeds import draw_targets, faster, go, slower, speed_dreams, stop, target_speed


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_faster_is_faster_than_now_and_than_the_expert() -> None:
    dream = faster(scene(8.0))
    assert dream.verdict is Verdict.FOLLOW
    assert dream.reason is None
    assert end_speed(dream.speed_waypoints) > 8.0 + 0.96


def test_faster_towards_a_standing_car_hits_it_and_says_whom_and_when() -> None:
    ahead = user(71, 2.45 + 10.0 + 2.4, 0.0)
    dream = faster(scene(10.0, [ahead]))
    assert (dream.verdict, dream.reason, dream.by) == (Verdict.UNSAFE, Reason.VEHICLE, 71)
    assert dream.at_s == pytest.approx(0.93, abs=0.07)  # 9.85 m of room at 10 m/s and rising
    beside = user(71, 2.45 + 10.0 + 2.4, 3.5)
    assert faster(scene(10.0, [beside])).verdict is Verdict.FOLLOW


def test_what_is_hit_just_after_the_waypoints_end_counts() -> None:
    # 2.5 s at 10 to 12.5 m/s are 30 m; from there the firm brake takes 20 m more.
    dream = faster(scene(10.0, [user(71, 42.0, 0.0)]))
    assert dream.reason is Reason.VEHICLE
    assert dream.at_s is not None
    assert dream.at_s > 2.5
    assert faster(scene(10.0, [user(71, 75.0, 0.0)])).verdict is Verdict.FOLLOW


def test_a_person_who_crosses_is_hit_where_both_are_at_once() -> None:
    crossing = user(81, 14.0, -3.0, speed_mps=2.0, yaw_rad=np.pi / 2, walker=True)
    assert go(scene(9.0, [crossing])).reason is Reason.WALKER
    gone = user(81, 14.0, 3.0, speed_mps=2.0, yaw_rad=np.pi / 2, walker=True)
    assert go(scene(9.0, [gone])).verdict is Verdict.FOLLOW


def test_a_red_light_is_not_run_and_a_green_one_is() -> None:
    dream = faster(scene(10.0, stop_lines=[light(12.0, red=True)]))
    assert (dream.verdict, dream.reason, dream.by) == (Verdict.UNSAFE, Reason.RED_LIGHT, 50)
    assert dream.at_s == pytest.approx(1.0, abs=0.1)
    assert faster(scene(10.0, stop_lines=[light(12.0, red=False)])).verdict is Verdict.FOLLOW


def test_a_light_that_turns_green_later_is_red_to_who_sees_it_now() -> None:
    turning = light(12.0, red=False)
    assert turning.states is not None
    turning.states[:4] = RED
    assert go(scene(10.0, stop_lines=[turning])).reason is Reason.RED_LIGHT


def test_a_stop_sign_is_not_driven_past() -> None:
    sign = StopLine(10.0, 0.0, 0.0, 60, None)
    assert go(scene(6.0, stop_lines=[sign])).reason is Reason.STOP_SIGN


@pytest.mark.parametrize(("before_m", "reason"), [(1.0, None), (1.7, None), (4.5, Reason.STOP_SIGN)])
def test_who_has_stood_at_the_line_of_a_stop_sign_may_go(before_m: float, reason: Reason | None) -> None:
    case = scene(0.0)
    sign = StopLine(case.vehicle.half_length_m + before_m, 0.0, 0.0, 60, None)
    assert go(scene(0.0, stop_lines=[sign])).reason is reason


def test_a_speed_in_kmh_is_not_one_in_mps() -> None:
    slow = target_speed(scene(8.0), 30.0 / 3.6, KMH)
    assert end_speed(slow.speed_waypoints) == pytest.approx(8.33, abs=0.3)
    assert slow.verdict is Verdict.FOLLOW
    fast = target_speed(scene(8.0), 30.0, MPS)
    assert fast.reason is Reason.SPEED_LIMIT
    assert end_speed(fast.speed_waypoints) > 12.0


def test_target_speeds_are_what_the_words_say() -> None:
    for seed in range(40):
        lawful, any_speed = draw_targets(scene(8.0), rng(seed))
        assert lawful[0] <= LIMIT_MPS
        for speed, unit in (lawful, any_speed):
            said = speed * 3.6 if unit == KMH else 2.0 * speed
            assert said == pytest.approx(round(said))
            assert said >= 1.0


def test_the_limit_is_no_reason_where_the_speed_does_not_reach_it() -> None:
    assert target_speed(scene(15.5), 16.5, MPS).verdict is Verdict.FOLLOW
    over = faster(scene(16.0))
    assert over.reason is Reason.SPEED_LIMIT
    assert over.at_s is not None


@pytest.mark.parametrize("speed", [2.0, 8.0, 13.0])
def test_a_stop_ends_in_a_standstill_and_is_obeyed_whatever_stands_ahead(speed: float) -> None:
    ahead = user(71, 2.45 + 3.0 + 2.4, 0.0)
    dream = stop(scene(speed, [ahead]))
    assert dream.verdict is Verdict.FOLLOW
    assert dream.reason is None
    assert dream.at_s is None
    assert end_speed(dream.speed_waypoints) < 0.3
    assert dream.track[-1, 3] == pytest.approx(0.0, abs=0.05)
    assert dream.path[-1, 0] == pytest.approx(19.0, abs=0.05)  # the way goes on where the car does not


def test_slower_is_slower_than_an_expert_who_slows_down() -> None:
    seconds = 0.25 * np.arange(1, 11)
    brakes = np.stack((10.0 * seconds - 1.0 * seconds**2, np.zeros(10)), axis=1)  # 5 m/s at the end
    (dream,) = slower(scene(10.0, speed_waypoints_m=brakes))
    assert dream.verdict is Verdict.FOLLOW
    assert end_speed(dream.speed_waypoints) < end_speed(brakes) - 0.5


def test_nothing_is_slower_than_to_stand() -> None:
    (dream,) = slower(scene(0.0))
    assert (dream.verdict, dream.reason, dream.dreamt) == (Verdict.IMPOSSIBLE, Reason.OUT_OF_REACH, False)


def test_a_little_slower_is_too_little_before_a_red_light() -> None:
    seconds = 0.25 * np.arange(1, 11)
    brakes = np.stack((8.0 * seconds - 1.4 * seconds**2, np.zeros(10)), axis=1)  # 1 m/s at the end
    case = scene(8.0, stop_lines=[light(14.0, red=True)], speed_waypoints_m=brakes)
    (dream,) = slower(case)
    assert dream.reason is Reason.RED_LIGHT
    assert end_speed(dream.speed_waypoints) == pytest.approx(0.6 * 8.0, abs=0.3)
    assert slower(scene(8.0, speed_waypoints_m=brakes)) == []  # enough, and the expert is slower still


def test_faster_keeps_to_the_limit_where_there_is_room_below_it() -> None:
    dream = faster(scene(LIMIT_MPS - 2.0))
    assert dream.verdict is Verdict.FOLLOW
    assert end_speed(dream.speed_waypoints) == pytest.approx(LIMIT_MPS, abs=0.35)


def test_what_no_word_says_does_not_differ_from_one_draw_to_another() -> None:
    # Else one sentence at one frame would be followed at one time and refused at another.
    lead = user(71, 22.0, 0.0, speed_mps=6.0)
    case = scene(9.0, [lead], stop_lines=[light(32.0, red=True)])
    for kind in (RequestKind.FASTER, RequestKind.SLOWER, RequestKind.STOP):
        found = [[dream for dream in speed_dreams(case, rng(seed)) if dream.kind is kind] for seed in range(12)]
        assert {len(dreams) for dreams in found} == {1}
        assert len({(dreams[0].reason, dreams[0].speed_waypoints.tobytes()) for dreams in found}) == 1


def test_to_go_on_is_mostly_asked_where_the_expert_does_not() -> None:
    free = scene(0.72 * LIMIT_MPS)
    asked = [
        any(dream.kind is RequestKind.GO for dream in speed_dreams(free, np.random.default_rng(seed)))
        for seed in range(60)
    ]
    assert 0.2 < np.mean(asked) < 0.6
    waits = scene(5.0, speed_waypoints_m=np.zeros((10, 2)))
    for seed in range(10):
        assert any(dream.kind is RequestKind.GO for dream in speed_dreams(waits, np.random.default_rng(seed)))


def test_slower_does_not_run_a_light_either() -> None:
    (dream,) = slower(scene(10.0, stop_lines=[light(12.0, red=True)]))
    assert dream.reason is Reason.RED_LIGHT


def test_who_follows_would_brake_and_does_not_count() -> None:
    behind = user(72, -2.45 - 4.0 - 2.4, 0.0, speed_mps=10.0)
    (dream,) = slower(scene(10.0, [behind]))
    assert dream.verdict is Verdict.FOLLOW


def test_the_first_waypoint_is_a_quarter_of_a_second_ahead() -> None:
    steady = 0.72 * LIMIT_MPS
    dream = go(scene(steady))
    assert dream.speed_waypoints[0, 0] == pytest.approx(0.25 * steady, abs=0.05)
    assert dream.speed_waypoints[-1, 0] == pytest.approx(2.5 * steady, abs=0.3)
    assert dream.path[0] == pytest.approx((0.0, 0.0), abs=1e-9)
    assert np.diff(dream.path[:, 0]) == pytest.approx(np.ones(19), abs=1e-3)


def test_labels_follow_the_flag() -> None:
    case = scene(10.0, stop_lines=[light(12.0, red=True)])
    dream = faster(case)
    path, waypoints = dream.labels(case.row, safety=True)
    assert waypoints == pytest.approx(case.row["speed_waypoints_m"])
    assert path == pytest.approx(case.row["path_m"])
    assert dream.labels(case.row, safety=False)[1] == pytest.approx(dream.speed_waypoints)


def test_the_pedals_answer_after_their_lag() -> None:
    rolled = roll_out(scene(0.0).vehicle, scene(0.0).line, Pace(20.0, up_mps2=9.0))
    speed = rolled.driven[:, 3]
    assert speed[1] < 0.07
    assert 2.0 < (speed[30] - speed[20]) / 0.5 < 3.3
