"""The dreams of a stored route: scenes of its frames, made of its rows, its world log and its map."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from simlingo.contracts import TICK_S, EgoState, FloatArray, InvalidInputError
from simlingo.geometry import ego_to_map
from simlingo_drive.expert.pedals import pedals
from simlingo_sim.dynamics import MAX_WHEEL_ANGLE
from training.datasets.pictures import decode_depth, decode_semantic
from training.datasets.reader import Route, read
from training.datasets.rows import loaded
from training.datasets.schema import EGO
from training.language.dreams.ahead import ahead_dreams
from training.language.dreams.dream import Dream
from training.language.dreams.lanes import lane_dreams
from training.language.dreams.line import SPACING_M, Line, line_of
from training.language.dreams.objects import object_dreams
from training.language.dreams.obstacles import obstacles_near, scenery_of
from training.language.dreams.record import VX, VY, YAW_RATE, Record, X, Y, record_of
from training.language.dreams.roll_out import TAIL_TICKS, TICKS, Vehicle
from training.language.dreams.rolling import UNDERSTEER
from training.language.dreams.scene import NEAR_M, Others, Scene, StopLine
from training.language.dreams.speeds import speed_dreams
from training.language.dreams.things_seen import things_in_sight
from training.language.dreams.turns import turn_dreams
from training.language.surroundings.bodies import Body, bodies_around
from training.language.surroundings.town import town_of
from training.language.surroundings.visibility import Seen, seen_in

#: Columns of a row that dreams need, without pictures.
COLUMNS = (
    "frame", "tick", "stamp_ns", "view", "ego_x_m", "ego_y_m", "ego_z_m", "ego_yaw_rad", "ego_speed_mps", "command",
    "distance_to_command_m", "path_m", "speed_waypoints_m", "stops", "speed_limit_mps", "route_m", "steer", "boxes",
)  # fmt: skip
#: The expert's line begins so far behind the first frame, and a scene's part of it behind and ahead of the ego, m.
_BEFORE_M, _BEHIND_M, _AHEAD_M = 15.0, 12.0, 140.0
#: The first point of ``route_m`` lies so far ahead of the ego, m.
_FIRST_M = 2.5
#: Slower than this the wheel's angle is the commanded one: the yaw rate does not tell it, m/s.
_TELLS_MPS = 1.0


class RouteDreams:
    """The frames of one route that have 2.5 s of driving behind them; ``rows`` numbers the ego's views."""

    def __init__(self, route: Route, seed: int = 0) -> None:
        """Read a route.

        Raises:
            InvalidInputError: the route has no world log, or its map is missing.
        """
        self.route, self._seed = route, seed
        states = read(route, ["view", "actor_states", "light_states"])
        self.record = record_of(states, route.meta["actors"])
        self.numbers = [number for number, view in enumerate(states.column("view").to_pylist()) if view == EGO]
        table = read(route, list(COLUMNS)).take(self.numbers)
        self.rows: list[dict[str, Any]] = [loaded(row) for row in table.to_pylist()]
        self._boxes = [json.loads(row["boxes"]) for row in self.rows]
        self.town = town_of(route.map_path)
        self._scenery, self._scenery_ids = scenery_of(self.town.decor)
        self._opendrive_ids = {int(light["id"]): str(light["opendrive_id"]) for light in route.meta["lights"]}
        self._line, self._places = expert_line(self.rows)
        self._pictures: Any = None

    def dreamable(self, number: int) -> bool:
        """Whether the log reaches 2.5 s beyond frame ``number``."""
        return bool(self.rows[number]["tick"] + TICKS <= self.record.last_tick)

    def dreams(self, number: int) -> list[Dream]:
        """All dreams of frame ``number`` (of the ego's views, from 0); the same for equal seeds.

        Raises:
            InvalidInputError: the log ends within 2.5 s of it.
        """
        scene = self.scene(number)
        name = zlib.crc32(self.route.name.encode())
        return dreams_of(scene, np.random.default_rng((self._seed, name, int(scene.row["frame"]))))

    def scene(self, number: int) -> Scene:
        """Everything around frame ``number``."""
        if not self.dreamable(number):
            raise InvalidInputError(
                f"frame {self.rows[number]['frame']} of {self.route.name} lies within 2.5 s of the end: take an earlier one"
            )
        row, boxes = self.rows[number], self._boxes[number]
        ego = EgoState(row["stamp_ns"], row["ego_x_m"], row["ego_y_m"], row["ego_yaw_rad"], float(row["ego_speed_mps"]))
        line, place = self._line_at(number, ego)
        ego_id = next(int(box["id"]) for box in boxes if box["class"] == "ego_car")
        others = others_near(self.record, ego, int(row["tick"]), ego_id)
        bodies = self._bodies(row, boxes, ego)
        statics = obstacles_near(self._scenery, self._scenery_ids, bodies, ego)
        stop_lines = self._stop_lines(row)
        bare = Scene(
            row, ego, vehicle_of(row, self.record, ego_id), line, place, self.town.lanes, others, statics, stop_lines, (),
            float(row["speed_limit_mps"]),
        )  # fmt: skip
        things, unsure = things_in_sight(bare, bodies, self.seen(number), self.town, self._opendrive_ids)
        return replace(bare, things=things, unsure=unsure)

    def seen(self, number: int) -> Seen:
        """The surfaces in the picture of frame ``number``."""
        if self._pictures is None:
            self._pictures = read(self.route, ["semantic", "depth"]).take(self.numbers)
        semantic, depth = (self._pictures.column(name)[number].as_py()["bytes"] for name in ("semantic", "depth"))
        return seen_in(decode_semantic(semantic), decode_depth(depth))

    def _bodies(self, row: Mapping[str, Any], boxes: Sequence[Mapping[str, Any]], ego: EgoState) -> list[Body]:
        velocities = self.record.velocities(int(row["tick"]))
        return bodies_around(boxes, velocities, self.route.meta["actors"], self.town, ego, float(row["ego_z_m"]))

    def _line_at(self, number: int, ego: EgoState) -> tuple[Line, float]:
        """The expert's line around the ego, and the ego's place along it, m."""
        first = max(int((self._places[number] - _BEHIND_M) / SPACING_M), 0)
        part = slice(first, first + int((_BEHIND_M + _AHEAD_M) / SPACING_M))
        whole = self._line
        line = Line(
            whole.points[part], whole.yaw[part], whole.allowed_mps[part], whole.length_m - first * SPACING_M
        )  # fmt: skip
        near = Line(line.points[:80], line.yaw[:80], line.allowed_mps[:80], line.length_m)
        place, _ = near.locate(np.array([(ego.x, ego.y)]))
        return line, float(place[0])

    def _stop_lines(self, row: Mapping[str, Any]) -> tuple[StopLine, ...]:
        meta, tick = self.route.meta, int(row["tick"])
        pending = {int(stop["actor_id"]) for stop in row["stops"] if stop["reason"] == "stop_sign"}
        here = (row["ego_x_m"], row["ego_y_m"])
        found = []
        for light in meta["lights"]:
            near = [line for line in light["stop_lines"] if math.dist(line[:2], here) < NEAR_M]
            if near:
                states = self.record.light(int(light["id"]), tick, TICKS + TAIL_TICKS)
                found += [StopLine(x, y, yaw, int(light["id"]), states) for x, y, yaw in near]
        for sign in meta["stop_signs"]:
            if int(sign["id"]) in pending:
                near = [line for line in sign["stop_lines"] if math.dist(line[:2], here) < NEAR_M]
                found += [StopLine(x, y, yaw, int(sign["id"]), None) for x, y, yaw in near]
        return tuple(found)


