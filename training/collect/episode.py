"""Drive one route and write what the camera saw and the expert meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import carla
import numpy as np

from simlingo.contracts import Command, EgoState, Navigation
from simlingo.model.config import MINI
from simlingo.model.preprocess import model_image
from simlingo.navigation.global_planner import GlobalPlanner
from simlingo.navigation.route import RoutePlanner
from simlingo.policy import Policy
from simlingo_drive.criteria import Kind, RouteScorer
from simlingo_drive.expert import CONSTANTS, Expert, ExpertInfo
from simlingo_drive.expert.signals import stop_points
from simlingo_sim import Client
from simlingo_sim.population import populate
from simlingo_sim.render.scene import VehicleVisual
from simlingo_sim.traffic_light import TrafficLight
from simlingo_sim.vehicle_models import EGO_BLUEPRINT
from simlingo_sim.weather import WEATHERS
from training.collect.counterfactual import other_light, other_speed
from training.collect.disturbance import Disturbance
from training.collect.invented_town import INVENTED, invented_town
from training.collect.labels import labels_of
from training.collect.nearer import nearer
from training.collect.other_lead import other_lead
from training.collect.policy_drive import PolicyDriver
from training.collect.records import boxes, measurement
from training.collect.settings import CollectSettings, Job, draw_route
from training.collect.views import MAX_SHIFT_M, MAX_TURN_RAD, Camera, View, beside
from training.collect.writer import RouteWriter
from training.datasets.dense_labels import dense_labels

#: Ticks (20 Hz) between two frames: 4 Hz (spec B.1).
FRAME_EVERY = 5
#: Longest drive, ticks.
MOST_TICKS = 6000
#: Standing longer than this (frames), only every so many frames go into the cache: they are all alike.
STANDING_FRAMES, STANDING_EVERY = 8, 6
#: Frames dropped before an infraction, and the least that make a route.
FRAMES_BEFORE_INFRACTION, LEAST_FRAMES = 8, 20
#: The ego starts so far beside its lane's middle, m, and turned by so much, degrees.
START_SIDEWAYS_M, START_TURN_DEG = 0.5, 4.0
#: The expert stands only a moment at a stop sign: how long it has stood is nothing that one picture shows.
EXPERT = replace(CONSTANTS, sign_stop_ticks=3)
#: Share of the rest of the second views whose light shows the other colour, where it can.
OTHER_LIGHT_SHARE = 0.6
#: Share of the second views with a vehicle drawn ahead, where the road is free for one.
OTHER_LEAD_SHARE = 0.5
#: Share of the others that stand nearer to what the expert stops for, where there is such a thing.
NEARER_SHARE = 0.5
#: Share of the routes whose town is drawn in other colours than its own.
PAINTED_SHARE = 0.75
#: Green time of the lights on a route, s; shorter than the town's own, for more starts and stops.
GREEN_S = 4.0, 10.0

#: Infractions that end an expert's route, and one that a model drives part of.
ENDING = frozenset({Kind.COLLISION_PEDESTRIAN, Kind.COLLISION_VEHICLE, Kind.COLLISION_STATIC})
ENDING_EXPERT = ENDING | {Kind.RED_LIGHT, Kind.STOP_SIGN}


@dataclass(frozen=True)
class SecondView:
    """What a frame's second view tells of."""

    info: ExpertInfo  # what the expert would mean there
    navigation: Navigation
    ahead: float = 0.0  # m along the route, from where the ego is
    colours: dict[str, str] = field(default_factory=dict)  # of lights that show another one, by OpenDRIVE signal id
    vehicles: tuple[VehicleVisual, ...] = ()  # drawn beside those of the world


