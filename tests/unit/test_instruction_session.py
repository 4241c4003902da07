"""One instruction's life: which state follows which, when it is done, and why it ends otherwise."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from simlingo.contracts import Command, EgoState, Instruction
from simlingo.instructions.done import Surroundings, criterion_of
from simlingo.instructions.parts import Parts
from simlingo.instructions.session import Limits, PlanNews, Session, Turn
from simlingo.instructions.states import TRANSITIONS, IllegalTransitionError, State, Step, check
from simlingo.requests import Reason, RequestKind

TICK_NS = 50_000_000
ROAD = Surroundings(0.0, False)
WORDS = Parts(None, False, "words")
TURN = Parts(Command.LEFT, False, "")
BOTH = Parts(Command.LEFT, False, "slow down")


class Ride:
    """A session with the ego that it watches."""

    def __init__(self, parts: Parts, speed: float = 5.0, limits: Limits | None = None) -> None:
        self.session = Session(Instruction("i", 0, "said"), parts, limits)
        self.stamp = 0
        self.steps = [self.session.accept(self.ego(speed), ROAD)]

    def ego(self, speed: float, yaw: float = 0.0) -> EgoState:
        return EgoState(self.stamp, 0.0, 0.0, yaw, speed)

    def drive(self, seconds: float, speed: float, around: Surroundings = ROAD, yaw: float = 0.0) -> State | None:
        for _ in range(round(seconds * 20)):
            self.stamp += TICK_NS
            self._note(self.session.on_ego(self.ego(speed, yaw), around))
        return self.session.state

    def plan(
        self, request: RequestKind | None = None, reason: Reason | None = None, name: str = "i", refused: bool = False
    ) -> State | None:
        news = PlanNews(self.stamp, name, refused or reason is not None, reason, request)
        self._note(self.session.on_plan(news))
        return self.session.state

    def _note(self, step: Step | None) -> None:
        if step is not None:
            self.steps.append(step)

    @property
    def reason(self) -> str:
        return self.steps[-1].reason


def test_illegal_transitions_are_refused_and_finals_have_no_follower() -> None:
    finals = [state for state in State if state.final]
    assert set(finals) == set(State) - {State.ACCEPTED, State.OBEYING}
    for before in (None, *State):
        for after in State:
            if after in TRANSITIONS[before]:
                check(before, after)
            else:
                with pytest.raises(IllegalTransitionError, match=after.value):
                    check(before, after)


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (Reason.RED_LIGHT, State.REFUSED),
        (Reason.WALKER, State.REFUSED),
        (Reason.NO_LANE, State.IMPOSSIBLE),
        (Reason.NO_OBJECT, State.IMPOSSIBLE),
        (Reason.NOT_UNDERSTOOD, State.NOT_UNDERSTOOD),
        (Reason.NOT_DRIVING, State.NOT_UNDERSTOOD),
    ],
)
def test_the_first_plan_decides_and_says_why(reason: Reason, state: State) -> None:
    ride = Ride(WORDS)
    assert ride.plan(reason=reason) is state
    assert ride.reason
    assert ride.session.words == ""


def test_a_refusal_without_a_reason_says_that_there_is_none() -> None:
    ride = Ride(WORDS)
    assert ride.plan(refused=True) is State.REFUSED
    assert "no reason" in ride.reason


def test_plans_of_another_instruction_decide_nothing() -> None:
    ride = Ride(WORDS)
    assert ride.plan(reason=Reason.RED_LIGHT, name="other") is State.ACCEPTED
    assert ride.plan(RequestKind.STOP) is State.OBEYING


def test_a_wish_for_a_speed_is_obeyed_when_it_is_held_for_five_seconds() -> None:
    ride = Ride(Parts(None, False, "drive at 36 km/h"))
    ride.plan(RequestKind.TARGET_SPEED)
    assert ride.drive(4.5, 9.2) is State.OBEYING
    assert ride.drive(0.5, 8.8) is State.OBEYING  # a break: it begins again
    assert ride.drive(4.9, 10.9) is State.OBEYING
    assert ride.drive(0.3, 10.9) is State.OBEYED
    assert ride.session.words == "drive at 36 km/h", "a speed lasts until other words come"


@pytest.mark.parametrize(
    ("request_kind", "told_at", "not_yet", "done"),
    [
        (RequestKind.STOP, 5.0, 0.5, 0.0),
        (RequestKind.PULL_OVER, 5.0, 0.5, 0.1),
        (RequestKind.GO, 0.0, 0.5, 1.5),
        (RequestKind.FASTER, 10.0, 10.8, 11.0),
        (RequestKind.FASTER, 1.0, 1.4, 1.5),
        (RequestKind.SLOWER, 10.0, 9.2, 9.0),
        (RequestKind.SLOWER, 2.0, 1.7, 1.5),
    ],
)
def test_speeds_and_stops_are_done_when_they_are(
    request_kind: RequestKind, told_at: float, not_yet: float, done: float
) -> None:
    ride = Ride(WORDS, speed=told_at)
    ride.plan(request_kind)
    assert ride.drive(3.0, not_yet) is State.OBEYING
    assert ride.drive(0.9, done) is State.OBEYING
    assert ride.drive(0.3, done) is State.OBEYED
    assert bool(ride.session.words) is (request_kind in (RequestKind.STOP, RequestKind.PULL_OVER))


@pytest.mark.parametrize(("request_kind", "side"), [(RequestKind.LANE_LEFT, -1.0), (RequestKind.LANE_RIGHT, 1.0)])
def test_a_lane_is_reached_on_its_own_side_only(request_kind: RequestKind, side: float) -> None:
    ride = Ride(WORDS)
    ride.plan(request_kind)
    assert ride.drive(2.0, 5.0, Surroundings(-side * 3.5, False)) is State.OBEYING
    assert ride.drive(2.0, 5.0, Surroundings(side * 2.5, False)) is State.OBEYING
    assert ride.drive(2.0, 5.0, Surroundings(None, False)) is State.OBEYING
    assert ride.drive(1.2, 5.0, Surroundings(side * 2.7, False)) is State.OBEYED


@pytest.mark.parametrize(("kind", "side"), [(RequestKind.LANE_LEFT, -1.0), (RequestKind.LANE_RIGHT, 1.0)])
def test_a_lane_is_counted_from_where_the_ego_was_beside_its_route(kind: RequestKind, side: float) -> None:
    """One that was 1 m to that side when the words came has to go 2.6 m farther."""
    reached = criterion_of(kind, None, EgoState(0, 0.0, 0.0, 0.0, 5.0), Surroundings(side * 1.0, False))
    for second in range(4):
        assert not reached.update(EgoState(second * 10**9, 0.0, 0.0, 0.0, 5.0), Surroundings(side * 3.5, False))
    reached.update(EgoState(4 * 10**9, 0.0, 0.0, 0.0, 5.0), Surroundings(side * 3.7, False))
    assert reached.update(EgoState(5 * 10**9, 0.0, 0.0, 0.0, 5.0), Surroundings(side * 3.7, False))


@pytest.mark.parametrize(
    ("request_kind", "yaw", "done"),
    [
        (RequestKind.TURN_LEFT, -1.5, True),
        (RequestKind.TURN_LEFT, 1.5, False),
        (RequestKind.TURN_RIGHT, 1.5, True),
        (RequestKind.TURN_RIGHT, 0.1, False),
        (RequestKind.STRAIGHT, 0.1, True),
        (RequestKind.STRAIGHT, -1.5, False),
    ],
)
def test_a_junction_is_left_in_the_sense_asked_for(request_kind: RequestKind, yaw: float, done: bool) -> None:
    ride = Ride(WORDS)
    ride.plan(request_kind)
    assert ride.drive(1.0, 5.0) is State.OBEYING
    assert ride.drive(1.0, 5.0, Surroundings(0.0, True), 0.0) is State.OBEYING
    assert ride.drive(0.1, 5.0, ROAD, yaw) is (State.OBEYED if done else State.OBEYING)


@pytest.mark.parametrize("request_kind", [RequestKind.FOLLOW, RequestKind.KEEP_DISTANCE, None])
def test_what_has_no_end_of_its_own_is_done_after_ten_seconds(request_kind: RequestKind | None) -> None:
    ride = Ride(WORDS)
    ride.plan(request_kind)
    assert ride.drive(9.9, 5.0) is State.OBEYING
    assert ride.drive(0.3, 5.0) is State.OBEYED


@pytest.mark.parametrize(("driven_s", "state"), [(2.0, State.OBEYED), (0.4, State.IMPOSSIBLE)])
def test_an_object_out_of_sight_is_passed_or_was_lost(driven_s: float, state: State) -> None:
    ride = Ride(WORDS)
    ride.plan(RequestKind.AVOID)
    ride.drive(driven_s, 5.0)
    ride.plan(reason=Reason.NO_OBJECT)
    ride.drive(3.1, 0.0)
    ride.plan(reason=Reason.NO_OBJECT)
    assert ride.drive(0.1, 0.0) is state


def test_a_refusal_on_the_way_counts_when_it_lasts() -> None:
    ride = Ride(WORDS)
    ride.plan(RequestKind.LANE_LEFT)
    ride.plan(reason=Reason.VEHICLE)
    ride.drive(2.9, 5.0)
    assert ride.plan(reason=Reason.VEHICLE) is State.OBEYING
    assert ride.plan(RequestKind.LANE_LEFT) is State.OBEYING
    ride.plan(reason=Reason.VEHICLE)
    ride.drive(3.1, 5.0)
    assert ride.plan(reason=Reason.VEHICLE) is State.REFUSED
    assert "vehicle" in ride.reason


def test_words_without_a_verdict_and_requests_without_an_end_expire() -> None:
    ride = Ride(WORDS)
    assert ride.drive(5.2, 5.0) is State.EXPIRED
    assert "no plan" in ride.reason
    ride = Ride(WORDS, speed=0.0)
    ride.plan(RequestKind.GO)
    ride.drive(58.0, 0.0)
    ride.plan(reason=Reason.RED_LIGHT)
    assert ride.drive(2.2, 0.0) is State.EXPIRED
    assert "the light is red" in ride.reason


def test_while_a_person_drives_no_time_runs_out_and_nothing_is_done() -> None:
    ride = Ride(WORDS)
    ride.session.on_hand(True)
    assert ride.drive(20.0, 5.0) is State.ACCEPTED
    ride.plan(RequestKind.STOP)
    assert ride.drive(80.0, 0.0) is State.OBEYING
    ride.session.on_hand(False)
    assert ride.drive(1.2, 0.0) is State.OBEYED


def test_a_pause_in_which_time_stands_changes_nothing() -> None:
    ride = Ride(WORDS)
    for _ in range(10_000):
        assert ride.session.on_ego(ride.ego(5.0), ROAD) is None
    assert ride.session.state is State.ACCEPTED


def test_a_turn_of_the_route_is_obeyed_made_or_missed() -> None:
    ride = Ride(TURN)
    assert ride.drive(0.1, 5.0) is State.OBEYING
    assert ride.session.words == ""
    ride.session.on_turn(Turn.DONE)
    assert ride.drive(0.1, 5.0) is State.OBEYED
    ride = Ride(TURN)
    ride.drive(1.0, 5.0)
    ride.session.on_turn(Turn.MISSED)
    assert ride.drive(0.1, 5.0) is State.EXPIRED
    assert "missed" in ride.reason


@pytest.mark.parametrize("turn_first", [True, False])
def test_both_parts_must_be_done(turn_first: bool) -> None:
    ride = Ride(BOTH, speed=8.0)
    assert ride.drive(0.5, 8.0) is State.ACCEPTED
    ride.plan(RequestKind.SLOWER)
    assert ride.session.words == "slow down"
    if turn_first:
        ride.session.on_turn(Turn.DONE)
        assert ride.drive(1.0, 8.0) is State.OBEYING
        assert ride.drive(2.0, 5.0) is State.OBEYED
        return
    assert ride.drive(2.0, 5.0) is State.OBEYING
    assert ride.session.words == "", "what is done is not told again, or the car would slow down to a halt"
    ride.session.on_turn(Turn.DONE)
    assert ride.drive(0.1, 5.0) is State.OBEYED


class Life(RuleBasedStateMachine):
    """Whatever comes, in whatever order: every step is legal, and after a final one there is none."""

    @initialize(parts=st.sampled_from((WORDS, TURN, BOTH)))
    def begin(self, parts: Parts) -> None:
        self.ride = Ride(parts)

    @rule(seconds=st.sampled_from((0.05, 1.0, 6.0)), speed=st.floats(0.0, 20.0), yaw=st.floats(-math.pi, math.pi),
          junction=st.sampled_from((True, False, None)), lateral=st.sampled_from((None, 0.0, 3.5, -3.5)))  # fmt: skip
    def drive(self, seconds: float, speed: float, yaw: float, junction: bool | None, lateral: float | None) -> None:
        self.ride.drive(seconds, speed, Surroundings(lateral, junction), yaw)

    @rule(
        request=st.sampled_from((None, *RequestKind)),
        reason=st.sampled_from((None, *Reason)),
        name=st.sampled_from(("i", "i", "other")),
    )
    def plan(self, request: RequestKind | None, reason: Reason | None, name: str) -> None:
        self.ride.plan(request, reason, name)

    @rule(turn=st.sampled_from(Turn))
    def turn(self, turn: Turn) -> None:
        self.ride.session.on_turn(turn)

    @rule(active=st.booleans())
    def hand(self, active: bool) -> None:
        self.ride.session.on_hand(active)

    @precondition(lambda self: self.ride.session.live)
    @rule(state=st.sampled_from((State.CLEARED, State.REPLACED)))
    def end(self, state: State) -> None:
        self.ride.steps.append(self.ride.session.enter(state, self.ride.stamp))

    @precondition(lambda self: not self.ride.session.live)
    @rule(state=st.sampled_from(State))
    def no_life_after_the_end(self, state: State) -> None:
        with pytest.raises(IllegalTransitionError):
            self.ride.session.enter(state, self.ride.stamp)

    @invariant()
    def every_step_was_legal(self) -> None:
        states = [None, *(step.state for step in self.ride.steps)]
        for before, after in pairwise(states):
            check(before, after)
        assert states[-1] is self.ride.session.state
        assert [step.stamp for step in self.ride.steps] == sorted(step.stamp for step in self.ride.steps)

    @invariant()
    def only_what_lives_or_lasts_is_told(self) -> None:
        session = self.ride.session
        if session.words:
            assert session.live or session.state is State.OBEYED
        else:
            assert session.state is not State.ACCEPTED or not session.parts.words

    @invariant()
    def whoever_says_no_says_why(self) -> None:
        for step in self.ride.steps:
            if step.state in (State.REFUSED, State.IMPOSSIBLE, State.EXPIRED, State.NOT_UNDERSTOOD):
                assert step.reason


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLife = pytest.mark.medium(Life.TestCase)
