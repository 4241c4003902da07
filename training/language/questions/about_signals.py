"""Questions about the traffic light and the stop sign that hold for the ego."""

from __future__ import annotations

from collections.abc import Callable

from training.language.questions.question import Question
from training.language.questions.scene import Scene

#: A light and a stop sign hold from so near on, m (spec C.1); between that and the second figure nobody asks.
LIGHT_M, SIGN_M, UNTOLD_M = 45.0, 40.0, 60.0
#: Steps of what to do, m (spec C.1 has 10, 15, 20 and 40).
_NEAR_M, _AT_LINE_M = 20.0, 4.0
#: A slower ego stands, m/s.
_STANDING_MPS = 0.3
#: Nearer than this to the junction, or in it, the line lies behind us, m.
_BEHIND_LINE_M = 5.0
#: A bumper farther past the line has passed it, m.
_PASSED_M = 0.3


def light_questions(scene: Scene) -> list[Question]:
    """Affected or not, its state, and what to do; not asked where the lens is not seen, or beyond the line."""
    light, junction = scene.light, scene.junction
    if light is None and junction is not None and junction.distance_m < _BEHIND_LINE_M:
        return []  # the light that we have passed is still in the picture
    if light is None:
        return [
            Question("light_affects", "no", "No, no traffic light holds for us here."),
            Question("light_state", "none", "There is no traffic light for us here."),
            Question("light_action", "nothing", "Nothing, since no traffic light holds for us."),
        ]
    if not light.seen or light.distance_m < -_PASSED_M or light.distance_m > LIGHT_M:
        return []
    action, said = _at_light(scene)
    return [
        Question("light_affects", "yes", f"Yes, the {light.state} traffic light ahead holds for us."),
        Question("light_state", light.state, f"The traffic light ahead is {light.state}."),
        Question("light_action", action, said),
    ]


def _at_light(scene: Scene) -> tuple[str, str]:
    light = scene.light
    assert light is not None
    if not light.must_stop:
        return "drive on", f"Drive on, the light is {light.state}."
    if scene.plan.speed_mps < _STANDING_MPS:
        return "wait", f"Wait until the light is green; it is {light.state}."
    if light.distance_m > _NEAR_M:
        return "slow down", f"Slow down, the light ahead is {light.state}."
    return "stop", f"Stop at the line, the light is {light.state}."


def stop_sign_questions(scene: Scene) -> list[Question]:
    """Affected or not, and what to do."""
    sign = scene.stop_sign
    if sign is None or sign.distance_m > UNTOLD_M:
        return [
            Question("stop_sign_affects", "no", "No, no stop sign holds for us here."),
            Question("stop_sign_action", "nothing", "Nothing, since no stop sign holds for us."),
        ]
    if not sign.seen or sign.distance_m < -_PASSED_M or sign.distance_m > SIGN_M:
        return []
    affects = Question("stop_sign_affects", "yes", "Yes, the stop sign ahead holds for us.")
    if not sign.holds:
        return [Question("stop_sign_action", "drive on", "We have stopped; drive on when the way is free.")]
    if sign.distance_m > _NEAR_M:
        return [affects, Question("stop_sign_action", "slow down", "Slow down, a stop sign is ahead.")]
    return [affects, Question("stop_sign_action", "stop", "Stop at the line of the stop sign.")]


ASKED: tuple[Callable[[Scene], list[Question]], ...] = (light_questions, stop_sign_questions)
