"""The world: carla's ``World`` for the embedded simulator.

The order of a tick is fixed, so that equal seeds and calls give equal worlds in any process:
apply controls -> dynamics -> traffic and walkers -> lights -> collisions -> snapshot -> sensors -> callbacks
(first those of ``on_tick``, then the sensors', by ascending id).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import carla
import numpy as np

from simlingo_sim.actor import Actor, ActorList, BodyActor, StaticActor
from simlingo_sim.actor_registry import ActorRegistry
from simlingo_sim.blueprints import ActorBlueprint, BlueprintLibrary, make_library
from simlingo_sim.bodies import CAPACITY, DRIVEN, FREE, STROLLING, Bodies
from simlingo_sim.collisions import Collisions, Contact
from simlingo_sim.dynamics import step_driven, step_strolling
from simlingo_sim.errors import SimulatorError
from simlingo_sim.lights import build_programs
from simlingo_sim.pedestrians import Pedestrians
from simlingo_sim.prop import Prop
from simlingo_sim.roads.network import network_of
from simlingo_sim.scene_view import scene_of
from simlingo_sim.scenery import town_scenery
from simlingo_sim.sensors.base import Sensor, SensorData
from simlingo_sim.sensors.camera import CameraSensor, render_cameras
from simlingo_sim.sensors.inertial import sensor_generator
from simlingo_sim.snapshot import WorldSnapshot
from simlingo_sim.towns import Town
from simlingo_sim.towns.extras import TRAFFIC_LIGHT_TYPE
from simlingo_sim.traffic.arrays import LIGHT_GREEN, LIGHT_OFF, LIGHT_RED, LIGHT_YELLOW
from simlingo_sim.traffic.manager import TrafficManager
from simlingo_sim.traffic_light import TrafficLight, TrafficSign
from simlingo_sim.vehicle import Vehicle
from simlingo_sim.walker import Walker
from simlingo_sim.weather import WEATHERS, copied_weather, road_grip

if TYPE_CHECKING:
    from simlingo_sim.render.renderer import Renderer
    from simlingo_sim.render.scene import PropVisual, SceneFrame

#: Step of a world to which nobody has given settings, s. Whoever drives sets his own.
DEFAULT_STEP_S = 0.05

_LIGHT_CODES = {
    carla.TrafficLightState.Red: LIGHT_RED,
    carla.TrafficLightState.Yellow: LIGHT_YELLOW,
    carla.TrafficLightState.Green: LIGHT_GREEN,
}


class World:
    """One town with all that moves in it. Frames and units as carla's."""

    def __init__(self, town: Town, seed: int = 0) -> None:
        seeds = np.random.SeedSequence(seed).spawn(4)
        self.id = 1
        self.town = town
        self.frame = 0
        self.bodies = Bodies()
        self.walker_heading = np.zeros(CAPACITY)
        self.walker_pace = np.zeros(CAPACITY)
        self.walked = np.zeros(CAPACITY)  # m that each walker has gone
        self.weather = copied_weather(WEATHERS["clear_noon"])
        self._sensor_seed = seeds[3]
        roads = network_of(town)
        self._map = roads.map
        self._library = make_library()
        self._settings = carla.WorldSettings()
        self._settings.synchronous_mode, self._settings.fixed_delta_seconds = True, DEFAULT_STEP_S
        self._registry = ActorRegistry(self)
        self._elapsed_s = 0.0
        self._tick_callbacks: dict[int, Callable[[WorldSnapshot], None]] = {}
        self._contacts: list[Contact] = []
        self._renderer: Renderer | None = None
        self._scene: tuple[int, SceneFrame] | None = None
        signals = roads.signals
        self.graph = roads.graph
        lanes = self.graph.arrays
        self._ground = float(lanes.z[0]) if float(np.ptp(lanes.z)) < 1e-3 else None
        self._programs = build_programs(
            [entry for entry in signals if entry.kind == TRAFFIC_LIGHT_TYPE],
            town.extras,
            np.random.default_rng(seeds[0]),
        )
        states = {light.signal_id: (light, program) for program in self._programs for light in program.lights}
        signs = [
            TrafficLight(self, self._registry.take_id(), signal, *states[signal.id])
            if signal.id in states
            else TrafficSign(self, self._registry.take_id(), signal)
            for signal in signals
        ]
        self.traffic_lights = [sign for sign in signs if isinstance(sign, TrafficLight)]
        self._light_codes = np.full(max(len(self.traffic_lights), 1), LIGHT_OFF, dtype=np.int64)
        self.publish_lights()
        self.traffic = TrafficManager(self, self.graph, roads.conflicts, np.random.default_rng(seeds[1]))
        self.pedestrians = Pedestrians(self, roads.sidewalks, np.random.default_rng(seeds[2]))
        self._spectator = StaticActor(self, self._registry.take_id(), "spectator", {}, carla.Transform())
        self._registry.settle([*signs, self._spectator])
        self._collisions = Collisions(self)
        self._decor = town_scenery(self, town.decor)
        self._scenery_is_new = True
        self._prop_visuals: list[PropVisual] | None = None
        self._snapshot = self._take_snapshot()

    # -- time -------------------------------------------------------------------------------------------------------

    def tick(self, seconds: float = 10.0) -> int:
        """Advance by one step and return the number of the new frame. Callbacks run inside."""
        dt = float(self._settings.fixed_delta_seconds)
        bodies = self.bodies
        for vehicle in self.vehicles:
            vehicle.write_control()
        driven = bodies.rows(DRIVEN)
        step_driven(bodies.arrays, bodies.drive, driven, dt, road_grip(self.weather))
        step_strolling(bodies.arrays, self.walker_heading, self.walker_pace, bodies.rows(STROLLING), dt)
        self._settle(driven)
        self.traffic.tick(dt, self._light_codes)
        self.pedestrians.tick(dt, self._light_codes)
        self.walked += bodies.arrays.speed * dt
        for program in self._programs:
            program.advance(dt)
        self.publish_lights()
        if self._scenery_is_new:
            self._collisions.set_scenery(self.standing())
            self._scenery_is_new = False
        self._contacts = self._collisions.tick(dt)
        self.frame += 1
        self._elapsed_s += dt
        self._snapshot = self._take_snapshot()
        readings = self._measure(dt)
        for callback in list(self._tick_callbacks.values()):
            callback(self._snapshot)
        for sensor, data in readings:
            sensor.deliver(data)
        return self.frame

    def on_tick(self, callback: Callable[[WorldSnapshot], None]) -> int:
        """Call ``callback`` with the snapshot of every tick; returns a number for :meth:`remove_on_tick`."""
        number = max(self._tick_callbacks, default=0) + 1
        self._tick_callbacks[number] = callback
        return number

    def remove_on_tick(self, number: int) -> None:
        self._tick_callbacks.pop(number, None)

    def get_snapshot(self) -> WorldSnapshot:
        """State at the last tick."""
        return self._snapshot

    def get_settings(self) -> carla.WorldSettings:
        copy = carla.WorldSettings()
        copy.synchronous_mode = self._settings.synchronous_mode
        copy.fixed_delta_seconds = self._settings.fixed_delta_seconds
        copy.no_rendering_mode = self._settings.no_rendering_mode
        return copy

    def apply_settings(self, settings: carla.WorldSettings, seconds: float = 10.0) -> int:
        """Take over step length and rendering mode; :class:`SimulatorError` for what this world cannot do."""
        delta = settings.fixed_delta_seconds
        if not settings.synchronous_mode:
            raise SimulatorError("the embedded world is synchronous: keep synchronous_mode = True and call tick()")
        if delta is None or not 0.005 <= delta <= 0.1:
            raise SimulatorError(f"fixed_delta_seconds {delta} is not within 0.005..0.1 s; 0.05 is the default")
        self._settings.fixed_delta_seconds = delta
        self._settings.no_rendering_mode = settings.no_rendering_mode
        return self.frame

    # -- what is there ----------------------------------------------------------------------------------------------

    def get_map(self) -> carla.Map:
        return self._map

    def get_blueprint_library(self) -> BlueprintLibrary:
        return self._library

    def get_spectator(self) -> Actor:
        return self._spectator

    def get_actors(self, actor_ids: Sequence[int] | None = None) -> ActorList:
        """All actors, or those of the given ids that exist, by ascending id."""
        if actor_ids is None:
            actor_ids = list(self._registry.actors)
        return ActorList([self._registry.actors[key] for key in sorted(actor_ids) if key in self._registry.actors])

    def get_actor(self, actor_id: int) -> Actor | None:
        return self._registry.actors.get(actor_id)

    @property
    def vehicles(self) -> list[Vehicle]:
        """All vehicles, in the order in which they came."""
        return self._registry.vehicles

    @property
    def walkers(self) -> list[Walker]:
        """All walkers, in the order in which they came."""
        return self._registry.walkers

    def get_weather(self) -> carla.WeatherParameters:
        return copied_weather(self.weather)

    def set_weather(self, weather: carla.WeatherParameters) -> None:
        self.weather = copied_weather(weather)

    def speed_limit(self, location: carla.Location) -> float:
        """Posted limit in m/s on the lane nearest to ``location``."""
        waypoint = self._map.get_waypoint(location)
        if waypoint is None:
            raise SimulatorError(f"no road near ({location.x:.1f}, {location.y:.1f}) in town {self.town.name}")
        return self.town.extras.speed_limits[waypoint.road_id] / 3.6

    def ground_height(self, location: carla.Location) -> float:
        """Height of the road at ``location``, m."""
        if self._ground is not None:
            return self._ground
        waypoint = self._map.get_waypoint(location)
        return 0.0 if waypoint is None else float(waypoint.transform.location.z)

    def light_at(self, vehicle: Vehicle) -> TrafficLight | None:
        """The light in whose trigger volume the front of ``vehicle`` is."""
        waypoint = self._map.get_waypoint(vehicle.get_location())
        lane, s = (-1, 0.0) if waypoint is None else self.graph.locate(waypoint)
        if lane < 0 or self.graph.arrays.light[lane] < 0:
            return None
        ahead = float(self.graph.arrays.stop_s[lane]) - s - vehicle.model.length / 2
        return self.traffic_lights[int(self.graph.arrays.light[lane])] if -1.5 <= ahead <= 10.0 else None

    def freeze_all_traffic_lights(self, frozen: bool) -> None:
        for program in self._programs:
            program.frozen = frozen

    def reset_all_traffic_lights(self) -> None:
        """Begin every program anew, with green for its first phase."""
        for program in self._programs:
            program.phase, program.clock_s = 0, 0.0
        self.publish_lights()

    def get_traffic_light_from_opendrive_id(self, opendrive_id: str) -> TrafficLight | None:
        return next((light for light in self.traffic_lights if light.get_opendrive_id() == opendrive_id), None)

    def night_lamps(self) -> int:
        """Lamp bits (``VehicleLightState``) that traffic shows in this weather: none by day."""
        dark = self.weather.sun_altitude_angle < 8.0 or self.weather.precipitation > 50 or self.weather.fog_density > 20
        return int(carla.VehicleLightState.Position) | int(carla.VehicleLightState.LowBeam) if dark else 0

    # -- coming and going -------------------------------------------------------------------------------------------

    def spawn_actor(
        self,
        blueprint: ActorBlueprint,
        transform: carla.Transform,
        attach_to: Actor | None = None,
        attachment_type: carla.AttachmentType = carla.AttachmentType.Rigid,
        bone: str = "",
    ) -> Actor:
        """Make an actor; :class:`SimulatorError` where another one stands in its place or an argument is wrong."""
        return self._registry.spawn(blueprint, transform, attach_to)

    def try_spawn_actor(
        self,
        blueprint: ActorBlueprint,
        transform: carla.Transform,
        attach_to: Actor | None = None,
        attachment_type: carla.AttachmentType = carla.AttachmentType.Rigid,
        bone: str = "",
    ) -> Actor | None:
        """As :meth:`spawn_actor`, None where it fails."""
        try:
            return self.spawn_actor(blueprint, transform, attach_to, attachment_type, bone)
        except SimulatorError:
            return None

    def remove_actor(self, actor: Actor) -> bool:
        """Take an actor and all that is attached to it out of the world (``Actor.destroy`` calls this)."""
        return self._registry.remove(actor)

    # -- for the parts of the world ---------------------------------------------------------------------------------

    def sensor_rng(self, actor_id: int) -> np.random.Generator:
        return sensor_generator(self._sensor_seed, actor_id)

    def mass_of(self, row: int) -> float:
        """kg."""
        actor = self._registry.by_row[row]
        return actor.model.mass if isinstance(actor, Vehicle) else 75.0

    def contacts_of(self, actor: BodyActor) -> list[tuple[Actor, tuple[float, float]]]:
        """What ``actor`` touches in this tick, with the impulse upon it in N s."""
        found: list[tuple[Actor, tuple[float, float]]] = []
        for contact in self._contacts:
            if contact.row == actor.row:
                other = (
                    self._registry.by_row[contact.other]
                    if contact.other >= 0
                    else self._collisions.scenery_actor(contact.other)
                )
                found.append((other, contact.impulse))
            elif contact.other == actor.row:
                found.append((self._registry.by_row[contact.row], (-contact.impulse[0], -contact.impulse[1])))
        return found

    def scenery_changed(self) -> None:
        """Something was put somewhere or taken away: the next tick looks anew at what a vehicle can hit."""
        self._scenery_is_new = True
        self._prop_visuals = None

    def standing(self) -> list[StaticActor]:
        """What a vehicle can hit that does not move: the town's own things, signal posts, what was put there."""
        return self._decor + self._registry.standing()

    def props(self) -> list[Prop]:
        """What was put into the world, in the order in which it came."""
        return self._registry.props()

    def prop_visuals(self) -> list[PropVisual]:
        """The things that stand about, for the renderer."""
        if self._prop_visuals is None:
            self._prop_visuals = [prop.visual() for prop in self.props()]
        return self._prop_visuals

    def publish_lights(self) -> None:
        """Write the states of the lights to where the traffic reads them."""
        for number, light in enumerate(self.traffic_lights):
            self._light_codes[number] = _LIGHT_CODES.get(light.state, LIGHT_OFF)

    def renderer(self) -> Renderer:
        """The renderer of this town; made (and compiled) with the first picture, not before."""
        if self._renderer is None:
            from simlingo_sim.render.renderer import Renderer
            from simlingo_sim.render.town_mesh import mesh_of

            self._renderer = Renderer(mesh_of(self.town))
        return self._renderer

    def scene(self) -> SceneFrame:
        """What moves at this tick, for the renderer; made once a tick."""
        if self._scene is None or self._scene[0] != self.frame:
            self._scene = (self.frame, scene_of(self))
        return self._scene[1]

    def _measure(self, dt: float) -> list[tuple[Sensor, SensorData]]:
        due = [sensor for sensor in self._registry.sensors if sensor.due(self._elapsed_s)]
        cameras = [] if self._settings.no_rendering_mode else [s for s in due if isinstance(s, CameraSensor)]
        readings = render_cameras(self, cameras, self.frame, self._elapsed_s) if cameras else []
        for sensor in due:
            if not isinstance(sensor, CameraSensor):
                readings += [(sensor, data) for data in sensor.measure(self.frame, self._elapsed_s, dt)]
        return sorted(readings, key=lambda reading: reading[0].id)

    def _settle(self, rows: np.ndarray) -> None:
        """Put driven vehicles on the ground; free on a flat town."""
        if self._ground is None:
            arrays = self.bodies.arrays
            for row in rows:
                arrays.z[row] = self.ground_height(carla.Location(arrays.x[row], arrays.y[row], arrays.z[row]))

    def _take_snapshot(self) -> WorldSnapshot:
        arrays = self.bodies.arrays
        columns = tuple(
            column.copy()
            for column in (
                arrays.x,
                arrays.y,
                arrays.z,
                arrays.yaw,
                arrays.vx,
                arrays.vy,
                arrays.ax,
                arrays.ay,
                arrays.yaw_rate,
            )
        )
        delta = float(self._settings.fixed_delta_seconds)
        stamp = carla.Timestamp(self.frame, self._elapsed_s, delta, self._elapsed_s)
        return WorldSnapshot(self.frame, stamp, dict(self._registry.actors), columns)

    def __repr__(self) -> str:
        moving = int(np.count_nonzero(self.bodies.arrays.kind != FREE))
        return f"World(town={self.town.name}, frame={self.frame}, moving={moving})"
