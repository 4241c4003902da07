"""What a faulty part does to the messages that pass the relay: each change is made of the numbers of its entry.

A change is called with every message of its topic while the fault lasts, and returns what goes on in its place.
"""

from __future__ import annotations

import array
import copy
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter

from simlingo.contracts import TICK_S
from simlingo_node.conversions import ns_to_stamp, stamp_to_ns

Change = Callable[[Any], list[Any]]


def _edited(
    edit: Callable[[Any], None], whole: bool = True, which: Callable[[int], bool] = lambda number: True
) -> Change:
    """A change of a copy of each message: a whole copy, or a shallow one where only fields are set anew, as of pictures.

    ``which``: by number from 0, which messages are changed.
    """
    number = -1

    def change(message: Any) -> list[Any]:
        nonlocal number
        number += 1
        if not which(number):
            return [message]
        other = copy.deepcopy(message) if whole else copy.copy(message)
        edit(other)
        return [other]

    return change


def _first(once: bool) -> Callable[[int], bool]:
    return lambda number: number == 0 or not once


def drop(every: int = 1) -> Change:
    """Every so many messages one is lost; 1: all."""
    count = 0

    def change(message: Any) -> list[Any]:
        nonlocal count
        count += 1
        return [] if count % every == 0 else [message]

    return change


def twice() -> Change:
    """Each message comes twice."""
    return lambda message: [message, message]


def late(ticks: int) -> Change:
    """Each message comes so many messages later, with its own stamp."""
    held: list[Any] = []

    def change(message: Any) -> list[Any]:
        held.append(message)
        return [held.pop(0)] if len(held) > ticks else []

    return change


def stamp(seconds: float, once: bool = False) -> Change:
    """Stamps lie ``seconds`` ahead (negative: behind, but never before 0); ``once``: of the first message alone."""

    def edit(message: Any) -> None:
        message.header = copy.deepcopy(message.header)
        message.header.stamp = ns_to_stamp(max(stamp_to_ns(message.header.stamp) + round(seconds * 1e9), 0))

    return _edited(edit, whole=False, which=_first(once))


def frozen() -> Change:
    """The first message again and again, with fresh stamps."""
    first: list[Any] = []

    def change(message: Any) -> list[Any]:
        if not first:
            first.append(message)
        kept = copy.copy(first[0])
        kept.header = message.header
        return [kept]

    return change


def old(ticks: int) -> Change:
    """The content of so many messages before, with fresh stamps."""
    held: list[Any] = []

    def change(message: Any) -> list[Any]:
        held.append(message)
        kept = copy.copy(held.pop(0) if len(held) > ticks else held[0])
        kept.header = message.header
        return [kept]

    return change


# --- odometry -----------------------------------------------------------------------------------------------------


def speed(factor: float = 1.0, add_mps: float = 0.0, once: bool = False) -> Change:
    """The reported speed is another; ``once``: in the first message alone."""

    def edit(message: Any) -> None:
        linear = message.twist.twist.linear
        linear.x, linear.y = linear.x * factor + add_mps, linear.y * factor

    return _edited(edit, which=_first(once))


def place(aside_m: float = 0.0, ahead_m: float = 0.0, alternate: bool = False) -> Change:
    """The pose lies aside (to the left) and ahead of the true one; ``alternate``: in every second message."""

    def edit(message: Any) -> None:
        rotation, position = message.pose.pose.orientation, message.pose.pose.position
        yaw = 2.0 * math.atan2(rotation.z, rotation.w)
        position.x += ahead_m * math.cos(yaw) - aside_m * math.sin(yaw)
        position.y += ahead_m * math.sin(yaw) + aside_m * math.cos(yaw)

    return _edited(edit, which=lambda number: number % 2 == 1 or not alternate)


def turned(degrees: float) -> Change:
    """The heading is another, counter-clockwise."""

    def edit(message: Any) -> None:
        rotation = message.pose.pose.orientation
        half = math.atan2(rotation.z, rotation.w) + math.radians(degrees) / 2.0
        rotation.z, rotation.w = math.sin(half), math.cos(half)

    return _edited(edit)


def value(x: float) -> Change:
    """The pose's x is a number that it cannot be."""
    return _edited(lambda message: setattr(message.pose.pose.position, "x", x))


def orientation(length: float) -> Change:
    """A quaternion of another length; 0: none at all."""

    def edit(message: Any) -> None:
        rotation = message.pose.pose.orientation
        rotation.z, rotation.w = rotation.z * length, rotation.w * length

    return _edited(edit)


def noise(metres: float = 0.0, degrees: float = 0.0) -> Change:
    """Place and heading with normal noise of these deviations, the same in every run."""
    rng = np.random.default_rng(0)

    def edit(message: Any) -> None:
        position, rotation = message.pose.pose.position, message.pose.pose.orientation
        position.x += rng.normal(0.0, metres)
        position.y += rng.normal(0.0, metres)
        half = math.atan2(rotation.z, rotation.w) + rng.normal(0.0, math.radians(degrees)) / 2.0
        rotation.z, rotation.w = math.sin(half), math.cos(half)

    return _edited(edit)


