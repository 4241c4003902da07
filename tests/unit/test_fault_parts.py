"""Entries, changes and measures of the fault campaign."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from carla_msgs.msg import CarlaEgoVehicleControl
from geometry_msgs.msg import Point
from nav_msgs.msg import Odometry
from sensor_msgs.msg import Image
from simlingo_msgs.msg import Navigation, Score, StackState

from simlingo.contracts import DrivingPlan, EgoState, InvalidInputError
from simlingo_node.conversions import (
    message_to_navigation,
    ns_to_stamp,
    odometry_to_ego_state,
    plan_to_message,
    stamp_to_ns,
)
from simlingo_node.faults.changes import CHANGES, late, old, stamp
from simlingo_node.faults.entry import Fault, chosen, read_faults
from simlingo_node.faults.outcome import ASIDE_M, Outcome, as_json, judge
from simlingo_node.faults.relay import BEFORE, through_relay
from simlingo_node.faults.table import page
from simlingo_node.faults.witness import (
    Applied,
    Facts,
    Witness,
    braked_at,
    first_said,
    lateral_acceleration,
    peak_speed,
    steering_rate,
    stood_at,
)
from simlingo_node.resources import config_file
from simlingo_node.stack import StackOptions, stack

TICK = 50_000_000


def odometry(tick: int, yaw: float = 0.0, speed: float = 8.0) -> Odometry:
    message = Odometry()
    message.header.stamp = ns_to_stamp(tick * TICK)
    message.pose.pose.position.x = float(tick)
    message.pose.pose.orientation.z, message.pose.pose.orientation.w = math.sin(yaw / 2), math.cos(yaw / 2)
    message.twist.twist.linear.x = speed
    return message


def through(where: str, what: str, messages: list[Any], **numbers: Any) -> list[Any]:
    change = CHANGES[where][what](**numbers)
    return [each for message in messages for each in change(message)]


def test_every_fault_of_the_campaign_can_be_made_and_has_a_name_of_its_own() -> None:
    faults = read_faults(config_file("faults.yaml"))
    assert len({fault.kind for fault in faults}) >= 45
    assert sum(bool(fault.undetectable) for fault in faults) <= 3
    for fault in faults:
        if fault.where in CHANGES:
            assert callable(fault.change())
        assert bool(fault.says) <= bool(fault.node)
    assert [fault.name for fault in chosen(faults, ["picture-black"])] == ["picture-black"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "- {name: a, kind: b, where: image, what: shad, numbers: {grey: 0}}",
            r"'shad' can be done to image; did you mean shade",
        ),
        ("- {name: a, kind: b, where: imag, what: shade}", r"a is nowhere: 'imag'; did you mean image"),
        ("- {name: a, kind: b, where: image, what: shade, numbers: {gray: 0}}", "a has wrong numbers"),
        ("- {name: a, kind: b, where: image, what: drop, secs: 3}", r"a has no key 'secs'; did you mean seconds"),
        ("- {name: a, where: image, what: drop}", "a lacks name, kind, where or what"),
        (
            "- {name: a, kind: b, where: image, what: drop}\n- {name: a, kind: b, where: plan, what: drop}",
            "names a twice",
        ),
        ("- 5", "5 is no fault"),
        ("a: b", "is no list of faults"),
        ("[", "cannot be read"),
    ],
)
def test_what_is_wrong_with_an_entry_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(InvalidInputError, match=said):
        read_faults(tmp_path / "mine.yaml")


def test_messages_are_lost_doubled_and_late() -> None:
    messages = [odometry(tick) for tick in range(1, 7)]
    assert through("odometry", "drop", messages) == []
    assert through("odometry", "drop", messages, every=3) == [messages[i] for i in (0, 1, 3, 4)]
    assert through("odometry", "twice", messages[:2]) == [messages[0], messages[0], messages[1], messages[1]]
    assert through("odometry", "late", messages, ticks=2) == messages[:4]


def test_stamps_move_and_the_original_stays() -> None:
    messages = [odometry(100), odometry(101)]
    assert [stamp_to_ns(each.header.stamp) for each in through("odometry", "stamp", messages, seconds=2.0)] == [
        140 * TICK,
        141 * TICK,
    ]
    once = through("odometry", "stamp", messages, seconds=-100.0, once=True)
    assert [stamp_to_ns(each.header.stamp) for each in once] == [0, 101 * TICK]
    assert stamp_to_ns(messages[0].header.stamp) == 100 * TICK


def test_content_stays_or_lags_under_fresh_stamps() -> None:
    messages = [odometry(tick) for tick in range(1, 5)]
    for found, places in (
        (through("odometry", "frozen", messages), [1, 1, 1, 1]),
        (through("odometry", "old", messages, ticks=2), [1, 1, 1, 2]),
    ):
        assert [each.pose.pose.position.x for each in found] == places
        assert [stamp_to_ns(each.header.stamp) for each in found] == [tick * TICK for tick in range(1, 5)]


def test_odometry_lies_about_speed_place_and_heading() -> None:
    (message,) = through("odometry", "speed", [odometry(3, 0.4)], factor=0.5, add_mps=1.0)
    assert odometry_to_ego_state(message).speed == pytest.approx(5.0)
    spikes = through("odometry", "speed", [odometry(3), odometry(4)], factor=0.0, once=True)
    assert [odometry_to_ego_state(each).speed for each in spikes] == [0.0, 8.0]
    (message,) = through("odometry", "place", [odometry(3, math.pi / 2)], aside_m=5.0, ahead_m=1.0)
    assert (message.pose.pose.position.x, message.pose.pose.position.y) == pytest.approx((-2.0, 1.0))
    pair = through("odometry", "place", [odometry(3), odometry(4)], ahead_m=5.0, alternate=True)
    assert [each.pose.pose.position.x for each in pair] == [3.0, 9.0]
    (message,) = through("odometry", "turned", [odometry(3, 0.4)], degrees=90.0)
    assert odometry_to_ego_state(message).yaw == pytest.approx(-0.4 - math.pi / 2)
    (message,) = through("odometry", "value", [odometry(3)], x=1e200)
    assert message.pose.pose.position.x == 1e200


def test_odometry_is_noisy_drifts_and_has_no_orientation() -> None:
    ticks = [odometry(tick, 0.3) for tick in range(400)]
    found = [odometry_to_ego_state(each) for each in through("odometry", "noise", ticks, metres=0.1, degrees=0.6)]
    for values, spread in (
        ([ego.x - tick for tick, ego in enumerate(found)], 0.1),
        ([ego.y for ego in found], 0.1),
        ([ego.yaw + 0.3 for ego in found], math.radians(0.6)),
    ):
        assert np.mean(values) == pytest.approx(0.0, abs=0.2 * spread)
        assert np.std(values) == pytest.approx(spread, rel=0.15)
    assert through("odometry", "noise", ticks, metres=0.1) == through("odometry", "noise", ticks, metres=0.1)
    drifting = through("odometry", "drift", [odometry(tick, 0.0) for tick in range(1, 21)], mps=0.4)
    assert [each.pose.pose.position.y for each in drifting] == pytest.approx([0.02 * tick for tick in range(1, 21)])
    (broken,) = through("odometry", "orientation", [odometry(3, 0.3)], length=0.0)
    with pytest.raises(InvalidInputError, match="unit quaternion"):
        odometry_to_ego_state(broken)


def test_pictures_are_painted_over() -> None:
    pixels = np.random.default_rng(3).integers(1, 256, (40, 60, 4), dtype=np.uint8)
    picture = Image(width=60, height=40, step=240, encoding="bgra8", data=pixels.tobytes())

    def seen(what: str, **numbers: Any) -> Any:
        (message,) = through("image", what, [picture], **numbers)
        assert len(message.data) == message.height * message.step
        return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 4)

    covered = seen("covered", share=0.25)
    assert not covered[:, :15, :3].any()
    assert (covered[:, 15:] == pixels[:, 15:]).all()
    assert seen("blurred", pixels=9)[..., 0].std() < 0.3 * pixels[..., 0].std()
    assert 5.0 < np.abs(seen("grain", level=20.0).astype(float) - pixels).mean() < 20.0
    assert (seen("size", width=30, height=20) == pixels[:20, :30]).all()
    assert bytes(picture.data) == pixels.tobytes()


def test_navigation_points_elsewhere_or_nowhere() -> None:
    message = Navigation(target_points=[Point(x=7.0, y=1.0), Point(x=14.0, y=2.0)], command=4)
    (aside,) = through("navigation", "points", [message], aside_m=3.0, command=99)
    assert ([point.y for point in aside.target_points], aside.command) == ([4.0, 5.0], 99)
    (broken,) = through("navigation", "points", [message], nan=True)
    with pytest.raises(InvalidInputError, match="NaN"):
        message_to_navigation(broken)
    assert (message.target_points[0].y, message.command) == (1.0, 4)


def test_commands_are_changed_as_asked() -> None:
    message = CarlaEgoVehicleControl(steer=0.1, throttle=0.3)
    for numbers, wanted in (
        ({"steer": 3.0}, (3.0, 0.3, 0.0, False)),
        ({"throttle": 0.8, "brake": 0.5}, (0.1, 0.8, 0.5, False)),
        ({"throttle": 0.5, "reverse": True}, (0.1, 0.5, 0.0, True)),
    ):
        (other,) = through("command", "command", [message], **numbers)
        assert (other.steer, other.throttle, other.brake, other.reverse) == pytest.approx(wanted)
    assert (message.steer, message.reverse) == (pytest.approx(0.1), False)


def test_pictures_are_plain_or_cut() -> None:
    picture = Image(width=4, height=2, encoding="bgra8", data=bytes(range(32)))
    assert bytes(through("image", "shade", [picture], grey=7)[0].data) == bytes([7]) * 32
    assert bytes(through("image", "torn", [picture], share=0.25)[0].data) == bytes(range(24))
    assert through("image", "encoding", [picture], name="yuv422")[0].encoding == "yuv422"
    assert picture.encoding == "bgra8"


def test_plans_turn_hurry_and_jump() -> None:
    straight = plan_to_message(
        DrivingPlan(TICK, np.stack((np.arange(1.0, 21.0), np.zeros(20)), 1), np.ones((10, 2))), "ego", "test"
    )
    (turned,) = through("plan", "plan", [straight], turn_deg=90.0, speed_factor=3.0)
    assert (turned.path[9].x, turned.path[9].y) == pytest.approx((0.0, 10.0))
    assert abs(turned.speed_waypoints[0].x) == pytest.approx(3.0)
    (jumping,) = through("plan", "plan", [straight], jump_m=5.0)
    assert [point.y for point in jumping.path[8:12]] == [0.0, 0.0, 5.0, 5.0]
    (short,) = through("plan", "plan", [straight], points=7)
    assert len(short.path) == 7
    (broken,) = through("plan", "plan", [straight], nan=True)
    assert math.isnan(broken.path[7].x)
    assert straight.path[7].x == 8.0


def test_late_and_old_and_stamp_begin_anew_with_every_fault() -> None:
    for make in (lambda: late(1), lambda: old(1), lambda: stamp(1.0, once=True)):
        first, second = make(), make()
        first(odometry(1))
        assert len(second(odometry(2))) == len(make()(odometry(2)))


def test_only_the_sources_speak_to_the_relay() -> None:
    by_name = {node.name: node for node in through_relay(stack(StackOptions()))}
    assert set(by_name["carla_bridge"].remaps) == {
        "/carla/ego_vehicle/rgb_front/image", "/carla/ego_vehicle/odometry",
    }  # fmt: skip
    assert by_name["planner"].remaps == {"/simlingo/plan": BEFORE + "/simlingo/plan"}
    assert by_name["lifecycle_manager"].remaps == {}
    assert by_name["carla_bridge"].parameters["lockstep_lost_s"] == 1.0
    assert "lockstep_lost_s" not in by_name["planner"].parameters


def state(node: str, mode: str, detail: str) -> StackState:
    return StackState(node=node, mode=mode, detail=detail)


def test_measures_count_from_the_faults_begin() -> None:
    facts = Facts(
        truth=[
            EgoState(round(t * 1e9), 0.0, 0.0, 0.1 * t, max(8.0 - 2.0 * t, 0.0)) for t in (0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
        ],
        applied=[Applied(0.5, 0.0, 0.3, 0.0), Applied(1.0, 0.2, 0.0, 0.1), Applied(1.5, -0.3, 0.0, 0.4)],
        states=[(0.5, state("planner", "refusing", "black")), (1.5, state("planner", "refusing", "black"))],
    )
    assert first_said(facts, 1.0, "planner", "^refusing: bl") == (0.5, "refusing: black")
    assert first_said(facts, 1.0, "controller", "black") is None
    assert braked_at(facts, 0.75) == 0.25
    assert stood_at(facts, 1.0) == 3.0
    assert peak_speed(facts) == 8.0
    assert steering_rate(facts) == pytest.approx(1.0)
    assert lateral_acceleration(facts) == pytest.approx(0.1 * 0.5 * 8.0)
    assert stood_at(Facts(), 0.0) is None


BLACK = Fault("a", "b", "image", "shade", {"grey": 0}, node="planner", says="black")


def steady(**changed: Any) -> Facts:
    """A car that goes straight on at 8 m/s for four seconds, 0.2 m beside its route, and is told that the picture is black."""
    ticks = [0.05 * tick for tick in range(81)]
    facts = Facts(
        truth=[EgoState(round(t * 1e9), 8.0 * t, 0.0, 0.0, 8.0) for t in ticks],
        aside=[(t, 0.2) for t in ticks],
        applied=[Applied(t, 0.0, 0.3, 0.0) for t in ticks],
        states=[(2.0, state("planner", "refusing", "black"))],
    )
    for name, value in changed.items():
        setattr(facts, name, value)
    return facts


def judged(facts: Facts, fault: Fault = BLACK, **known: Any) -> Outcome:
    outcome = Outcome(fault.name, fault.kind, not fault.undetectable, **known)
    judge(outcome, fault, facts, since=1.0)
    return outcome


def test_what_kept_all_bounds_and_was_said_is_safe() -> None:
    found = judged(steady())
    assert (found.safe, found.unsafe, found.verdict_s, found.said) == (True, [], 1.0, "refusing: black")
    assert (found.aside_m, found.peak_mps, found.brake_s, found.stop_s) == (0.2, 8.0, None, None)


def test_a_hit_is_not_safe() -> None:
    found = judged(steady(collisions=1, infractions=["hit vehicle.audi.tt (7) at 3.1 m/s"]))
    assert (found.safe, found.unsafe) == (False, ["1 collisions: hit vehicle.audi.tt (7) at 3.1 m/s"])


def test_the_lane_counts_from_the_verdict_on() -> None:
    before, after = [(1.9, ASIDE_M + 0.1), (2.1, 0.2)], [(1.9, 0.2), (2.1, ASIDE_M + 0.1)]
    assert judged(steady(aside=before)).safe
    assert judged(steady(aside=after)).unsafe == ["1.45 m aside of the lane's middle"]
    assert judged(steady(aside=[(2.1, ASIDE_M)])).safe


@pytest.mark.parametrize(("rate", "safe"), [(0.85, True), (0.9, False)])
def test_lateral_acceleration_is_bounded(rate: float, safe: bool) -> None:
    truth = [EgoState(round(0.05 * tick * 1e9), 0.0, 0.0, 0.05 * tick * rate, 8.0) for tick in range(40)]
    assert judged(steady(truth=truth)).safe is safe


@pytest.mark.parametrize(("steer", "safe"), [(0.55, True), (0.56, False)])
def test_steering_is_bounded(steer: float, safe: bool) -> None:
    assert judged(steady(applied=[Applied(1.0, 0.0, 0.0, 0.1), Applied(1.05, steer, 0.0, 0.1)])).safe is safe


def test_silence_is_not_safe_where_something_should_be_said() -> None:
    assert judged(steady(states=[])).unsafe == ["nothing was said of it"]
    assert judged(steady(states=[]), replace(BLACK, says="")).safe
    assert judged(steady(states=[]), replace(BLACK, undetectable="nobody can")).safe
    assert judged(steady(states=[]), verdict_s=0.1, said="named").said == "named"


def test_the_witness_counts_the_scores_hits_since_the_fault_began() -> None:
    class Deaf:
        """A node that subscribes to nothing."""

        def create_subscription(self, *_: Any) -> None:
            """Hear nothing."""

    witness = Witness(Deaf())  # type: ignore[arg-type]
    first = Score(status="running", collisions=1, infractions=["hit static.wall (0) at 2.0 m/s"])
    witness._on_score(first)
    witness.begin()
    witness._on_score(first)
    assert (witness.facts.collisions, witness.facts.infractions) == (0, [])
    witness._on_score(
        Score(status="running", collisions=2, infractions=[*first.infractions, "hit walker.a (3) at 1.0 m/s"])
    )
    assert (witness.facts.collisions, witness.facts.infractions) == (1, ["hit walker.a (3) at 1.0 m/s"])


def test_the_page_counts_and_shows_why_a_fault_was_not_safe() -> None:
    good = Outcome("a", "one", True, safe=True, verdict_s=0.051, recovered=True, said="x | y")
    bad = Outcome("b", "two", True, recovered=None, unsafe=["infraction: collision"])
    text = page(
        [as_json(good), as_json(bad)],
        command="./simlingo bench faults",
        date="2026-11-28",
        machine="m",
        model="w",
        mode="lockstep",
    )
    assert "2 kinds, 2 faults; 1 ended safely; 1 of 1 drove again" in text
    assert "| a | yes | 0.05 | – | – | yes |" in text
    assert "| b | **no**: infraction: collision | – | – | – | – |" in text
    assert "x / y" in text
