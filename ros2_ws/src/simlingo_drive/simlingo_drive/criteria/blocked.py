"""The route ends where the ego stands for too long (CARLA's ActorBlockedTest)."""

from __future__ import annotations

from simlingo_drive.criteria.base import Criterion, EgoMotion, Finding, Kind

#: The ego is blocked after this long below this speed (Bench2Drive, spec F.1).
BLOCKED_S = 60.0
BLOCKED_SPEED = 0.1


class Blocked(Criterion):
    """Ends the route of an ego that stands for ``BLOCKED_S``."""

    def __init__(self) -> None:
        self._moved_at: float | None = None  # s, simulation time

    def update(self, ego: EgoMotion) -> list[Finding]:
        """Look how long the ego has stood."""
        if ego.speed >= BLOCKED_SPEED or self._moved_at is None:
            self._moved_at = ego.now if ego.speed >= BLOCKED_SPEED else ego.begin
        if ego.now - self._moved_at < BLOCKED_S:
            return []
        self.ending = "blocked"
        return [Finding(Kind.BLOCKED, "", f"stood for {BLOCKED_S:.0f} s")]
