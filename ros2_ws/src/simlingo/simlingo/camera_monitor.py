"""Whether a picture can be of now and of a clear lens: one that shows nothing, stays the same while the car moves, or suddenly is
blurred, noisy or black in part, is not.

What is sudden is told by the pictures just before, so that it needs no knowledge of camera and weather; a lens that was dirty
from the start passes.
"""

from __future__ import annotations

import math
from collections import deque
from statistics import median

import numpy as np

from simlingo.contracts import EgoState, ImageArray, InvalidInputError
from simlingo.picture_pause import PicturePause

#: Every so many pixels of a row and a column one is looked at.
SAMPLED = 8
#: Standard deviation over all sampled values, of 255; the least of 3,448 pictures of the embedded world in all weathers has 37.
LEAST_CONTRAST = 4.0
#: A car that has moved further sees another picture.
MOVED_M = 0.8
#: Pictures before, whose median tells what is usual here: 0.4 s at 20 Hz.
USUAL_PICTURES = 8
#: Of the differences of neighbouring pixels in a row, the root of the mean square falls where edges are blurred, the mean rises where
#: everything is noisy. Against the usual: in 2,744 pictures of the embedded world, 0.25 s apart, 0.74 to 1.32 and 0.75 to 1.40 times
#: that of the four before; a Gaussian blur by 2 pixels makes it 0.34, noise of 5 of 255 makes it 4.2.
BLURRED, NOISY = 0.45, 3.0
#: Pixels of black that a picture may have more than usual, a share; the most in those pictures is 0.0001.
BLACK, BLACK_SHARE = 4, 0.1
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
        self._pause = PicturePause()
        self._usual: deque[tuple[float, float, float]] = deque(maxlen=USUAL_PICTURES)

    def check(self, image: ImageArray, ego: EgoState) -> None:
        """Look at ``image`` (H, W, 3) RGB, seen from ``ego``.

        Raises:
            InvalidInputError: it cannot be of now; says why.
        """
        sampled = image[::SAMPLED, ::SAMPLED]
        contrast, mean = float(np.std(sampled)), float(np.mean(sampled))
        picture = sampled.tobytes()
        if self._before is not None:
            if abs(ego.stamp - self._before.stamp) * 1e-9 > MAX_STEP_S:  # another place, for all that is known
                self._usual.clear()
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
            self._pause.paused(sampled[..., 1].astype(np.int16), seconds)
            raise InvalidInputError(
                f"the picture has not changed for {seconds:.2f} s, in which the car moved {moved:.1f} m; the camera is frozen"
            )
        self._pause.check(sampled[..., 1].astype(np.int16), ego.stamp)
        self._compare(image, sampled)

    def _compare(self, image: ImageArray, sampled: ImageArray) -> None:
        """With what is usual here."""
        rows = image[::SAMPLED, :, 1].astype(np.int16)
        steps = np.abs(np.diff(rows, axis=1)).astype(np.float32)
        edges, rough = math.sqrt(float(np.square(steps).mean())), float(steps.mean())
        black = float((sampled.max(axis=-1) <= BLACK).mean())
        if self._usual:
            usual_edges, usual_rough, usual_black = map(median, zip(*self._usual, strict=True))
            if edges < BLURRED * usual_edges:
                raise InvalidInputError(
                    f"the picture is blurred: edges are {edges / usual_edges:.2f} times as sharp as before; is something on the lens?"
                )
            if rough > NOISY * usual_rough:
                raise InvalidInputError(
                    f"the picture is noisy: {rough / usual_rough:.1f} times as rough as before; is the camera or its cable damaged?"
                )
            more = black - usual_black
            if more > BLACK_SHARE:
                raise InvalidInputError(
                    f"{100 * more:.0f} % of the picture have gone black; is the camera covered in part?"
                )
        self._usual.append((edges, rough, black))
