"""Whether a picture can be of now: one that shows nothing, or stays the same while the car moves, is not."""

from __future__ import annotations

import math

import numpy as np

from simlingo.contracts import EgoState, ImageArray, InvalidInputError

#: Every so many pixels of a row and a column one is looked at.
SAMPLED = 8
#: Standard deviation over all sampled values, of 255; the least of 3,448 pictures of the embedded world in all weathers has 37.
LEAST_CONTRAST = 4.0
#: A car that has moved further sees another picture.
MOVED_M = 0.8
#: Between two pictures no more time than this counts as driven, s.
MAX_STEP_S = 1.0


class CameraMonitor:
    """Call :meth:`check` with every picture that is to be driven by, in order."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget the pictures before."""
        self._picture = b""
        self._since: EgoState | None = None  # where the car was when it saw this picture first
        self._before: EgoState | None = None
        self._way = 0.0  # by speed, since then, m

    def check(self, image: ImageArray, ego: EgoState) -> None:
        """Look at ``image`` (H, W, 3) RGB, seen from ``ego``.

        Raises:
            InvalidInputError: it cannot be of now; says why.
        """
        sampled = image[::SAMPLED, ::SAMPLED]
        contrast, mean = float(np.std(sampled)), float(np.mean(sampled))
        picture = sampled.tobytes()
        if self._before is not None:
            self._way += ego.speed * min(max((ego.stamp - self._before.stamp) * 1e-9, 0.0), MAX_STEP_S)
        self._before = ego
        if picture != self._picture or self._since is None:
            self._picture, self._since, self._way = picture, ego, 0.0
        if contrast < LEAST_CONTRAST:
            shade = "black" if mean < 32.0 else "white" if mean > 223.0 else "of one colour"
            raise InvalidInputError(f"the picture is {shade} and shows nothing; is the camera covered or unplugged?")
        # By place and by speed: a place that jumps, or a speed that is wrong, moves no car.
        moved = min(math.hypot(ego.x - self._since.x, ego.y - self._since.y), self._way)
        if moved > MOVED_M:
            seconds = (ego.stamp - self._since.stamp) * 1e-9
            raise InvalidInputError(
                f"the picture has not changed for {seconds:.2f} s, in which the car moved {moved:.1f} m; the camera is frozen"
            )
