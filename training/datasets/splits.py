"""Which routes train and which validate."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import combinations
from typing import Protocol, TypeVar

from simlingo.contracts import InvalidInputError

#: Up to so many names all choices are compared.
FEW = 10


class Countable(Protocol):
    """A route with its number of frames."""

    @property
    def name(self) -> str:
        """Of the route."""

    @property
    def frames(self) -> int:
        """How many it has."""


RouteT = TypeVar("RouteT", bound=Countable)


def split(routes: Sequence[RouteT], validation_share: float, seed: int) -> tuple[list[RouteT], list[RouteT]]:
    """Split whole routes into those that train and those that validate.

    Validation gets as near to ``validation_share`` of the frames as whole routes allow, and each side at least one route.
    Routes of equal name (of two collections with one seed: the same drive) stay together. The order of the routes does not
    matter, and where there are many, most of them keep their side when others are added.

    Args:
        routes: all routes.
        validation_share: of the frames, above 0 and below 1.
        seed: another one gives another split.

    Returns:
        training and validation routes, each in the order of ``routes``.

    Raises:
        InvalidInputError: a share out of range, or fewer than two names.
    """
    if not 0.0 < validation_share < 1.0:
        raise InvalidInputError(f"the share of validation must lie between 0 and 1, got {validation_share}")
    frames: dict[str, int] = {}
    for route in routes:
        frames[route.name] = frames.get(route.name, 0) + route.frames
    if len(frames) < 2:
        raise InvalidInputError(
            f"{', '.join(frames) or 'no route'} alone cannot both train and validate; "
            "collect another route (./simlingo collect --routes 2), or name a data set of its own for validation"
        )
    names = sorted(frames, key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    target = validation_share * sum(frames.values())
    chosen = set(_best(names, frames, target) if len(names) <= FEW else _filled(names, frames, target))
    train = [route for route in routes if route.name not in chosen]
    return train, [route for route in routes if route.name in chosen]


def _best(names: list[str], frames: dict[str, int], target: float) -> tuple[str, ...]:
    """Of all choices that leave a route to each side, the one nearest to the target; of equal ones the smallest, the first."""
    choices = (choice for count in range(1, len(names)) for choice in combinations(names, count))
    return min(choices, key=lambda choice: abs(sum(frames[name] for name in choice) - target))


def _filled(names: list[str], frames: dict[str, int], target: float) -> list[str]:
    """In their order all that fit below the target, and one more where that is nearer to it."""
    chosen: list[str] = []
    missing = target
    for name in names:
        if frames[name] <= missing:
            chosen.append(name)
            missing -= frames[name]
    rest = [name for name in names if name not in chosen]
    last = min(rest, key=lambda name: abs(frames[name] - missing))
    if (not chosen or abs(frames[last] - missing) < missing) and len(rest) > 1:
        chosen.append(last)
    return chosen
