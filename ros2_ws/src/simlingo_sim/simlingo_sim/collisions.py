"""Who touches whom: oriented boxes of bodies and scenery, what a crash does to them, and the events of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from simlingo_sim.actor import StaticActor
from simlingo_sim.bodies import DRIVEN, FREE, VEHICLE, WALKER, BodyArrays, Floats, Ints
from simlingo_sim.jit import kernel
from simlingo_sim.traffic.following import overlap_depth

if TYPE_CHECKING:
    from simlingo_sim.world import World

_HALT_S = 4.0  # s that traffic and walkers stand still after a crash
_APART_S = 2.0  # s without a contact after which two that touch have a new crash: bumpers in contact jitter
_MOST = 64  # contacts kept of one tick


class StaticBoxes(NamedTuple):
    """Footprints of what stands around, each array of shape (S,); m and rad."""

    x: Floats
    y: Floats
    yaw: Floats
    half_length: Floats
    half_width: Floats


@dataclass(frozen=True)
class Contact:
    """Two that touch in this tick: rows of bodies, or a row and the number of a static box (``other`` < 0: ~number)."""

    row: int
    other: int
    impulse: tuple[float, float]  # N s in the map frame, upon ``row``


@kernel
def find_contacts(bodies: BodyArrays, rows: Ints, static: StaticBoxes, found: Floats) -> int:
    """Fill ``found`` (n, 2) with pairs (row, other row or ~static number); returns how many. Only bodies that somebody
    drives are tested against the scenery, and walkers not against each other."""
    count = 0
    for place in range(len(rows)):
        one = rows[place]
        radius = bodies.half_length[one] + bodies.half_width[one]
        for other_place in range(place + 1, len(rows)):
            two = rows[other_place]
            if bodies.kind[one] == WALKER and bodies.kind[two] == WALKER:
                continue
            reach = radius + bodies.half_length[two] + bodies.half_width[two]
            dx, dy = bodies.x[two] - bodies.x[one], bodies.y[two] - bodies.y[one]
            if dx * dx + dy * dy > reach * reach or count >= len(found):
                continue
            if (
                overlap_depth(
                    bodies.x[one],
                    bodies.y[one],
                    bodies.yaw[one],
                    bodies.half_length[one],
                    bodies.half_width[one],
                    bodies.x[two],
                    bodies.y[two],
                    bodies.yaw[two],
                    bodies.half_length[two],
                    bodies.half_width[two],
                )
                > 0
            ):
                found[count, 0], found[count, 1] = one, two
                count += 1
        if bodies.mode[one] != DRIVEN or bodies.kind[one] != VEHICLE:
            continue
        for number in range(len(static.x)):
            reach = radius + static.half_length[number] + static.half_width[number]
            dx, dy = static.x[number] - bodies.x[one], static.y[number] - bodies.y[one]
            if dx * dx + dy * dy > reach * reach or count >= len(found):
                continue
            if (
                overlap_depth(
                    bodies.x[one],
                    bodies.y[one],
                    bodies.yaw[one],
                    bodies.half_length[one],
                    bodies.half_width[one],
                    static.x[number],
                    static.y[number],
                    static.yaw[number],
                    static.half_length[number],
                    static.half_width[number],
                )
                > 0
            ):
                found[count, 0], found[count, 1] = one, ~number
                count += 1
    return count


class Collisions:
    """Finds contacts each tick and lets the bodies answer: driven ones lose the motion into what they hit."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._found = np.zeros((_MOST, 2))
        self._touched: dict[tuple[int, int], float] = {}  # pair -> s since it was last in contact, to _APART_S
        self._scenery: list[StaticActor] = []
        self._static = StaticBoxes(*(np.zeros(0) for _ in StaticBoxes._fields))

    def set_scenery(self, scenery: list[StaticActor]) -> None:
        """Take these as the things that stand around."""
        self._scenery = scenery
        boxes = np.array([actor.footprint() for actor in scenery], dtype=float).reshape(-1, 5)
        self._static = StaticBoxes(*(boxes[:, column].copy() for column in range(5)))

    def tick(self, dt: float) -> list[Contact]:
        """All contacts of this tick, in a fixed order."""
        bodies = self._world.bodies.arrays
        np.maximum(bodies.halt_s - dt, 0.0, out=bodies.halt_s)
        count = find_contacts(bodies, np.flatnonzero(bodies.kind != FREE), self._static, self._found)
        pairs = [(int(one), int(two)) for one, two in self._found[:count]]
        contacts = [self._answer(one, two, new=(one, two) not in self._touched) for one, two in pairs]
        since = {pair: age + dt for pair, age in self._touched.items() if age + dt < _APART_S}
        self._touched = since | dict.fromkeys(pairs, 0.0)
        return contacts

    def scenery_actor(self, other: int) -> StaticActor:
        """The thing that a contact names as ``~number``."""
        return self._scenery[~other]

    def _answer(self, one: int, two: int, *, new: bool) -> Contact:
        bodies = self._world.bodies.arrays
        if two < 0:
            number = ~two
            normal = self._normal(
                one,
                float(self._static.x[number]),
                float(self._static.y[number]),
                float(self._static.yaw[number]),
                float(self._static.half_length[number]),
                float(self._static.half_width[number]),
            )
            return Contact(one, two, self._stop_into(one, normal, (0.0, 0.0), new=new))
        normal = self._normal(
            one,
            float(bodies.x[two]),
            float(bodies.y[two]),
            float(bodies.yaw[two]),
            float(bodies.half_length[two]),
            float(bodies.half_width[two]),
        )
        speed_one = (float(bodies.vx[one]), float(bodies.vy[one]))
        speed_two = (float(bodies.vx[two]), float(bodies.vy[two]))
        impulse = self._stop_into(one, normal, speed_two, new=new)
        back = self._stop_into(two, (-normal[0], -normal[1]), speed_one, new=new)
        if impulse == (0.0, 0.0):
            impulse = (-back[0], -back[1])
        return Contact(one, two, impulse)

    def _normal(
        self, row: int, x: float, y: float, yaw: float, half_length: float, half_width: float
    ) -> tuple[float, float]:
        """Direction from a box towards the body in its row: out of the box's nearest side."""
        bodies = self._world.bodies.arrays
        dx, dy = float(bodies.x[row]) - x, float(bodies.y[row]) - y
        along = dx * math.cos(yaw) + dy * math.sin(yaw)
        across = -dx * math.sin(yaw) + dy * math.cos(yaw)
        turn = float(bodies.yaw[row]) - yaw
        cos, sin = abs(math.cos(turn)), abs(math.sin(turn))
        length, width = float(bodies.half_length[row]), float(bodies.half_width[row])
        if half_length + length * cos + width * sin - abs(along) < half_width + length * sin + width * cos - abs(
            across
        ):
            sign = math.copysign(1.0, along)
            return sign * math.cos(yaw), sign * math.sin(yaw)
        sign = math.copysign(1.0, across)
        return -sign * math.sin(yaw), sign * math.cos(yaw)

    def _stop_into(
        self, row: int, normal: tuple[float, float], other: tuple[float, float], *, new: bool
    ) -> tuple[float, float]:
        """Take from a body its motion against ``normal`` relative to ``other``; the impulse upon it in N s.

        Traffic and walkers halt when a contact begins (``new``), not while it lasts: else two would halt for ever.
        """
        bodies = self._world.bodies.arrays
        closing = (float(bodies.vx[row]) - other[0]) * normal[0] + (float(bodies.vy[row]) - other[1]) * normal[1]
        if bodies.mode[row] != DRIVEN:
            if new:
                bodies.halt_s[row] = _HALT_S
                bodies.speed[row] = 0.0 if bodies.kind[row] == VEHICLE else bodies.speed[row]
        elif closing < 0:
            bodies.vx[row] -= closing * normal[0]
            bodies.vy[row] -= closing * normal[1]
            yaw = float(bodies.yaw[row])
            bodies.speed[row] = float(bodies.vx[row]) * math.cos(yaw) + float(bodies.vy[row]) * math.sin(yaw)
        if bodies.mode[row] == DRIVEN:
            bodies.x[row] += 0.02 * normal[0]
            bodies.y[row] += 0.02 * normal[1]
        mass = self._world.mass_of(row)
        push = -closing * mass if closing < 0 else 0.0
        return push * normal[0], push * normal[1]
