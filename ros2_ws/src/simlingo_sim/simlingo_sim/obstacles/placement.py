"""Puts things beside and at the edge of the lanes, by seed, so that a vehicle of 2 m width still gets past in its lane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import carla
import numpy as np

from simlingo_sim.bodies import FREE
from simlingo_sim.errors import unknown_name
from simlingo_sim.object_models import mesh_path_of
from simlingo_sim.obstacles.sites import EDGE_SITES, Item, Roadside, furniture
from simlingo_sim.prop import Prop
from simlingo_sim.render.walk_mesh import KERB_HEIGHT
from simlingo_sim.traffic.detours import Footprint
from simlingo_sim.traffic.following import overlap_depth

if TYPE_CHECKING:
    from simlingo_sim.world import World

#: Metres of lane for each site at a lane's edge, and for each piece of furniture on a pavement; 0: none.
OBSTACLES: dict[str, tuple[float, float]] = {"none": (0.0, 0.0), "some": (140.0, 60.0), "many": (60.0, 30.0)}
#: So much of a lane's width stays free, m: a vehicle of 2 m passes with 15 cm on each side.
FREE_WIDTH_M = 2.3
#: Sites keep off a lane's begin and end, furniture too, and off each other, m.
_AFTER_BEGIN_M, _BEFORE_END_M, _FURNITURE_ENDS_M, _APART_M = 16.0, 24.0, 12.0, 16.0
#: Nothing is put nearer than this to a vehicle or a walker that is there already, m.
_ROOM_M = 14.0
#: Gap to everything that stands there already, m.
_GAP_M = 0.15
_TRIES = 3


@dataclass(frozen=True)
class _Lane:
    """The outermost lane of a street, and what lies beside it."""

    road: int
    lane: int
    start_s: float  # m, road s of its begin in driving direction
    length: float  # m
    roadside: Roadside

    def waypoint(self, world: World, along: float) -> carla.Waypoint | None:
        sign = 1.0 if self.lane < 0 else -1.0
        return world.get_map().get_waypoint_xodr(self.road, self.lane, self.start_s + sign * along)


def place_objects(world: World, setting: str, seed: int) -> list[Prop]:
    """Fill the streets with things, the same for the same ``seed``, and let traffic drive around them.

    :class:`SimulatorError` for a ``setting`` that is not in ``OBSTACLES``. Call it before the traffic comes: what stands
    there already, such as the ego, keeps its room.
    """
    if setting not in OBSTACLES:
        raise unknown_name("obstacle setting", setting, OBSTACLES)
    per_site, per_piece = OBSTACLES[setting]
    if per_site == 0.0:
        return []
    filler = _Filler(world, np.random.default_rng((seed, 11)))
    for lane in _outer_lanes(world):
        filler.fill(lane, per_site, per_piece)
    world.traffic.drive_around([prop.footprint() for prop in filler.placed])
    return filler.placed


class _Filler:
    """Draws sites and spawns those for which there is room."""

    def __init__(self, world: World, rng: np.random.Generator) -> None:
        self._world, self._rng = world, rng
        self._taken = np.array([actor.footprint() for actor in world.standing()]).reshape(-1, 5)
        bodies = world.bodies.arrays
        rows = np.flatnonzero(bodies.kind != FREE)
        self._bodies = np.stack((bodies.x[rows], bodies.y[rows]), axis=1)
        self._middles: list[tuple[float, float, float]] = []  # x, y and half length of the sites, m
        self.placed: list[Prop] = []

    def fill(self, lane: _Lane, per_site: float, per_piece: float) -> None:
        """Put sites along one lane."""
        rng = self._rng
        for _ in range(int(rng.poisson(lane.length / per_site))):
            for _ in range(_TRIES):
                if self._edge_site(lane):
                    break
        if lane.roadside.pavement > 0.0:
            for _ in range(int(rng.poisson(lane.length / per_piece))):
                items = furniture(rng, lane.roadside)
                room = lane.length - 2 * _FURNITURE_ENDS_M
                if room > 0.0:
                    self._put(lane, items, _FURNITURE_ENDS_M + float(rng.uniform(0.0, room)))

    def _edge_site(self, lane: _Lane) -> bool:
        rng = self._rng
        shares = np.array([share for _, share in EDGE_SITES])
        build = EDGE_SITES[int(rng.choice(len(EDGE_SITES), p=shares / shares.sum()))][0]
        middle = lane.waypoint(self._world, lane.length / 2)
        if middle is None:
            return False
        most = float(middle.lane_width) - FREE_WIDTH_M
        items = build(rng, most, lane.roadside)
        where = float(rng.uniform())
        if not items:
            return False
        span = max(item.along + item.size[0] / 2 for item in items)
        room = lane.length - _AFTER_BEGIN_M - _BEFORE_END_M - span
        if room < 0.0:
            return False
        begin = _AFTER_BEGIN_M + where * room
        centre = lane.waypoint(self._world, begin + span / 2)
        if centre is None:
            return False
        place = centre.transform.location
        apart = [math.hypot(place.x - x, place.y - y) - half - span / 2 for x, y, half in self._middles]
        if apart and min(apart) < _APART_M:
            return False
        if not self._put(lane, items, begin):
            return False
        self._middles.append((place.x, place.y, span / 2))
        return True

    def _put(self, lane: _Lane, items: Sequence[Item], begin: float) -> bool:
        """Spawn ``items`` where all of them have room; False, and nothing, where one has not."""
        poses = [_pose(self._world, lane, item, begin) for item in items]
        boxes: list[Footprint] = []
        for item, pose in zip(items, poses, strict=True):
            if pose is None:
                return False
            box = (
                pose.location.x,
                pose.location.y,
                math.radians(pose.rotation.yaw),
                item.size[0] / 2,
                item.size[1] / 2,
            )
            if self._is_taken(box) or any(overlap_depth(*box, *other) > 0 for other in boxes):
                return False
            boxes.append(box)
        self.placed += [_spawn(self._world, item, pose) for item, pose in zip(items, poses, strict=True)]
        self._taken = np.concatenate((self._taken, boxes))
        return True

    def _is_taken(self, box: Footprint) -> bool:
        x, y, yaw, half_length, half_width = box
        if len(self._bodies) and np.hypot(self._bodies[:, 0] - x, self._bodies[:, 1] - y).min() < _ROOM_M:
            return True
        radius = math.hypot(half_length, half_width) + np.hypot(self._taken[:, 3], self._taken[:, 4]) + _GAP_M
        near = np.hypot(self._taken[:, 0] - x, self._taken[:, 1] - y) < radius
        return any(
            overlap_depth(x, y, yaw, half_length + _GAP_M, half_width + _GAP_M, *(float(value) for value in other)) > 0
            for other in self._taken[near]
        )


def _outer_lanes(world: World) -> list[_Lane]:
    """The rightmost driving lanes of the streets, in a fixed order."""
    graph = world.graph
    found = []
    for index, (road, _, lane) in enumerate(graph.keys):
        if graph.arrays.junction[index] >= 0:
            continue
        length = float(graph.arrays.length[index])
        sign = 1.0 if lane < 0 else -1.0
        middle = world.get_map().get_waypoint_xodr(road, lane, float(graph.start_s[index]) + sign * length / 2)
        beside = None if middle is None else middle.get_right_lane()
        if middle is None or (beside is not None and beside.lane_type == carla.LaneType.Driving):
            continue
        walked = beside is not None and beside.lane_type == carla.LaneType.Sidewalk
        roadside = Roadside(float(beside.lane_width) if walked and beside is not None else 0.0)
        found.append(_Lane(road, lane, float(graph.start_s[index]), length, roadside))
    return found


def _pose(world: World, lane: _Lane, item: Item, begin: float) -> carla.Transform | None:
    waypoint = lane.waypoint(world, begin + item.along)
    if waypoint is None:
        return None
    pose = waypoint.transform
    aside = float(waypoint.lane_width) / 2 - item.inward
    right = pose.get_right_vector()
    height = 0.0
    if item.inward < -0.15 and not item.parked and lane.roadside.pavement > 0.0:
        height = KERB_HEIGHT
    place = carla.Location(
        pose.location.x + aside * right.x, pose.location.y + aside * right.y, pose.location.z + height
    )
    return carla.Transform(place, carla.Rotation(yaw=pose.rotation.yaw + item.turned_deg))


def _spawn(world: World, item: Item, pose: carla.Transform | None) -> Prop:
    blueprint = world.get_blueprint_library().find(item.type_id)
    if item.parked:
        blueprint.set_attribute("mesh_path", mesh_path_of(item.parked))
        blueprint.set_attribute("color", item.paint)
    prop = world.spawn_actor(blueprint, pose)
    assert isinstance(prop, Prop)
    return prop
