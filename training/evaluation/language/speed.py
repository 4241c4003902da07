"""``speed-48``: 48 segments of road, each with a sentence that names a speed; how well it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from simlingo.requests import RequestKind
from simlingo_drive.expert import CONSTANTS
from training.evaluation.language.baselines import subjects_of
from training.evaluation.language.means import mean, mean_interval
from training.evaluation.language.pool import drive_all
from training.evaluation.language.roads import Stretch, stretches
from training.evaluation.language.sentences import Sentences, seeded
from training.evaluation.language.speed_drive import REACH_MPS2, SpeedTrial, drive_speed
from training.evaluation.language.stage import Stage
from training.evaluation.language.suite import Context, Figure, SuiteResult, Table
from training.language.asked import Asked, Speed, SpeedUnit
from training.language.grammar import Style
from training.language.hold_out import Split

SEGMENTS, QUICK_SEGMENTS = 48, 4
#: The ego begins this far behind the last junction, and is told this much later, m.
BEGIN_M, SAID_AFTER_M = 3.0, 12.0
#: About so fast it is there, from a standstill, m/s; only for choosing wishes that leave room for a segment.
SPEED_THERE_MPS = 5.0
#: A segment is at least and at most so long, m.
SHORTEST_M, LONGEST_M = 18.0, 80.0
#: It ends this far before the junction with a light that is held green, and otherwise where braking for it begins, m, m/s^2.
BEFORE_LIGHT_M, BRAKES_MPS2 = 8.0, 2.0
#: A wish differs by this share from the speed that an uninstructed driver has there, and keeps to the limit.
DIFFERS, OF_LIMIT = 0.25, 1.0
#: Speeds that people name, by unit.
SPEEDS = {
    SpeedUnit.KMH: (10, 12, 15, 18, 20, 22, 25, 28, 30, 35, 38, 40, 45),
    SpeedUnit.MPS: (3, 4, 5, 6, 8, 10, 12),
    SpeedUnit.MPH: (8, 10, 12, 15, 18, 20, 25),
}
#: How often each unit is named: mostly km/h.
UNIT_SHARES = (0.7, 0.15, 0.15)
_STYLE = Style(typo=0.0)


def speed_48(context: Context) -> SuiteResult:
    """Adherence to speeds named in sentences."""
    count = QUICK_SEGMENTS if context.quick else SEGMENTS
    sentences = Sentences(context.phrases)
    found: dict[str, list[dict[str, Any]]] = {}
    for subject in subjects_of(context):
        trials = _trials(sentences, subject.random_words)[:count]
        found[subject.label] = drive_all(context, subject, "speed-48", trials, drive_speed)
    figures = {label: _figures(records) for label, records in found.items()}
    own = found[context.subject.label]
    intervals = {"adherence": bounds} if (bounds := mean_interval([record["adherence"] for record in own])) else {}
    columns = ("weights", "n", "adherence", "from the words on", "seen", "held out", "held back %")
    rows = [
        (label, each["n"], each["adherence"], each["from_the_words"], each["seen"], each["held_out"], each["held_back"])
        for label, each in figures.items()
    ]
    others = {label: each for label, each in figures.items() if label != context.subject.label}
    table = Table("speed-48: speeds named in sentences (embedded world)", columns, rows)
    return SuiteResult(figures[context.subject.label], intervals, others, (table,), {"segments": found})


def _figures(records: Sequence[dict[str, Any]]) -> dict[str, Figure]:
    metres = sum(record["metres"] for record in records)
    by_split = {
        name: mean([record["adherence"] for record in records if record["held_out"] is held_out])
        for name, held_out in (("seen", False), ("held_out", True))
    }
    return {
        "n": len(records),
        "adherence": mean([record["adherence"] for record in records]),
        "from_the_words": mean([record["from_the_words"] for record in records]),
        **by_split,
        "held_back": 100.0 * sum(record["held_back_m"] for record in records) / metres if metres else None,
    }


def _trials(sentences: Sentences, random_words: bool) -> list[SpeedTrial]:
    """The segments with their sentences: alternately of phrases that training says and of others."""
    found = []
    for number, (stretch, speed) in enumerate(_segments()):
        rng = seeded("speed", number, "words")
        split = (Split.SEEN, Split.HELD_OUT)[number % 2]
        asked = Asked(RequestKind.TARGET_SPEED, speed=speed)
        text = sentences.other(asked.kind, rng) if random_words else sentences.say(asked, rng, split, _STYLE)
        stage = Stage(
            stretch.lane,
            BEGIN_M,
            seed=4800 + number,
            traffic="light",
            light="green" if stretch.signalled else "",
        )
        end = _end_m(stretch, speed.mps) - BEGIN_M
        begin = SAID_AFTER_M + _reach_m(speed.mps)
        own = sentences.foreign is None
        found.append(
            SpeedTrial(
                number,
                stage,
                SAID_AFTER_M,
                min(end, begin + LONGEST_M),
                text,
                speed.mps,
                split is Split.HELD_OUT if own else None,
            )
        )
    return found


@cache
def _segments() -> tuple[tuple[Stretch, Speed], ...]:
    """48 stretches with a speed each, no two the same."""
    rng = np.random.default_rng(48)
    options = [
        (stretch, Speed(value, unit))
        for stretch in stretches()
        for unit, values in SPEEDS.items()
        for value in values
        if _possible(stretch, value * unit.mps)
    ]
    units = list(SPEEDS)
    found: list[tuple[Stretch, Speed]] = []
    used: dict[int, int] = {}
    while len(found) < SEGMENTS:
        unit = units[int(rng.choice(len(units), p=UNIT_SHARES))]
        fewest = min(used.get(stretch.lane, 0) for stretch, speed in options if speed.unit is unit)
        fresh = [
            (stretch, speed)
            for stretch, speed in options
            if speed.unit is unit and used.get(stretch.lane, 0) == fewest and (stretch, speed) not in found
        ]
        stretch, speed = fresh[int(rng.integers(len(fresh)))]
        used[stretch.lane] = used.get(stretch.lane, 0) + 1
        found.append((stretch, speed))
    return tuple(found)


def _possible(stretch: Stretch, wish_mps: float) -> bool:
    """Allowed there, unlike what an uninstructed driver does, and with room for a segment."""
    limit = stretch.limit_kmh / 3.6
    usual = CONSTANTS.limit_ratio * limit
    if stretch.signed or wish_mps > OF_LIMIT * limit or abs(wish_mps - usual) < DIFFERS * usual:
        return False
    return _end_m(stretch, wish_mps) - BEGIN_M - SAID_AFTER_M - _reach_m(wish_mps) >= SHORTEST_M


def _end_m(stretch: Stretch, wish_mps: float) -> float:
    """Where the segment ends at the latest, m along the lane."""
    room = BEFORE_LIGHT_M if stretch.signalled else BEFORE_LIGHT_M + wish_mps * wish_mps / (2.0 * BRAKES_MPS2)
    return stretch.length_m - room


def _reach_m(wish_mps: float) -> float:
    """What is driven until the wish can be reached, m."""
    seconds = abs(wish_mps - SPEED_THERE_MPS) / REACH_MPS2
    return seconds * 0.5 * (wish_mps + SPEED_THERE_MPS)
