"""Drives a route that is described in sentences only, each said before its junction."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simlingo.requests import RequestKind
from simlingo_drive.backends.embedded import embedded_planner
from simlingo_drive.criteria import RouteScorer
from simlingo_drive.rollout import Hook, Score, roll_out
from simlingo_drive.routes import RouteSpec
from training.evaluation.language.obedient import Said
from training.evaluation.language.outcomes import outcomes
from training.evaluation.language.roads import TOWN
from training.evaluation.language.stage import Stage, opened
from training.evaluation.language.suite import Subject
from training.evaluation.language.talking_driver import STRAIGHT_ON_M, Told
from training.evaluation.language.who_drives import driver_of
from training.evaluation.language.words_routes import Turning, WordsRoute, words_routes

#: Traffic of these drives, as in ``bench drive``.
TRAFFIC = "light"


@dataclass(frozen=True)
class Saying:
    """One sentence at a junction."""

    text: str  # empty: what was said before is withdrawn
    after_ticks: int = 0  # since the place where words are due was reached
    kind: str | None = None  # of ``RequestKind``, where it is to be done; None: it is to be refused


@dataclass(frozen=True)
class WordsTrial:
    """One route with all that is said on it."""

    route: str  # name
    sayings: tuple[tuple[Saying, ...], ...]  # for each junction

    @property
    def key(self) -> str:
        """The same route with the same words is the same drive, whichever suite asks for it."""
        return f"words {self.route} {zlib.crc32(repr(self).encode()):08x}"


class Describes(Hook):
    """Says what is due as the ego comes along the route."""

    def __init__(self, driver: Told, scorer: RouteScorer, turnings: Sequence[Turning], trial: WordsTrial) -> None:
        self._driver, self._scorer = driver, scorer
        self._due = deque(zip(turnings, trial.sayings, strict=True))
        self._planned: list[tuple[int, str]] = []  # tick, text

    def observe(self, tick: int) -> None:
        """Say what is due now."""
        if self._due and self._scorer.progress.along >= self._due[0][0].due_m:
            _, sayings = self._due.popleft()
            self._planned += [(tick + saying.after_ticks, saying.text) for saying in sayings]
        while self._planned and self._planned[0][0] <= tick:
            self._driver.say(self._planned.pop(0)[1])


def drive_words(trial: WordsTrial, subject: Subject, threads: int) -> dict[str, Any]:
    """The score of one drive, and what became of each sentence."""
    route = next(each for each in words_routes() if each.name == trial.route)
    with opened(stage_of(route)) as scene:
        meant = tuple(
            Said(None if saying.kind is None else RequestKind(saying.kind))
            for sayings in trial.sayings
            for saying in sayings
            if saying.text
        )
        driver = driver_of(scene, subject, threads, meant, sentences_only=True)
        scorer = scene.scorer(route.route.dense)
        roll_out(scene.session, driver, [*scene.hooks, Describes(driver, scorer, route.turnings, trial), Score(scorer)])
        result = scorer.result().to_json()
    said = [
        {**outcome, "to_do": said.kind is not None}
        for outcome, said in zip(outcomes(driver.steps), meant, strict=False)
    ]  # the drive may end before all is said
    return {"route": route.name, "group": route.group, **result, "said": said}


def stage_of(route: WordsRoute) -> Stage:
    """Where the route begins, in its own world and weather."""
    graph = embedded_planner(TOWN).graph
    place = graph.place_of(route.route.dense[0][0])
    lane = int(graph.lane_of[place])
    weather = RouteSpec(TOWN, route.seed, route.number).weather
    return Stage(
        lane, float(place - graph.lanes[lane].first), route.seed, weather, traffic=TRAFFIC, way_m=STRAIGHT_ON_M
    )
