"""Drives one trial of ``command``: a situation in which the command can be obeyed, the words, and the judge."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Any

from simlingo.contracts import TICK_S, Command, EgoState, InvalidInputError
from simlingo.instructions.done import STANDS_MPS, Criterion, Held
from simlingo.navigation.global_planner import DenseRoute
from simlingo.requests import RequestKind
from simlingo_drive.criteria import Kind, RouteScorer
from simlingo_drive.rollout import Hook, Score, roll_out
from training.evaluation.language.command_judges import TURNS, Wanted, judge_of, nowhere
from training.evaluation.language.obedient import Said
from training.evaluation.language.outcomes import outcomes
from training.evaluation.language.stage import Scene, Stage, opened
from training.evaluation.language.suite import Subject
from training.evaluation.language.talking_driver import Told
from training.evaluation.language.who_drives import driver_of

#: A command must be obeyed within this time of its words, s (LaMPilot).
WITHIN_S = 60.0
#: The place of the words must be reached within this time, s.
APPROACH_S = 40.0
#: Before it is told to go on, the car has stood for this long, s.
STOOD_S = 1.0
_HITS = frozenset({Kind.COLLISION_PEDESTRIAN, Kind.COLLISION_VEHICLE, Kind.COLLISION_STATIC})


@dataclass(frozen=True)
class CommandTrial:
    """One command in one situation."""

    command: str  # of ``RequestKind``
    number: int
    stage: Stage
    said_at_m: float  # of the ego along its way
    text: str
    usual_mps: float  # speed of an uninstructed driver there
    wish_mps: float | None = None
    distance_m: float | None = None
    stop_first: str = ""  # said before; the command itself once the car stands
    mission: int | None = None  # of ``Command``: the route turns so at the first junction; None: it goes straight on
    held_out: bool | None = None  # whether training never says the phrase; None: it is somebody else's

    @property
    def key(self) -> str:
        """Equal keys, equal drives."""
        return f"command {self.command} {self.number:02d} {zlib.crc32(repr(self).encode()):08x}"


class Commands(Hook):
    """Says the command at its place, and sees whether it is obeyed on this stretch of road."""

    def __init__(self, scene: Scene, driver: Told, scorer: RouteScorer, trial: CommandTrial) -> None:
        self._scene, self._driver, self._scorer, self._trial = scene, driver, scorer, trial
        self._kind = RequestKind(trial.command)
        self._stood = Held(lambda ego, _: ego.speed < STANDS_MPS, STOOD_S)
        self._judge: Criterion | None = None
        self._said_at: int | None = None  # tick of the first words
        self._was_in_junction = False
        self.success = False
        self.seconds: float | None = None  # from the command's words to where it was obeyed

    def observe(self, tick: int) -> None:
        """Say what is due."""
        ego = self._scene.session.ego_state()
        if self._said_at is None and self._scorer.progress.along >= self._trial.said_at_m:
            self._said_at = tick
            if self._trial.stop_first:
                self._driver.say(self._trial.stop_first)
            else:
                self._command(ego)
        elif self._said_at is not None and self._judge is None and self._stood.update(ego, nowhere(False)):
            self._said_at = tick
            self._command(ego)

    def judge(self, tick: int) -> None:
        """Look at the tick that was made; on this road only, but for turns."""
        ego = self._scene.session.ego_state()
        inside = self._in_junction()
        since = tick if self._said_at is None else tick - self._said_at
        late = since * TICK_S >= (APPROACH_S if self._said_at is None else WITHIN_S)
        if self._judge is not None and self._judge.update(ego, nowhere(inside)):
            self.success, self.seconds = True, round(since * TICK_S, 2)
        left = self._was_in_junction and not inside if self._kind in TURNS else inside
        self._was_in_junction = self._was_in_junction or inside
        self.finished = self.success or left or late

    def _command(self, ego: EgoState) -> None:
        self._driver.say(self._trial.text)
        trial = self._trial
        wanted = Wanted(self._kind, ego.speed, trial.usual_mps, trial.wish_mps, trial.distance_m)
        self._judge = judge_of(wanted, self._scene)

    def _in_junction(self) -> bool:
        here = self._scene.session.map.get_waypoint(self._scene.session.ego.get_location())
        return here is not None and bool(here.is_junction)


def drive_command(trial: CommandTrial, subject: Subject, threads: int) -> dict[str, Any]:
    """Whether the command was obeyed without a hit, and what became of the words."""
    kind = RequestKind(trial.command)
    with opened(trial.stage) as scene:
        way = _mission(scene, trial)
        said = Said(kind, _meant_speed(trial), trial.distance_m)
        meant = (Said(RequestKind.STOP), said) if trial.stop_first else (said,)
        driver = driver_of(scene, subject, threads, meant, way)
        scorer = scene.scorer(way)
        commands = Commands(scene, driver, scorer, trial)
        ticks = roll_out(scene.session, driver, [*scene.hooks, Score(scorer), commands])
        found = scorer.result().infractions
    hits = sum(infraction.kind in _HITS for infraction in found)
    return {
        "command": trial.command,
        "text": trial.text,
        "held_out": trial.held_out,
        "success": commands.success and not hits,
        "seconds": commands.seconds,
        "hits": hits,
        "infractions": [infraction.kind.value for infraction in found],
        "duration_s": round(ticks * TICK_S, 2),
        "said": outcomes(driver.steps),
    }


def _mission(scene: Scene, trial: CommandTrial) -> DenseRoute:
    if trial.mission is None:
        return scene.way
    answer = scene.planner.redirect(scene.way, scene.session.ego_state(), Command(trial.mission))
    if answer.route is None:
        raise InvalidInputError(f"the mission of {trial.key} cannot be: {answer.reason}")
    return answer.route


def _meant_speed(trial: CommandTrial) -> float | None:
    """What an obedient expert makes of a speed that is only compared."""
    if trial.command == RequestKind.FASTER.value:
        return 1.25 * trial.usual_mps + 0.5
    if trial.command == RequestKind.SLOWER.value:
        return 0.6 * trial.usual_mps
    return trial.wish_mps
