"""Whether pictures that have paused while the car moved are of now again, or go on where they paused.

A camera that hung shows, once it goes on, how far the car has come meanwhile. One whose pictures are held back somewhere goes on
smoothly, and everything it shows from then on is late by the pause, under fresh stamps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simlingo.contracts import InvalidInputError

#: Only the upper share of a picture: below is the bonnet.
SEEN_SHARE = 0.94
#: A pixel has changed by more than this, of 255; the change of a picture is that of its middle block of so many down and across.
CHANGED, BLOCKS = 6, 8
#: Pauses from this on are looked at, s: less is no worse than what a plan may be late by.
LEAST_PAUSE_S = 0.25
#: The picture after a pause has changed so many times as much as the next one, if it is of now. In the embedded world (two towns, sun and
#: rain, 2 to 14 m/s) it changes 1.6 to 5 times as much over 0.4 s as over a tick.
CATCHES_UP = 1.35

Grey = npt.NDArray[np.int16]


class PicturePause:
    """Call :meth:`check` with every picture, in order."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget the pictures before, and what was wrong with them."""
        self._paused: Grey | None = None  # the picture that stayed
        self._pause_s = 0.0
        self._first: Grey | None = None  # the one that came then
        self._fault = ""

    def paused(self, picture: Grey, seconds: float) -> None:
        """``picture`` (H, W) has stayed the same for so long, though the car moved."""
        self._paused, self._pause_s, self._first = picture, seconds, None

    def check(self, picture: Grey) -> None:
        """Look at ``picture`` (H, W), another one than the picture before.

        Raises:
            InvalidInputError: it is late, or it is the first after a pause, and nobody can tell yet. Late ones are refused until
                :meth:`clear`: no picture says that it is late no more.
        """
        if self._paused is not None and self._pause_s < LEAST_PAUSE_S:
            self._paused = None
        if self._paused is not None and self._first is None:
            self._first = picture
            raise InvalidInputError(
                f"the first picture after {self._pause_s:.2f} s of the same; the next one tells whether it is late"
            )
        if self._paused is not None and self._first is not None:
            over_pause, over_step = change(self._paused, self._first), change(self._first, picture)
            if over_pause < CATCHES_UP * over_step:
                self._fault = (
                    f"pictures are late: after {self._pause_s:.2f} s they went on where they had stopped; see what holds them back, then "
                    "activate the planner again"
                )
            self._paused = self._first = None
        if self._fault:
            raise InvalidInputError(self._fault)


def change(before: Grey, after: Grey) -> float:
    """The share of pixels that differ, in the middle one of all blocks of two pictures (H, W): what passes by fills few blocks."""
    down = int(SEEN_SHARE * before.shape[0]) // BLOCKS * BLOCKS
    across = before.shape[1] // BLOCKS * BLOCKS
    changed = np.abs(after[:down, :across] - before[:down, :across]) > CHANGED
    shares = changed.reshape(BLOCKS, down // BLOCKS, BLOCKS, across // BLOCKS).mean(axis=(1, 3))
    return float(np.median(shares))