def dreams_of(scene: Scene, rng: np.random.Generator) -> list[Dream]:
    """All dreams of a scene; each kind that means something there at least once."""
    return [
        *speed_dreams(scene, rng),
        *lane_dreams(scene, rng),
        *turn_dreams(scene),
        *ahead_dreams(scene, rng),
        *object_dreams(scene, rng),
    ]


def expert_line(rows: list[dict[str, Any]]) -> tuple[Line, list[float]]:
    """The line that the expert drove along, put together from what each frame holds of it.

    Returns:
        The line in the map frame, and each frame's place along it, m.
    """
    points: list[FloatArray] = []
    reached: list[float] = []  # index into the points of each frame's first point
    for row in rows:
        ego = EgoState(0, row["ego_x_m"], row["ego_y_m"], row["ego_yaw_rad"], 0.0)
        ahead = ego_to_map(np.asarray(row["route_m"], dtype=np.float64), ego)
        if not points:
            step = (ahead[0] - ahead[1]) / np.hypot(*(ahead[0] - ahead[1]))
            points += [ahead[0] + step * metres for metres in np.arange(_BEFORE_M, 0.0, -1.0)]
            reached.append(float(len(points)))
            points += list(ahead)
            continue
        begin = int(reached[-1]) - 3
        known = np.array(points[max(begin, 0) :])
        reached.append(max(begin, 0) + int(np.argmin(np.hypot(*(known - ahead[0]).T))))
        nearest = int(np.argmin(np.hypot(*(ahead - points[-1]).T)))
        beyond = float((ahead[nearest] - points[-1]) @ (points[-1] - points[-2])) > 0.3
        points += list(ahead[nearest + (not beyond) :])
    line = line_of(np.array(points))
    steps = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(np.array(points), axis=0).T))))
    return line, [float(steps[int(index)]) - _FIRST_M for index in reached]


