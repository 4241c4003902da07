"""What a benchmark does to a driver's senses and hands: the five kinds of Bench2Drive-Robust, with sizes of our own.

They are no faults that must be noticed but a worse everyday: frames that are lost in bursts, a lens that is covered in part,
noise of place and speed, controls that come late.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable

import carla
import numpy as np

from simlingo.contracts import EgoState, ImageArray

#: Bursts of lost frames: how many begin a frame, and how many frames each takes; the frame before is shown again.
BURST_CHANCE, BURST_FRAMES = 0.05, (3, 8)
#: A part of the picture is black: this share of its width and of its height, for so many frames in one place. Smaller than what the camera
#: monitor takes for a covered lens (a tenth of the picture): the stack would rightly stand, and nothing be learned about driving.
COVERED_WIDTH, COVERED_HEIGHT, COVERED_FRAMES = 0.3, 0.3, 40
#: Standard deviation of place noise, m, anew each tick, and of speed noise, as a share of the speed.
PLACE_M, SPEED_SHARE = 0.2, 0.1
#: Controls come so many ticks late: 0.15 s.
DELAY_TICKS = 3


class Perturbation:
    """Leaves everything as it is."""

    def frame(self, image: ImageArray) -> ImageArray:
        """What the driver gets of a frame, (H, W, 3) RGB."""
        return image

    def ego(self, ego: EgoState) -> EgoState:
        """What the driver hears of its state."""
        return ego

    def control(self, control: carla.VehicleControl) -> carla.VehicleControl:
        """What the vehicle gets of a control."""
        return control


class FrameDrops(Perturbation):
    """Frames are lost in bursts, and the one before is shown again."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng, self._left = rng, 0
        self._shown: ImageArray | None = None

    def frame(self, image: ImageArray) -> ImageArray:
        """The frame, or the last one before the burst."""
        if self._left == 0 and self._rng.random() < BURST_CHANCE:
            self._left = int(self._rng.integers(*BURST_FRAMES, endpoint=True))
        if self._left > 0 and self._shown is not None:
            self._left -= 1
            return self._shown
        self._shown = image
        return image


class PartialView(Perturbation):
    """A rectangle of the picture is black, now here, now there."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng, self._left = rng, 0
        self._corner = (0.0, 0.0)

    def frame(self, image: ImageArray) -> ImageArray:
        """The frame with a black part."""
        if self._left == 0:
            self._left = COVERED_FRAMES
            self._corner = (self._rng.uniform(0.0, 1.0 - COVERED_HEIGHT), self._rng.uniform(0.0, 1.0 - COVERED_WIDTH))
        self._left -= 1
        height, width = image.shape[:2]
        top, left = int(self._corner[0] * height), int(self._corner[1] * width)
        covered = image.copy()
        covered[top : top + int(COVERED_HEIGHT * height), left : left + int(COVERED_WIDTH * width)] = 0
        return covered


class PlaceNoise(Perturbation):
    """The place is noisy."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def ego(self, ego: EgoState) -> EgoState:
        """The state a little aside."""
        x, y = self._rng.normal(0.0, PLACE_M, 2)
        return dataclasses.replace(ego, x=ego.x + x, y=ego.y + y)


class SpeedNoise(Perturbation):
    """The speed is noisy, in proportion to itself."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def ego(self, ego: EgoState) -> EgoState:
        """The state with another speed."""
        return dataclasses.replace(ego, speed=max(ego.speed * (1.0 + self._rng.normal(0.0, SPEED_SHARE)), 0.0))


class ActionDelay(Perturbation):
    """Controls come late, in their order."""

    def __init__(self, rng: np.random.Generator) -> None:
        del rng
        still = carla.VehicleControl(throttle=0.0, steer=0.0, brake=1.0)
        self._waiting = deque([still] * DELAY_TICKS)

    def control(self, control: carla.VehicleControl) -> carla.VehicleControl:
        """The control of some ticks ago."""
        self._waiting.append(control)
        return self._waiting.popleft()


#: Each perturbation by its name; made with the random numbers of a route.
PERTURBATIONS: dict[str, Callable[[np.random.Generator], Perturbation]] = {
    "none": lambda rng: Perturbation(),
    "frame_drops": FrameDrops,
    "partial_view": PartialView,
    "place_noise": PlaceNoise,
    "speed_noise": SpeedNoise,
    "action_delay": ActionDelay,
}
