"""The items of ``dream-val``: an instruction at a frame, with what following and refusing it would be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from simlingo.contracts import FloatArray
from simlingo.requests import Reason, RequestKind, Verdict
from training.datasets.reader import Route
from training.evaluation.language.modes import row_of
from training.evaluation.language.picture import Frame, frames_of
from training.language.asked import Asked
from training.language.dreams.dream import Dream, uninstructed
from training.language.dreams.route_dreams import RouteDreams, dreams_of
from training.language.dreams.scene import Scene
from training.language.dreams.wording import asked_of
from training.language.languages import language
from training.language.phrase import REASONS_OF, InstructionKind, RefusedKind

#: Other seeds draw other dreams of the same frames.
SEED = 11


@dataclass(frozen=True)
class Spot:
    """The thing that an instruction speaks of. Ego frame."""

    x_m: float
    y_m: float
    yaw_rad: float
    half_length_m: float
    half_width_m: float


@dataclass(frozen=True)
class Item:
    """One instruction at one frame."""

    frame: Frame
    asked: Asked
    verdict: Verdict
    reason: Reason | None  # None: it is to be followed, or refused for whatever reason
    dreamt: bool  # False: path and waypoints are those without instruction
    path: FloatArray  # (20, 2) m, of the dream
    waypoints: FloatArray  # (10, 2) m
    expert_path: FloatArray  # (20, 2) m, without instruction
    expert_waypoints: FloatArray  # (10, 2) m
    spot: Spot | None = None  # of drive_to and avoid, where the thing is in sight

    @property
    def kind(self) -> InstructionKind:
        """What is asked for."""
        return self.asked.kind

    @property
    def row(self) -> str:
        """Its mode, or its kind where that is none."""
        return row_of(self.kind)

    @property
    def key(self) -> str:
        """Names it; equal keys of one list are equal items."""
        return f"{self.frame.key}:{self.asked}:{self.reason}"

    @property
    def rank(self) -> str:
        """A number as good as drawn by lot, the same on every machine."""
        return hashlib.sha256(self.key.encode()).hexdigest()

    def followed(self, safety: bool) -> bool:
        """Whether the right plan is the dream's."""
        return self.verdict is Verdict.FOLLOW or (self.dreamt and not safety)


def items_of(route: Route, advance: Callable[[int], None] = lambda _: None) -> Iterator[Item]:
    """Every item of a route, frame by frame; ``advance`` hears of each frame that was dreamt of."""
    whole = RouteDreams(route, SEED)
    for number, frame in enumerate(frames_of(route)):
        advance(1)
        if not whole.dreamable(number):
            continue
        scene = whole.scene(number)
        rng = np.random.default_rng((SEED, int(hashlib.sha256(frame.key.encode()).hexdigest()[:12], 16)))
        dreams = dreams_of(scene, rng)
        yield from _of_dreams(frame, scene, dreams, rng)
        yield from _refused(frame, scene, dreams, rng)


def _of_dreams(frame: Frame, scene: Scene, dreams: list[Dream], rng: np.random.Generator) -> Iterator[Item]:
    """One item for each dream."""
    expert = uninstructed(scene.row)
    for dream in dreams:
        yield Item(
            frame, asked_of(dream, language(), rng), dream.verdict, dream.reason, dream.dreamt, dream.path,
            dream.speed_waypoints, *expert, _spot(scene, dream),
        )  # fmt: skip


def _spot(scene: Scene, dream: Dream) -> Spot | None:
    wanted = dream.slots.object
    if wanted is None or wanted.actor_id is None or dream.kind not in (RequestKind.DRIVE_TO, RequestKind.AVOID):
        return None
    thing = next(thing for thing in scene.things if thing.actor_id == wanted.actor_id)
    return Spot(thing.x_m, thing.y_m, thing.yaw_rad, thing.half_length_m, thing.half_width_m)


def _refused(frame: Frame, scene: Scene, dreams: list[Dream], rng: np.random.Generator) -> Iterator[Item]:
    """What is unsafe said where it is, and nonsense: no driver takes it, and there is nothing to imagine."""
    expert = uninstructed(scene.row)
    for reason in REASONS_OF[RefusedKind.UNSAFE]:
        here = [asked_of(dream, language(), rng) for dream in dreams if dream.reason is reason]
        if here:
            thing = next((asked.object for asked in here if asked.object is not None), None)
            speed = next((asked.speed for asked in here if asked.speed is not None), None)
            asked = Asked(
                RefusedKind.UNSAFE, reason, object=thing, speed=speed if reason is Reason.SPEED_LIMIT else None
            )
            yield Item(frame, asked, reason.verdict, reason, False, *expert, *expert)
    for reason in REASONS_OF[RefusedKind.NONSENSE]:
        yield Item(frame, Asked(RefusedKind.NONSENSE, reason), reason.verdict, reason, False, *expert, *expert)
