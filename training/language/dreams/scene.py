"""Everything around one frame that a dream runs into: the ego, its way, the road, the others' future, signals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from simlingo.contracts import EgoState, FloatArray
from simlingo.geometry import map_to_ego, wrap_angle
from training.language.dreams.line import SPACING_M, Line
from training.language.dreams.record import RED, VX, VY, YAW, Actor, IntArray, X, Y
from training.language.dreams.roll_out import Vehicle
from training.language.dreams.things import Thing
from training.language.surroundings.road import RoadMap

#: Others farther away than this cannot matter, m.
NEAR_M = 90.0
#: A stop line belongs to a line that passes it within this distance, m, in its direction.
LINE_HALF_WIDTH_M = 1.6
#: A bumper farther beyond a stop line than this has passed it, m (the expert's).
PASSED_M = 0.6
#: A bumper stops so far before a stop line, m (the expert's).
STOP_MARGIN_M = 1.2
#: Who is behind the ego and no farther beside it than this follows it, m.
FOLLOWER_BESIDE_M = 1.6
#: Beside its body and this much air nobody is on the way, m (the expert's).
CORRIDOR_MARGIN_M = 0.3


@dataclass(frozen=True)
class Others:
    """Vehicles and walkers near the ego, without it, and where they go. Map frame."""

    actors: tuple[Actor, ...]
    states: FloatArray  # (actors, ticks + 1, 6), see training.language.dreams.record
    half_m: FloatArray  # (actors, 2) half length, half width

    @property
    def now(self) -> FloatArray:
        """States (actors, 6) at the frame; NaN of those who come later."""
        return self.states[:, 0]


@dataclass(frozen=True)
class Obstacles:
    """What stands around and can be hit. Map frame."""

    boxes: FloatArray  # (S, 5) x, y, yaw, half length, half width (m, rad)
    ids: tuple[int | None, ...]  # of actors and parked cars; None: a house, a tree, a post


@dataclass(frozen=True)
class StopLine:
    """Stop line of a light, or of a stop sign at which the ego has not stood yet. Map frame."""

    x_m: float
    y_m: float
    yaw_rad: float
    actor_id: int
    states: IntArray | None  # (ticks + 1,) carla.TrafficLightState; None: a stop sign

    @property
    def holds(self) -> bool:
        """The expert would stop there now."""
        return self.states is None or int(self.states[0]) in (RED, RED + 1)


@dataclass(frozen=True)
class Lead:
    """The vehicle ahead on a line."""

    actor: Actor
    rear_m: float  # place along the line
    speed_mps: float  # along the line


@dataclass(frozen=True)
class Scene:
    """One frame."""

    row: Mapping[str, Any]
    ego: EgoState
    vehicle: Vehicle
    line: Line  # the expert's, from some metres behind the ego on
    place_m: float  # of the ego along it
    road: RoadMap
    others: Others
    obstacles: Obstacles
    stop_lines: tuple[StopLine, ...]
    things: tuple[Thing, ...]  # what is seen and can be spoken of
    limit_mps: float
    unsure: frozenset[str] = frozenset()  # names of things of which more may be in the picture than ``things``
    ways: dict[int, Any] = field(init=False, repr=False, compare=False, default_factory=dict)
    """Ways along the lanes that have been looked at, see ``training.language.dreams.ways.way_from``."""

    @cached_property
    def followers(self) -> npt.NDArray[np.bool_]:
        """(actors,): those behind the ego on its way."""
        now, ego = self.others.now, self.ego
        delta = now[:, (X, Y)] - (ego.x, ego.y)
        cos, sin = math.cos(ego.yaw), math.sin(ego.yaw)
        along, right = delta[:, 0] * cos + delta[:, 1] * sin, delta[:, 1] * cos - delta[:, 0] * sin
        behind = (along < -0.5 * self.vehicle.half_length_m) & (np.cos(now[:, YAW] - ego.yaw) > 0.5)
        return np.asarray(behind & (np.abs(right) < FOLLOWER_BESIDE_M))

    @cached_property
    def stop_line_array(self) -> FloatArray:
        """(lines, 3) x, y, yaw of the stop lines, m and rad."""
        return np.array([(stop.x_m, stop.y_m, stop.yaw_rad) for stop in self.stop_lines], dtype=np.float64).reshape(
            -1, 3
        )

    @property
    def front_m(self) -> float:
        """Place of the front bumper along the line."""
        return self.place_m + self.vehicle.half_length_m

    def in_ego(self, points: FloatArray) -> FloatArray:
        """Points (N, 2) m of the map frame in the ego's."""
        return map_to_ego(points, self.ego)

    def at_speed(self, speed_mps: float) -> Scene:
        """The same frame with the ego at another speed; its wheel and pedals as they are."""
        return replace(self, vehicle=replace(self.vehicle, speed_mps=speed_mps))

    def lead_on(self, line: Line, place_m: float, without: int | None = None) -> Lead | None:
        """The nearest vehicle or walker in the ego's corridor along ``line``, whose place there is ``place_m``."""
        now, half = self.others.now, self.others.half_m
        rows = np.flatnonzero(~np.isnan(now[:, X]))
        if not len(rows):
            return None
        along, right = line.locate(now[rows][:, (X, Y)])
        yaw = np.interp(along, line.places, line.yaw)
        turned = now[rows, YAW] - yaw
        cos, sin = np.abs(np.cos(turned)), np.abs(np.sin(turned))
        wide = cos * half[rows, 1] + sin * half[rows, 0]
        inside = np.abs(right) - wide < self.vehicle.half_width_m + CORRIDOR_MARGIN_M
        speed = now[rows, VX] * np.cos(yaw) + now[rows, VY] * np.sin(yaw)
        moving = np.hypot(now[rows, VX], now[rows, VY]) > 1.0
        crossing = (np.abs([wrap_angle(float(angle)) for angle in turned]) > math.radians(50.0)) & moving
        rear = along - (cos * half[rows, 0] + sin * half[rows, 1])
        ahead = inside & ~crossing & (along > place_m) & (rear - place_m < 60.0)
        best: Lead | None = None
        for place in np.flatnonzero(ahead):
            actor = self.others.actors[rows[place]]
            if actor.is_walker or actor.id == without:
                continue
            if best is None or rear[place] < best.rear_m:
                best = Lead(actor, float(rear[place]), max(float(speed[place]), 0.0))
        return best

    def stops_on(self, line: Line, place_m: float) -> tuple[float, ...]:
        """Places along ``line`` where the expert's front bumper stops for lights and signs as they are now."""
        return tuple(
            s - STOP_MARGIN_M
            for stop, s in self.lines_on(line)
            if stop.holds and s - place_m - self.vehicle.half_length_m > -PASSED_M
        )

    def lines_on(self, line: Line) -> list[tuple[StopLine, float]]:
        """Stop lines across ``line`` and their places along it, m."""
        if not self.stop_lines:
            return []
        along, right = line.locate(np.array([(stop.x_m, stop.y_m) for stop in self.stop_lines]))
        yaw = np.interp(along, line.places, line.yaw)
        return [
            (stop, float(along[number]))
            for number, stop in enumerate(self.stop_lines)
            if abs(right[number]) < LINE_HALF_WIDTH_M
            and math.cos(yaw[number] - stop.yaw_rad) > 0.7
            and 0.0 < along[number] < SPACING_M * (len(line.points) - 1)
        ]
