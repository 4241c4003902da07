"""Whether a picture can be of now: one that shows nothing, or stays the same while the car moves, is not."""

from __future__ import annotations

import math

import numpy as np

from simlingo.contracts import EgoState, ImageArray, InvalidInputError
from simlingo.geometry import wrap_angle

#: Every so many pixels of a row and a column one is looked at.
SAMPLED = 8
#: Standard deviation over all sampled values, of 255; the least of 3,448 pictures of the embedded world in all weathers has 37.
LEAST_CONTRAST = 4.0
#: A car that has moved or turned further sees another picture.
MOVED_M, TURNED_RAD = 0.8, 0.1


class CameraMonitor:
    """Call :meth:`check` with every picture that is to be driven by, in order."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget the pictures before."""
        self._picture = b""
        self._since: EgoState | None = None  # where the car was when it saw this picture first

    def check(self, image: ImageArray, ego: EgoState) -> None:
        """Look at ``image`` (H, W, 3) RGB, seen from ``ego``.

        Raises:
            InvalidInputError: it cannot be of now; says why.
        """
        sampled = image[::SAMPLED, ::SAMPLED]
        contrast, mean = float(np.std(sampled)), float(np.mean(sampled))
        picture = sampled.tobytes()
        if picture != self._picture:
            self._picture, self._since = picture, ego
        if contrast < LEAST_CONTRAST:
            shade = "black" if mean < 32.0 else "white" if mean > 223.0 else "of one colour"
            raise InvalidInputError(f"the picture is {shade} and shows nothing; is the camera covered or unplugged?")
        since = self._since
        if since is None:
            return
        moved = math.hypot(ego.x - since.x, ego.y - since.y)
        if moved > MOVED_M or abs(wrap_angle(ego.yaw - since.yaw)) > TURNED_RAD:
            seconds = (ego.stamp - since.stamp) * 1e-9
            raise InvalidInputError(
                f"the picture has not changed for {seconds:.2f} s, in which the car moved {moved:.1f} m; the camera is frozen"
            )
