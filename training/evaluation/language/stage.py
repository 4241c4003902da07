"""Sets the scene of a trial: a place on the road, who drives ahead, who or what stands there, and the light's colour."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import carla

from simlingo.contracts import InvalidInputError
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner
from simlingo_drive.backends.embedded import EmbeddedBackend, embedded_planner
from simlingo_drive.criteria import RouteScorer
from simlingo_drive.expert import CONSTANTS, Expert
from simlingo_drive.rig import DROP_M
from simlingo_drive.rollout import Hook
from simlingo_drive.session import Session, open_session, plain_errors
from simlingo_sim.traffic_density import TRAFFIC
from training.evaluation.language.roads import TOWN, straight_on

#: Blueprints of who and what is put there.
_LEAD, _WALKER, _CONE = "vehicle.tesla.model3", "walker.pedestrian.0001", "static.prop.trafficcone01"
#: Cones stand so far right of the lane's middle, m, which leaves a car its way, and so far behind one another.
_CONE_BESIDE_M, _CONE_GAP_M, _CONES = 1.5, 3.0, 3
_LEAD_COLOUR = "180,20,20"
_STATES = {"red": carla.TrafficLightState.Red, "green": carla.TrafficLightState.Green}


@dataclass(frozen=True)
class Stage:
    """Where the ego begins, at rest, and what is there; plain data, so that equal stages are equal worlds."""

    lane: int  # number in the planner's graph
    begin_m: float  # along it
    seed: int  # of the world: traffic, people, phases of the lights
    weather: str = "clear_noon"
    traffic: str = "none"
    light: str = ""  # held colour of the lights at the lane's end, red or green; empty: they change as they do
    lead_m: float | None = None  # a red car drives so far ahead, middle to middle
    lead_mps: float = 4.0  # at this speed
    walker_m: float | None = None  # a person stands in the lane so far ahead
    cones_m: float | None = None  # cones stand at the lane's edge from so far ahead on
    way_m: float = 300.0  # length of the way straight on
    town: str = TOWN


@dataclass
class Scene:
    """An opened stage."""

    session: Session
    planner: GlobalPlanner
    way: DenseRoute  # straight on from the ego
    lead: Any = None  # actor
    hooks: list[Hook] = field(default_factory=list)  # they move what was put there

    def scorer(self, along: DenseRoute | None = None) -> RouteScorer:
        """Judges the drive along ``along``, or the way straight on, from now."""
        places = [waypoint.transform for waypoint, _ in along or self.way]
        return RouteScorer(self.session.world, self.session.ego, places)


@contextmanager
def opened(stage: Stage) -> Iterator[Scene]:
    """The stage as a world after its first tick; closed in the end."""
    planner = embedded_planner(stage.town)
    way = straight_on(planner, stage.lane, stage.begin_m, stage.way_m)
    session = open_session(EmbeddedBackend(), stage.town, stage.seed, stage.weather)
    try:
        scene = Scene(session, planner, way)
        with plain_errors():
            if stage.light:
                _hold_lights(session.world, way[0][0], _STATES[stage.light])
            _put(scene, stage)
        vehicles, walkers = TRAFFIC[stage.traffic]
        pose = way[0][0].transform
        start = carla.Transform(pose.location + carla.Location(z=DROP_M), pose.rotation)
        session.begin(start, vehicles, walkers, stage.seed)
        session.tick()
        yield scene
    finally:
        session.close()


class LeadDrives(Hook):
    """Somebody drives ahead at a steady speed, as the expert does: straight on, by the rules."""

    def __init__(self, scene: Scene, speed_mps: float) -> None:
        first = _ahead(scene.way, scene.lead.get_location())
        way = scene.way[first:]
        pace = replace(CONSTANTS, max_speed=speed_mps, limit_ratio=1.0)
        self._lead = scene.lead
        self._expert = Expert(scene.session.world, scene.lead, way, scene.planner, pace)

    def observe(self, tick: int) -> None:
        """Drive on."""
        del tick
        control, _ = self._expert.run_step()
        self._lead.apply_control(control)


def _put(scene: Scene, stage: Stage) -> None:
    """Everything that the stage names, on the way straight on."""
    world, library = scene.session.world, scene.session.world.get_blueprint_library()
    if stage.lead_m is not None:
        blueprint = library.find(_LEAD)
        blueprint.set_attribute("color", _LEAD_COLOUR)
        scene.lead = world.spawn_actor(blueprint, _beside(scene.way, stage.lead_m, 0.0, DROP_M))
        scene.hooks.append(LeadDrives(scene, stage.lead_mps))
    if stage.walker_m is not None:
        world.spawn_actor(library.find(_WALKER), _beside(scene.way, stage.walker_m, 0.0, 1.0, turned_deg=90.0))
    if stage.cones_m is not None:
        for number in range(_CONES):
            place = _beside(scene.way, stage.cones_m + number * _CONE_GAP_M, _CONE_BESIDE_M, 0.0)
            world.spawn_actor(library.find(_CONE), place)


def _beside(way: DenseRoute, ahead_m: float, right_m: float, up_m: float, turned_deg: float = 0.0) -> carla.Transform:
    """A pose ``ahead_m`` along ``way``, beside its lane's middle."""
    index = round(ahead_m)
    if index >= len(way):
        raise InvalidInputError(f"the way straight on is {len(way)} m long; put things nearer than {ahead_m:g} m")
    pose = way[index][0].transform
    yaw = math.radians(pose.rotation.yaw)
    place = pose.location + carla.Location(-right_m * math.sin(yaw), right_m * math.cos(yaw), up_m)
    return carla.Transform(place, carla.Rotation(yaw=pose.rotation.yaw + turned_deg))


def _ahead(way: DenseRoute, place: carla.Location) -> int:
    """Index of the place of ``way`` nearest to ``place``."""
    return min(range(len(way)), key=lambda index: way[index][0].transform.location.distance(place))


def _hold_lights(world: Any, waypoint: Any, state: carla.TrafficLightState) -> None:
    """Bring the light that holds back the lane of ``waypoint`` to ``state`` and keep it there, the junction fitting."""
    key = (waypoint.road_id, waypoint.lane_id)
    for light in world.get_actors().filter("traffic.traffic_light*"):
        if any((stop.road_id, stop.lane_id) == key for stop in light.get_stop_waypoints()):
            light.set_state(state)
            light.freeze(True)
            return
    raise InvalidInputError(f"no light holds back lane {key[1]} of road {key[0]}, so it cannot be held {state}")
