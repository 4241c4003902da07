"""What can be spoken of in a frame: vehicles, people, lights, signs and other things, by name, colour and place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simlingo.contracts import MODEL_CAMERA, MODEL_CAMERA_POSITION_IN_EGO, FloatArray
from training.datasets.schema import DEPTH_STEP
from training.language.dreams.dream import ObjectSlots
from training.language.naming import PEDESTRIAN

LEFT, RIGHT, AHEAD = "left", "right", "ahead"
LIGHT, SIGN = "traffic light", "stop sign"
#: Farther things are not spoken of, m; nearer than this they lie under the bonnet.
FARTHEST_M, NEAREST_M = 45.0, 3.0
#: Things within this of the way's middle are ahead, others beside it, m.
_AHEAD_WITHIN_M = 1.9
#: A thing is seen where so many stored depths in its box are its own, give or take its size and this, m.
_SEEN_DEPTHS, _DEPTH_SLACK_M = 6, 0.6


@dataclass(frozen=True)
class Thing:
    """Something that a person might name. Ego frame."""

    actor_id: int | None
    name: str
    colour: str | None
    x_m: float
    y_m: float
    yaw_rad: float
    half_length_m: float
    half_width_m: float
    height_m: float
    speed_mps: float
    along_m: float  # from the ego along its way
    right_m: float  # of its way

    @property
    def place(self) -> str:
        """Where it is from the ego's way: left, right, ahead."""
        if abs(self.right_m) < _AHEAD_WITHIN_M:
            return AHEAD
        return LEFT if self.right_m < 0 else RIGHT

    @property
    def solid(self) -> bool:
        """The ego would hit it."""
        return self.name not in (LIGHT, SIGN)


def describe(thing: Thing, things: Sequence[Thing], rng: np.random.Generator) -> ObjectSlots:
    """The fewest words that tell ``thing`` from the others that are seen, and sometimes a word more."""
    options: list[tuple[str | None, str | None]] = [
        (None, None),
        (thing.colour, None),
        (None, thing.place),
        (thing.colour, thing.place),
    ]
    enough = [
        option
        for option in options
        if sum(_fits(other, thing.name, *option) for other in things) == 1
    ] or options[-1:]  # fmt: skip
    colour, place = enough[0] if rng.random() < 0.6 else enough[int(rng.integers(len(enough)))]
    return ObjectSlots(thing.name, colour, place, thing.actor_id)


def absent(
    things: Sequence[Thing], candidates: Sequence[str], colours: Sequence[str], rng: np.random.Generator
) -> ObjectSlots:
    """A description that nothing in sight fits: often a thing that is there, of another colour or place."""
    while True:
        name = candidates[int(rng.integers(len(candidates)))]
        if things and rng.random() < 0.5:
            name = things[int(rng.integers(len(things)))].name
        coloured = name not in (PEDESTRIAN, LIGHT, SIGN) and rng.random() < 0.6
        colour = colours[int(rng.integers(len(colours)))] if coloured else None
        place = (LEFT, RIGHT, AHEAD)[int(rng.integers(3))] if rng.random() < 0.4 else None
        if not any(_fits(thing, name, colour, place) for thing in things):
            return ObjectSlots(name, colour, place, None)


def _fits(thing: Thing, name: str, colour: str | None, place: str | None) -> bool:
    return thing.name == name and colour in (None, thing.colour) and place in (None, thing.place)


def is_seen(thing: Thing, depth_m: FloatArray | None) -> bool:
    """Whether the camera sees it: in the picture, and not hidden.

    Args:
        thing: of this frame.
        depth_m: (H / 4, W / 4) m, as the data set stores it; None: whatever is in the picture is seen.
    """
    if not NEAREST_M < thing.x_m < FARTHEST_M:
        return False
    cos, sin = np.cos(thing.yaw_rad), np.sin(thing.yaw_rad)
    signs = np.array([(a, b) for a in (-1, 1) for b in (-1, 1)]) * (thing.half_length_m, thing.half_width_m)
    corners = np.stack((signs[:, 0] * cos - signs[:, 1] * sin, signs[:, 0] * sin + signs[:, 1] * cos), axis=1)
    x = thing.x_m + corners[:, 0] - MODEL_CAMERA_POSITION_IN_EGO[0]
    if x.min() < 1.0:
        return False
    lens, eye = MODEL_CAMERA, MODEL_CAMERA_POSITION_IN_EGO
    u = lens.center_x + lens.focal_x * (thing.y_m + corners[:, 1] - eye[1]) / x
    v = [lens.center_y - lens.focal_y * (z - eye[2]) / x.min() for z in (thing.height_m, 0.0)]
    left, right = int(max(u.min(), 0.0)), int(min(u.max(), lens.width - 1.0))
    top, low = int(max(v[0], 0.0)), int(min(v[1], lens.height - 1.0))
    if right - left < 2 or low - top < 2:
        return False
    if depth_m is None:
        return True
    part = depth_m[top // DEPTH_STEP : low // DEPTH_STEP + 1, left // DEPTH_STEP : right // DEPTH_STEP + 1]
    own = (part > x.min() - _DEPTH_SLACK_M) & (part < x.max() + _DEPTH_SLACK_M)
    return bool(own.sum() >= min(_SEEN_DEPTHS, max(part.size // 3, 1)))
