"""The driving prompt and the chat template (spec A.6); the weights depend on every character.

A prompt is the situation, which all requests of one instant share, and a request that begins with a space; those that
are about text are in :mod:`simlingo.model.language_prompt`. Words that are not the template's own stand between guards,
see :mod:`simlingo.model.user_text`.
"""

from __future__ import annotations

import math
import re
from enum import Enum

import numpy as np

from simlingo.contracts import Command, InvalidInputError, Navigation
from simlingo.model.user_text import GUARD, guarded

IMAGE_START, IMAGE_CONTEXT, IMAGE_END = "<img>", "<IMG_CONTEXT>", "</img>"
TURN_START, TURN_END = "<|im_start|>", "<|im_end|>"
PAD = "<|endoftext|>"
TARGET_POINT = "<TARGET_POINT>"
SPECIAL_TOKENS: tuple[str, ...] = (
    PAD, TURN_START, TURN_END, IMAGE_START, IMAGE_END, IMAGE_CONTEXT, TARGET_POINT,
)  # fmt: skip

#: The fixed answer of a plan without text.
DRIVING_ANSWER = "Waypoints:"
#: Asks for a plan; ends several prompts.
PREDICT = " Predict the waypoints."
_COMMAND_WORDING: dict[Command, str] = {
    Command.LEFT: "go left at the next intersection",
    Command.RIGHT: "go right at the next intersection",
    Command.STRAIGHT: "go straight at the next intersection",
    Command.FOLLOW_LANE: "follow the road",
    Command.CHANGE_LANE_LEFT: "do a lane change to the left",
    Command.CHANGE_LANE_RIGHT: "do a lane change to the right",
}
#: Stands for the whole metres to the command in a sentence of the caller's.
_DISTANCE = "[x]"
_FULL_STOPS = re.compile(rf"\.({GUARD}*)\.")


class RouteAs(Enum):
    """How the route is told to the model."""

    TARGET_POINT = "target_point"
    COMMAND = "command"


def navigation_text(navigation: Navigation, route_as: RouteAs, to_first_point: bool = False) -> str:
    """The ``{nav}`` part of a prompt.

    Args:
        navigation: what the route tells.
        route_as: how it is told.
        to_first_point: a command's metres are those to the first target point, as published, and not along the route
            (``ModelConfig.distance_to_first_point``).

    Raises:
        InvalidInputError: the distance to the command is not finite.
    """
    if route_as is RouteAs.TARGET_POINT:
        return f"Target waypoint: {TARGET_POINT}{TARGET_POINT}."
    text = f"Command: {_COMMAND_WORDING[navigation.command]}"
    if navigation.command is not Command.FOLLOW_LANE:
        text += f" in {_metres(navigation, to_first_point)} meter"
    if navigation.next_command is not navigation.command:
        text += f" then {_COMMAND_WORDING[navigation.next_command]}"
    return text + "."


def navigation_options(
    navigation: Navigation, sentence: str | None = None, to_first_point: bool = False
) -> tuple[str, ...]:
    """Every way to tell the route; training on the published mix draws one of them, each as likely.

    ``sentence`` adds the command in words of the caller's, where ``[x]`` stands for the whole metres to it;
    ``to_first_point`` as in :func:`navigation_text`.

    Raises:
        InvalidInputError: the distance is not finite, or the sentence is no text.
    """
    options = tuple(navigation_text(navigation, route_as, to_first_point) for route_as in RouteAs)
    if sentence is None:
        return options
    told = guarded(sentence.replace(_DISTANCE, str(_metres(navigation, to_first_point))), "command's sentence")
    return (*options, f"Command: {told}.")


def situation(speed: float, nav: str = "") -> str:
    """What every prompt of one instant begins with: ``speed`` in m/s, told with one decimal, and the ``{nav}`` part.

    Raises:
        InvalidInputError: the speed is not finite.
    """
    if not math.isfinite(speed):
        raise InvalidInputError("the speed is not finite; check the odometry")
    text = f"Current speed: {round(float(speed), 1)} m/s."
    return single_stops(f"{text} {nav}" if nav else text)


def driving_prompt(speed: float, navigation: Navigation, route_as: RouteAs, to_first_point: bool = False) -> str:
    """The prompt that asks for a plan; ``speed`` in m/s, the rest as in :func:`navigation_text`.

    Answered by ``DRIVING_ANSWER``.
    """
    return planning_prompt(situation(speed, navigation_text(navigation, route_as, to_first_point)))


def planning_prompt(here: str) -> str:
    """The prompt that asks for a plan in the situation ``here``. Answered by ``DRIVING_ANSWER``."""
    return here + PREDICT


def single_stops(text: str) -> str:
    """``..`` becomes ``.``, guards aside: a template's full stop may follow one of the user's.

    One pass, as published: an ellipsis keeps two. So each part of a prompt goes through it once.
    """
    return _FULL_STOPS.sub(r".\1", text)


def chat(prompt: str, answer: str, image_tokens: int) -> str:
    """One exchange in the model's template: no system turn, no newline between the turns."""
    return open_chat(prompt, image_tokens, answer) + TURN_END


def open_chat(prompt: str, image_tokens: int, answer_start: str = "") -> str:
    """The template up to where the model goes on: after ``assistant`` and a newline, or after ``answer_start``."""
    return f"{chat_prefix(prompt, image_tokens)}{TURN_END}{TURN_START}assistant\n{answer_start}"


def chat_prefix(here: str, image_tokens: int) -> str:
    """The template up to the end of the situation ``here``.

    The chats about ``here`` begin with it, all but those with a flag, and go on at a border between tokens, so that
    ``encode(prefix) + encode(chat.removeprefix(prefix)) == encode(chat)`` and the prefix needs one pass of the network.
    """
    return f"{TURN_START}user\n{IMAGE_START}{IMAGE_CONTEXT * image_tokens}{IMAGE_END}\n{here}"


def _metres(navigation: Navigation, to_first_point: bool) -> int:
    distance = np.linalg.norm(navigation.target_points[0]) if to_first_point else navigation.distance_to_command
    if not math.isfinite(distance):
        raise InvalidInputError("the distance to the command is not finite; check the route")
    return int(distance)
