"""Scenes written by hand, and rows with drawn pictures, for the tests of questions."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from simlingo.contracts import MODEL_CAMERA, Command, FloatArray
from simlingo_drive.expert.causes import Cause
from training.datasets.schema import DEPTH_STEP
from training.language.questions.ask import every_question
from training.language.questions.question import Question
from training.language.questions.scene import Junction, Lanes, Plan, Scene, Thing, Way, Weather, Where
from training.language.surroundings.town import Pose, Town
from training.language.surroundings.visibility import pixel_of

CAR_TAG, PEDESTRIAN_TAG, SKY_TAG = 14, 12, 11
FAR_M = 600.0

PLAN = Plan(
    speed_mps=8.0, target_speed_mps=8.0, end_speed_mps=8.0, acceleration_mps2=0.0, cause=Cause.ROAD, cause_seen=True,
    bends=False, manoeuvre=Command.FOLLOW_LANE, manoeuvre_m=50.0,
)  # fmt: skip
LANES = Lanes(
    index=0, same=1, opposite=1, left_marking="broken yellow", right_marking="solid white",
    may_left=False, may_right=False, from_left=False, from_right=False,
)  # fmt: skip
#: The left one of two lanes.
LEFT_OF_TWO = replace(
    LANES,
    same=2,
    opposite=2,
    left_marking="solid yellow",
    right_marking="broken white",
    may_right=True,
    from_right=True,
)
CLEAR = Weather(cloudiness=10.0, precipitation=0.0, wetness=0.0, fog_density=0.0, sun_altitude_deg=60.0)


def line(*corners: tuple[float, float]) -> FloatArray:
    """Points half a metre apart along straight pieces."""
    pieces = [np.linspace(a, b, max(int(math.dist(a, b) * 2.0), 2)) for a, b in itertools.pairwise(corners)]
    return np.vstack(pieces)


AHEAD = line((0.0, 0.0), (45.0, 0.0))
_LEFT = line((0.0, 0.0), (11.0, 0.0), (11.0, -25.0))
_RIGHT = line((0.0, 0.0), (8.0, 0.0), (8.0, 25.0))
#: A crossroads whose middle lies 10 m ahead: our ways through it.
CROSSROADS = Junction(
    inside=False,
    distance_m=6.0,
    ways={
        Command.LEFT: Way(_LEFT, frozenset({"left", "ahead", "right"})),
        Command.RIGHT: Way(_RIGHT, frozenset({"left", "ahead"})),
        Command.STRAIGHT: Way(AHEAD, frozenset({"left", "ahead", "right"})),
    },
    offered=frozenset({Command.LEFT, Command.RIGHT, Command.STRAIGHT}),
)
INSIDE = replace(CROSSROADS, inside=True, distance_m=0.0)
#: A T-junction that does not go straight on.
TEE = Junction(
    False,
    6.0,
    {Command.LEFT: Way(_LEFT, frozenset({"left", "right"})), Command.RIGHT: Way(_RIGHT, frozenset({"left"}))},
    frozenset({Command.LEFT, Command.RIGHT}),
)


def scene(**changed: Any) -> Scene:
    """An empty road in fine weather; fields of the plan may be given as ``plan={...}``."""
    plan = replace(PLAN, **changed.pop("plan", {}))
    made = Scene(plan, CLEAR, 50.0 / 3.6, lanes=LANES, lanes_soon=LANES, road_line_m=AHEAD)
    return replace(made, **changed)


def weather(**changed: float) -> Weather:
    """Fine weather but for what is changed."""
    return replace(CLEAR, **changed)


def car(x: float = 15.0, y: float = 0.0, **changed: Any) -> Thing:
    """A red car that stands in our lane."""
    made = {"id": 7, "kind": "car", "position_m": (x, y), "colour": "red", "where": Where.OWN_LANE}
    return Thing(**(made | changed))


def walker(x: float = 15.0, y: float = 5.0, **changed: Any) -> Thing:
    """A pedestrian beside the road."""
    made = {
        "id": 9,
        "kind": "pedestrian",
        "position_m": (x, y),
        "extent_m": (0.25, 0.25, 0.88),
        "where": Where.BESIDE_RIGHT,
    }
    return Thing(**(made | changed))


def cone(x: float = 15.0, y: float = 0.0, **changed: Any) -> Thing:
    """A traffic cone in our lane."""
    made = {"id": 11, "kind": "traffic cone", "position_m": (x, y), "where": Where.OWN_LANE, "parked": True}
    return Thing(**(made | changed))


def asked(about: Scene, kind: str) -> list[Question]:
    """The questions of one type."""
    return [question for question in every_question(about) if question.type == kind]


def route_meta(roads: Town, places: Sequence[int], **changed: Any) -> dict[str, Any]:
    """What a route file would say of a route along lane places."""
    lanes = roads.graph.lanes
    waypoints = [
        [*roads.graph.positions[place], roads.yaw[place], int(lanes[roads.graph.lane_of[place]].manoeuvre)]
        for place in places
    ]
    return {"waypoints": waypoints, "actors": [], "lights": [], "stop_signs": []} | changed


def box_at(pose: Pose, actor_id: int, name: str = "car", **changed: Any) -> dict[str, Any]:
    """The box record of a car or pedestrian at a place of the map."""
    cos, sin = math.cos(pose.yaw), math.sin(pose.yaw)
    height = 0.88 if name == "walker" else 0.0
    matrix = [[cos, -sin, 0.0, pose.x], [sin, cos, 0.0, pose.y], [0.0, 0.0, 1.0, height], [0.0, 0.0, 0.0, 1.0]]
    extent = [0.25, 0.25, 0.88] if name == "walker" else [2.3, 0.9, 0.75]
    made = {"class": name, "id": actor_id, "extent": extent, "speed": 0.0, "matrix": matrix}
    return made | ({"type_id": "vehicle.tesla.model3"} if name == "car" else {}) | changed


def row_at(pose: Pose, boxes: Sequence[dict[str, Any]] = (), **changed: Any) -> dict[str, Any]:
    """A row of the ego's view at a place of the map, whose picture shows nothing but sky."""
    every = [
        {"class": "ego_car", "extent": [2.45, 0.92, 0.75]},
        {"class": "weather", "cloudiness": 10.0, "precipitation": 0.0, "wetness": 0.0, "fog_density": 0.0, "sun_altitude_angle": 60.0},
        *boxes,
    ]  # fmt: skip
    steps = np.arange(20.0)
    made: dict[str, Any] = {
        "frame": 3, "view": "ego", "semantic": np.full((512, 1024), SKY_TAG, np.uint8),
        "depth": np.full((128, 256), FAR_M, np.float32),
        "view_x_m": pose.x, "view_y_m": pose.y, "view_yaw_rad": pose.yaw, "ego_z_m": 0.0,
        "counterfactual": "", "counterfactual_detail": "", "speed_mps": 8.0,
        "path_m": np.stack((steps, 0.0 * steps), axis=1),
        "speed_waypoints_m": np.stack((2.0 * np.arange(1.0, 11.0), np.zeros(10)), axis=1),
        "target_speed_mps": 8.0, "cause": "road", "light_state": "none", "light_distance_m": None,
        "lead_distance_m": None, "speed_limit_mps": 50.0 / 3.6, "acceleration_mps2": 0.0, "junction": False,
        "cause_actor_id": None, "stops": [], "boxes": json.dumps(every), "actor_states": [],
    }  # fmt: skip
    return made | changed


def draw(row: dict[str, Any], position_m: tuple[float, float, float], half_m: tuple[float, float], tag: int) -> None:
    """Paints the near face of a box into a row's picture: its middle (x, y, z) m in the view, half width and height."""
    x, y, z = position_m
    corners = [pixel_of((x, y + side * half_m[0], z + up * half_m[1])) for side in (-1, 1) for up in (-1, 1)]
    at = [corner for corner in corners if corner is not None]
    left, right = (int(pick(corner[0] for corner in at)) for pick in (min, max))
    top, bottom = (int(pick(corner[1] for corner in at)) for pick in (min, max))
    left, right, top = max(left, 0), min(right, MODEL_CAMERA.width - 1), max(top, 0)
    row["semantic"][top : bottom + 1, left : right + 1] = tag
    rows, columns = (
        slice(-(-top // DEPTH_STEP), bottom // DEPTH_STEP + 1),
        slice(-(-left // DEPTH_STEP), right // DEPTH_STEP + 1),
    )
    row["depth"][rows, columns] = at[0][2]
