"""Walkers under AI control: along sidewalks, over crosswalks when their light or the road allows it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import carla
import numpy as np

from simlingo_sim.bodies import FREE, GUIDED, STROLLING, VEHICLE, BodyArrays, Floats, Ints, column
from simlingo_sim.errors import SimulatorError
from simlingo_sim.jit import kernel
from simlingo_sim.roads.sidewalks import SidewalkArrays
from simlingo_sim.traffic.arrays import LIGHT_RED
from simlingo_sim.traffic.following import overlap_depth

if TYPE_CHECKING:
    from simlingo_sim.world import World

_START_WINDOW_S = 5.0  # s after a light turned red in which people begin to cross before it
_PATIENCE_S = 40.0  # s of waiting at a crosswalk after which a walker goes elsewhere
_LEASH = 0.9  # m that the point a walker follows runs ahead of it
_SIDE = 0.45  # m that people keep to the right of the middle of the way
_DICE = 8191


class WalkArrays(NamedTuple):
    """State of the guided walkers, each of shape (CAPACITY,)."""

    way: Ints  # way walked on
    s: Floats  # m along it, in its own direction
    sense: Ints  # +1 towards its end, -1 towards its start
    pace: Floats  # m/s
    next_way: Ints  # crosswalk waited for, else -1
    waited: Floats  # s
    draws: Ints
    number: Ints


@kernel
def _spot(graph: SidewalkArrays, way: int, s: float, sense: int) -> tuple[float, float, float]:
    """x, y, z at ``s`` m along a way, to the right of its middle in walking direction (in the middle on crosswalks)."""
    left = max(s, 0.0)
    for index in range(graph.first[way], graph.first[way] + graph.points[way] - 1):
        dx, dy = graph.x[index + 1] - graph.x[index], graph.y[index + 1] - graph.y[index]
        step = math.sqrt(dx * dx + dy * dy)
        last = index == graph.first[way] + graph.points[way] - 2
        if left <= step or last:
            part = min(left / max(step, 1e-9), 1.0)
            side = 0.0 if graph.crossing[way] == 1 else _SIDE * sense / max(step, 1e-9)
            return (
                graph.x[index] + part * dx - side * dy,
                graph.y[index] + part * dy + side * dx,
                graph.z[index] + part * (graph.z[index + 1] - graph.z[index]),
            )
        left -= step
    return graph.x[graph.first[way]], graph.y[graph.first[way]], graph.z[graph.first[way]]


@kernel
def _may_cross(
    graph: SidewalkArrays, bodies: BodyArrays, everyone: Ints, way: int, pace: float, lights: Ints, red_for: Floats
) -> bool:
    """Whether to step on a crosswalk now: light and free road."""
    light = graph.light[way]
    if light >= 0 and (lights[light] != LIGHT_RED or red_for[light] > _START_WINDOW_S):
        return False
    one, two = graph.first[way] + 1, graph.first[way] + 2
    middle_x, middle_y = 0.5 * (graph.x[one] + graph.x[two]), 0.5 * (graph.y[one] + graph.y[two])
    wide = 0.5 * math.sqrt((graph.x[two] - graph.x[one]) ** 2 + (graph.y[two] - graph.y[one]) ** 2)
    needed = graph.length[way] / max(pace, 0.5) + 1.0
    for other in everyone:
        if bodies.kind[other] != VEHICLE:
            continue
        dx, dy = middle_x - bodies.x[other], middle_y - bodies.y[other]
        gap = math.sqrt(dx * dx + dy * dy)
        near = wide + bodies.half_length[other] + 0.5
        speed = math.sqrt(bodies.vx[other] ** 2 + bodies.vy[other] ** 2)
        if speed < 0.5:
            if gap < 0.5 * near:
                return False
            continue
        closing = (bodies.vx[other] * dx + bodies.vy[other] * dy) / max(gap, 0.1)
        if gap < near or (closing > 0.7 * speed and light < 0 and gap - near < closing * needed):
            return False
        if closing > 0.7 * speed and gap - near < closing * 2.0:
            return False
    return True


@kernel
def _choose(graph: SidewalkArrays, walk: WalkArrays, row: int, corner: int, dice: Floats) -> int:
    """Next way at a corner: any but the one just walked, unless there is no other."""
    count = graph.corner_count[corner]
    walk.draws[row] += 1
    pick = int(dice[(walk.number[row] * 613 + walk.draws[row] * 3571) % len(dice)] * count)
    for turn in range(count):
        way = graph.corner_ways[graph.corner_first[corner] + (pick + turn) % count]
        if way != walk.way[row]:
            return int(way)
    return int(walk.way[row])


@kernel
def _enter(graph: SidewalkArrays, walk: WalkArrays, row: int, way: int, corner: int) -> None:
    if way == walk.way[row]:
        walk.sense[row] = -walk.sense[row]
    else:
        walk.sense[row] = 1 if graph.ends[way, 0] == corner else -1
    walk.way[row] = way
    walk.s[row] = 0.0 if walk.sense[row] > 0 else graph.length[way]
    walk.next_way[row] = -1
    walk.waited[row] = 0.0


@kernel
def step_walkers(
    graph: SidewalkArrays,
    bodies: BodyArrays,
    walk: WalkArrays,
    rows: Ints,
    everyone: Ints,
    lights: Ints,
    red_for: Floats,
    dice: Floats,
    dt: float,
) -> None:
    """Advance the walkers ``rows`` by ``dt`` s; ``lights`` and ``red_for``: state of each light, s since it is red."""
    for row in rows:
        way = walk.way[row]
        if walk.next_way[row] >= 0:
            corner = graph.ends[way, 1] if walk.sense[row] > 0 else graph.ends[way, 0]
            walk.waited[row] += dt
            if _may_cross(graph, bodies, everyone, walk.next_way[row], walk.pace[row], lights, red_for):
                _enter(graph, walk, row, walk.next_way[row], corner)
            elif walk.waited[row] > _PATIENCE_S:
                _enter(graph, walk, row, way, corner)
        x, y, z = _spot(graph, walk.way[row], walk.s[row], walk.sense[row])
        dx, dy = x - bodies.x[row], y - bodies.y[row]
        gap = math.sqrt(dx * dx + dy * dy)
        waiting = walk.next_way[row] >= 0 and gap < 0.3
        if gap < _LEASH and walk.next_way[row] < 0:
            walk.s[row] += walk.sense[row] * (walk.pace[row] * dt + 0.02)
            if walk.s[row] < 0 or walk.s[row] > graph.length[walk.way[row]]:
                corner = graph.ends[walk.way[row], 1] if walk.sense[row] > 0 else graph.ends[walk.way[row], 0]
                following = _choose(graph, walk, row, corner, dice)
                if graph.crossing[following] == 1 and following != walk.way[row]:
                    walk.next_way[row] = following
                    walk.waited[row] = 0.0
                else:
                    _enter(graph, walk, row, following, corner)
        speed = 0.0 if waiting or bodies.halt_s[row] > 0 else min(walk.pace[row], gap / dt)
        yaw = math.atan2(dy, dx) if gap > 0.05 else bodies.yaw[row]
        if speed > 0 and _blocked(bodies, everyone, row, yaw):
            speed = 0.0
        _walk_on(bodies, row, yaw, speed, dt)
        bodies.z[row] = z
        bodies.exposed[row] = graph.crossing[walk.way[row]]


@kernel
def _blocked(bodies: BodyArrays, everyone: Ints, row: int, yaw: float) -> bool:
    """Whether a vehicle stands in, or is about to drive into, the next metre."""
    x, y = bodies.x[row] + 0.6 * math.cos(yaw), bodies.y[row] + 0.6 * math.sin(yaw)
    for other in everyone:
        if bodies.kind[other] != VEHICLE:
            continue
        reach = 0.5 * max(bodies.speed[other], 0.0)
        ahead_x = bodies.x[other] + 0.5 * reach * math.cos(bodies.yaw[other])
        ahead_y = bodies.y[other] + 0.5 * reach * math.sin(bodies.yaw[other])
        if (ahead_x - x) ** 2 + (ahead_y - y) ** 2 < (
            bodies.half_length[other] + 0.5 * reach + 2.0
        ) ** 2 and overlap_depth(
            x,
            y,
            yaw,
            0.5,
            0.3,
            ahead_x,
            ahead_y,
            bodies.yaw[other],
            bodies.half_length[other] + 0.5 * reach,
            bodies.half_width[other] + 0.2,
        ) > 0:
            return True
    return False


@kernel
def _walk_on(bodies: BodyArrays, row: int, yaw: float, speed: float, dt: float) -> None:
    turned = math.atan2(math.sin(yaw - bodies.yaw[row]), math.cos(yaw - bodies.yaw[row]))
    turned = min(max(turned, -4.0 * dt), 4.0 * dt)
    vx, vy = speed * math.cos(yaw), speed * math.sin(yaw)
    bodies.ax[row], bodies.ay[row] = (vx - bodies.vx[row]) / dt, (vy - bodies.vy[row]) / dt
    bodies.vx[row], bodies.vy[row], bodies.speed[row] = vx, vy, speed
    bodies.x[row] += vx * dt
    bodies.y[row] += vy * dt
    bodies.yaw[row] += turned
    bodies.yaw_rate[row] = turned / dt


class Pedestrians:
    """Guides the walkers whose controller was started."""

    def __init__(self, world: World, graph: SidewalkArrays, rng: np.random.Generator) -> None:
        self._world = world
        self.graph = graph
        self._rng = rng
        self._dice = rng.random(_DICE)
        self._walk = WalkArrays(*(column(WalkArrays, name) for name in WalkArrays._fields))

    def random_place(self, rng: np.random.Generator | None = None) -> carla.Transform | None:
        """A pose on a sidewalk, None where the town has none."""
        rng = rng or self._rng
        ways = np.flatnonzero(self.graph.crossing == 0)
        if not len(ways):
            return None
        lengths = self.graph.length[ways]
        way = int(rng.choice(ways, p=lengths / lengths.sum()))
        sense = 1 if rng.random() < 0.5 else -1
        x, y, z = _spot(self.graph, way, float(rng.uniform(0.0, self.graph.length[way])), sense)
        return carla.Transform(carla.Location(x, y, z), carla.Rotation(yaw=float(rng.uniform(-180.0, 180.0))))

    def adopt(self, row: int, pace: float) -> None:
        """Guide the walker in ``row`` at ``pace`` m/s from the nearest sidewalk on."""
        if not (self.graph.crossing == 0).any():
            raise SimulatorError(f"town {self._world.town.name} has no sidewalk for walkers to walk on")
        bodies, walk = self._world.bodies.arrays, self._walk
        gaps = np.hypot(self.graph.x - bodies.x[row], self.graph.y - bodies.y[row])
        for crossing in np.flatnonzero(self.graph.crossing == 1):
            start = self.graph.first[crossing]
            gaps[start : start + self.graph.points[crossing]] = np.inf
        point = int(np.argmin(gaps))
        way = int(np.searchsorted(self.graph.first, point, side="right")) - 1
        for values in walk:
            values[row] = 0
        track = slice(int(self.graph.first[way]), point + 1)
        walk.way[row], walk.next_way[row], walk.number[row] = way, -1, row
        walk.s[row] = float(np.hypot(np.diff(self.graph.x[track]), np.diff(self.graph.y[track])).sum())
        walk.sense[row] = 1 if self._dice[(row * 17) % _DICE] < 0.5 else -1
        walk.pace[row] = pace
        bodies.mode[row] = GUIDED

    def set_pace(self, row: int, pace: float) -> None:
        """Walking pace in m/s of a guided walker."""
        self._walk.pace[row] = pace

    def dismiss(self, row: int) -> None:
        """Guide the walker no more; it stands still."""
        bodies = self._world.bodies.arrays
        if bodies.mode[row] == GUIDED:
            bodies.mode[row] = STROLLING
            self._world.walker_pace[row] = 0.0

    def tick(self, dt: float, lights: Ints) -> None:
        """Advance every guided walker by ``dt`` s."""
        bodies = self._world.bodies.arrays
        rows = np.flatnonzero(bodies.mode == GUIDED)
        if len(rows):
            red_for = np.array([light.get_elapsed_time() for light in self._world.traffic_lights] or [0.0])
            step_walkers(
                self.graph,
                bodies,
                self._walk,
                rows,
                np.flatnonzero(bodies.kind != FREE),
                lights,
                red_for,
                self._dice,
                dt,
            )
