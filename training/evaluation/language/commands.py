"""``command``: one command in one situation, judged as LaMPilot does; the success of each kind and of all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from simlingo.contracts import Command
from simlingo.requests import RequestKind
from simlingo_drive.expert import CONSTANTS
from simlingo_sim.weather import WEATHERS
from training.evaluation.language.baselines import subjects_of
from training.evaluation.language.command_drive import CommandTrial, drive_command
from training.evaluation.language.pool import drive_all
from training.evaluation.language.rates import rate
from training.evaluation.language.roads import Stretch, stretches
from training.evaluation.language.sentences import Sentences, seeded
from training.evaluation.language.stage import Stage
from training.evaluation.language.suite import Context, Figure, SuiteResult, Table
from training.language.asked import Asked, Speed, SpeedUnit
from training.language.grammar import Style
from training.language.hold_out import Split

#: Trials of each command.
EACH, QUICK_EACH = 8, 1
#: Commands of a quick run.
QUICK = (
    RequestKind.TARGET_SPEED,
    RequestKind.SLOWER,
    RequestKind.LANE_LEFT,
    RequestKind.STOP,
    RequestKind.PULL_OVER,
    RequestKind.TURN_LEFT,
)
#: The ego begins this far behind the last junction, m.
BEGIN_M = 3.0
#: Speeds, km/h, of which one is named that is allowed and differs enough from the usual one.
SPEEDS_KMH = (10, 12, 15, 18, 20, 25, 28, 30, 35, 38, 40)
DIFFERS = 0.3
#: Distances that are named, m; the other car begins so near ahead, middle to middle, and is so fast, m, m/s.
DISTANCES_M = (18.0, 20.0, 22.0, 25.0)
LEAD_M, LEAD_MPS = 13.0, 4.0
#: The same of a car to overtake.
SLOW_LEAD_M, SLOW_LEAD_MPS = 15.0, 2.0
#: Turns are told this far before the junction, m: drawn between these.
TURN_TOLD_M = (30.0, 45.0)
_STYLE = Style(typo=0.0)


def command(context: Context) -> SuiteResult:
    """Success of commands in closed loop."""
    sentences = Sentences(context.phrases)
    found: dict[str, list[dict[str, Any]]] = {}
    for subject in subjects_of(context):
        trials = command_trials(sentences, QUICK if context.quick else tuple(PLACES), subject.random_words)
        chosen = [trial for trial in trials if trial.number < (QUICK_EACH if context.quick else EACH)]
        found[subject.label] = drive_all(context, subject, "command", chosen, drive_command)
    own = found[context.subject.label]
    figures, intervals = _figures(own)
    kinds = list(dict.fromkeys(record["command"] for record in own))
    rows = [
        (
            kind,
            *(_success(of, kind) for of in found.values()),
            *_bounds(own, kind),
        )
        for kind in kinds
    ]
    columns = ("command", *(f"success %, {label}" for label in found), "low", "high", "n")
    others = {label: _figures(of)[0] for label, of in found.items() if label != context.subject.label}
    table = Table("command: held as LaMPilot asks (embedded world)", columns, rows)
    return SuiteResult(figures, intervals, others, (table,), {"trials": found})


def _figures(records: Sequence[dict[str, Any]]) -> tuple[dict[str, Figure], dict[str, tuple[float, float]]]:
    groups = {
        "success": records,
        "seen": [record for record in records if record["held_out"] is False],
        "held_out": [record for record in records if record["held_out"] is True],
    }
    rates = {key: rate(record["success"] for record in group) for key, group in groups.items()}
    figures: dict[str, Figure] = {"n": len(records)}
    figures |= {key: None if share is None else share.percent for key, share in rates.items()}
    figures["hits"] = sum(record["hits"] for record in records)
    return figures, {key: share.interval for key, share in rates.items() if share is not None}


def _success(records: Sequence[dict[str, Any]], kind: str) -> float | None:
    share = rate(record["success"] for record in records if record["command"] == kind)
    return None if share is None else share.percent


def _bounds(records: Sequence[dict[str, Any]], kind: str) -> tuple[Figure, Figure, Figure]:
    share = rate(record["success"] for record in records if record["command"] == kind)
    return (None, None, 0) if share is None else (share.low, share.high, int(share.n))


def _any(_: Stretch) -> bool:
    return True


#: Which stretches offer each command, beside having a light to hold green at their end.
PLACES: dict[RequestKind, Callable[[Stretch], bool]] = {
    RequestKind.TARGET_SPEED: lambda road: road.length_m > 130.0,
    RequestKind.FASTER: lambda road: road.length_m > 130.0,
    RequestKind.SLOWER: lambda road: road.length_m > 130.0,
    RequestKind.KEEP_DISTANCE: lambda road: road.length_m > 130.0,
    RequestKind.LANE_LEFT: lambda road: road.left,
    RequestKind.LANE_RIGHT: lambda road: road.right,
    RequestKind.OVERTAKE: lambda road: road.left,
    RequestKind.PULL_OVER: lambda road: not road.right and road.length_m > 75.0,
    RequestKind.STOP: _any,
    RequestKind.GO: _any,
    RequestKind.TURN_LEFT: lambda road: Command.LEFT in road.ways and len(road.ways) > 1,
    RequestKind.TURN_RIGHT: lambda road: Command.RIGHT in road.ways and len(road.ways) > 1,
    RequestKind.STRAIGHT: lambda road: Command.STRAIGHT in road.ways and len(road.ways) > 1,
}
#: Where on its road the ego hears a command that is no turn, m from where it began.
_TOLD_M = {
    RequestKind.FASTER: 35.0,
    RequestKind.SLOWER: 35.0,
    RequestKind.KEEP_DISTANCE: 10.0,
    RequestKind.OVERTAKE: 3.0,
    RequestKind.LANE_LEFT: 12.0,
    RequestKind.LANE_RIGHT: 12.0,
}
_TOLD_ELSE_M = 18.0


def command_trials(
    sentences: Sentences, kinds: Sequence[RequestKind], random_words: bool = False
) -> list[CommandTrial]:
    """``EACH`` trials of each of ``kinds``, half of them in phrases that training never says."""
    return [_trial(kind, number, sentences, random_words) for kind in kinds for number in range(EACH)]


def _trial(kind: RequestKind, number: int, sentences: Sentences, random_words: bool) -> CommandTrial:
    places = [road for road in stretches() if road.signalled and PLACES[kind](road)]
    rng = seeded("command", kind.value, number)
    order = seeded("command", kind.value, "places").permutation(len(places))
    road = places[int(order[number % len(places)])]
    usual = CONSTANTS.limit_ratio * road.limit_kmh / 3.6
    speed = _speed(road, usual, rng) if kind is RequestKind.TARGET_SPEED else None
    distance = float(rng.choice(DISTANCES_M)) if kind is RequestKind.KEEP_DISTANCE else None
    asked = Asked(kind, speed=speed, distance_m=distance)
    split = (Split.SEEN, Split.HELD_OUT)[number % 2]
    words = seeded("command", kind.value, number, "words")
    text = sentences.other(kind, words) if random_words else sentences.say(asked, words, split, _STYLE)
    stop = sentences.say(Asked(RequestKind.STOP), words, split, _STYLE) if kind is RequestKind.GO else ""
    said_at = _TOLD_M.get(kind, _TOLD_ELSE_M)
    mission = None
    if kind in (RequestKind.TURN_LEFT, RequestKind.TURN_RIGHT, RequestKind.STRAIGHT):
        said_at = max(road.length_m - BEGIN_M - float(rng.uniform(*TURN_TOLD_M)), 5.0)
        mission = _mission(kind, road)
    lead = {RequestKind.KEEP_DISTANCE: (LEAD_M, LEAD_MPS), RequestKind.OVERTAKE: (SLOW_LEAD_M, SLOW_LEAD_MPS)}.get(kind)
    begin = road.length_m - 90.0 if mission is not None and road.length_m > 130.0 else BEGIN_M
    stage = Stage(
        road.lane,
        begin,
        seed=1600 + number,
        weather=str(rng.choice(sorted(WEATHERS))),
        light="green",
        lead_m=lead[0] if lead else None,
        lead_mps=lead[1] if lead else 0.0,
    )
    return CommandTrial(
        kind.value,
        number,
        stage,
        said_at - (begin - BEGIN_M if mission is not None else 0.0),
        text,
        usual,
        None if speed is None else speed.mps,
        distance if distance is None or sentences.names_distance(asked) else None,
        stop,
        mission,
        (split is Split.HELD_OUT) if sentences.foreign is None else None,
    )


def _speed(road: Stretch, usual_mps: float, rng: np.random.Generator) -> Speed:
    """Allowed, and unlike what an uninstructed driver does."""
    options = [
        value for value in SPEEDS_KMH if value <= road.limit_kmh and abs(value / 3.6 - usual_mps) >= DIFFERS * usual_mps
    ]
    return Speed(float(rng.choice(options)), SpeedUnit.KMH)


def _mission(kind: RequestKind, road: Stretch) -> int:
    """A way of the route that is not the one asked for."""
    asked = {
        RequestKind.TURN_LEFT: Command.LEFT,
        RequestKind.TURN_RIGHT: Command.RIGHT,
        RequestKind.STRAIGHT: Command.STRAIGHT,
    }[kind]
    others = [way for way in road.ways if way is not asked]
    return int(Command.STRAIGHT if Command.STRAIGHT in others else others[0])
