"""The moving part of the world as the renderer wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import carla

from simlingo_sim.actor import wrapped_degrees
from simlingo_sim.bodies import TRAFFIC
from simlingo_sim.render.scene import SceneFrame, VehicleVisual, WalkerVisual
from simlingo_sim.vehicle import Vehicle

if TYPE_CHECKING:
    from simlingo_sim.world import World

_BLINK_PERIOD_TICKS = 14  # 0.7 s at 20 Hz: on for the first half
_SIGNAL_NAMES = {
    carla.TrafficLightState.Red: "red",
    carla.TrafficLightState.Yellow: "yellow",
    carla.TrafficLightState.Green: "green",
}
_STRIDE = 0.75  # m of one step


def scene_of(world: World) -> SceneFrame:
    """Everything that moves or shines, at the world's present tick."""
    bodies = world.bodies.arrays
    lit = world.frame % _BLINK_PERIOD_TICKS < _BLINK_PERIOD_TICKS // 2
    night = bool(world.night_lamps())
    vehicles = []
    for vehicle in world.vehicles:
        row = vehicle.row
        brake, blinker = _lamps(world, vehicle)
        vehicles.append(
            VehicleVisual(
                vehicle.type_id,
                float(bodies.x[row]),
                float(bodies.y[row]),
                float(bodies.z[row]),
                yaw_deg=wrapped_degrees(float(bodies.yaw[row])),
                color=vehicle.paint,
                brake=brake,
                left_indicator=lit and blinker in (-1, 2),
                right_indicator=lit and blinker in (1, 2),
                headlights=night,
                seed=vehicle.id,
            )
        )
    walkers = [
        WalkerVisual(
            float(bodies.x[walker.row]),
            float(bodies.y[walker.row]),
            float(bodies.z[walker.row]),
            wrapped_degrees(float(bodies.yaw[walker.row])),
            float(bodies.speed[walker.row]),
            float(world.walked[walker.row]) / _STRIDE * 3.141592653589793,
            walker.id,
        )
        for walker in world.walkers
    ]
    signals = {light.get_opendrive_id(): _SIGNAL_NAMES.get(light.state, "off") for light in world.traffic_lights}
    return SceneFrame(world.weather, vehicles, walkers, signals, world.prop_visuals())


def _lamps(world: World, vehicle: Vehicle) -> tuple[bool, int]:
    """Brake lamp, and blinker: -1 left, 1 right, 2 both, 0 none."""
    if world.bodies.arrays.mode[vehicle.row] == TRAFFIC:
        return world.traffic.lamps(vehicle.row)
    state = int(vehicle.get_light_state())
    control = vehicle.get_control()
    left = bool(state & int(carla.VehicleLightState.LeftBlinker))
    right = bool(state & int(carla.VehicleLightState.RightBlinker))
    brake = control.brake > 0.02 or control.hand_brake or bool(state & int(carla.VehicleLightState.Brake))
    return brake, 2 if left and right else int(right) - int(left)
