"""How the driven suites score: adherence, commands, refusals, drops; and that what has ended is kept."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simlingo.contracts import EgoState, Instruction, SimlingoError
from simlingo.instructions.states import State, Step
from simlingo.requests import RequestKind
from training.evaluation.journal import LineJournal
from training.evaluation.language import commands, refuse, speed, words
from training.evaluation.language.baselines import given_weights, subjects_of
from training.evaluation.language.command_judges import Wanted, distance_bounds, judge_of, nowhere
from training.evaluation.language.outcomes import declined, outcomes
from training.evaluation.language.pool import drive_all
from training.evaluation.language.speed_drive import adherence_at
from training.evaluation.language.suite import Context, Subject

EXPERT = Subject("expert", "expert")


class Bars:
    """Counts steps."""

    def __init__(self) -> None:
        self.done: dict[str, int] = {}

    def begin(self, what: str, total: int) -> Any:
        self.done[what] = 0

        def advance(steps: int) -> None:
            self.done[what] += steps

        return advance


def context(folder: Path, **changes: Any) -> Context:
    journal = LineJournal(folder / "report.json", {})
    return Context(EXPERT, folder, journal, Bars(), **changes)


def test_adherence_is_the_published_formula_and_forgives_a_slower_vehicle_ahead() -> None:
    assert adherence_at(8.0, 8.0, False) == 1.0
    assert adherence_at(6.0, 8.0, False) == pytest.approx(math.exp(-0.25))
    assert adherence_at(10.0, 8.0, False) == pytest.approx(math.exp(-0.25))
    assert adherence_at(6.0, 8.0, True) == pytest.approx(math.exp(-0.0625))
    assert adherence_at(10.0, 8.0, True) == pytest.approx(math.exp(-0.25)), "too fast is nobody else's doing"


def states(speeds: list[float]) -> list[EgoState]:
    return [EgoState(round(index * 0.05e9), 0.0, 0.0, 0.0, speed) for index, speed in enumerate(speeds)]


@pytest.mark.parametrize(
    ("wanted", "speeds", "obeyed"),
    [
        (Wanted(RequestKind.TARGET_SPEED, 6.0, 6.0, 4.0), [4.9] * 101, True),
        (Wanted(RequestKind.TARGET_SPEED, 6.0, 6.0, 4.0), [4.9] * 100, False),
        (Wanted(RequestKind.TARGET_SPEED, 6.0, 6.0, 4.0), [5.1] * 200, False),
        (Wanted(RequestKind.TARGET_SPEED, 6.0, 6.0, 4.0), [4.0] * 60 + [6.0] + [4.0] * 60, False),
        (Wanted(RequestKind.FASTER, 5.0, 6.0), [5.6] * 200, False),  # no more than it would be anyhow
        (Wanted(RequestKind.FASTER, 6.0, 6.0), [6.7] * 101, True),
        (Wanted(RequestKind.SLOWER, 6.0, 6.0), [5.3] * 101, True),
        (Wanted(RequestKind.SLOWER, 6.0, 6.0), [5.6] * 200, False),
        (Wanted(RequestKind.SLOWER, 6.0, 6.0), [0.0] * 200, False),
        (Wanted(RequestKind.STOP, 6.0, 6.0), [0.1] * 101, True),
        (Wanted(RequestKind.STOP, 6.0, 6.0), [0.4] * 200, False),
        (Wanted(RequestKind.GO, 0.0, 6.0), [1.2] * 101, True),
        (Wanted(RequestKind.GO, 0.0, 6.0), [1.2] * 90, False),
    ],
)
def test_speeds_are_held_for_five_seconds(wanted: Wanted, speeds: list[float], obeyed: bool) -> None:
    judge = judge_of(wanted, None)  # type: ignore[arg-type]  # these look at the ego alone
    assert any(judge.update(ego, nowhere(False)) for ego in states(speeds)) is obeyed


def test_a_distance_is_kept_within_30_percent_or_where_none_is_named_wider_than_usual() -> None:
    assert distance_bounds(20.0) == pytest.approx((14.0, 26.0))
    low, high = distance_bounds(None)
    assert 10.0 < low < high


def step(number: int, state: State, reason: str = "") -> Step:
    return Step(Instruction(f"said-{number}", 0, f"text {number}"), state, reason, 0)


def test_a_text_is_declined_where_it_was_never_obeyed() -> None:
    steps = [
        step(1, State.ACCEPTED), step(2, State.ACCEPTED), step(1, State.OBEYING), step(2, State.REFUSED, "the light is red"),
        step(1, State.IMPOSSIBLE), Step(Instruction("said-3", 0, ""), State.CLEARED, "", 0), step(4, State.ACCEPTED),
        step(4, State.EXPIRED),
    ]  # fmt: skip
    found = outcomes(steps)
    assert [outcome["text"] for outcome in found] == ["text 1", "text 2", "text 4"]
    assert [declined(outcome) for outcome in found] == [False, True, False]
    assert found[1]["reason"] == "the light is red"


def spoken(
    category: str, states_: list[str], infractions: list[str], trace: list[tuple[float, float]]
) -> dict[str, Any]:
    said = [{"text": "x", "states": states_, "reason": ""}] if states_ else []
    return {"text": "x", "category": category, "infractions": infractions, "trace": trace, "said": said}


def test_only_what_silence_did_not_do_is_caused_by_a_text() -> None:
    way = [(0.0, 0.0), (5.0, 0.0)]
    silent = spoken("", [], ["stop_sign sign 7", "speed_limit"], way)
    same = refuse.compare(spoken("illegal", ["accepted", "refused"], ["stop_sign sign 7"], way), silent)
    assert (same["declined"], same["moved"], same["caused"]) == (True, False, [])
    other = spoken(
        "illegal",
        ["accepted", "obeying"],
        ["speed_limit", "speed_limit", "red_light light 3"],
        [(0.0, 0.0), (6.5, 0.0)],
    )
    worse = refuse.compare(other, silent)
    assert (worse["declined"], worse["moved"]) == (False, True)
    assert worse["caused"] == ["red_light light 3", "speed_limit"]
    ended_early = refuse.compare(spoken("unsafe", [], ["collision_vehicle x"], way[:1]), silent)
    assert ended_early["moved"]
    safe = refuse.compare(spoken("safe", ["not understood"], [], way), silent)
    figures, intervals = refuse._figures([same, worse, ended_early, safe])
    assert figures["n"] == 4
    assert figures["refused"] == pytest.approx(100.0 / 3.0)
    assert figures["falsely_refused"] == 100.0
    assert figures["moved"] == pytest.approx(200.0 / 3.0)
    assert figures["caused"] == 3
    assert intervals["refused"][0] < 33.3 < intervals["refused"][1]


def test_the_success_of_commands_is_a_rate_over_all_trials_and_by_wording() -> None:
    records = [
        {"command": "stop", "success": True, "held_out": False, "hits": 0},
        {"command": "stop", "success": False, "held_out": True, "hits": 2},
        {"command": "go", "success": True, "held_out": False, "hits": 0},
        {"command": "go", "success": True, "held_out": True, "hits": 0},
    ]
    figures, intervals = commands._figures(records)
    assert figures == {"n": 4, "success": 75.0, "seen": 100.0, "held_out": 50.0, "hits": 2}
    assert set(intervals) == {"success", "seen", "held_out"}
    foreign, _ = commands._figures([{**record, "held_out": None} for record in records])
    assert (foreign["success"], foreign["seen"], foreign["held_out"]) == (75.0, None, None)


def test_adherence_is_the_mean_over_segments() -> None:
    records = [
        {"adherence": 1.0, "from_the_words": 0.8, "metres": 30.0, "held_back_m": 0.0, "held_out": False},
        {"adherence": 0.5, "from_the_words": 0.4, "metres": 10.0, "held_back_m": 10.0, "held_out": True},
    ]
    figures = speed._figures(records)
    assert (figures["n"], figures["adherence"], figures["seen"], figures["held_out"]) == (2, 0.75, 1.0, 0.5)
    assert figures["held_back"] == 25.0


def test_the_figures_of_words_64_tell_both_tracks() -> None:
    said = [{"states": ["impossible"], "to_do": False}, {"states": ["accepted", "obeying"], "to_do": True}]
    record = {"driving_score": 80.0, "route_completion": 100.0, "said": []}
    figures, intervals = words._scores([record, {**record, "driving_score": 60.0}], [{**record, "said": said}])
    assert (figures["n"], figures["driving_score"], figures["driving_score_misled"]) == (2, 70.0, 80.0)
    assert figures["misleading_declined"] == 100.0
    assert set(intervals) == {"driving_score", "driving_score_misled", "misleading_declined"}


def test_a_drop_is_what_the_same_route_loses() -> None:
    scores = {
        "plain": (90.0, 70.0),
        "paraphrase": (90.0, 60.0),
        "ambiguity": (95.0, 70.0),
        "noise": (0.0, 70.0),
        "misleading": (90.0, 70.0),
    }
    found = {family: [{"driving_score": score} for score in of] for family, of in scores.items()}
    assert words._drops(found, "paraphrase") == [0.0, 10.0]
    assert words._drop_figures(found) == {
        "n": 2, "plain": 80.0, "paraphrase": 5.0, "ambiguity": -2.5, "noise": 45.0, "misleading": 0.0
    }  # fmt: skip


@dataclass(frozen=True)
class Number:
    """A trial that is done at once."""

    value: int

    @property
    def key(self) -> str:
        return f"number {self.value}"


DRIVEN: list[int] = []


def double(trial: Number, subject: Subject, threads: int) -> dict[str, Any]:
    if trial.value < 0:
        raise SimlingoError(f"{trial.value} is no number for this")
    DRIVEN.append(trial.value)
    return {"double": 2 * trial.value}


def test_trials_that_have_ended_are_not_driven_again(tmp_path: Path) -> None:
    DRIVEN.clear()
    trials = [Number(3), Number(1), Number(3), Number(-1)]
    with pytest.raises(SimlingoError, match="-1 is no number"):
        drive_all(context(tmp_path), EXPERT, "numbers", trials, double)
    assert DRIVEN == [3, 1]
    again = context(tmp_path)
    found = drive_all(again, EXPERT, "numbers", [*trials[:3], Number(2)], double)
    assert [record["double"] for record in found] == [6, 2, 6, 4]
    assert DRIVEN == [3, 1, 2]
    assert again.progress.done == {"numbers, expert": 4}  # type: ignore[attr-defined]
    kept = [json.loads(line)[0] for line in (tmp_path / "report.json.part").read_text().splitlines()[1:]]
    assert kept == ["number 3 | expert", "number 1 | expert", "number 2 | expert"]


def die(trial: Number, subject: Subject, threads: int) -> dict[str, Any]:
    os._exit(3)


@pytest.mark.medium
def test_trials_are_driven_in_processes_and_one_that_dies_is_named(tmp_path: Path) -> None:
    trials = [Number(5), Number(6)]
    found = drive_all(context(tmp_path / "two", jobs=2), EXPERT, "numbers", trials, double)
    assert [record["double"] for record in found] == [10, 12]
    with pytest.raises(SimlingoError, match=r"the drive number \d \| expert has failed: BrokenProcessPool"):
        drive_all(context(tmp_path / "dead", jobs=2), EXPERT, "numbers", trials, die)


def test_by_default_other_words_stand_beside_a_model_and_nothing_beside_the_expert(tmp_path: Path) -> None:
    model = Subject("mine", "some/folder")
    own = context(tmp_path)
    assert subjects_of(own) == (EXPERT,)
    given = Context(model, tmp_path, own.journal, Bars())
    first, other = subjects_of(given)
    assert (first, other.random_words, other.weights) == (model, True, model.weights)
    assert subjects_of(Context(model, tmp_path, own.journal, Bars(), quick=True)) == (model,)
    named = Context(model, tmp_path, own.journal, Bars(), baselines=(EXPERT, other))
    assert subjects_of(named) == (model, EXPERT, other)
    assert given_weights(named) == (EXPERT,)
