"""Each question type, on scenes whose answer is known by hand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from question_cases import (
    CROSSROADS,
    INSIDE,
    LANES,
    LEFT_OF_TWO,
    TEE,
    asked,
    car,
    cone,
    line,
    scene,
    walker,
    weather,
)

from simlingo.contracts import Command
from simlingo_drive.expert.causes import Cause
from training.language.questions.about_plan import brake_reason
from training.language.questions.ask import every_question, questions_of
from training.language.questions.question import LOW_INFORMATION, TYPES
from training.language.questions.scene import Lead, Light, Scene, StopSign, Where

RED = Light("red", 18.0, True, True)
SIGN = StopSign(15.0, True, True)
LEAD = Lead(car(15.0), 10.4)
#: A car on the road to the left, whose lane leads across the junction.
FROM_LEFT = car(10.0, -20.0, yaw_rad=1.57, where=Where.ROAD_LEFT, ways=(line((10.0, -20.0), (10.0, 30.0)),))
#: One that has left the crossroads and drives away to the right.
GONE = car(11.0, 12.0, yaw_rad=1.57, where=Where.ROAD_RIGHT, ways=(line((11.0, 12.0), (11.0, 50.0)),))
ONCOMING = car(15.0, -3.5, yaw_rad=3.14, where=Where.ONCOMING, ways=(line((15.0, -3.5), (-20.0, -3.5)),))
#: One that may turn off to its left, before us.
TURNING = replace(ONCOMING, ways=(line((15.0, -3.5), (9.0, -3.5), (9.0, 20.0)),))
RIGHT_LANE = line((0.0, 3.5), (40.0, 3.5))
LEFT_LANE = line((0.0, -3.5), (40.0, -3.5))
RIGHT_OF_TWO = replace(
    LEFT_OF_TWO, index=1, left_marking="broken white", right_marking="solid white",
    may_left=True, may_right=False, from_left=True, from_right=False,
)  # fmt: skip
BESIDE_RIGHT = car(12.0, 3.5, where=Where.RIGHT_LANE, ways=(line((12.0, 3.5), (40.0, 3.5)),))
BESIDE_LEFT = car(12.0, -3.5, where=Where.LEFT_LANE, ways=(line((12.0, -3.5), (40.0, -3.5)),))
TWO = {"lanes": LEFT_OF_TWO, "lanes_soon": LEFT_OF_TWO, "side_lines_m": {"right": RIGHT_LANE}}
TWO_LEFT = {"lanes": RIGHT_OF_TWO, "lanes_soon": RIGHT_OF_TWO, "side_lines_m": {"left": LEFT_LANE}}
STANDS = {"speed_mps": 0.0, "target_speed_mps": 0.0, "end_speed_mps": 0.0}
BRAKES = {"acceleration_mps2": -1.5, "end_speed_mps": 4.0}

#: Type, scene, answers (of all questions of that type, in order).
CASES: list[tuple[str, Scene, list[str]]] = [
    ("important_objects", scene(), ["none"]),
    ("important_objects", scene(light=RED, lead=LEAD, things=(LEAD.thing,)), ["red traffic light and vehicle ahead"]),
    ("important_objects", scene(stop_sign=SIGN, plan={"cause": Cause.WALKER}), ["stop sign and pedestrian"]),
    ("important_objects", scene(plan={"cause": Cause.JUNCTION}), ["crossing traffic"]),
    ("important_objects", scene(light=replace(RED, seen=False)), []),
    ("important_objects", scene(plan={"cause": Cause.VEHICLE, "cause_seen": False}), []),
    ("pedestrian_count", scene(), ["0"]),
    ("pedestrian_count", scene(things=(walker(), walker(20.0, -5.0), walker(44.0), walker(15.0, samples=0))), ["2"]),
    ("pedestrian_count", scene(things=(walker(), walker(20.0, samples=2))), []),
    ("vehicle_count", scene(things=(walker(),)), ["0"]),
    ("vehicle_count", scene(things=(car(), car(-8.0, 3.0, samples=0), car(30.0, 8.0, parked=True))), ["2"]),
    ("vehicle_count", scene(things=(car(0.5, -3.0),)), []),  # its nose is in the picture, it is beside us
    ("obstacle_ahead", scene(), ["no"]),
    ("obstacle_ahead", scene(things=(cone(),)), ["yes"]),
    ("obstacle_ahead", scene(things=(cone(15.0, 6.0, where=Where.BESIDE_RIGHT),)), ["no"]),
    ("obstacle_ahead", scene(things=(LEAD.thing,), lead=LEAD), []),  # why it stands nobody knows
    ("speed_limit", scene(), ["50 km/h"]),
    ("speed_limit", scene(speed_limit_mps=30.0 / 3.6), ["30 km/h"]),
    ("at_junction", scene(), ["no"]),
    ("at_junction", scene(junction=replace(TEE, distance_m=8.0)), ["just before it"]),
    ("at_junction", scene(junction=INSIDE), ["in the junction"]),
    ("at_junction", scene(junction=replace(TEE, distance_m=18.0)), []),
    ("weather", scene(), ["clear"]),
    ("weather", scene(weather=weather(precipitation=70.0, cloudiness=100.0)), ["rainy"]),
    ("weather", scene(weather=weather(wetness=60.0, cloudiness=80.0)), ["cloudy, wet road"]),
    ("weather", scene(weather=weather(fog_density=40.0, cloudiness=90.0)), ["foggy"]),
    ("daylight", scene(), ["full daylight"]),
    ("daylight", scene(weather=weather(sun_altitude_deg=3.0)), ["dusk"]),
    ("daylight", scene(weather=weather(sun_altitude_deg=12.0)), ["low sun"]),
    ("lead_vehicle", scene(), ["none"]),
    ("lead_vehicle", scene(lead=Lead(car(kind="truck"), 9.0)), ["truck"]),
    ("lead_vehicle", scene(lead_known=False), []),
    ("lead_distance", scene(), ["none"]),
    ("lead_distance", scene(lead=LEAD), ["10 to 20 m"]),
    ("lead_distance", scene(lead=replace(LEAD, gap_m=3.0)), ["less than 5 m"]),
    ("ego_lane_index", scene(), ["1 of 1"]),
    ("ego_lane_index", scene(lanes=RIGHT_OF_TWO), ["2 of 2"]),
    ("ego_lane_index", scene(lanes=None), []),
    ("lanes_same_direction", scene(), ["1"]),
    ("lanes_same_direction", scene(lanes=LEFT_OF_TWO), ["2"]),
    ("lanes_opposite_direction", scene(), ["1"]),
    ("lanes_opposite_direction", scene(lanes=replace(LANES, opposite=0)), ["0"]),
    ("marking_left", scene(), ["broken yellow"]),
    ("marking_left", scene(lanes=LEFT_OF_TWO), ["solid yellow"]),
    ("marking_left", scene(lanes=replace(LANES, marks_end=True)), []),
    ("marking_right", scene(), ["solid white"]),
    ("marking_right", scene(lanes=LEFT_OF_TWO), ["broken white"]),
    ("allowed_lane_change", scene(), ["none"]),
    ("allowed_lane_change", scene(lanes=LEFT_OF_TWO), ["right"]),
    ("allowed_lane_change", scene(lanes=RIGHT_OF_TWO), ["left"]),
    ("entering_sides", scene(), ["none"]),
    ("entering_sides", scene(lanes=LEFT_OF_TWO), ["right"]),
    ("entering_sides", scene(lanes=replace(RIGHT_OF_TWO, from_right=True)), ["both"]),
    ("overtake_allowed", scene(), ["yes"]),
    ("overtake_allowed", scene(lanes=LEFT_OF_TWO), ["no"]),
    ("light_affects", scene(), ["no"]),
    ("light_affects", scene(light=RED), ["yes"]),
    ("light_affects", scene(light=replace(RED, distance_m=55.0)), []),
    ("light_affects", scene(light=replace(RED, seen=False)), []),
    ("light_affects", scene(junction=INSIDE), []),  # the one that held for us is still in sight
    ("light_state", scene(), ["none"]),
    ("light_state", scene(light=RED), ["red"]),
    ("light_state", scene(light=Light("green", 18.0, True, False)), ["green"]),
    ("light_action", scene(), ["nothing"]),
    ("light_action", scene(light=RED), ["stop"]),
    ("light_action", scene(light=replace(RED, distance_m=35.0)), ["slow down"]),
    ("light_action", scene(light=replace(RED, distance_m=1.0), plan=STANDS), ["wait"]),
    ("light_action", scene(light=Light("yellow", 5.0, True, False)), ["drive on"]),
    ("stop_sign_affects", scene(), ["no"]),
    ("stop_sign_affects", scene(stop_sign=SIGN), ["yes"]),
    ("stop_sign_affects", scene(stop_sign=replace(SIGN, distance_m=50.0)), []),
    ("stop_sign_affects", scene(stop_sign=replace(SIGN, distance_m=80.0)), ["no"]),
    ("stop_sign_action", scene(), ["nothing"]),
    ("stop_sign_action", scene(stop_sign=SIGN), ["stop"]),
    ("stop_sign_action", scene(stop_sign=replace(SIGN, distance_m=30.0)), ["slow down"]),
    ("stop_sign_action", scene(stop_sign=replace(SIGN, distance_m=1.0, holds=False)), ["drive on"]),
    ("brake_reason", scene(), ["no"]),
    ("brake_reason", scene(plan=BRAKES | {"cause": Cause.TRAFFIC_LIGHT}), ["traffic light"]),
    ("brake_reason", scene(plan=STANDS | {"cause": Cause.LEAD}), ["vehicle ahead"]),
    ("brake_reason", scene(plan=BRAKES | {"bends": True}), ["bend"]),
    ("brake_reason", scene(plan=BRAKES | {"cause": Cause.OBSTACLE}), ["obstacle"]),
    ("brake_reason", scene(plan=BRAKES | {"cause": Cause.WALKER, "cause_seen": False}), []),
    ("leave_lane", scene(), ["no"]),
    ("leave_lane", scene(things=(cone(15.0, 1.0),), plan={"offset_m": -1.2, "blocked_by": 11}), ["left"]),
    ("leave_lane", scene(things=(cone(15.0, -1.0),), plan={"offset_m": 1.2, "blocked_by": 11}), ["right"]),
    ("leave_lane", scene(plan={"offset_m": 1.2}), []),  # it swings back from somewhere
    ("own_speed", scene(), ["29 km/h"]),
    ("own_speed", scene(plan=STANDS), ["0 km/h"]),
    ("next_manoeuvre", scene(), ["follow the road"]),
    ("next_manoeuvre", scene(plan={"manoeuvre": Command.LEFT, "manoeuvre_m": 20.0}), ["turn left"]),
    ("next_manoeuvre", scene(plan={"manoeuvre": Command.CHANGE_LANE_RIGHT, "manoeuvre_m": 0.0}), ["change to the right lane"]),
    ("next_action", scene(), ["follow the road, keep"]),
    ("next_action", scene(plan=BRAKES | {"manoeuvre": Command.RIGHT, "manoeuvre_m": 5.0}), ["turn right, decelerate"]),
    ("next_action", scene(plan=STANDS), ["follow the road, stop"]),
    ("next_action", scene(plan={"speed_mps": 5.0}), ["follow the road, accelerate"]),
    ("watch_left", scene(junction=CROSSROADS), ["left, ahead and right"]),
    ("watch_left", scene(junction=TEE), ["left and right"]),
    ("watch_left", scene(), []),
    ("watch_right", scene(junction=CROSSROADS), ["left and ahead"]),
    ("watch_right", scene(junction=TEE), ["left"]),
    ("watch_straight", scene(junction=CROSSROADS), ["left, ahead and right"]),
    ("watch_straight", scene(junction=TEE), ["not possible"]),
    ("watch_follow", scene(), ["our lane"]),
    ("watch_follow", scene(lanes=LEFT_OF_TWO), ["our lane and the right lane"]),
    ("watch_follow", scene(junction=TEE), []),
    ("watch_change_left", scene(), ["not possible"]),
    ("watch_change_left", scene(**TWO_LEFT), ["the left lane"]),
    ("watch_change_right", scene(**TWO_LEFT), ["not possible"]),
    ("watch_change_right", scene(**TWO), ["the right lane"]),
    ("watch_change_left_soon", scene(**TWO), ["not possible"]),
    ("watch_change_left_soon", scene(**TWO_LEFT), ["the left lane"]),
    ("watch_change_right_soon", scene(), ["not possible"]),
    ("watch_change_right_soon", scene(**TWO), ["the right lane"]),
    ("object_motion", scene(things=(car(),)), ["standing"]),
    ("object_motion", scene(things=(walker(velocity_mps=(0.0, -1.4)),)), ["moving"]),
    ("object_motion", scene(things=(car(velocity_mps=(0.5, 0.0)),)), []),  # one cannot tell
    ("object_motion", scene(things=(car(), car(30.0, 0.0, id=8))), []),  # two alike
    ("object_motion", scene(things=(car(samples=0),)), []),  # not in the picture
    ("object_heading", scene(things=(car(),)), ["our way"]),
    ("object_heading", scene(things=(ONCOMING,)), ["towards us"]),
    ("object_heading", scene(things=(FROM_LEFT,)), ["left to right"]),
    ("object_heading", scene(things=(walker(velocity_mps=(0.0, -1.4)),)), ["right to left"]),
    ("object_heading", scene(things=(walker(),)), []),  # it stands
    ("object_place", scene(things=(car(),)), ["in our lane"]),
    ("object_place", scene(things=(ONCOMING,)), ["in an oncoming lane"]),
    ("object_place", scene(things=(walker(),)), ["beside the road on the right"]),
    ("object_colour", scene(things=(car(),)), ["red"]),
    ("object_colour", scene(things=(car(colour="blue"),)), ["blue"]),
    ("object_colour", scene(things=(car(colour=""), walker())), []),
    ("object_colour", scene(things=(car(), car(18.0, 0.0, id=8, colour="blue"))), []),  # which of the two?
    ("crosses_follow", scene(things=(ONCOMING,)), ["no"]),
    ("crosses_follow", scene(things=(walker(velocity_mps=(0.0, -1.4)),)), ["yes"]),
    ("crosses_follow", scene(things=(walker(velocity_mps=(0.0, 1.4)),)), ["no"]),
    ("crosses_follow", scene(things=(FROM_LEFT,), junction=CROSSROADS), []),
    ("crosses_left_next", scene(things=(FROM_LEFT,), junction=CROSSROADS), ["yes"]),
    ("crosses_left_next", scene(things=(GONE,), junction=CROSSROADS), ["no"]),
    ("crosses_right_next", scene(things=(TURNING,), junction=CROSSROADS), ["yes"]),
    ("crosses_right_next", scene(things=(ONCOMING,), junction=CROSSROADS), ["no"]),
    ("crosses_straight_next", scene(things=(TURNING,), junction=CROSSROADS), ["yes"]),
    ("crosses_straight_next", scene(things=(ONCOMING,), junction=CROSSROADS), ["no"]),
    ("crosses_straight_next", scene(things=(FROM_LEFT,), junction=TEE), []),
    ("crosses_left_now", scene(things=(ONCOMING,), junction=INSIDE), ["yes"]),
    ("crosses_left_now", scene(things=(GONE,), junction=INSIDE), ["no"]),
    ("crosses_right_now", scene(things=(GONE,), junction=INSIDE), ["no"]),
    ("crosses_right_now", scene(things=(TURNING,), junction=INSIDE), ["yes"]),
    ("crosses_straight_now", scene(things=(FROM_LEFT,), junction=INSIDE), ["yes"]),
    ("crosses_straight_now", scene(things=(ONCOMING,), junction=INSIDE), ["no"]),
    ("crosses_change_left", scene(things=(BESIDE_LEFT,), **TWO_LEFT), ["yes"]),
    ("crosses_change_left", scene(things=(GONE,), **TWO_LEFT), ["no"]),
    ("crosses_change_left", scene(things=(BESIDE_LEFT,)), []),  # no lane to change to
    ("crosses_change_right", scene(things=(BESIDE_RIGHT,), **TWO), ["yes"]),
    ("crosses_change_right", scene(things=(ONCOMING,), **TWO), ["no"]),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "about", "answers"), CASES)
def test_the_answer_is_the_one_known_by_hand(kind: str, about: Scene, answers: list[str]) -> None:
    assert [question.answer for question in asked(about, kind)] == answers


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_is_known_with_two_answers(kind: str) -> None:
    given: dict[str, set[str]] = defaultdict(set)
    for name, _, answers in CASES:
        given[name].update(answers)
    assert len(given[kind]) >= 2


def test_no_type_is_asked_that_is_not_listed() -> None:
    assert {question.type for _, about, _ in CASES for question in every_question(about)} == set(TYPES)


def test_a_picture_that_is_mirrored_is_noticed() -> None:
    """A wrong sign of y swaps left and right in all that is told of things."""
    right = scene(things=(FROM_LEFT, walker(18.0, 8.0, velocity_mps=(0.0, -1.4))), junction=CROSSROADS)
    mirrored = replace(
        right,
        things=tuple(
            replace(
                thing,
                position_m=(thing.position_m[0], -thing.position_m[1]),
                yaw_rad=-thing.yaw_rad,
                velocity_mps=(thing.velocity_mps[0], -thing.velocity_mps[1]),
            )
            for thing in right.things
        ),
    )
    for kind in ("object_heading", "object_motion"):
        assert [(q.answer, q.slots) for q in asked(right, kind)] != [(q.answer, q.slots) for q in asked(mirrored, kind)]
    heads = {q.slots["object"]: q.answer for q in asked(right, "object_heading")}
    assert heads == {"the red car": "left to right", "the pedestrian": "right to left"}
    places = {q.slots["object"]: q.slots["place"] for q in asked(right, "object_place")}
    assert places == {"the red car": "ahead on the left", "the pedestrian": "ahead on the right"}


def test_sentences_agree_with_their_answers() -> None:
    for _, about, _ in CASES:
        for question in every_question(about):
            assert question.sentence[0].isupper()
            assert question.sentence.endswith(".")
            begins = question.sentence.partition(",")[0].lower()
            assert begins == question.answer if question.answer in ("yes", "no") else begins != "no", question


def test_answers_of_low_information_are_rare_and_others_stay() -> None:
    about = scene(light=RED, things=(ONCOMING,))
    drawn = [questions_of(about, np.random.default_rng(seed)) for seed in range(300)]
    share = sum(any(q.type == "crosses_follow" for q in questions) for questions in drawn) / len(drawn)
    assert 0.12 < share < 0.28
    assert all(any(q.type == "light_state" for q in questions) for questions in drawn)


def test_no_more_than_two_questions_of_a_type() -> None:
    crowd = tuple(
        car(12.0 + 5.0 * n, -7.0 + 7.0 * (n % 3), id=n, colour=colour, where=Where.ONCOMING)
        for n, colour in enumerate(("red", "blue", "green", "white", "black"))
    )
    about = scene(things=crowd)
    assert len(asked(about, "object_motion")) > 2
    counts: dict[str, int] = defaultdict(int)
    for question in questions_of(about, np.random.default_rng(1)):
        counts[question.type] += 1
    assert max(counts.values()) == 2


def test_low_information_is_said_of_answers_that_exist() -> None:
    given: dict[str, set[str]] = defaultdict(set)
    for _, about, _ in CASES:
        for question in every_question(about):
            given[question.type].add(question.answer)
    missing = {
        (kind, answer) for kind, answers in LOW_INFORMATION.items() for answer in answers if answer not in given[kind]
    }
    assert missing <= {("watch_left", "not possible"), ("watch_right", "not possible")}


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.ROAD])
def test_whatever_the_expert_heeds_is_a_reason_to_brake(cause: Cause) -> None:
    (question,) = brake_reason(scene(plan=BRAKES | {"cause": cause}))
    assert question.answer not in ("no", "bend", "speed")
    assert every_question(scene(plan=STANDS | {"cause": cause}))
