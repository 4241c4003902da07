"""Do commentaries change the plans made after them: without words, after the model's own (the published order), the expert's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simlingo.contracts import FloatArray
from simlingo.model.prompt import RouteAs
from training.evaluation.language.listener import Listener, Request, identity
from training.evaluation.language.picture import Frame
from training.evaluation.language.suite import Context, Table
from training.language.commentary import FrameFacts, commentary

#: Frames that are planned for, whole and quick.
FRAMES, FRAMES_QUICK = 120, 16
#: Ways to make a plan.
WAYS = ("without words", "after the model's own words", "after the expert's words")


def plans_after_words(context: Context, chosen: Sequence[tuple[Frame, FrameFacts]]) -> Table:
    """Mean distances of the points of plans from the expert's, m, for each of ``WAYS``."""
    frames = chosen[: FRAMES_QUICK if context.quick else FRAMES]
    advance = context.progress.begin("plans after words", len(frames))
    prefix = f"comment-val:plans:{identity(context.subject)}"
    errors = []
    with Listener(context.subject, context.jobs) as listener:
        for frame, facts in frames:
            key = f"{prefix}:{frame.key}"
            if key not in context.journal.kept:
                context.journal.keep(key, _errors(listener, frame, facts))
            errors.append(context.journal.kept[key])
            advance(1)
    means = np.mean(np.array(errors), axis=0).round(3).tolist()
    rows: list[tuple[str, int, float, float]] = [
        (way, len(errors), path, waypoints) for way, (path, waypoints) in zip(WAYS, means, strict=True)
    ]
    return Table("Plans by the words before them", ("plan", "n", "path, m", "speed waypoints, m"), rows)


def _errors(listener: Listener, frame: Frame, facts: FrameFacts) -> list[list[float]]:
    """For each way the mean errors (m) of path and speed waypoints."""
    processor, points = listener.processor, frame.navigation.target_points
    here = processor.situation(frame.speed_mps, frame.navigation, RouteAs.TARGET_POINT)
    picture = listener.picture(frame.image())
    prompts = (processor.plan(here), processor.commentary(here, commentary(facts)))
    silent, told = listener.plans([Request(picture, prompt, points) for prompt in prompts])
    own = listener.plan_after_words(Request(picture, processor.commentary(here), points))
    return [
        [_apart(plan.path, facts.path), _apart(plan.speed_waypoints, facts.speed_waypoints)]
        for plan in (silent, own, told)
    ]


def _apart(one: FloatArray, other: FloatArray) -> float:
    return float(np.linalg.norm(one - other, axis=1).mean())