def others_near(record: Record, ego: EgoState, tick: int, ego_id: int) -> Others:
    """Everybody within reach but the ego."""
    now = record.states[:, tick - record.first_tick]
    later = record.states[:, min(tick - record.first_tick + TICKS, record.states.shape[1] - 1)]
    gap, gap_later = (np.hypot(part[:, X] - ego.x, part[:, Y] - ego.y) for part in (now, later))
    gaps = np.fmin(gap, gap_later)  # of somebody who is not there at one of them, the other's
    near = [int(row) for row in np.flatnonzero(gaps < NEAR_M) if record.actors[row].id != ego_id]
    states = record.window(tick, TICKS + TAIL_TICKS, near)
    actors = tuple(record.actors[row] for row in near)
    half = np.array([(actor.half_length_m, actor.half_width_m) for actor in actors]).reshape(-1, 2)
    return Others(actors, states, half)


def vehicle_of(row: Mapping[str, Any], record: Record, ego_id: int) -> Vehicle:
    """The ego with its wheel and pedals, as its motion at the frame tells them."""
    number = record.row_of(ego_id)
    if number is None:
        raise InvalidInputError(f"the ego (actor {ego_id}) is not in the route's record; collect it again")
    index, speed = int(row["tick"]) - record.first_tick, float(row["ego_speed_mps"])
    actor, state = record.actors[number], record.states[number, index]
    before = record.states[number, index - 1] if index > 0 else state
    wheel = float(row["steer"]) * MAX_WHEEL_ANGLE
    wheelbase = Vehicle(0.0, 0.0, 0.0, 0.0).wheelbase_m
    if speed > _TELLS_MPS and np.isfinite(state[YAW_RATE]):
        wheel = math.atan(float(state[YAW_RATE]) / speed * wheelbase * (1.0 + UNDERSTEER * speed * speed))
    change = (math.hypot(state[VX], state[VY]) - math.hypot(before[VX], before[VY])) / TICK_S
    throttle, brake = pedals(change if math.isfinite(change) else 0.0, speed)
    return Vehicle(
        row["ego_x_m"], row["ego_y_m"], row["ego_yaw_rad"], speed, wheel, max(throttle, 0.0), max(brake, 0.0),
        actor.half_length_m, actor.half_width_m, wheelbase,
    )  # fmt: skip
