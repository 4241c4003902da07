"""Prompt strings and the chat template (spec A.6); the weights depend on every character."""

from __future__ import annotations

from enum import Enum

from simlingo.contracts import Command, Navigation

IMAGE_START, IMAGE_CONTEXT, IMAGE_END = "<img>", "<IMG_CONTEXT>", "</img>"
TURN_START, TURN_END = "<|im_start|>", "<|im_end|>"
PAD = "<|endoftext|>"
TARGET_POINT = "<TARGET_POINT>"
SPECIAL_TOKENS: tuple[str, ...] = (
    PAD, TURN_START, TURN_END, IMAGE_START, IMAGE_END, IMAGE_CONTEXT, TARGET_POINT,
)  # fmt: skip

#: The fixed answer of a plan without text.
DRIVING_ANSWER = "Waypoints:"

_COMMAND_WORDING: dict[Command, str] = {
    Command.LEFT: "go left at the next intersection",
    Command.RIGHT: "go right at the next intersection",
    Command.STRAIGHT: "go straight at the next intersection",
    Command.FOLLOW_LANE: "follow the road",
    Command.CHANGE_LANE_LEFT: "do a lane change to the left",
    Command.CHANGE_LANE_RIGHT: "do a lane change to the right",
}


class RouteAs(Enum):
    """How the route is told to the model."""

    TARGET_POINT = "target_point"
    COMMAND = "command"


def navigation_text(navigation: Navigation, route_as: RouteAs) -> str:
    """The ``{nav}`` part of a prompt."""
    if route_as is RouteAs.TARGET_POINT:
        return f"Target waypoint: {TARGET_POINT}{TARGET_POINT}."
    text = f"Command: {_COMMAND_WORDING[navigation.command]}"
    if navigation.command is not Command.FOLLOW_LANE:
        text += f" in {int(navigation.distance_to_command)} meter"
    if navigation.next_command is not navigation.command:
        text += f" then {_COMMAND_WORDING[navigation.next_command]}"
    return text + "."


def driving_prompt(speed: float, navigation: Navigation, route_as: RouteAs) -> str:
    """The prompt that asks for a plan; ``speed`` in m/s, told with one decimal."""
    prompt = (
        f"Current speed: {round(float(speed), 1)} m/s. {navigation_text(navigation, route_as)} Predict the waypoints."
    )
    return prompt.replace("..", ".")


def chat(prompt: str, answer: str, image_tokens: int) -> str:
    """One exchange in the model's template: no system turn, no newline between the turns."""
    picture = f"{IMAGE_START}{IMAGE_CONTEXT * image_tokens}{IMAGE_END}"
    return f"{TURN_START}user\n{picture}\n{prompt}{TURN_END}{TURN_START}assistant\n{answer}{TURN_END}"
