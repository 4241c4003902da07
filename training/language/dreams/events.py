"""What comes of a roll-out: whom it hits, which signal it runs, which line it crosses, where it leaves the road.

Boxes are oriented and flat. Margins: :data:`AIR_VEHICLE_M`, :data:`AIR_WALKER_M`, :data:`AIR_OBSTACLE_M` of air around the
others; the ego has its own size. Others do not react, so who follows the ego on its way at the frame never hits it: he
would brake. After the 2.5 s of the waypoints the ego brakes firmly (``roll_out.TAIL_MPS2``): what it then still hits or
runs counts, so that a dream is not safe only because it ends in time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from simlingo.contracts import TICK_S, FloatArray
from simlingo.requests import Reason
from training.language.dreams.contacts import first_contact
from training.language.dreams.crossings import first_crossings
from training.language.dreams.record import RED, VX, VY, YELLOW, X, Y
from training.language.dreams.roll_out import SPEED, TICKS, RollOut
from training.language.dreams.scene import LINE_HALF_WIDTH_M, PASSED_M, Scene
from training.language.dreams.wheels import first_wrong
from training.language.surroundings.road import CELL_M, NOWHERE, Beside

#: Air around vehicles, walkers and standing things, m.
AIR_VEHICLE_M, AIR_WALKER_M, AIR_OBSTACLE_M = 0.15, 0.4, 0.1
#: More than the air and the body's corners reach, m.
AROUND_M = 2.0
#: The wheels' places in the body, m from the middle, and how deep a wheel must be in another lane.
WHEEL_X_M, WHEEL_Y_M, INTO_LANE_M = 1.43, 0.8, 0.3
#: Slower is standing at a stop sign, m/s.
STOOD_MPS = 0.1
#: A speed limit is broken above this excess, m/s.
OVER_LIMIT_MPS = 0.3
#: Against a lane is an angle above this, rad.
_AGAINST_RAD = math.radians(120.0)
#: Who comes from behind in the new lane must not have to brake harder than this, m/s^2, or be nearer than this, m.
CUT_IN_MPS2, CUT_IN_GAP_M = 3.0, 2.0


@dataclass(frozen=True)
class Event:
    """Something that must not happen."""

    reason: Reason
    at_s: float | None  # None: beyond what is told second by second
    by: int | None = None

    @property
    def order(self) -> float:
        """Sorts by time; those without one come last."""
        return math.inf if self.at_s is None else self.at_s


def events_of(scene: Scene, rolled: RollOut, *, asks_speed: bool = False, changes_lane: bool = False) -> list[Event]:
    """All that comes of it, the first first.

    Args:
        scene: the frame.
        rolled: the dream.
        asks_speed: the request is about speed, so that the limit is its affair.
        changes_lane: the ego comes before others who drive in another lane.
    """
    track = np.vstack((rolled.driven, rolled.tail))
    found = [*_hits(scene, track), *_obstacle_hit(scene, track), *_signals(scene, track), *_road(scene, rolled)]
    if changes_lane:
        found += _cuts_in(scene, rolled.driven)
    if asks_speed:
        found += _too_fast(scene, rolled.driven)
    return sorted(found, key=lambda event: event.order)


def _hits(scene: Scene, track: FloatArray) -> list[Event]:
    """The first contact with somebody."""
    others = scene.others
    if not others.actors:
        return []
    air = np.array([AIR_WALKER_M if actor.is_walker else AIR_VEHICLE_M for actor in others.actors])
    half = np.array((scene.vehicle.half_length_m, scene.vehicle.half_width_m))
    tick, who = first_contact(track, half, others.states, others.half_m + air[:, None], scene.followers, TICKS)
    if tick < 0:
        return []
    actor = others.actors[who]
    return [Event(Reason.WALKER if actor.is_walker else Reason.VEHICLE, TICK_S * tick, actor.id)]


def _obstacle_hit(scene: Scene, track: FloatArray) -> list[Event]:
    """The first contact with something that stands there."""
    boxes = scene.obstacles.boxes
    far = np.abs(track[:, :2] - track[0, :2]).max() * math.sqrt(2.0) + scene.vehicle.half_length_m + AROUND_M
    reach = far + boxes[:, 3] + boxes[:, 4]
    near = np.flatnonzero((boxes[:, 0] - track[0, 0]) ** 2 + (boxes[:, 1] - track[0, 1]) ** 2 < reach * reach)
    if not len(near):
        return []
    states = np.broadcast_to(boxes[near, None, :3], (len(near), len(track), 3))
    half = np.array((scene.vehicle.half_length_m, scene.vehicle.half_width_m))
    none = np.zeros(len(near), dtype=np.bool_)
    tick, which = first_contact(
        track, half, np.ascontiguousarray(states), boxes[near, 3:] + AIR_OBSTACLE_M, none, len(track)
    )
    return [Event(Reason.OBSTACLE, TICK_S * tick, scene.obstacles.ids[near[which]])] if tick >= 0 else []


def _signals(scene: Scene, track: FloatArray) -> list[Event]:
    """Lights that are run in red, and stop signs without standing.

    A light that is red at the frame counts as red to the end, a green one as green: nothing in the picture tells when it
    turns.
    """
    lines = scene.stop_line_array
    reach = scene.vehicle.half_length_m - PASSED_M
    crossed = first_crossings(track, lines, reach, LINE_HALF_WIDTH_M, STOOD_MPS)
    found = []
    for number in np.flatnonzero(crossed[:, 0] >= 0):
        (tick, stood), stop = crossed[number], scene.stop_lines[number]
        at_s = TICK_S * int(tick)
        if stop.states is None:
            if not stood:
                found.append(Event(Reason.STOP_SIGN, at_s, stop.actor_id))
        elif int(stop.states[0]) == RED or (int(stop.states[0]) == YELLOW and int(stop.states[tick]) == RED):
            found.append(Event(Reason.RED_LIGHT, at_s, stop.actor_id))
    return found


def _road(scene: Scene, rolled: RollOut) -> list[Event]:
    """Wheels off the road or in an oncoming lane, and marks that must not be crossed; what is so at the frame is not the
    dream's doing."""
    track, road = np.vstack((rolled.driven, rolled.onward)), scene.road
    sizes = (*road.origin_m, CELL_M, WHEEL_X_M, WHEEL_Y_M, INTO_LANE_M, math.cos(_AGAINST_RAD))
    off, against = first_wrong(track, road.cells, road.heading, road.junctions, np.array(sizes))
    ticks = {Reason.OFF_ROAD: off, Reason.ONCOMING_LANE: against, Reason.SOLID_LINE: _solid(scene, track)}
    return [Event(reason, TICK_S * tick if tick <= TICKS else None) for reason, tick in ticks.items() if tick >= 0]


