"""Drives a stretch of road at a speed that a sentence asks for, and measures how well it is kept."""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from typing import Any

from simlingo.contracts import TICK_S
from simlingo.requests import RequestKind
from simlingo_drive.criteria import RouteScorer
from simlingo_drive.rollout import Hook, Score, roll_out
from simlingo_drive.session import Session
from training.evaluation.language.obedient import Said
from training.evaluation.language.outcomes import outcomes
from training.evaluation.language.stage import Stage, opened
from training.evaluation.language.suite import Subject
from training.evaluation.language.talking_driver import Told
from training.evaluation.language.who_drives import driver_of

#: A speed counts as reachable with this acceleration or deceleration, m/s^2: that of an unhurried driver.
REACH_MPS2 = 1.5
#: Held back by a slower vehicle, the loss counts by this share (Bench2Drive-Speed).
HELD_BACK_SHARE = 0.25
#: A slower vehicle holds back within this time, and this distance at least, bumper to bumper: s, m.
HELD_BACK_S, HELD_BACK_M = 2.5, 8.0
#: Whose middle is nearer than this to the middle of the way is ahead on it, m.
ON_WAY_M = 1.8
#: A drive ends after this time at the latest, s.
LIMIT_S = 75.0


@dataclass(frozen=True)
class SpeedTrial:
    """One segment: a stretch of road and a sentence."""

    number: int
    stage: Stage
    said_at_m: float  # of the ego along its way
    end_m: float  # there the segment ends
    text: str
    wish_mps: float
    held_out: bool | None  # whether training never says the phrase; None: it is somebody else's

    @property
    def key(self) -> str:
        """Equal keys, equal drives."""
        return f"speed {self.number:02d} {zlib.crc32(repr(self).encode()):08x}"


def adherence_at(speed_mps: float, wish_mps: float, held_back: bool) -> float:
    """How well one moment keeps the wish, 0 to 1: exp(-|v - v*| / v*), a quarter of the exponent where it is held back."""
    loss = abs(speed_mps - wish_mps) / wish_mps
    return math.exp(-loss * (HELD_BACK_SHARE if held_back and speed_mps < wish_mps else 1.0))


class Adherence(Hook):
    """Says the sentence, and weighs each metre of the segment by how well the speed is kept there.

    The segment begins when the speed could have been reached with ``REACH_MPS2`` from the one at the words.
    """

    def __init__(self, session: Session, driver: Told, scorer: RouteScorer, trial: SpeedTrial) -> None:
        self._session, self._driver, self._scorer, self._trial = session, driver, scorer, trial
        self._front = float(session.ego.bounding_box.extent.x)
        self._begins_s: float | None = None  # of the drive's time
        self._weighted = self._strict = self._strict_m = 0.0
        self.metres = 0.0
        self.held_back_m = 0.0

    def observe(self, tick: int) -> None:
        """Say it at its place."""
        if self._begins_s is None and self._scorer.progress.along >= self._trial.said_at_m:
            self._driver.say(self._trial.text)
            gap = abs(self._session.ego_state().speed - self._trial.wish_mps)
            self._begins_s = tick * TICK_S + gap / REACH_MPS2

    def judge(self, tick: int) -> None:
        """Weigh the tick that was made."""
        if self._begins_s is None:
            return
        ego, wish = self._session.ego_state(), self._trial.wish_mps
        step = ego.speed * TICK_S
        self._strict += step * adherence_at(ego.speed, wish, False)
        self._strict_m += step
        if tick * TICK_S >= self._begins_s:
            held_back = self._held_back(ego.speed)
            self.metres += step
            self.held_back_m += step if held_back else 0.0
            self._weighted += step * adherence_at(ego.speed, wish, held_back)
        self.finished = self._scorer.progress.along >= self._trial.end_m

    @property
    def adherence(self) -> float:
        """Mean over the segment's metres; 0 where the ego has not come that far."""
        return self._weighted / self.metres if self.metres > 0.0 else 0.0

    @property
    def from_the_words(self) -> float:
        """The same over all metres since the words, nothing forgiven."""
        return self._strict / self._strict_m if self._strict_m > 0.0 else 0.0

    def _held_back(self, speed_mps: float) -> bool:
        """Whether a vehicle that is slower than the wish drives or stands close ahead on the way."""
        ego = self._session.ego
        reach = max(HELD_BACK_M, HELD_BACK_S * speed_mps)
        pose = ego.get_transform()
        forward = pose.get_forward_vector()
        for other in self._session.world.get_actors().filter("vehicle.*"):
            if other.id == ego.id:
                continue
            gap = other.get_location() - pose.location
            ahead = gap.x * forward.x + gap.y * forward.y
            across = abs(gap.y * forward.x - gap.x * forward.y)
            bumpers = ahead - self._front - float(other.bounding_box.extent.x)
            velocity = other.get_velocity()
            slower = math.hypot(velocity.x, velocity.y) < self._trial.wish_mps
            if 0.0 < bumpers < reach and across < ON_WAY_M and slower:
                return True
        return False


def drive_speed(trial: SpeedTrial, subject: Subject, threads: int) -> dict[str, Any]:
    """How well the wish was kept, and what became of the sentence."""
    with opened(trial.stage) as scene:
        meant = (Said(RequestKind.TARGET_SPEED, speed_mps=trial.wish_mps),)
        driver = driver_of(scene, subject, threads, meant)
        scorer = scene.scorer()
        keeps = Adherence(scene.session, driver, scorer, trial)
        limit = round(LIMIT_S / TICK_S)
        ticks = roll_out(scene.session, driver, [*scene.hooks, Score(scorer), keeps], limit)
        infractions = [infraction.kind.value for infraction in scorer.result().infractions]
    return {
        "text": trial.text,
        "wish_mps": round(trial.wish_mps, 3),
        "held_out": trial.held_out,
        "adherence": round(keeps.adherence, 4),
        "from_the_words": round(keeps.from_the_words, 4),
        "metres": round(keeps.metres, 1),
        "held_back_m": round(keeps.held_back_m, 1),
        "infractions": infractions,
        "duration_s": round(ticks * TICK_S, 2),
        "said": outcomes(driver.steps),
    }
