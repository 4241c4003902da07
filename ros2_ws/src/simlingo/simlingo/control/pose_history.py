"""The ego poses of the last seconds, by stamp."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

from simlingo.contracts import EgoState, InvalidInputError
from simlingo.geometry import wrap_angle


class PoseHistory:
    """Ego states in order of their stamps; old ones fall out."""

    def __init__(self, span_ns: int) -> None:
        """States older than ``span_ns`` (ns) before the newest are forgotten."""
        self._span_ns = span_ns
        self._states: deque[EgoState] = deque()

    def clear(self) -> None:
        """Forget every state."""
        self._states.clear()

    @property
    def newest(self) -> EgoState | None:
        """The last state added."""
        return self._states[-1] if self._states else None

    def add(self, ego: EgoState) -> None:
        """Append ``ego``.

        Raises:
            InvalidInputError: ``ego`` is not newer than the newest state.
        """
        if self._states and ego.stamp <= self._states[-1].stamp:
            raise InvalidInputError(
                f"odometry stamped {ego.stamp} ns came after one of {self._states[-1].stamp} ns: "
                "it is dropped; after a restart of the clock, reset the controller"
            )
        self._states.append(ego)
        while ego.stamp - self._states[0].stamp > self._span_ns:
            self._states.popleft()

    def at(self, stamp: int) -> EgoState | None:
        """The state at ``stamp`` (ns), linear between neighbours; ``None`` outside the history."""
        states = self._states
        index = bisect_left(states, stamp, key=lambda state: state.stamp)
        if index == len(states):
            return None
        after = states[index]
        if after.stamp == stamp:
            return after
        if index == 0:
            return None
        before = states[index - 1]
        part = (stamp - before.stamp) / (after.stamp - before.stamp)
        return EgoState(
            stamp,
            before.x + part * (after.x - before.x),
            before.y + part * (after.y - before.y),
            wrap_angle(before.yaw + part * wrap_angle(after.yaw - before.yaw)),
            before.speed + part * (after.speed - before.speed),
        )
