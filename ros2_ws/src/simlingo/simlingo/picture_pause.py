"""Whether pictures that have paused while the car moved are of now again, or go on where they paused.

A camera that hung shows, once it goes on, how far the car has come meanwhile. One whose pictures are held back somewhere goes on
smoothly, and everything it shows from then on is late by the pause, under fresh stamps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simlingo.contracts import InvalidInputError

#: Only the upper share of a picture: below is the bonnet. A pixel has changed by more than so much, of 255.
SEEN_SHARE, CHANGED = 0.94, 6
#: Pauses from this on are looked at, s: less is no worse than what a plan may be late by.
LEAST_PAUSE_S = 0.25
#: After a pause a picture of now has changed this many times as much as the next one does in a step of at most so many seconds; in longer
#: steps nobody can tell. Of some 500 places of drives in the embedded world (two towns, sun and rain, 1 to 14 m/s) and pauses of 0.25 to 1 s:
#: at 20 Hz up to 1 % of the pictures of now have changed less, and 1 % of the late ones more; at 10 Hz at most 1 % of those of now, and
#: half of the late ones. A good camera must not stop the car until somebody comes.
CATCHES_UP = ((0.075, 1.4), (0.125, 1.0))

Grey = npt.NDArray[np.int16]


class PicturePause:
    """Call :meth:`check` with every picture, in order."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget the pictures before, and what was wrong with them."""
        self._paused: Grey | None = None  # the picture that stayed
        self._pause_s = 0.0
        self._first: Grey | None = None  # the one that came then ...
        self._first_ns = 0  # ... and when
        self._fault = ""

    def paused(self, picture: Grey, seconds: float) -> None:
        """``picture`` (H, W) has stayed the same for so long, though the car moved."""
        self._paused, self._pause_s, self._first = picture, seconds, None

    def check(self, picture: Grey, stamp: int) -> None:
        """Look at ``picture`` (H, W), stamped ``stamp`` ns.

        Raises:
            InvalidInputError: it is late, or it is the first after a pause, and nobody can tell yet. Late ones are refused until
                :meth:`clear`: no picture says that it is late no more.
        """
        if self._paused is not None and (self._pause_s < LEAST_PAUSE_S or self._paused.shape != picture.shape):
            self._paused = self._first = None  # another camera tells nothing of this one's pause
        if self._paused is not None and self._first is None:
            self._first, self._first_ns = picture, stamp
            raise InvalidInputError(
                f"the first picture after {self._pause_s:.2f} s of the same; the next one tells whether it is late"
            )
        if self._paused is not None and self._first is not None:
            over_pause, over_step = change(self._paused, self._first), change(self._first, picture)
            if over_pause < _catches_up((stamp - self._first_ns) * 1e-9) * over_step:
                self._fault = (
                    f"pictures are late: after {self._pause_s:.2f} s they went on where they had stopped; see what holds them back, then "
                    "activate the planner again"
                )
            self._paused = self._first = None
        if self._fault:
            raise InvalidInputError(self._fault)


def _catches_up(step_s: float) -> float:
    """The factor for a step of so many seconds; 0 where nobody can tell."""
    return next((factor for longest_s, factor in CATCHES_UP if step_s <= longest_s), 0.0)


def change(before: Grey, after: Grey) -> float:
    """The share of pixels that differ between two pictures (H, W)."""
    rows = int(SEEN_SHARE * before.shape[0])
    return float((np.abs(after[:rows] - before[:rows]) > CHANGED).mean())
