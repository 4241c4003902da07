"""Routes and places of the driven suites: as promised, and the same for everybody."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from simlingo.contracts import Command
from simlingo.navigation.global_planner import LANE_CHANGES
from simlingo.requests import RequestKind
from simlingo_drive.backends.embedded import embedded_planner
from training.evaluation.language.commands import EACH, PLACES, SPEEDS_KMH, command_trials
from training.evaluation.language.refuse_places import SITUATIONS, place
from training.evaluation.language.refuse_texts import COUNTS, refuse_trials
from training.evaluation.language.roads import TOWN, junction_entries, straight_on, stretches
from training.evaluation.language.sentences import Sentences
from training.evaluation.language.speed import DIFFERS, SEGMENTS, _trials
from training.evaluation.language.words_routes import AFTER_JUNCTION_M, LENGTHS, words_routes
from training.evaluation.language.words_sayings import (
    MISLEADS_TICKS,
    Place,
    misleading,
    misled,
    not_offered,
    plain,
    random_words,
    trial_of,
)

pytestmark = pytest.mark.medium
OURS = Sentences()


def test_straight_on_leaves_each_junction_by_its_straightest_way() -> None:
    planner = embedded_planner(TOWN)
    road = next(road for road in stretches() if Command.STRAIGHT in road.ways and Command.LEFT in road.ways)
    way = straight_on(planner, road.lane, 5.0, 250.0)
    entries = junction_entries(way)
    assert entries
    assert entries[0][2] is Command.STRAIGHT
    assert 0.8 * 250.0 < len(way) <= 250
    steps = [a.transform.location.distance(b.transform.location) for (a, _), (b, _) in pairwise(way)]
    assert min(steps) >= 0.2
    assert max(steps) < 2.5


def test_stretches_tell_lights_signs_and_lanes_apart() -> None:
    roads = stretches()
    assert sum(road.signed for road in roads) == 3
    assert not any(road.signed and road.signalled for road in roads)
    assert sum(road.left for road in roads) == sum(road.right for road in roads) == 8
    assert {road.limit_kmh for road in roads} == {30.0, 40.0, 50.0}
    assert all(set(road.ways) <= set(road.road_ways) for road in roads)
    assert any(set(road.ways) < set(road.road_ways) for road in roads), "lanes of one road lead to different ways"


def test_the_routes_of_words_64_have_the_promised_lengths_and_no_lane_changes() -> None:
    routes = words_routes()
    assert Counter(route.group for route in routes) == {"tiny": 16, "short": 16, "long": 32}
    for route in routes:
        _, shortest, longest = LENGTHS[route.group]
        assert shortest - 2.0 <= route.route.length <= longest + 2.0
        assert not set(route.route.commands) & set(LANE_CHANGES)
    assert len({route.seed for route in routes}) == 64


def test_each_sentence_is_due_before_its_junction_and_behind_the_last() -> None:
    for route in words_routes():
        end = -AFTER_JUNCTION_M
        for turning in route.turnings:
            assert end + AFTER_JUNCTION_M <= turning.due_m or turning.due_m == 0.0
            assert turning.begin_m - turning.due_m <= 45.0
            assert route.route.dense[turning.index][0].is_junction
            assert not route.route.dense[turning.index - 1][0].is_junction
            end = turning.end_m
    commands = Counter(turning.command for route in words_routes() for turning in route.turnings)
    assert min(commands[each] for each in (Command.LEFT, Command.RIGHT, Command.STRAIGHT)) > 20


def test_a_misleading_sentence_comes_in_a_fifth_and_asks_for_what_is_not_there() -> None:
    places = [Place(route, number) for route in words_routes() for number in range(len(route.turnings))]
    said = [misled(each, OURS) for each in places]
    wrong = [sayings for sayings in said if len(sayings) > 1]
    assert 0.1 < len(wrong) / len(said) < 0.3
    for sayings in wrong:
        assert [saying.after_ticks for saying in sayings] == [0, MISLEADS_TICKS, MISLEADS_TICKS]
        assert sayings[0].kind is None
        assert sayings[1].text == ""
    for each in places:
        assert each.kind not in not_offered(each)


def test_a_counterfactual_order_follows_the_plain_sentence() -> None:
    where = Place(words_routes()[0], 0)
    true, order = misleading(where, OURS)
    assert (true,) == plain(where, OURS)
    assert order.kind is None
    assert order.after_ticks > 0


def test_equal_words_are_equal_drives_and_other_words_others() -> None:
    route = words_routes()[3]
    once, again = (trial_of(route, lambda where: plain(where, OURS)) for _ in range(2))
    other = trial_of(route, lambda where: random_words(where, OURS))
    assert once.key == again.key != other.key


def test_every_segment_has_room_and_a_wish_unlike_the_usual_speed() -> None:
    roads = {road.lane: road for road in stretches()}
    trials = _trials(OURS, random_words=False)
    assert len(trials) == SEGMENTS
    assert len({trial.key for trial in trials}) == SEGMENTS
    assert sum(trial.held_out is True for trial in trials) == SEGMENTS // 2
    for trial in trials:
        road = roads[trial.stage.lane]
        usual = 0.72 * road.limit_kmh / 3.6
        assert trial.wish_mps <= road.limit_kmh / 3.6 + 1e-9
        assert abs(trial.wish_mps - usual) >= DIFFERS * usual - 1e-9
        assert trial.said_at_m + 10.0 < trial.end_m < road.length_m


def test_every_command_has_its_trials_where_it_can_be_obeyed() -> None:
    roads = {road.lane: road for road in stretches()}
    trials = command_trials(OURS, tuple(PLACES))
    assert Counter(trial.command for trial in trials) == {kind.value: EACH for kind in PLACES}
    for trial in trials:
        road = roads[trial.stage.lane]
        assert PLACES[RequestKind(trial.command)](road)
        assert trial.stage.light == "green"
        assert trial.stage.begin_m + trial.said_at_m < road.length_m - 25.0
        assert (trial.stage.lead_m is not None) == (trial.command in ("keep_distance", "overtake"))
        assert bool(trial.stop_first) == (trial.command == "go")
        assert trial.mission != {"turn_left": 1, "turn_right": 2, "straight": 3}.get(trial.command, 0)
        if trial.wish_mps is not None:
            assert round(trial.wish_mps * 3.6) in SPEEDS_KMH
            assert trial.wish_mps <= road.limit_kmh / 3.6


def test_there_are_200_texts_to_refuse_and_60_safe_ones_at_fitting_places() -> None:
    trials = refuse_trials(OURS, COUNTS)
    counts = Counter(trial.category for trial in trials)
    assert counts == COUNTS
    assert sum(counts.values()) - counts["safe"] >= 200
    assert len({trial.key for trial in trials}) == len(trials)
    assert len({trial.silent.key for trial in trials}) < 60
    assert all(bool(trial.request) == (trial.category == "safe") for trial in trials)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_place_has_what_its_situation_needs(situation: str) -> None:
    for number in range(3):
        trial, road = place(situation, number)
        kind = SITUATIONS[situation]
        assert kind.fits(road)
        assert (trial.stage.lead_m is not None) is kind.lead
        assert (trial.stage.walker_m is not None) is kind.walker
        assert trial.stage.light == ("" if road.signed else kind.light)
