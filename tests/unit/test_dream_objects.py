"""Dreams about things: to them, around them, and about things that are not there; their descriptions."""

from __future__ import annotations

import numpy as np
from dream_cases import scene, thing, user

from simlingo.requests import Reason, Verdict
from training.language.dreams.dream import Dream, ObjectSlots, Slots
from training.language.dreams.objects import ABSENT_COLOURS, ABSENT_NAMES, avoid, drive_to, object_dreams
from training.language.dreams.scene import Scene
from training.language.dreams.things import Thing, absent, describe

RNG = np.random.default_rng


def to(case: Scene, target: Thing) -> Dream:
    return drive_to(case, target, Slots(object=ObjectSlots(target.name)))


def around(case: Scene, target: Thing) -> Dream:
    return avoid(case, target, Slots(object=ObjectSlots(target.name)))


def test_driving_to_a_cone_hits_it() -> None:
    cone = thing("cone", 14.0, 2.0)
    dream = to(scene(6.0, boxes=[(14.0, 2.0, 0.0, 0.2, 0.2)]), cone)
    assert (dream.verdict, dream.reason, dream.by) == (Verdict.UNSAFE, Reason.OBSTACLE, 900)
    assert dream.at_s is not None
    assert np.hypot(*(dream.path - (14.0, 2.0)).T).min() < 1.0


def test_a_thing_out_of_reach_is_impossible() -> None:
    case = scene(6.0)
    for target in (thing("cone", 40.0, 0.0), thing("cone", 12.0, 8.0), thing("cone", 5.0, 4.0)):
        assert to(case, target).reason is Reason.OUT_OF_REACH


def test_a_stop_line_is_driven_up_to() -> None:
    line = thing("traffic light", 12.0, 0.0)
    dream = to(scene(5.0), line)
    assert dream.verdict is Verdict.FOLLOW
    assert dream.track[-1, 0] + 2.45 < 12.0


def test_driving_around_a_cone_leaves_half_a_metre() -> None:
    cone = thing("cone", 15.0, 0.6)
    case = scene(5.0, boxes=[(15.0, 0.6, 0.0, 0.2, 0.2)])
    dream = around(case, cone)
    beside = np.interp(15.0, dream.path[:, 0], dream.path[:, 1])
    assert beside + 0.92 < 0.6 - 0.2 - 0.5
    assert dream.reason in (None, Reason.ONCOMING_LANE)


def test_what_is_passed_anyway_needs_no_other_way() -> None:
    dream = around(scene(5.0), thing("cone", 12.0, 4.0))
    assert dream.verdict is Verdict.FOLLOW
    assert np.abs(dream.path[:, 1]).max() < 0.05


def test_too_late_to_drive_around_is_a_hit() -> None:
    case = scene(9.0, boxes=[(6.0, 0.0, 0.0, 0.3, 0.3)])
    assert around(case, thing("cone", 6.0, 0.0, half=0.3)).reason is Reason.OBSTACLE


def test_a_description_fits_one_thing_only() -> None:
    red, blue, other = (
        thing("car", 10.0, 0.0, "red", 1),
        thing("car", 20.0, -4.0, "blue", 2),
        thing("bus", 20.0, 4.0, None, 3),
    )
    for seed in range(20):
        assert describe(red, [red, blue, other], RNG(seed)) in (
            ObjectSlots("car", "red", None, 1), ObjectSlots("car", None, "ahead", 1), ObjectSlots("car", "red", "ahead", 1)
        )  # fmt: skip
    assert any(
        describe(other, [red, blue, other], RNG(seed)) == ObjectSlots("bus", None, None, 3) for seed in range(20)
    )


def test_what_is_absent_fits_nothing_in_sight() -> None:
    here = [thing("car", 10.0, 0.0, "red", 1), thing("pedestrian", 10.0, 5.0)]
    for seed in range(100):
        missing = absent(here, ABSENT_NAMES, ABSENT_COLOURS, RNG(seed))
        assert missing.actor_id is None
        if missing.name == "car":
            assert missing.colour or missing.place
            assert missing.colour != "red" or missing.place in ("left", "right")


def test_at_least_half_of_the_objects_asked_for_are_not_there() -> None:
    case = scene(5.0, [user(71, 14.0, 5.0)], things=[thing("car", 14.0, 5.0, "red", 71)])
    found = object_dreams(case, RNG(0))
    assert [dream.reason is Reason.NO_OBJECT for dream in found] == [False, True, False, True]


def test_a_parked_car_is_a_car_and_a_taxi_too() -> None:
    here = [thing("parked car", 10.0, 4.0, "red", 1), thing("taxi", 12.0, -4.0, None, 2)]
    for seed in range(100):
        missing = absent(here, ("car", "bus"), ("red", "blue"), RNG(seed))
        assert missing.name != "car" or missing.place == "ahead" or (missing.place, missing.colour) == ("right", "blue")
    moving = thing("car", 20.0, 0.0, "blue", 3)
    assert all(describe(moving, [moving, *here], RNG(seed)) != ObjectSlots("car", None, None, 3) for seed in range(20))


def test_nothing_half_seen_is_said_to_be_absent() -> None:
    names = {
        absent([], ("car", "bus", "van"), ("red",), RNG(seed), frozenset({"parked car", "van"})).name
        for seed in range(40)
    }
    assert names == {"bus"}
