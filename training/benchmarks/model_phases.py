"""Runs one model frame by frame and notes how long each phase took; our way, the published one, and while speaking."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from simlingo.contracts import MODEL_CAMERA, Command, FloatArray, ImageArray, Navigation
from simlingo.model.engine import Engine, Reading
from simlingo.model.processor import picture_of
from training.benchmarks.model_subject import Asked, Subject

if TYPE_CHECKING:
    from simlingo.model.network import SimLingoNetwork

#: Ends no text: random weights never end one reliably, and a benchmark counts tokens.
NO_STOP = -1
_PICTURES = 8
_SPEED = 7.3  # m/s
_NAVIGATION = Navigation(np.array(((20.0, 0.0), (45.0, 5.0))), Command.FOLLOW_LANE, Command.LEFT, 20.0)

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Frame:
    """One frame as it was run."""

    phases: dict[str, float]  # s; with ``other`` they add up to the whole
    path: FloatArray  # (20, 2) m
    speed_waypoints: FloatArray  # (10, 2) m
    text: list[int]  # ids

    @property
    def total(self) -> float:
        """Seconds from camera frame to plan."""
        return sum(self.phases.values())


class Road:
    """The frames that a subject is shown: noise, since no phase's time depends on what is seen."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        shape = (_PICTURES, MODEL_CAMERA.height, MODEL_CAMERA.width, 3)
        self._images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)

    def prepared(self, number: int) -> tuple[ImageArray, Asked]:
        """Picture and prompts of frame ``number``."""
        image = self._images[number % _PICTURES]
        picture = picture_of(image, self._subject.config.image)
        return picture, self._subject.asked(_SPEED, _NAVIGATION)

    def reading(self, number: int, after_text: bool) -> Reading:
        """Frame ``number`` with its prompt, without an answer where a text comes first."""
        picture, asked = self.prepared(number)
        ids = asked.commentary if after_text else asked.driving
        return Reading(number, picture, _NAVIGATION.target_points, ids, asked.shared)


def our_frame(engine: Engine, road: Road, number: int, text: int) -> Frame:
    """One frame through the engine, with ``text`` tokens before its plan, or 0 for none."""
    begin = time.perf_counter()
    reading = road.reading(number, after_text=text > 0)
    prepared = time.perf_counter()
    outcome, words = engine.plan_after_text(reading, text) if text else (engine.plan(reading), [])
    whole = time.perf_counter() - begin
    return _frame({"preprocess": prepared - begin, **outcome.timing}, whole, outcome, words)


def published_frame(network: SimLingoNetwork, road: Road, number: int, text: int) -> Frame:
    """The same frame in the published way: without text it says the fixed answer's tokens itself (spec A.10)."""
    from simlingo.model.engine.published import published_plan

    begin = time.perf_counter()
    picture, asked = road.prepared(number)
    prepared = time.perf_counter()
    ids, longest = (asked.commentary, text) if text else (asked.driving[: -asked.answer], asked.answer)
    outcome, words = published_plan(network, picture, ids, _NAVIGATION.target_points, longest, NO_STOP)
    whole = time.perf_counter() - begin
    return _frame({"preprocess": prepared - begin, **outcome.timing}, whole, outcome, words)


def fixed_plans(backend: Any, road: Road, count: int) -> list[Frame]:
    """Plans of the first frames without text, straight from a backend: for comparing precisions."""
    frames = []
    for number in range(count):
        begin = time.perf_counter()
        reading = road.reading(number, after_text=False)
        outcome = backend.plan(backend.see(reading.picture), reading.ids, reading.target_points)
        frames.append(_frame(outcome.timing, time.perf_counter() - begin, outcome, []))
    return frames


def plan_times(engine: Engine, road: Road, frames: int, period: float, tokens: int) -> tuple[list[float], int]:
    """Seconds of each of ``frames`` plans, one every ``period`` s, while texts of ``tokens`` are made one after another.

    Also the number of texts that became whole meanwhile; with ``tokens`` 0 nothing is said.
    """
    readings = [road.reading(number, after_text=False) for number in range(_PICTURES)]
    _, asked = road.prepared(0)
    engine.plan(readings[0])
    speech, whole, times = None, 0, []
    due = time.perf_counter()
    for number in range(frames):
        if tokens and (speech is None or speech.done()):
            whole += speech is not None
            speech = engine.say(asked.commentary[asked.shared :], tokens)
        time.sleep(max(0.0, due - time.perf_counter()))
        begin = time.perf_counter()
        engine.plan(readings[number % _PICTURES])
        times.append(time.perf_counter() - begin)
        due = max(due + period, begin)  # a frame that is late does not hurry those after it
    if speech is not None:
        speech.cancel()
    return times, whole


def _frame(timing: dict[str, float], whole: float, outcome: Any, words: list[int]) -> Frame:
    phases = {"decode" if name == "text" else name: seconds for name, seconds in timing.items()}
    phases["other"] = whole - sum(phases.values())
    return Frame(phases, outcome.path, outcome.speed_waypoints, words)