class Episode:
    """One route of a collection."""

    def __init__(self, settings: CollectSettings, job: Job, policy: Policy | None) -> None:
        self._settings, self._job = settings, job
        self._rng = np.random.default_rng((job.seed, 2))
        client = Client(seed=job.seed)
        if job.town == INVENTED:
            self._world = client.load_town(invented_town(np.random.default_rng((job.seed, 4))))
        else:
            self._world = client.load_world(job.town)
        self._world.set_weather(WEATHERS[job.weather])
        planner = GlobalPlanner(self._world.get_map())
        signs = self._world.get_actors().filter("traffic.stop*")
        sign_lines = [line for sign in signs for line in stop_points(sign)]
        dense = draw_route(self._world.town, planner, self._rng, sign_lines)
        self._ego = self._spawn(dense[0][0].transform)
        green_s = float(self._rng.uniform(*GREEN_S))
        for light in self._world.get_actors().filter("traffic.traffic_light*"):
            if isinstance(light, TrafficLight):
                light.set_green_time(green_s)
        populate(self._world, client, vehicles=job.vehicles, walkers=job.walkers, seed=job.seed)
        self._world.tick()
        self._expert = Expert(self._world, self._ego, dense, planner, EXPERT)
        self._route = RoutePlanner(planner.polyline(dense), [Command(command) for _, command in dense])
        self._scorer = RouteScorer(self._world, self._ego, [waypoint.transform for waypoint, _ in dense])
        painted = self._rng.random() < PAINTED_SHARE
        self._camera = Camera(self._world, self._ego, np.random.default_rng((job.seed, 3)) if painted else None)
        self._disturbance = Disturbance(self._rng) if settings.perturb else None
        self._policy = PolicyDriver(policy, self._camera, self._rng) if policy is not None else None
        self._standing = 0

    def _spawn(self, start: carla.Transform) -> Any:
        """The ego near the middle of its lane."""
        blueprint = self._world.get_blueprint_library().find(EGO_BLUEPRINT)
        blueprint.set_attribute("role_name", "ego_vehicle")
        sideways = float(self._rng.uniform(-START_SIDEWAYS_M, START_SIDEWAYS_M)) * float(self._settings.perturb)
        turn = float(self._rng.uniform(-START_TURN_DEG, START_TURN_DEG)) * float(self._settings.perturb)
        right = start.get_right_vector()
        place = carla.Location(start.location.x + right.x * sideways, start.location.y + right.y * sideways, 0.3)
        return self._world.spawn_actor(blueprint, carla.Transform(place, carla.Rotation(yaw=start.rotation.yaw + turn)))

    def run(self, writer: RouteWriter, tell: Callable[[int], None]) -> dict[str, Any]:
        """Drive to the end of the route, to the first infraction, or until nothing moves; returns the results.

        ``tell`` hears the number of cached frames now and then.
        """
        tick = 0
        while self._scorer.status == "running" and tick < MOST_TICKS:
            expert_control, info = self._expert.run_step()
            navigation = self._route.update(info.ego)
            control, model_drives = self._control(tick, expert_control, info, navigation)
            if tick % FRAME_EVERY == 0:
                self._frame(writer, tick // FRAME_EVERY, info, navigation, control, model_drives)
                tell(len(writer))
            self._ego.apply_control(control)
            self._world.tick()
            self._scorer.tick()
            tick += 1
            if tick % FRAME_EVERY == 0 and self._failed():
                writer.cut(tick // FRAME_EVERY - FRAMES_BEFORE_INFRACTION)
                break
        result = self._scorer.result()
        self._scorer.close()
        return {**result.to_json(), "job": asdict(self._job), "frames": len(writer), "policy": self._settings.policy}

    def _failed(self) -> bool:
        """An infraction that ends the route."""
        ending = ENDING_EXPERT if self._policy is None else ENDING
        return any(infraction.kind in ending for infraction in self._scorer.result().infractions)

    def _control(
        self, tick: int, expert_control: carla.VehicleControl, info: ExpertInfo, navigation: Navigation
    ) -> tuple[carla.VehicleControl, bool]:
        """The control to apply, and whether the model gives it."""
        if self._policy is not None:
            wanted = self._policy.control(tick, info.ego, navigation, info.place.lateral)
            if wanted is not None:
                return wanted, True
        if self._disturbance is None:
            return expert_control, False
        return self._disturbance.apply(expert_control, info.ego.speed, info.cause is None), False

    def _frame(
        self,
        writer: RouteWriter,
        number: int,
        info: ExpertInfo,
        navigation: Navigation,
        control: carla.VehicleControl,
        model_drives: bool,
    ) -> None:
        """Take the pictures and labels of one frame."""
        self._standing = self._standing + 1 if info.ego.speed < 0.1 and info.target_speed < 0.3 else 0
        shift = float(self._rng.uniform(-MAX_SHIFT_M, MAX_SHIFT_M))
        turn = float(self._rng.uniform(-MAX_TURN_RAD, MAX_TURN_RAD))
        second = self._second_view(info, navigation)
        writer.add_records(
            number,
            measurement(
                info, self._expert.route, navigation, control, (second.ahead, shift, turn), self._ego.get_transform()
            ),
            boxes(self._world, self._ego, info) if self._settings.rgb else None,
        )
        skipped = self._standing > STANDING_FRAMES and self._standing % STANDING_EVERY != 0
        if skipped and not self._settings.rgb:
            return
        view = beside(second.info.ego, shift, turn)
        main, augmented = self._camera.capture(info.ego), self._camera.capture(view, second.colours, second.vehicles)
        writer.add_picture(number, main.rgb, augmented.rgb)
        if not skipped:
            writer.add_cache(
                {
                    "frame": np.int32(number),
                    "ego": np.array((info.ego.x, info.ego.y, info.ego.yaw, info.ego.speed)),
                    "model_drives": np.bool_(model_drives),
                    **self._entry(main, info, navigation, info.ego, ""),
                    **self._entry(augmented, second.info, second.navigation, view, "_augmented"),
                }
            )

    def _second_view(self, info: ExpertInfo, navigation: Navigation) -> SecondView:
        """Often a vehicle more, a place nearer to what the expert stops for, or the light in the other colour."""
        if self._rng.random() < OTHER_LEAD_SHARE:
            behind = other_lead(info, self._expert, self._world, self._rng)
            if behind is not None:
                return SecondView(behind[0], navigation, vehicles=(behind[1],))
        if self._rng.random() < NEARER_SHARE:
            moved = nearer(info, self._expert, navigation, self._rng)
            if moved is not None:
                return SecondView(*moved)
        if self._rng.random() < OTHER_LIGHT_SHARE:
            changed = other_light(info, self._expert, navigation, self._world)
            if changed is not None:
                return SecondView(changed[0], navigation, colours=changed[1])
        return SecondView(info, navigation)

    def _entry(
        self, view: View, info: ExpertInfo, navigation: Navigation, pose: EgoState, suffix: str
    ) -> dict[str, Any]:
        """The cached arrays of one view."""
        classes, depth = dense_labels(view.rgb, view.semantic, view.depth, MINI.image)
        entry = {"image": model_image(view.rgb, MINI.image), "classes": classes, "depth": depth}
        speed = other_speed(info, self._expert, self._rng)
        entry |= labels_of(info, self._expert, navigation, pose, speed)
        return {name + suffix: value for name, value in entry.items()}
