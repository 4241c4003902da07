"""Traffic lights and signs as actors, and where they hold vehicles back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import carla

from simlingo_sim.actor import StaticActor
from simlingo_sim.lights import LightState, Program
from simlingo_sim.roads.signals import Signal
from simlingo_sim.towns.extras import STOP_SIGN_TYPE, TRAFFIC_LIGHT_TYPE

if TYPE_CHECKING:
    from simlingo_sim.world import World

#: Length of a trigger volume before the stop line, m: a car whose front is in it is "at" the light.
TRIGGER_LENGTH = 10.0


class TrafficSign(StaticActor):
    """A stop or yield sign: ``trigger_volume`` is a box on the approach, in the sign's own frame (m)."""

    def __init__(self, world: World, actor_id: int, signal: Signal) -> None:
        kind = {TRAFFIC_LIGHT_TYPE: "traffic.traffic_light", STOP_SIGN_TYPE: "traffic.stop"}.get(
            signal.kind, "traffic.yield"
        )
        post = carla.BoundingBox(carla.Location(0.0, 0.0, 0.0), carla.Vector3D(0.1, 0.1, 2.0))
        super().__init__(world, actor_id, kind, {"role_name": "", "opendrive_id": signal.id}, signal.transform, post)
        self.signal = signal
        self.trigger_volume = trigger_box(signal)

    def get_opendrive_id(self) -> str:
        return self.signal.id

    def get_stop_waypoints(self) -> list[carla.Waypoint]:
        """One waypoint on the stop line for each lane held back."""
        return list(self.signal.stops)

    def get_affected_lane_waypoints(self) -> list[carla.Waypoint]:
        """One waypoint for each lane held back, in the middle of the trigger volume."""
        found = []
        for stop in self.signal.stops:
            before = stop.previous(TRIGGER_LENGTH / 2)
            found.append(before[0] if before else stop)
        return found


class TrafficLight(TrafficSign):
    """A traffic light of a junction's program."""

    def __init__(self, world: World, actor_id: int, signal: Signal, state: LightState, program: Program) -> None:
        super().__init__(world, actor_id, signal)
        self._light = state
        self.program = program

    @property
    def state(self) -> carla.TrafficLightState:
        return self._light.state

    def get_state(self) -> carla.TrafficLightState:
        return self._light.state

    def set_state(self, state: carla.TrafficLightState) -> None:
        """Show ``state`` now. The program goes on from there, unless it is frozen: then this light stays so."""
        self.program.set_state(self._light, state)
        self._world.publish_lights()

    def freeze(self, freeze: bool) -> None:
        """Hold (or release) the whole program of this light's junction."""
        self.program.frozen = freeze

    def is_frozen(self) -> bool:
        return self.program.frozen

    def get_elapsed_time(self) -> float:
        """Seconds since the state last changed."""
        return self._light.elapsed_s

    def get_green_time(self) -> float:
        return self._light.green_s

    def set_green_time(self, seconds: float) -> None:
        self._light.green_s = max(seconds, 0.0)

    def get_yellow_time(self) -> float:
        return self._light.yellow_s

    def set_yellow_time(self, seconds: float) -> None:
        self._light.yellow_s = max(seconds, 0.0)

    def get_red_time(self) -> float:
        """Seconds for which all lights of the junction are red after this one's phase."""
        return self._light.red_s

    def set_red_time(self, seconds: float) -> None:
        self._light.red_s = max(seconds, 0.0)

    def get_pole_index(self) -> int:
        return 0

    def get_group_traffic_lights(self) -> list[TrafficLight]:
        """Every light of the same junction, by ascending id."""
        return [light for light in self._world.traffic_lights if light.program is self.program]

    def reset_group(self) -> None:
        """Begin the junction's program anew."""
        self.program.phase, self.program.clock_s = 0, 0.0
        self._world.publish_lights()


def trigger_box(signal: Signal) -> carla.BoundingBox:
    """Box over the held lanes on the last metres before the stop line, in the signal's frame (m, degrees)."""
    first = signal.stops[0].transform
    yaw = math.radians(first.rotation.yaw)
    across = [
        (stop.transform.location.x - first.location.x) * -math.sin(yaw)
        + (stop.transform.location.y - first.location.y) * math.cos(yaw)
        for stop in signal.stops
    ]
    half = signal.stops[0].lane_width / 2
    low, high = min(across) - half, max(across) + half
    back, side = -TRIGGER_LENGTH / 2, (low + high) / 2
    center = carla.Location(
        first.location.x + back * math.cos(yaw) - side * math.sin(yaw),
        first.location.y + back * math.sin(yaw) + side * math.cos(yaw),
        first.location.z + 1.0,
    )
    box = carla.BoundingBox(
        signal.transform.inverse_transform(center), carla.Vector3D(TRIGGER_LENGTH / 2, (high - low) / 2, 1.5)
    )
    box.rotation = carla.Rotation(yaw=first.rotation.yaw - signal.transform.rotation.yaw)
    return box
