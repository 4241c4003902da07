"""What is around a frame, read once for dreams and questions: bodies, and how much of them the picture shows."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from dream_cases import light, scene
from question_cases import CAR_TAG, SKY_TAG, box_at, draw, row_at

from simlingo.contracts import EgoState
from simlingo.geometry import ego_to_map
from simlingo_sim import towns
from training.language.dreams.line import line_of
from training.language.dreams.obstacles import obstacles_near, scenery_of
from training.language.dreams.scene import Scene, StopLine
from training.language.dreams.things import LIGHT, Thing
from training.language.dreams.things_seen import things_in_sight
from training.language.surroundings.bodies import FIRST_PARKED_ID, Body, bodies_around
from training.language.surroundings.town import Pose, Town
from training.language.surroundings.visibility import SEEN_SAMPLES, seen_in

pytestmark = pytest.mark.medium
HERE = EgoState(0, 0.0, 0.0, 0.0, 5.0)


@pytest.fixture(scope="module")
def town() -> Town:
    """gridtown."""
    drawn = towns.load("gridtown")
    return Town(drawn.xodr_text, drawn.decor)


def body(number: int, x: float, y: float, kind: str = "car", **more: Any) -> Body:
    return Body(number, kind, "red", Pose(x, y, 0.0), (2.3, 0.9, 0.75), **more)


def sight(
    case: Scene, bodies: list[Body], row: dict[str, Any], town: Town, ids: dict[int, str] | None = None
) -> tuple[dict[int, Thing], frozenset[str]]:
    """Things by id, and the names of which more may be there."""
    seen = seen_in(row["semantic"], row["depth"])
    bare = replace(case, row={**case.row, "ego_z_m": 0.0})
    things, unsure = things_in_sight(bare, bodies, seen, town, ids or {})
    return {thing.actor_id: thing for thing in things}, unsure


def test_who_is_drawn_is_spoken_of_and_who_is_hidden_is_not(town: Town) -> None:
    row = row_at(Pose(0.0, 0.0, 0.0))
    bodies = [body(1, 15.0, 0.0), body(2, 25.0, 8.0, "van", stands=True), body(3, 20.0, -8.0, "bus")]
    assert sight(scene(5.0), bodies, row, town) == ({}, frozenset())
    draw(row, (12.7, 0.0, 0.75), (0.9, 0.75), CAR_TAG)
    draw(row, (22.7, 8.0, 0.75), (0.9, 0.75), CAR_TAG)
    things, unsure = sight(scene(5.0), bodies, row, town)
    assert [(thing.name, thing.colour) for thing in things.values()] == [("car", "red"), ("parked van", "red")]
    assert things[1].along_m == pytest.approx(15.0)
    assert things[2].place == "right"
    assert not unsure
    row["semantic"][:] = SKY_TAG  # at the same depth there is something else: a depth alone shows nothing
    assert sight(scene(5.0), bodies, row, town) == ({}, frozenset())


def test_half_seen_and_far_things_are_neither_spoken_of_nor_absent(town: Town) -> None:
    row = row_at(Pose(0.0, 0.0, 0.0))
    far, half = body(1, 55.0, 0.0, "bus"), body(2, 20.0, 5.0, "car", stands=True)
    draw(row, (52.7, 0.0, 0.75), (0.9, 0.75), CAR_TAG)
    draw(row, (17.7, 5.0, 0.75), (0.05, 0.05), CAR_TAG)
    assert 0 < half.samples(seen_in(row["semantic"], row["depth"]), HERE) < SEEN_SAMPLES
    assert sight(scene(5.0), [far, half], row, town) == ({}, {"bus", "parked car"})


def test_a_light_is_spoken_of_where_a_lens_of_its_state_is_lit(town: Town) -> None:
    signal, head = next((key, heads[0]) for key, heads in town.heads.items() if heads[0][2] > 2.0)
    ego = EgoState(0, head[0] - 20.0, head[1], 0.0, 5.0)
    line = line_of(ego_to_map(np.array([(-12.0, 0.0), (100.0, 0.0)]), ego))
    red = light(0.0, red=True)
    stop = StopLine(ego.x + 15.0, ego.y, 0.0, red.actor_id, red.states)
    case = replace(scene(5.0, stop_lines=[stop]), ego=ego, line=line, place_m=12.0)
    row, ids = row_at(Pose(ego.x, ego.y, 0.0)), {red.actor_id: signal}
    assert sight(case, [], row, town, ids) == ({}, frozenset())
    draw(row, (20.0, 0.0, head[2]), (0.2, 0.2), 103)
    assert sight(case, [], row, town, ids) == ({}, {LIGHT})  # it is green: another one's
    draw(row, (20.0, 0.0, head[2]), (0.2, 0.2), 101)
    things, unsure = sight(case, [], row, town, ids)
    assert [(thing.name, thing.actor_id) for thing in things.values()] == [(LIGHT, red.actor_id)]
    assert not unsure


def test_boxes_are_read_with_their_middles_velocities_and_names(town: Town) -> None:
    boxes = [
        box_at(Pose(10.0, 0.0, math.pi / 2.0), 1),
        box_at(Pose(5.0, 5.0, 0.0), 2, "walker"),
        box_at(Pose(8.0, 0.0, 0.0), 3, "static_car", type_id="static.prop.mesh", mesh_path="/Car/x", color="0,0,0"),
        {"class": "weather"},
    ]
    actors = [
        {"id": 1, "type_id": "vehicle.tesla.model3", "box_centre_m": [0.5, 0.0, 0.8], "color": "180,10,10"},
        {"id": 2, "type_id": "walker.pedestrian.0001", "box_centre_m": [0.0, 0.0, 0.0]},
    ]
    car, walker, parked = bodies_around(boxes, {2: (0.0, 1.5)}, actors, town, EgoState(0, 1e4, 1e4, 0.0, 0.0), 0.0)
    assert (car.pose.x, car.pose.y) == pytest.approx((10.0, 0.5))
    assert (car.kind, car.colour, car.stands, car.foot_m) == ("car", "red", False, pytest.approx(0.05))
    assert (walker.kind, walker.colour, walker.velocity_mps, walker.foot_m) == (
        "pedestrian",
        "",
        (0.0, 1.5),
        pytest.approx(0.0),
    )
    assert (parked.kind, parked.colour, parked.stands) == ("car", "black", True)


def test_parked_cars_of_a_town_have_the_looks_that_are_drawn_and_ids(town: Town) -> None:
    at = town.parked[3].pose
    found = bodies_around([], {}, [], town, EgoState(0, at.x, at.y, 0.0, 0.0), 0.0)
    mine = next(each for each in found if each.id == FIRST_PARKED_ID - 3)
    assert mine.pose == at
    assert all(math.dist((each.pose.x, each.pose.y), (at.x, at.y)) < 64.0 for each in found)
    boxes, ids = scenery_of(town.decor)
    put = body(7, at.x + 5.0, at.y, stands=True)
    obstacles = obstacles_near(boxes, ids, [*found, put, body(8, at.x + 9.0, at.y)], EgoState(0, at.x, at.y, 0.0, 0.0))
    assert obstacles.ids.count(mine.id) == 1
    assert 7 in obstacles.ids
    assert 8 not in obstacles.ids
    assert obstacles.boxes[obstacles.ids.index(mine.id), :2] == pytest.approx((at.x, at.y))


def test_a_town_is_made_once(tmp_path: Any, town: Town) -> None:
    assert town.lanes is town.lanes
    assert len(town.lanes.lanes) == len(town.graph.lanes)
