"""Which frames of a car that waits are kept: it waits long, and its frames are alike."""

from __future__ import annotations

#: The first eight frames of a wait are kept, and of all its frames every sixth.
STANDING_FRAMES, STANDING_EVERY = 8, 6


class WaitingFrames:
    """Counts the frames of one wait."""

    def __init__(self) -> None:
        self._standing = 0

    def keeps(self, speed: float, target_speed: float) -> bool:
        """Whether the next frame is kept; speeds in m/s, ``target_speed`` the one that the expert wants."""
        self._standing = self._standing + 1 if speed < 0.1 and target_speed < 0.3 else 0
        return self._standing <= STANDING_FRAMES or self._standing % STANDING_EVERY == 0
