"""What an instruction asks for, before it is put into words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from simlingo.contracts import InvalidInputError
from simlingo.requests import Reason
from training.language.phrase import REASONS_OF, InstructionKind, RefusedKind


class SpeedUnit(Enum):
    """Units that people say speeds in."""

    KMH = "km/h"
    MPS = "m/s"
    MPH = "mph"

    @property
    def mps(self) -> float:
        """One of this unit, in m/s."""
        return _MPS[self]


_MPS = {SpeedUnit.KMH: 1.0 / 3.6, SpeedUnit.MPS: 1.0, SpeedUnit.MPH: 0.44704}
#: Largest number that is put into words, and said with one decimal.
MOST = 199.9


@dataclass(frozen=True)
class Speed:
    """A speed as it is said: a number with at most one decimal, and its unit."""

    value: float
    unit: SpeedUnit

    @property
    def mps(self) -> float:
        """The same in m/s."""
        return self.value * self.unit.mps

    def in_unit(self, unit: SpeedUnit) -> Speed:
        """The same in another unit, to one decimal; in the same unit itself."""
        return self if unit is self.unit else Speed(round(self.mps / unit.mps, 1), unit)


@dataclass(frozen=True)
class Asked:
    """One thing asked for. What is ``None`` is not spoken of; give one of ``lanes`` and ``lane``.

    Raises:
        InvalidInputError: a number that cannot be said, or a reason that does not group the phrases of the kind.
    """

    kind: InstructionKind
    reason: Reason | None = None  # of a refused kind: which of its groups; None is any
    speed: Speed | None = None
    object: str | None = None  # described without article: "red car on the left"
    lanes: int | None = None  # how many to the side
    lane: str | None = None  # by name, with article: "the leftmost lane"
    distance_m: float | None = None
    place: str | None = None  # with its preposition: "behind the junction"

    def __post_init__(self) -> None:
        speed = self.speed.value if self.speed else None
        for name, value in {"speed": speed, "lanes": self.lanes, "distance_m": self.distance_m}.items():
            if value is not None and not (math.isfinite(value) and 0 <= value <= MOST and round(value, 1) == value):
                raise InvalidInputError(
                    f"{name} is {value}; numbers in words go from 0 to {MOST} with one decimal, round it"
                )
        groups = REASONS_OF[self.kind] if isinstance(self.kind, RefusedKind) else ()
        if self.reason is not None and self.reason not in groups:
            names = ", ".join(reason.value for reason in groups) or "none"
            raise InvalidInputError(
                f"{self.kind.value} has no phrases of the reason {self.reason.value} (reasons: {names})"
            )

    @property
    def slots(self) -> frozenset[str]:
        """Names of the slots that can be filled."""
        given = {
            "speed": self.speed,
            "unit": self.speed,
            "object": self.object,
            "lanes": self.lanes,
            "lane": self.lane,
            "distance": self.distance_m,
            "place": self.place,
        }
        return frozenset(name for name, value in given.items() if value is not None)