def _solid(scene: Scene, track: FloatArray) -> int:
    """Tick at which the ego's middle comes into a lane beside its own over a mark that forbids it; -1 without."""
    lanes = scene.road.lane_at(track[:, :2])
    for tick in np.flatnonzero(lanes[1:] != lanes[:-1]):
        if lanes[tick] == NOWHERE:
            continue
        lane = scene.road.lanes[lanes[tick]]
        for side in (lane.left, lane.right):
            if side.beside is Beside.SAME and side.lane == lanes[tick + 1] and not side.may_cross:
                return int(tick) + 1
    return -1


def _cuts_in(scene: Scene, driven: FloatArray) -> list[Event]:
    """Somebody who comes from behind on the ego's new way and would have to brake hard."""
    x, y, yaw, speed = driven[-1, :4]
    then = scene.others.states[:, len(driven) - 1]
    delta = then[:, (X, Y)] - (x, y)
    cos, sin = math.cos(yaw), math.sin(yaw)
    along, right = delta[:, 0] * cos + delta[:, 1] * sin, delta[:, 1] * cos - delta[:, 0] * sin
    theirs = then[:, VX] * cos + then[:, VY] * sin
    gap = -along - scene.vehicle.half_length_m - scene.others.half_m[:, 0]
    near = (along < 0.0) & (np.abs(right) < 1.8) & (theirs > speed) & ~scene.followers
    brake = np.maximum(theirs - speed, 0.0) ** 2 / (2.0 * np.maximum(gap, 0.1))
    for row in np.flatnonzero(near & ((brake > CUT_IN_MPS2) | (gap < CUT_IN_GAP_M))):
        if not scene.others.actors[row].is_walker:
            return [Event(Reason.VEHICLE, TICK_S * (len(driven) - 1), scene.others.actors[row].id)]
    return []


def _too_fast(scene: Scene, driven: FloatArray) -> list[Event]:
    """The tick at which the ego becomes too fast; it may have been so before."""
    most = max(scene.limit_mps + OVER_LIMIT_MPS, scene.vehicle.speed_mps + 0.1)
    over = driven[:, SPEED] > most
    return [Event(Reason.SPEED_LIMIT, TICK_S * int(np.argmax(over)))] if over.any() else []
