"""Vehicles, driven by a VehicleControl or by the traffic."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import carla

from simlingo_sim.actor import BodyActor
from simlingo_sim.blueprints import paint_of
from simlingo_sim.bodies import DRIVEN, TRAFFIC
from simlingo_sim.dynamics import MAX_INNER_WHEEL_ANGLE_DEG, MAX_WHEEL_ANGLE
from simlingo_sim.errors import SimulatorError
from simlingo_sim.semantic_tags import vehicle_tag
from simlingo_sim.vehicle_models import VehicleModel

if TYPE_CHECKING:
    from simlingo_sim.traffic_light import TrafficLight
    from simlingo_sim.world import World

_WHEEL_RADIUS_CM = 35.0


class Vehicle(BodyActor):
    """A vehicle. Its origin is the middle of the footprint on the ground, x forward, y right."""

    def __init__(self, world: World, actor_id: int, model: VehicleModel, attributes: dict[str, str], row: int) -> None:
        super().__init__(world, actor_id, model.type_id, attributes, row)
        self.model = model
        self.paint = paint_of(attributes)
        self.bounding_box = carla.BoundingBox(
            carla.Location(0.0, 0.0, model.height / 2),
            carla.Vector3D(model.length / 2, model.width / 2, model.height / 2),
        )
        self.semantic_tags = [int(vehicle_tag(model))]
        self._control = carla.VehicleControl()
        self._lights = carla.VehicleLightState.NONE

    def apply_control(self, control: carla.VehicleControl) -> None:
        """Drive with this control from the next tick on, until another one comes.

        :class:`SimulatorError` for a value that is not a number; values out of range are cut to it, as carla does.
        """
        self._require_alive()
        if not all(math.isfinite(value) for value in (control.throttle, control.steer, control.brake)):
            raise SimulatorError(
                f"control of vehicle {self.id} is not a number: throttle {control.throttle}, "
                f"steer {control.steer}, brake {control.brake}"
            )
        self._control = carla.VehicleControl(
            throttle=min(max(control.throttle, 0.0), 1.0),
            steer=min(max(control.steer, -1.0), 1.0),
            brake=min(max(control.brake, 0.0), 1.0),
            hand_brake=control.hand_brake,
            reverse=control.reverse,
            manual_gear_shift=control.manual_gear_shift,
            gear=control.gear,
        )

    def get_control(self) -> carla.VehicleControl:
        """The control last applied; what the traffic does where it drives."""
        if self._arrays.mode[self.row] != TRAFFIC:
            return self._control
        along = float(
            self._arrays.ax[self.row] * math.cos(self._arrays.yaw[self.row])
            + self._arrays.ay[self.row] * math.sin(self._arrays.yaw[self.row])
        )
        speed = max(float(self._arrays.speed[self.row]), 0.1)
        curvature = float(self._arrays.yaw_rate[self.row]) / speed
        return carla.VehicleControl(
            throttle=min(max(along / 3.7 + 0.2, 0.0), 1.0) if along > -0.2 else 0.0,
            steer=min(max(math.atan(curvature * self.model.wheelbase) / MAX_WHEEL_ANGLE, -1), 1),
            brake=min(max(-along / 8.0, 0.0), 1.0) if along < -0.5 else 0.0,
        )

    def write_control(self) -> None:
        """Hand the control over to the dynamics (called by the world at the start of a tick)."""
        drive, row, control = self._world.bodies.drive, self.row, self._control
        drive.throttle[row], drive.brake[row], drive.steer[row] = control.throttle, control.brake, control.steer
        drive.reverse[row], drive.hand_brake[row] = int(control.reverse), int(control.hand_brake)

    def set_autopilot(self, enabled: bool = True, port: int = 8000) -> None:
        """Hand the vehicle to the traffic, or take it back."""
        self._require_alive()
        if enabled:
            self._world.traffic.adopt(self)
        else:
            self._world.traffic.dismiss(self)
            self._arrays.mode[self.row] = DRIVEN

    def get_speed_limit(self) -> float:
        """Posted limit where the vehicle stands, km/h."""
        return self._world.speed_limit(self.get_location()) * 3.6

    def get_light_state(self) -> carla.VehicleLightState:
        if self._arrays.mode[self.row] == TRAFFIC:
            return self._world.traffic.light_state(self)
        return self._lights

    def set_light_state(self, state: carla.VehicleLightState) -> None:
        self._lights = carla.VehicleLightState(state)

    def is_at_traffic_light(self) -> bool:
        return self.get_traffic_light() is not None

    def get_traffic_light(self) -> TrafficLight | None:
        """The light in whose trigger volume the vehicle's front is, on a lane that it holds back."""
        self._require_alive()
        return self._world.light_at(self)

    def get_traffic_light_state(self) -> carla.TrafficLightState:
        light = self.get_traffic_light()
        return carla.TrafficLightState.Green if light is None else light.get_state()

    def get_physics_control(self) -> carla.VehiclePhysicsControl:
        """Mass, wheels and steering angle; wheel positions in cm in the map frame, as carla tells them."""
        physics = carla.VehiclePhysicsControl()
        physics.mass = self.model.mass
        transform = self.get_transform()
        wheels = []
        for along in (0.5, -0.5):
            for across in (-0.5, 0.5):
                wheel = carla.WheelPhysicsControl()
                wheel.max_steer_angle = MAX_INNER_WHEEL_ANGLE_DEG if along > 0 else 0.0
                wheel.radius = _WHEEL_RADIUS_CM
                wheel.max_brake_torque = 1500.0
                spot = transform.transform(
                    carla.Location(
                        along * self.model.wheelbase, across * 0.85 * self.model.width, _WHEEL_RADIUS_CM / 100
                    )
                )
                wheel.position = carla.Vector3D(spot.x * 100, spot.y * 100, spot.z * 100)
                wheels.append(wheel)
        physics.wheels = wheels
        return physics

    def on_destroyed(self) -> None:
        self._world.traffic.dismiss(self)
        super().on_destroyed()
