"""The static mesh of a town: layers of triangles in chunks that can be left out when far away or out of view."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import carla
import numpy as np
import numpy.typing as npt

from simlingo_sim.render.building_mesh import WALL_COLUMNS, Buildings
from simlingo_sim.render.landscape import GROUND_Z, add_far_ground, add_ground
from simlingo_sim.render.materials import FloatImage, Tag
from simlingo_sim.render.mesh import MeshBuilder, Triangles, join
from simlingo_sim.render.prop_mesh import add_lamp_post, add_tree, parked_car
from simlingo_sim.render.road_mesh import PaintedObjects, add_carriageway, add_junction, add_marks
from simlingo_sim.render.signal_mesh import (
    STOP_SIGN_TYPE,
    TRAFFIC_LIGHT_TYPE,
    SignalHeads,
    add_stop_sign,
    approach_heading,
)
from simlingo_sim.render.streets import Street, read_street
from simlingo_sim.render.walk_mesh import KERB_HEIGHT, add_corners, add_sidewalks
from simlingo_sim.towns import TOWNS, Town, load

#: Side of the square cells that chunks are cut by, m.
CELL_M = 36.0


@dataclass(frozen=True)
class Layer:
    """Triangles that are left out together beyond ``reach`` m."""

    triangles: Triangles
    reach: float


@dataclass(frozen=True)
class TownMesh:
    """All that stands still, in the map frame (m), sorted by chunk."""

    triangles: Triangles
    boxes: FloatImage  # (M, 6) lower and upper corner of each chunk
    reach: FloatImage  # (M,) m
    starts: npt.NDArray[np.int64]  # (M,) first triangle of each chunk
    ends: npt.NDArray[np.int64]
    walls: FloatImage  # (K, WALL_COLUMNS) rows that the params of walls point at
    lenses: npt.NDArray[np.int64]  # (L,) triangles of signal lenses
    lamps: npt.NDArray[np.int64]  # (P,) triangles that glow when lamp posts are lit
    signal_numbers: dict[str, int]  # OpenDRIVE signal id -> number in the params of lenses


def assemble(
    layers: Sequence[Layer], walls: Sequence[Sequence[float]] = (), numbers: dict[str, int] | None = None
) -> TownMesh:
    """Cut layers into chunks. ``walls``: the wall table; ``numbers``: signal id to number."""
    filled = [layer for layer in layers if len(layer.triangles)]
    triangles = join([layer.triangles for layer in filled])
    which = np.repeat(np.arange(len(filled)), [len(layer.triangles) for layer in filled])
    middle = triangles.vertices.mean(axis=1)
    cell_x = np.floor(middle[:, 0] / CELL_M).astype(np.int64)
    cell_y = np.floor(middle[:, 1] / CELL_M).astype(np.int64)
    key = (which * 100_000 + (cell_x + 50_000)) * 100_000 + (cell_y + 50_000)
    order = np.argsort(key, kind="stable")
    triangles, key, which = triangles.select(order), key[order], which[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]]).astype(np.int64)
    ends = np.r_[starts[1:], len(key)].astype(np.int64)
    low = np.minimum.reduceat(triangles.vertices.min(axis=1), starts)
    high = np.maximum.reduceat(triangles.vertices.max(axis=1), starts)
    table = np.zeros((max(len(walls), 1), WALL_COLUMNS), np.float32)
    if len(walls):
        table[:] = walls
    lenses = np.flatnonzero((triangles.tags == Tag.TRAFFIC_LIGHT) & (triangles.params > 0)).astype(np.int64)
    return TownMesh(
        triangles=triangles,
        boxes=np.ascontiguousarray(np.hstack([low, high]), np.float32),
        reach=np.array([filled[layer].reach for layer in which[starts]], np.float32),
        starts=starts,
        ends=ends,
        walls=table,
        lenses=lenses,
        lamps=np.flatnonzero((triangles.tags == Tag.POLE) & (triangles.params > 0)).astype(np.int64),
        signal_numbers=dict(numbers or {}),
    )


def _streets(town: Town) -> list[Street]:
    lengths, driving = town.extras.street_lengths, town.extras.driving_lanes
    return [
        read_street(town.map, road, length, driving[road]) for road, length in sorted(lengths.items()) if driving[road]
    ]


def _road_layers(town: Town, streets: list[Street]) -> list[Layer]:
    surface, marks, walks = MeshBuilder(), MeshBuilder(), MeshBuilder()
    painted = PaintedObjects(town.map, town.xodr_text, town.extras.driving_lanes)
    for street in streets:
        add_carriageway(surface, street)
        add_marks(marks, street, painted.clearances(street.road_id))
        add_sidewalks(walks, street)
    painted.add(marks)
    for junction in town.decor.get("junctions", []):
        kerb = [(float(x), float(y), 0.0) for x, y in junction["kerb"]]
        add_junction(surface, kerb)
        add_corners(walks, kerb, streets)
    return [Layer(surface.build(), 450.0), Layer(walks.build(), 300.0), Layer(marks.build(), 190.0)]


def _signal_layer(town: Town) -> tuple[Layer, dict[str, int]]:
    builder = MeshBuilder()
    heads = SignalHeads(builder)
    places = {landmark.id: landmark.transform.location for landmark in town.map.get_all_landmarks()}
    for signal_id, signal in town.extras.signals.items():
        place = places[signal_id]
        middle = (place.x, place.y, place.z)
        heading = approach_heading(town.map, signal.road_id, signal.lane_ids[0], signal.s) + math.pi
        if signal.type == TRAFFIC_LIGHT_TYPE:
            heads.add(signal_id, middle, heading, KERB_HEIGHT, on_arm=False)
        elif signal.type == STOP_SIGN_TYPE:
            add_stop_sign(builder, middle, heading, GROUND_Z)
    for item in town.decor["repeaters"]:
        middle = (float(item["x"]), float(item["y"]), float(item["z"]))
        heads.add(str(item["signal_id"]), middle, math.radians(float(item["yaw_deg"])), GROUND_Z, on_arm=True)
    return Layer(builder.build(), 230.0), heads.numbers


def _toward_road(carla_map: carla.Map, x: float, y: float) -> tuple[float, float]:
    waypoint = carla_map.get_waypoint(carla.Location(x=x, y=y, z=0.0))
    dx, dy = waypoint.transform.location.x - x, waypoint.transform.location.y - y
    length = math.hypot(dx, dy)
    return (dx / length, dy / length) if length > 1e-3 else (1.0, 0.0)


def build_town_mesh(town: Town) -> TownMesh:
    """The mesh of a town from its map and decor."""
    streets = _streets(town)
    layers = _road_layers(town, streets)
    signals, numbers = _signal_layer(town)
    houses, trees, posts = MeshBuilder(), MeshBuilder(), MeshBuilder()
    buildings = Buildings(houses)
    for item in town.decor["buildings"]:
        buildings.add(item, GROUND_Z)
    for item in town.decor["trees"]:
        add_tree(trees, item, GROUND_Z)
    for item in town.decor["poles"]:
        add_lamp_post(posts, item, GROUND_Z, _toward_road(town.map, float(item["x"]), float(item["y"])))
    cars = [parked_car(item, GROUND_Z) for item in town.decor["parked_cars"]]
    surface = layers[0].triangles.vertices
    low, high = surface.min(axis=(0, 1)), surface.max(axis=(0, 1))
    ground, far = MeshBuilder(), MeshBuilder()
    border = add_ground(ground, (float(low[0]), float(low[1])), (float(high[0]), float(high[1])), town.decor["ground"])
    add_far_ground(far, border, town.decor["ground"])
    layers += [
        Layer(ground.build(), 1.0e6),
        Layer(far.build(), 1.0e6),
        Layer(houses.build(), 500.0),
        Layer(trees.build(), 320.0),
        Layer(posts.build(), 170.0),
        signals,
        Layer(join(cars), 130.0) if cars else Layer(MeshBuilder().build(), 0.0),
    ]
    return assemble(layers, buildings.walls, numbers)


@lru_cache(maxsize=3)
def town_mesh(name: str) -> TownMesh:
    """The mesh of the town ``name``, built once a process; SimulatorError for an unknown name."""
    return build_town_mesh(load(name))


def mesh_of(town: Town) -> TownMesh:
    """The mesh of any town; that of a shipped one is built once a process."""
    return town_mesh(town.name) if town.name in TOWNS else build_town_mesh(town)
