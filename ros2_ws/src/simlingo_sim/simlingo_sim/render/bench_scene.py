"""The renderer's benchmark scene: 22,000 triangles in all, 30 cars, 20 pedestrians, buildings, trees, lights."""

from __future__ import annotations

import math

import carla
import numpy as np

from simlingo_sim.render.mesh import Triangles
from simlingo_sim.render.prop_mesh import PAINTS
from simlingo_sim.render.scene import SceneFrame, VehicleVisual, WalkerVisual
from simlingo_sim.render.town_mesh import Layer, TownMesh, assemble, town_mesh
from simlingo_sim.render.vehicles import parked_kinds, vehicle_mesh
from simlingo_sim.render.walkers import walker_parts
from simlingo_sim.towns import Town, load

TRIANGLES, CARS, WALKERS = 22_000, 30, 20
TOWN = "gridtown"
#: The camera of the driving model (spec: 110 degrees at (-1.5, 0, 2.0) of the ego), and its step per frame, m.
FOV_DEG, CAMERA_BACK, CAMERA_UP, STEP_M = 110.0, 1.5, 2.0, 0.5
_ROAD, _LANE, _FROM_M, _RUN_M = 1, -1, 12.0, 50.0


def camera_poses(town: Town, frames: int) -> list[carla.Transform]:
    """Poses along a street at 10 m/s and 20 Hz, back and forth over 50 m, in the map frame."""
    poses = []
    for index in range(frames):
        along = index * STEP_M % (2.0 * _RUN_M)
        waypoint = town.map.get_waypoint_xodr(_ROAD, _LANE, _FROM_M + min(along, 2.0 * _RUN_M - along))
        yaw = math.radians(waypoint.transform.rotation.yaw)
        place = waypoint.transform.location
        location = carla.Location(
            place.x - CAMERA_BACK * math.cos(yaw), place.y - CAMERA_BACK * math.sin(yaw), CAMERA_UP
        )
        poses.append(carla.Transform(location, carla.Rotation(yaw=waypoint.transform.rotation.yaw)))
    return poses


def _middle(town: Town) -> tuple[float, float, float]:
    transform = town.map.get_waypoint_xodr(_ROAD, _LANE, _FROM_M + _RUN_M).transform
    return transform.location.x, transform.location.y, transform.rotation.yaw


def bench_frame(town: Town) -> SceneFrame:
    """Clear noon; cars on the lanes and pedestrians on the sidewalks around the middle of the camera's run."""
    x, y, _ = _middle(town)
    spots = sorted(town.spawn_points, key=lambda spot: math.hypot(spot.location.x - x, spot.location.y - y))
    kinds = parked_kinds()
    cars = [
        VehicleVisual(
            kinds[i % len(kinds)],
            spot.location.x,
            spot.location.y,
            0.0,
            yaw_deg=spot.rotation.yaw,
            color=PAINTS[i % len(PAINTS)],
            brake=i % 3 == 0,
            left_indicator=i % 4 == 0,
            seed=i,
        )
        for i, spot in enumerate(spots[4 : 4 + CARS])
    ]
    dice = np.random.default_rng(7)
    walkers = []
    for i in range(WALKERS):
        waypoint = town.map.get_waypoint_xodr(_ROAD, _LANE, 5.0 + 3.5 * i).get_right_lane()
        place = waypoint.transform.location
        walkers.append(
            WalkerVisual(
                place.x,
                place.y + float(dice.uniform(-0.8, 0.8)),
                0.13,
                waypoint.transform.rotation.yaw + 180.0 * (i % 2),
                1.3,
                0.7 * i,
                i,
            )
        )
    weather = carla.WeatherParameters()
    weather.sun_altitude_angle, weather.sun_azimuth_angle, weather.cloudiness = 60.0, 200.0, 10.0
    return SceneFrame(weather, cars, walkers, dict.fromkeys(town.extras.signals, "red"))


def bench_mesh(town: Town, frame: SceneFrame) -> TownMesh:
    """The part of the town nearest to the camera that fills the scene up to 22,000 triangles."""
    moving = sum(len(vehicle_mesh(car.kind)) for car in frame.vehicles)
    moving += len(frame.walkers) * sum(len(part.mesh) for part in walker_parts())
    whole = town_mesh(TOWN)
    x, y, _ = _middle(town)
    middle = whole.triangles.vertices.mean(axis=1)
    order = np.argsort(np.hypot(middle[:, 0] - x, middle[:, 1] - y), kind="stable")[: TRIANGLES - moving]
    kept: Triangles = whole.triangles.select(np.sort(order))
    return assemble([Layer(kept, 600.0)], whole.walls.tolist(), whole.signal_numbers)


def bench_town() -> Town:
    """The town the scene is taken from."""
    return load(TOWN)
