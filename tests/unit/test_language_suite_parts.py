"""The parts of the language suites: rates, journal, choice of items, wording, answers, motion, report."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from language_suite_cases import STRAIGHT, aside, item, waypoints
from scipy.stats import binomtest

from simlingo.contracts import InvalidInputError
from simlingo.requests import Reason, RequestKind, Verdict
from training.evaluation.journal import LineJournal
from training.evaluation.language.answers import exact, number_right
from training.evaluation.language.ask_items import Asking
from training.evaluation.language.ask_items import choose as choose_questions
from training.evaluation.language.dream_agreement import Agreement, Heard, reason_in, says_following
from training.evaluation.language.dream_choice import OF_A_MODE_QUICK, choose
from training.evaluation.language.dream_plans import told_of
from training.evaluation.language.fixed import Plan
from training.evaluation.language.modes import MODES, ROWS, row_of
from training.evaluation.language.motion import agrees, pace_fits, way_fits
from training.evaluation.language.rates import Rate, mean_rate, rate, wilson
from training.evaluation.language.report import write_page
from training.evaluation.language.suites import BY_DEFAULT, SUITES, suite
from training.evaluation.language.wording import Speaker, Words
from training.language.asked import Asked, Speed, SpeedUnit
from training.language.commentary_reading import Heard as Facts
from training.language.hold_out import Split
from training.language.languages import language
from training.language.phrase import KINDS, RefusedKind
from training.language.phrases_file import read_phrases
from training.language.questions.question import Question
from training.language.speak import refusal
from training.language.told import Pace, Way


@pytest.mark.parametrize(("successes", "n"), [(0, 12), (5, 12), (60, 64), (64, 64)])
def test_the_interval_is_wilsons(successes: int, n: int) -> None:
    found = rate([True] * successes + [False] * (n - successes))
    assert found is not None
    bounds = binomtest(successes, n).proportion_ci(method="wilson")
    assert found.percent == pytest.approx(100.0 * successes / n)
    assert found.interval == pytest.approx((100.0 * bounds.low, 100.0 * bounds.high), abs=1e-9)


def test_a_mean_of_rates_counts_each_the_same() -> None:
    assert rate([]) is None
    assert mean_rate([None]) is None
    mean = mean_rate([wilson(1.0, 10), wilson(0.5, 40), None])
    assert mean is not None
    assert mean.percent == pytest.approx(75.0)
    assert mean.n == pytest.approx(4.0 / (1.0 / 10 + 1.0 / 40))
    assert isinstance(mean, Rate)


def test_a_journal_goes_on_under_the_same_conditions_only(tmp_path: Path) -> None:
    target = tmp_path / "result.json"
    LineJournal(target, {"seed": 1}).keep("a", [1, None])
    with (tmp_path / "result.json.part").open("a") as file:
        file.write('["b", [2')  # cut off in the middle of a line
    journal = LineJournal(target, {"seed": 1})
    assert journal.kept == {"a": [1, None]}
    journal.keep("b", "x")
    assert LineJournal(target, {"seed": 1}).kept == {"a": [1, None], "b": "x"}
    assert LineJournal(target, {"seed": 2}).kept == {}
    LineJournal(target, {"seed": 2}).close()
    assert list(tmp_path.iterdir()) == []


def test_every_kind_is_a_row_and_the_six_modes_come_first() -> None:
    assert ROWS[:6] == MODES
    assert {row_of(kind) for kind in KINDS.values()} == set(ROWS)
    assert row_of(RequestKind.LANE_LEFT) == row_of(RequestKind.LANE_RIGHT) == "lane_change"
    assert row_of(RequestKind.DRIVE_TO) == "crash"
    assert row_of(RefusedKind.NONSENSE) == "nonsense"


def _many(count: int, reason: Reason | None) -> list[Any]:
    return [item(reason=reason, number=number, waypoints=waypoints(8.0, 11.0)) for number in range(count)]


def test_a_third_of_a_mode_is_refused_of_every_reason_and_frames_differ() -> None:
    items = _many(90, None) + _many(60, Reason.RED_LIGHT) + _many(5, Reason.VEHICLE)
    items += [item(waypoints=waypoints(8.0, 8.1), number=500)]  # tells nothing
    chosen = choose(items, True, lambda _: True)
    assert len(chosen) == OF_A_MODE_QUICK
    reasons = Counter(one.reason for one in chosen)
    assert reasons == {None: 43, Reason.RED_LIGHT: 16, Reason.VEHICLE: 5}
    assert len({one.frame.number for one in chosen if one.reason is None}) == 43
    assert choose(items[::-1], True, lambda _: True) == chosen, "no matter the order"
    assert not choose([item(waypoints=waypoints(8.0, 8.1))], True, lambda _: True)


def test_where_few_are_followed_more_are_refused_and_the_other_way_round() -> None:
    few = choose(_many(10, None) + _many(90, Reason.RED_LIGHT), True, lambda _: True)
    assert Counter(one.reason for one in few) == {None: 10, Reason.RED_LIGHT: 54}
    many = choose(_many(90, None) + _many(3, Reason.RED_LIGHT), True, lambda _: True)
    assert Counter(one.reason for one in many) == {None: 61, Reason.RED_LIGHT: 3}
    sayable = choose(_many(9, None), True, lambda one: one.frame.number > 4)
    assert sorted(one.frame.number for one in sayable) == [5, 6, 7, 8]


def test_our_words_are_of_their_split_and_foreign_ones_as_written(tmp_path: Path) -> None:
    ours, asked = Speaker(), item(asked=Asked(RequestKind.TARGET_SPEED, speed=Speed(30.0, SpeedUnit.KMH)))
    assert ours.ways == (Words.SEEN, Words.HELD_OUT)
    assert ours.can_say(asked)
    assert ours.say(asked, Words.SEEN) == ours.say(asked, Words.SEEN)
    split = {phrase.text: language().split_of(phrase.text) for phrase in language().phrases(Split.HELD_OUT, asked.kind)}
    assert set(split.values()) == {Split.HELD_OUT}
    file = tmp_path / "mine.tsv"
    file.write_text("target_speed\tMake it {speed} {unit} sharp\nunsafe\tHit the {object}!\nunsafe\tRun it\n")
    foreign = Speaker(read_phrases(file))
    assert foreign.ways == (Words.FOREIGN,)
    assert foreign.say(asked, Words.FOREIGN) == "Make it 30 km/h sharp"
    assert not foreign.can_say(item(RequestKind.FASTER))
    thing = item(asked=Asked(RefusedKind.UNSAFE, Reason.OBSTACLE, object="cone"), reason=Reason.OBSTACLE, dreamt=False)
    light = item(asked=Asked(RefusedKind.UNSAFE, Reason.RED_LIGHT), reason=Reason.RED_LIGHT, dreamt=False)
    assert foreign.say(light, Words.FOREIGN) == "Run it", "no phrase speaks of what is not given"
    assert foreign.can_say(thing)


def test_each_item_is_told_with_both_flags_and_shuffled_in_words_of_another_mode() -> None:
    items = [
        item(RequestKind.FASTER, number=1, waypoints=waypoints(8.0, 11.0)),
        item(RequestKind.STOP, number=2, waypoints=np.zeros((10, 2))),
    ]
    unsafe = item(asked=Asked(RefusedKind.UNSAFE, Reason.RED_LIGHT), reason=Reason.RED_LIGHT, dreamt=False, number=3)
    speaker = Speaker()
    told = told_of([*items, unsafe], speaker, speaker.ways, shuffled=False)
    assert Counter((one.item.row, one.safety) for one in told) == {
        ("faster", True): 2, ("faster", False): 2, ("stop", True): 2, ("stop", False): 2, ("unsafe", True): 2,
    }  # fmt: skip
    other = told_of(items, speaker, (Words.SEEN,), shuffled=True)
    assert {one.sentence for one in other if one.item.row == "faster"} == {speaker.say(items[1], Words.SEEN)}


@pytest.mark.parametrize("reason", list(Reason))
def test_refusals_are_read_back(reason: Reason) -> None:
    for seed in range(4):
        sentence = refusal(reason, np.random.default_rng(seed))
        assert reason_in(f"{sentence} Waypoints:") is reason
        assert not says_following(sentence)
    assert says_following("Following the given instruction. Waypoints:")
    assert reason_in("Following the given instruction.") is None


def test_agreement_is_of_the_decision_and_of_its_reason() -> None:
    heard = [
        Heard(Verdict.UNSAFE, Reason.RED_LIGHT, "No.", Reason.RED_LIGHT, follows=False),
        Heard(Verdict.UNSAFE, Reason.RED_LIGHT, "No.", Reason.WALKER, follows=False),
        Heard(Verdict.FOLLOW, None, "Yes.", None, follows=True),
        Heard(Verdict.FOLLOW, None, "No.", Reason.WALKER, follows=False),
    ]
    found = Agreement(tuple(heard))
    assert found.decision is not None
    assert found.decision.percent == 75.0
    figures = dict(found.tables()[0].rows)  # type: ignore[arg-type]
    assert figures["refusals that give the decision's reason %"] == 50.0
    assert Agreement(()).decision is None


@pytest.mark.parametrize(
    ("said", "true", "right"),
    [
        ("29 km/h", "29 km/h", True),
        ("31 km/h", "29 km/h", True),
        ("33 km/h", "29 km/h", False),
        ("3", "2", False),
        ("about 5", "2", False),
        ("none", "2", False),
        ("red", "red", None),
    ],
)
def test_numbers_are_right_within_a_tenth(said: str, true: str, right: bool | None) -> None:
    assert number_right(said, true) is right


def test_answers_are_compared_by_words() -> None:
    assert exact("Slow down.", "slow down")
    assert not exact("slow down now", "slow down")


def test_questions_of_a_type_take_turns_over_answers() -> None:
    frame = item().frame
    askings = [Asking(frame, Question("light_state", "red", "", {"n": str(number)})) for number in range(9)]
    askings += [Asking(frame, Question("light_state", "green", "", {"n": str(number)})) for number in range(2)]
    askings += [Asking(frame, Question("weather", "clear", ""))]
    chosen = choose_questions(askings, 6)
    assert Counter(one.question.answer for one in chosen) == {"red": 4, "green": 2, "clear": 1}


@pytest.mark.parametrize(
    ("pace", "speed", "end", "fits"),
    [
        (Pace.KEEP, 8.0, 9.0, True),
        (Pace.KEEP, 8.0, 10.0, False),
        (Pace.FOLLOW_VEHICLE, 8.0, 7.0, True),
        (Pace.SPEED_UP, 8.0, 9.0, True),
        (Pace.SPEED_UP, 8.0, 8.2, False),
        (Pace.SLOW_DOWN, 8.0, 7.0, True),
        (Pace.SLOW_DOWN, 8.0, 9.0, False),
        (Pace.START, 0.0, 3.0, True),
        (Pace.START, 0.0, 0.0, False),
    ],
)
def test_the_pace_of_a_commentary_shows_in_the_plan(pace: Pace, speed: float, end: float, fits: bool) -> None:
    assert pace_fits(pace, Plan(STRAIGHT, waypoints(speed, end)), speed) is fits


def test_stopping_and_waiting_end_in_a_stand() -> None:
    stands = Plan(STRAIGHT, np.zeros((10, 2)))
    assert pace_fits(Pace.WAIT, stands, 0.0)
    assert pace_fits(Pace.STOP, stands, 5.0)
    assert not pace_fits(Pace.WAIT, stands, 5.0), "who drives does not wait"
    assert not pace_fits(Pace.STOP, Plan(STRAIGHT, waypoints(5.0)), 5.0)


def test_a_path_must_not_contradict_the_way() -> None:
    angle = np.linspace(0.0, np.pi / 2.0, 20)
    left = Plan(np.stack((12.0 * np.sin(angle), -12.0 * (1.0 - np.cos(angle))), axis=1), waypoints(5.0))
    assert way_fits(Way.TURN_LEFT, left)
    assert not way_fits(Way.TURN_RIGHT, left)
    assert not way_fits(Way.STRAIGHT, left)
    assert way_fits(Way.FOLLOW_ROAD, left)
    assert way_fits(Way.TURN_RIGHT, Plan(STRAIGHT, waypoints(5.0))), "it may come later"
    assert not way_fits(Way.LANE_RIGHT, Plan(aside(-3.0), waypoints(5.0)))
    assert way_fits(Way.LANE_LEFT, Plan(aside(-3.0), waypoints(5.0)))
    assert agrees(Facts(Way.TURN_LEFT, Pace.KEEP), left, 5.0)
    assert not agrees(Facts(Way.TURN_LEFT, None), left, 5.0), "half a sentence promises nothing"


def test_the_page_holds_all_figures_and_needs_nothing_else(tmp_path: Path) -> None:
    one = {
        "n": 4, "fixed": 50.0, "seen": None, "intervals": {"fixed": [15.0, 85.0]}, "baselines": {"<grey>": {"fixed": 12.5}},
        "tables": [{"title": "By mode", "columns": ["mode", "items"], "rows": [["stop", 4]]}], "wall_s": 1.0,
        "details": {"frames": {"list": "val", "frozen": False, "painted_otherwise": ["r1"]}},
    }  # fmt: skip
    conditions = {"model": "m 123", "world": "embedded world", "quick": True, "phrases": None}
    page = write_page(tmp_path / "p.html", {"suites": {"dream-val": one}, "conditions": conditions}).read_text()
    for text in (
        "embedded world",
        "Quick run",
        "50.0",
        "15.0 to 85.0",
        "&lt;grey&gt;",
        "12.5",
        "By mode",
        "r1",
        "–",
        "val is not frozen",
    ):
        assert text in page
    assert "http" not in page
    assert "<grey>" not in page


def test_suites_are_found_by_name() -> None:
    assert "dream-dev" in SUITES
    assert "dream-dev" not in BY_DEFAULT
    for name in SUITES:
        assert callable(suite(name))


def test_a_frozen_list_says_which_frames_it_means(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from training.evaluation.language import frames

    frozen = frames.FrameList("tried", 3, (0, 4), (4,), 20, {"r": frames.RouteHashes("d", "p")})
    monkeypatch.setattr(frames, "LISTS", tmp_path)
    assert json.loads(frozen.save().read_text())["hashes"] == {"r": {"drive": "d", "pictures": "p"}}
    assert frames.FrameList.load("tried") == frozen
    again = frames.FrameList("tried", 4, (0, 4), (4,), 20, frozen.hashes)
    assert again.key != frozen.key
    assert frozen.settings(tmp_path).towns == ("harbortown",)


def test_the_lists_of_val_and_dev_share_no_route() -> None:
    from training.collect.settings import route_job
    from training.evaluation.language.frames import FrameList

    seeds = [
        {route_job(each.settings(Path("d")), index).seed for index in each.routes}
        for each in (FrameList.load("val"), FrameList.load("dev"))
    ]
    assert not seeds[0] & seeds[1]


def test_a_phrases_file_lacks_what_it_lacks() -> None:
    from training.evaluation.language.bars import Bars
    from training.evaluation.language.suite import Context, Subject

    context = Context(Subject("m", "m"), Path("d"), LineJournal(None, {}), Bars.__new__(Bars), phrases=())
    with pytest.raises(InvalidInputError, match="no sentence of kind stop"):
        context.phrases_of(RequestKind.STOP)
