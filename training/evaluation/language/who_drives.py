"""The driver of a trial: the weights of a subject, or the expert who knows what is meant, which shows what can be reached."""

from __future__ import annotations

from functools import lru_cache

from simlingo.model.load import load_policy
from simlingo.navigation.global_planner import DenseRoute
from simlingo.policy import Policy
from simlingo_drive.drivers.frames import CameraFrames, FrameSource, GreyFrames
from training.evaluation.language.obedient import Meaning, ObedientExpert
from training.evaluation.language.stage import Scene
from training.evaluation.language.suite import Subject
from training.evaluation.language.talking_driver import TalkingDriver, Told

#: A frame and a plan every so many ticks, as in ``bench drive --plan-every 2``: half the time, and hardly another drive.
PLAN_EVERY = 2
#: These weights are nobody's: the expert drives, who is told what is meant instead of the words.
EXPERT = "expert"


def driver_of(
    scene: Scene,
    subject: Subject,
    threads: int,
    meant: Meaning,
    way: DenseRoute | None = None,
    sentences_only: bool = False,
) -> Told:
    """Who drives in ``scene``.

    Args:
        scene: opened, before the first tick of the drive.
        subject: whose weights.
        threads: of the network.
        meant: what the expert takes each sentence for.
        way: the mission; the way straight on where it is not given.
        sentences_only: the model is told no target points, and the mission leads straight on behind every junction.
    """
    mission = way or scene.way
    if subject.weights == EXPERT:
        return ObedientExpert(scene.session, mission, scene.planner, meant)
    policy = _policy(subject.weights, threads, "command" if sentences_only else "target_point")
    frames: FrameSource = GreyFrames(PLAN_EVERY) if subject.grey else CameraFrames(scene.session, PLAN_EVERY)
    return TalkingDriver(scene.session, mission, scene.planner, policy, frames, roams=sentences_only)


@lru_cache(maxsize=2)
def _policy(weights: str, threads: int, route_as: str) -> Policy:
    """Loaded once a process; a drive begins with its reset."""
    return load_policy(weights, threads, route_as)
