"""What the engine needs of a way to run the network: ids, points and pictures in, checked plans and scores out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from simlingo.contracts import PATH_POINTS, SPEED_WAYPOINTS, FloatArray, ImageArray, InvalidInputError
from simlingo.model.config import ModelConfig
from simlingo.model.judgement import SCORES, Judgement, judgement_of


class Outcome(NamedTuple):
    """What a pass over a prompt gives."""

    path: FloatArray  # (20, 2) m, ego frame
    speed_waypoints: FloatArray  # (10, 2) m, ego frame
    context: Any  # what the model has read of the prompt, for text that follows
    timing: dict[str, float]  # s per phase
    judgement: Judgement | None  # of the prompt's instruction; None: the network has no head for it


class BatchPlans(NamedTuple):
    """Plans of B prompts."""

    path: FloatArray  # (B, 20, 2) m, ego frame
    speed_waypoints: FloatArray  # (B, 10, 2) m, ego frame
    judgements: list[Judgement | None]  # B of them


class Prefill(NamedTuple):
    """What a pass over a prompt without its answer gives."""

    scores: np.ndarray  # (vocabulary,) of the first token of the answer
    context: Any  # what the model has read, all of the prompt
    timing: dict[str, float]  # s per phase


class Backend(Protocol):
    """Runs one network. Called from one thread.

    A *context* is what the language model has read so far (its key-value cache). It is never changed: reading on gives
    a new one, so that several texts and a plan branch from the same prefill.
    """

    config: ModelConfig

    def see(self, picture: ImageArray) -> Any:
        """Image embeddings of ``picture`` (tile, 2 * tile, 3) uint8."""

    def plan(self, image: Any, ids: list[int], target_points: FloatArray) -> Outcome:
        """One pass over ``ids``, a prompt with its answer, and the queries; the context holds ``ids``."""

    def read(self, image: Any, ids: list[int], target_points: FloatArray) -> Prefill:
        """One pass over ``ids``, a prompt up to where its answer begins; no plan."""

    def cut(self, context: Any, tokens: int) -> Any:
        """The context of the first ``tokens`` ids."""

    def read_on(self, context: Any, ids: list[int]) -> tuple[np.ndarray, Any]:
        """Scores (vocabulary,) of the token that follows ``ids`` after ``context``, and the longer context."""

    def drive(self, context: Any) -> Outcome:
        """The plan of the queries after ``context``, which it holds unchanged."""

    def plan_batch(
        self, pictures: Sequence[ImageArray], ids: Sequence[list[int]], target_points: FloatArray
    ) -> BatchPlans:
        """Plans of B pictures, prompts and pairs of target points."""


def checked_points(path: object, speed_waypoints: object) -> tuple[FloatArray, FloatArray]:
    """Path (20, 2) and speed waypoints (10, 2) in m from outputs of a batch of one.

    Raises:
        InvalidInputError: another shape, or not finite.
    """
    found = []
    for values, count in ((path, PATH_POINTS), (speed_waypoints, SPEED_WAYPOINTS)):
        points = np.asarray(values, dtype=np.float64)
        if points.shape != (1, count, 2) or not np.isfinite(points).all():
            raise InvalidInputError("the network's answer is not finite; the weights are damaged")
        found.append(points[0])
    return found[0], found[1]


def checked_judgement(scores: object) -> Judgement | None:
    """The judgement that ``scores`` (1, SCORES) tell; None where there are none.

    Raises:
        InvalidInputError: another shape, or not finite.
    """
    if scores is None:
        return None
    values = np.asarray(scores, dtype=np.float64)
    if values.shape != (1, SCORES) or not np.isfinite(values).all():
        raise InvalidInputError("the network's judgement is not finite; the weights are damaged")
    return judgement_of(values[0])


def check_batch(pictures: Sequence[ImageArray], ids: Sequence[list[int]], target_points: FloatArray) -> int:
    """How many frames a batch has.

    Raises:
        InvalidInputError: none, or the counts differ.
    """
    count = len(pictures)
    if not count or len(ids) != count or target_points.shape != (count, 2, 2):
        raise InvalidInputError(
            f"a batch needs as many pictures, prompts and pairs of target points, and one at least; "
            f"got {count}, {len(ids)} and an array {target_points.shape}"
        )
    return count
