"""Scenes by hand: a straight road along x, the ego at the origin, and whoever a test puts there. Map frame = ego frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from simlingo.contracts import Command, EgoState, FloatArray
from training.language.dreams.line import line_of
from training.language.dreams.record import GREEN, RED, Actor
from training.language.dreams.roll_out import TAIL_TICKS, TICKS, Vehicle
from training.language.dreams.scene import Obstacles, Others, Scene, StopLine
from training.language.dreams.things import Thing
from training.language.surroundings.road import Beside, RoadLane, RoadMap, Side, road_of

LIMIT_MPS = 16.7
WIDTH_M = 3.5
OWN, RIGHT, FAR_RIGHT, ONCOMING = 0, 1, 2, 3
NOTHING = Side(Beside.NOTHING)


def lane(y_m: float, left: Side, right: Side, ends_m: float = 160.0, turned: bool = False, **more: Any) -> RoadLane:
    """A straight lane at ``y_m``, from 60 m behind the ego to ``ends_m``."""
    x = np.arange(-60.0, ends_m + 0.5)
    points = np.stack((x, np.full(len(x), y_m)), axis=1)
    settings = {"junction": False, "successors": (), "manoeuvre": Command.FOLLOW_LANE} | more
    yaw = np.full(len(x), math.pi if turned else 0.0)
    return RoadLane(points[::-1] if turned else points, yaw, WIDTH_M, left=left, right=right, **settings)


def road(may_cross: bool = True, oncoming: bool = True, ends_m: float = 160.0) -> RoadMap:
    """Three lanes of the ego's direction, the ego in the left one, and an oncoming lane on its left."""
    over = Side(Beside.ONCOMING, ONCOMING, False, WIDTH_M) if oncoming else NOTHING
    lanes = [
        lane(0.0, over, Side(Beside.SAME, RIGHT, may_cross, WIDTH_M), ends_m),
        lane(
            WIDTH_M,
            Side(Beside.SAME, OWN, may_cross, WIDTH_M),
            Side(Beside.SAME, FAR_RIGHT, may_cross, WIDTH_M),
            ends_m,
        ),
        lane(2 * WIDTH_M, Side(Beside.SAME, RIGHT, may_cross, WIDTH_M), NOTHING, ends_m),
    ]
    if oncoming:
        lanes.append(lane(-WIDTH_M, Side(Beside.ONCOMING, OWN, False, WIDTH_M), NOTHING, ends_m, turned=True))
    return road_of(tuple(lanes))


def user(
    number: int, x_m: float, y_m: float, speed_mps: float = 0.0, yaw_rad: float = 0.0, walker: bool = False
) -> Any:
    """Somebody with a steady velocity: the actor and its states of all ticks."""
    half = (0.2, 0.2) if walker else (2.4, 0.9)
    kind = "walker.pedestrian.0001" if walker else "vehicle.tesla.model3"
    seconds = 0.05 * np.arange(TICKS + TAIL_TICKS + 1)
    velocity = speed_mps * np.array((math.cos(yaw_rad), math.sin(yaw_rad)))
    states = np.zeros((len(seconds), 6))
    states[:, 0], states[:, 1] = x_m + velocity[0] * seconds, y_m + velocity[1] * seconds
    states[:, 2], states[:, 3], states[:, 4] = yaw_rad, velocity[0], velocity[1]
    return Actor(number, kind, *half), states


def scene(
    speed_mps: float,
    users: Sequence[Any] = (),
    around: RoadMap | None = None,
    stop_lines: Sequence[StopLine] = (),
    boxes: Sequence[Sequence[float]] = (),
    things: Sequence[Thing] = (),
    **row: Any,
) -> Scene:
    """The ego at ``speed_mps`` in its lane; the expert drives straight on at that speed."""
    seconds = 0.25 * np.arange(1, 11)
    columns: dict[str, Any] = {
        "frame": 7, "tick": 35, "command": int(Command.FOLLOW_LANE), "distance_to_command_m": 80.0, "stops": [],
        "path_m": np.stack((np.arange(20.0), np.zeros(20)), axis=1),
        "speed_waypoints_m": np.stack((speed_mps * seconds, np.zeros(10)), axis=1),
    }  # fmt: skip
    actors = tuple(actor for actor, _ in users)
    states = np.array([states for _, states in users]).reshape(len(users), TICKS + TAIL_TICKS + 1, 6)
    half = np.array([(actor.half_length_m, actor.half_width_m) for actor in actors]).reshape(-1, 2)
    obstacles = Obstacles(np.array(boxes, dtype=np.float64).reshape(-1, 5), tuple(900 + k for k in range(len(boxes))))
    line = line_of(np.array([(-12.0, 0.0), (140.0, 0.0)]))
    return Scene(
        columns | row, EgoState(0, 0.0, 0.0, 0.0, speed_mps), Vehicle(0.0, 0.0, 0.0, speed_mps), line, 12.0,
        around or road(), Others(actors, states, half), obstacles, tuple(stop_lines), tuple(things), LIMIT_MPS,
    )  # fmt: skip


def light(x_m: float, red: bool, number: int = 50) -> StopLine:
    """A light's stop line across the ego's lane."""
    return StopLine(x_m, 0.0, 0.0, number, np.full(TICKS + TAIL_TICKS + 1, RED if red else GREEN))


def thing(name: str, x_m: float, y_m: float, colour: str | None = None, number: int = 900, half: float = 0.2) -> Thing:
    """A thing that stands there."""
    return Thing(number, name, colour, x_m, y_m, 0.0, half, half, 0.0, x_m, y_m)


def end_speed(waypoints: FloatArray) -> float:
    """Speed (m/s) over the last quarter of a second."""
    return float(np.hypot(*(waypoints[-1] - waypoints[-2]))) / 0.25
