"""What differs between a stored frame and what is learned from it: light of the picture, and the speed that is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simlingo_drive.expert.causes import Cause
from training.trainer.config import AugmentationConfig

#: A car that stands is slower than this, m/s; it goes on standing where it is to come no further than this, m.
STANDS_MPS, STARTS_M = 0.3, 1.0


def changed_light(
    pictures: npt.NDArray[np.uint8], config: AugmentationConfig, rngs: Sequence[np.random.Generator]
) -> npt.NDArray[np.uint8]:
    """``pictures`` (B, H, W, 3) with brightness and contrast of each changed a little, by one table a picture.

    ``rngs``: B, one a picture.
    """
    result = np.empty_like(pictures)
    for row, (picture, rng) in enumerate(zip(pictures, rngs, strict=True)):
        gain = 1.0 + rng.uniform(-config.brightness, config.brightness)
        contrast = 1.0 + rng.uniform(-config.contrast, config.contrast)
        result[row] = light_table(gain, contrast)[picture]
    return result


def light_table(gain: float, contrast: float) -> npt.NDArray[np.uint8]:
    """New value of each value 0 to 255: times ``gain``, then its distance from 128 times ``contrast``."""
    levels = np.arange(256, dtype=np.float32)
    return np.asarray(np.clip((levels * gain - 128.0) * contrast + 128.0, 0, 255), dtype=np.uint8)


class ToldSpeeds(NamedTuple):
    """The speed that each prompt of a frame is told, with what the expert means at it; leading axes frame, prompt."""

    speed: npt.NDArray[np.float32]  # (B, 2) m/s
    waypoints: npt.NDArray[np.float32]  # (B, 2, 10, 2) m
    cause: npt.NDArray[np.uint8]  # (B, 2)


def told_speeds(labels: dict[str, np.ndarray]) -> ToldSpeeds:
    """The ego's speed for the first prompt of each frame, and the speed that it did not have for the second.

    No picture shows whether a car has stood for a stop sign, so two speeds that were not there are never told, and the car's
    own takes their place. One that stands and is about to start would, told that it moves, learn to pass the line. One that comes
    to a sign would, told that it stands there, learn to stand for ever: who stands at the line has stood, and goes.
    """
    names = ("speed", "speed_waypoints", "cause")
    own, other = ([labels[f"{whose}{name}"] for name in names] for whose in ("", "other_"))
    starts = (own[0] < STANDS_MPS) & ~_stays(own[1])
    waits = (other[0] < STANDS_MPS) & _stays(other[1]) & (other[2] == Cause.STOP_SIGN)
    alone = starts | waits
    return ToldSpeeds(
        *(
            np.stack((mine, np.where(_like(alone, mine), mine, its)), axis=1)
            for mine, its in zip(own, other, strict=True)
        )
    )


def _stays(waypoints: npt.NDArray[np.floating]) -> npt.NDArray[np.bool_]:
    """Whether speed waypoints (B, 10, 2) m end where they begin, but for a little."""
    return np.asarray(np.hypot(waypoints[:, -1, 0], waypoints[:, -1, 1]) <= STARTS_M)


def _like(flags: npt.NDArray[np.bool_], values: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """``flags`` (B,) with as many axes as ``values`` (B, ...)."""
    return flags.reshape(-1, *(1,) * (values.ndim - 1))


def changed_speeds(told: ToldSpeeds, config: AugmentationConfig, rng: np.random.Generator) -> ToldSpeeds:
    """By chance the prompts of a frame change speeds, each with its waypoints and cause; moving ones are told a bit wrong."""
    speed, waypoints, cause = told.speed.copy(), told.waypoints.copy(), told.cause.copy()
    swapped = rng.random(len(speed)) < config.swap_speed
    speed[swapped], waypoints[swapped], cause[swapped] = (values[swapped, ::-1] for values in told)
    noise = rng.normal(0.0, config.speed_noise_mps, speed.shape)
    moving = speed > config.noise_above_mps
    speed[moving] = np.maximum(speed + noise, 0.0)[moving]
    return ToldSpeeds(speed, waypoints, cause)