def drift(mps: float) -> Change:
    """The pose moves aside (to the left), more with every message."""
    aside = 0.0

    def change(message: Any) -> list[Any]:
        nonlocal aside
        aside += mps * TICK_S
        return place(aside_m=aside)(message)

    return change


# --- pictures -----------------------------------------------------------------------------------------------------


def shade(grey: int) -> Change:
    """A picture of one grey."""
    return _edited(
        lambda message: setattr(message, "data", array.array("B", bytes([grey]) * len(message.data))), whole=False
    )


def torn(share: float) -> Change:
    """The last ``share`` of a picture's bytes is missing."""
    return _edited(
        lambda message: setattr(message, "data", message.data[: round(len(message.data) * (1.0 - share))]), whole=False
    )


def _painted(paint: Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]) -> Change:
    """A change of the pixels (H, W, channels), uint8."""

    def edit(message: Any) -> None:
        pixels = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step // 4, 4)
        message.data = array.array("B", paint(pixels).tobytes())

    return _edited(edit, whole=False)


def covered(share: float) -> Change:
    """The left ``share`` of the picture is black."""

    def paint(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        other = pixels.copy()
        other[:, : round(share * other.shape[1]), :3] = 0
        return other

    return _painted(paint)


def blurred(pixels: int) -> Change:
    """The mean over so many neighbours in each row and column, twice, as of a lens with water on it."""

    def paint(picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        other = picture.astype(np.float32)
        for _ in range(2):
            other = uniform_filter(other, (pixels, pixels, 1), mode="nearest")
        return other.astype(np.uint8)

    return _painted(paint)


def grain(level: float) -> Change:
    """Normal noise of so much of 255 on each value, the same in every run."""
    rng = np.random.default_rng(0)

    def paint(picture: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        values = picture + rng.normal(0.0, level, picture.shape).astype(np.float32)
        grey: np.ndarray[Any, Any] = values.clip(0.0, 255.0).astype(np.uint8)
        return grey

    return _painted(paint)


def size(width: int, height: int) -> Change:
    """Another size than CameraInfo says: the upper left part."""

    def edit(message: Any) -> None:
        pixels = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
        message.data = array.array("B", pixels[:height, : 4 * width].tobytes())
        message.width, message.height, message.step = width, height, 4 * width

    return _edited(edit, whole=False)


def encoding(name: str) -> Change:
    """A picture that says that it is of another encoding."""
    return _edited(lambda message: setattr(message, "encoding", name), whole=False)


# --- plans and commands -------------------------------------------------------------------------------------------


def points(aside_m: float = 0.0, nan: bool = False, command: int | None = None) -> Change:
    """Navigation whose target points lie aside (to the left) or are not finite, or with another command."""

    def edit(message: Any) -> None:
        for point in message.target_points:
            point.y = math.nan if nan else point.y + aside_m
        if command is not None:
            message.command = command

    return _edited(edit)


def plan(
    turn_deg: float = 0.0, speed_factor: float = 1.0, nan: bool = False, jump_m: float = 0.0, points: int | None = None
) -> Change:
    """A plan whose path turns aside, asks for another speed, is not finite, jumps half way, or has fewer points."""
    rotation = np.exp(1j * math.radians(turn_deg))

    def edit(message: Any) -> None:
        for index, point in enumerate(message.path):
            moved = (point.x + 1j * point.y) * rotation
            point.x, point.y = moved.real, moved.imag + (jump_m if index >= len(message.path) // 2 else 0.0)
        for point in message.speed_waypoints:
            point.x, point.y = point.x * speed_factor, point.y * speed_factor
        if nan:
            message.path[7].x = math.nan
        if points is not None:
            message.path = message.path[:points]

    return _edited(edit)


def command(
    steer: float | None = None, throttle: float | None = None, brake: float = 0.0, reverse: bool = False
) -> Change:
    """A command with another steering or other pedals, as a controller gone wrong gives it."""

    def edit(message: Any) -> None:
        if steer is not None:
            message.steer = steer
        if throttle is not None:
            message.throttle, message.brake = throttle, brake
        message.reverse = reverse

    return _edited(edit, whole=False)


COMMON: dict[str, Callable[..., Change]] = {
    "drop": drop,
    "twice": twice,
    "late": late,
    "stamp": stamp,
    "frozen": frozen,
    "old": old,
}
#: The changes of each topic that the relay carries, by name.
CHANGES: dict[str, dict[str, Callable[..., Change]]] = {
    "image": {
        **COMMON,
        "shade": shade,
        "torn": torn,
        "encoding": encoding,
        "covered": covered,
        "blurred": blurred,
        "grain": grain,
        "size": size,
    },
    "odometry": {
        **COMMON,
        "speed": speed,
        "place": place,
        "turned": turned,
        "value": value,
        "orientation": orientation,
        "noise": noise,
        "drift": drift,
    },
    "navigation": {**COMMON, "points": points},
    "plan": {**COMMON, "plan": plan},
    "command": {**COMMON, "command": command},
}
