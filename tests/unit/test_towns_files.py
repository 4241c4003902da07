"""The towns' files: made by the generators, loaded whole or refused; decor clear of the streets."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import carla
import numpy as np
import pytest

from simlingo_sim import towns
from simlingo_sim.errors import SimulatorError
from simlingo_sim.towns import HELD_OUT_TOWN, TOWNS, Town, load, load_files
from simlingo_sim.towns.extras import read_extras
from simlingo_sim.towns.generate import PLANS, generate
from simlingo_sim.towns.generate.curves import Pose, connect, path_length, pose_along, rounded_polyline, trimmed

FOLDER = Path(towns.__file__).parent
ANY_LANE = carla.LaneType.Any


@pytest.fixture(scope="module", params=TOWNS)
def town(request: pytest.FixtureRequest) -> Town:
    return load(request.param)


@pytest.mark.medium
@pytest.mark.parametrize("name", TOWNS)
def test_committed_files_are_what_the_generators_write(name: str) -> None:
    for file_name, text in generate(name).items():
        committed = (FOLDER / name / file_name).read_text(encoding="utf-8")
        assert committed == text, f"run python -m simlingo_sim.towns.generate {name}"
        assert len(text) < 600_000


def test_every_town_has_a_script_and_no_other() -> None:
    assert tuple(PLANS) == TOWNS
    assert TOWNS[-1] == HELD_OUT_TOWN


# --- decor -----------------------------------------------------------------------------------------------------------


def outline(item: dict[str, Any], length: float, width: float) -> list[carla.Location]:
    """Places about 1.5 m apart on the edge of a turned rectangle."""
    yaw = math.radians(item["yaw_deg"])
    places = []
    for u in np.linspace(-length / 2.0, length / 2.0, math.ceil(length / 1.5) + 1):
        for v in np.linspace(-width / 2.0, width / 2.0, math.ceil(width / 1.5) + 1):
            if abs(u) == length / 2.0 or abs(v) == width / 2.0:
                x = item["x"] + u * math.cos(yaw) - v * math.sin(yaw)
                y = item["y"] + u * math.sin(yaw) + v * math.cos(yaw)
                places.append(carla.Location(float(x), float(y), 0.0))
    return places


def distance_to_lanes(town: Town, place: carla.Location, kinds: carla.LaneType) -> float:
    """m from the edge of the nearest lane of these kinds; negative on it."""
    waypoint = town.map.get_waypoint(place, True, kinds)
    flat = waypoint.transform.location
    return math.hypot(flat.x - place.x, flat.y - place.y) - waypoint.lane_width / 2.0


@pytest.mark.medium
def test_buildings_keep_a_metre_from_sidewalks(town: Town) -> None:
    for building in town.decor["buildings"]:
        for place in outline(building, building["length"], building["width"]):
            assert distance_to_lanes(town, place, ANY_LANE) > 0.95, building


def test_trees_poles_and_parked_cars_keep_a_metre_from_driving_lanes(town: Town) -> None:
    driving = carla.LaneType.Driving
    for item in [*town.decor["trees"], *town.decor["poles"]]:
        assert distance_to_lanes(town, carla.Location(item["x"], item["y"], 0.0), driving) > 1.2, item
        assert distance_to_lanes(town, carla.Location(item["x"], item["y"], 0.0), ANY_LANE) > 0.0, item
    for car in town.decor["parked_cars"]:
        for place in outline(car, 4.8, 2.0):
            assert distance_to_lanes(town, place, driving) > 1.0, car


def test_buildings_do_not_overlap_and_face_a_street(town: Town) -> None:
    buildings = town.decor["buildings"]
    facing = 0
    for index, one in enumerate(buildings):
        yaw = math.radians(one["yaw_deg"])
        for other in buildings[:index]:
            if math.hypot(one["x"] - other["x"], one["y"] - other["y"]) > 30.0:
                continue
            for place in outline(other, other["length"], other["width"]):
                dx, dy = place.x - one["x"], place.y - one["y"]
                along = abs(dx * math.cos(yaw) + dy * math.sin(yaw)) - one["length"] / 2.0
                across = abs(dy * math.cos(yaw) - dx * math.sin(yaw)) - one["width"] / 2.0
                assert max(along, across) > 0.0, (one, other)
        middle = carla.Location(one["x"], one["y"], 0.0)
        to_street = town.map.get_waypoint(middle, True, ANY_LANE).transform.location - middle
        facing += to_street.dot(carla.Rotation(yaw=one["yaw_deg"]).get_right_vector()) > 0.0
    assert facing > 0.9 * len(buildings)


def test_decor_has_enough_of_everything_and_its_own_looks(town: Town) -> None:
    decor = town.decor
    assert len(decor["buildings"]) >= 120
    assert 80 <= len(decor["trees"]) <= 300
    assert len(decor["poles"]) >= 40
    assert len(decor["parked_cars"]) >= 8
    styles = {building["style"] for building in decor["buildings"]}
    assert styles == ({4, 5, 6} if town.name == HELD_OUT_TOWN else {0, 1, 2, 3})
    assert decor["ground"] == ("paved" if town.name == HELD_OUT_TOWN else "grass")


def hides(town: Town, eye: carla.Location, head: carla.Location) -> bool:
    """Whether a building, a tree or a parked car stands on the straight line (seen from above)."""
    share = np.linspace(0.0, 1.0, 120)
    xs, ys = eye.x + share * (head.x - eye.x), eye.y + share * (head.y - eye.y)
    boxes = [(item, item["length"], item["width"]) for item in town.decor["buildings"]]
    boxes += [(item, 4.8, 2.0) for item in town.decor["parked_cars"]]
    boxes += [({**item, "yaw_deg": 0.0}, 2.0 * item["radius"], 2.0 * item["radius"]) for item in town.decor["trees"]]
    for item, length, width in boxes:
        yaw, dx, dy = math.radians(item["yaw_deg"]), xs - item["x"], ys - item["y"]
        along = np.abs(dx * math.cos(yaw) + dy * math.sin(yaw)) < length / 2.0
        if np.any(along & (np.abs(dy * math.cos(yaw) - dx * math.sin(yaw)) < width / 2.0)):
            return True
    return False


@pytest.mark.medium
def test_nothing_hides_a_signal_from_25_m_on(town: Town) -> None:
    heads = {mark.id: mark.transform.location for mark in town.map.get_all_landmarks()}
    for signal in town.extras.signals.values():
        for lane in signal.lane_ids:
            for back in (5.0, 15.0, 25.0):
                s = signal.stop_line.s + math.copysign(back, lane)
                if 0.0 < s < town.extras.street_lengths[signal.road_id]:
                    eye = town.map.get_waypoint_xodr(signal.road_id, lane, s).transform.location
                    assert not hides(town, eye, heads[signal.id]), (signal, back)


def test_kerb_polygons_enclose_the_lanes_of_their_junction(town: Town) -> None:
    polygons = {item["id"]: np.array(item["kerb"]) for item in town.decor["junctions"]}
    for start, _ in town.map.get_topology():
        if not start.is_junction:
            continue
        polygon = polygons[start.junction_id]
        middle = start.next(3.0)[0].transform.location
        ahead = np.roll(polygon, -1, axis=0)
        crosses = (polygon[:, 1] > middle.y) != (ahead[:, 1] > middle.y)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = polygon[:, 0] + (middle.y - polygon[:, 1]) / (ahead[:, 1] - polygon[:, 1]) * (ahead - polygon)[:, 0]
        assert np.count_nonzero(crosses & (at > middle.x)) % 2 == 1


# --- broken files ----------------------------------------------------------------------------------------------------


def test_an_unknown_town_is_refused_by_name() -> None:
    with pytest.raises(SimulatorError, match=r"unknown town 'Town01'.*gridtown"):
        load("Town01")


def write(folder: Path, xodr: str | None = None, decor: str | None = None) -> Town:
    """Load a town from gridtown's files with one of them replaced."""
    paths = folder / "gridtown.xodr", folder / "decor.json"
    for path, text in zip(paths, (xodr, decor), strict=True):
        original = (FOLDER / "gridtown" / path.name).read_text(encoding="utf-8")
        path.write_text(original if text is None else text, encoding="utf-8")
    return load_files("gridtown", *paths)


GRIDTOWN = (FOLDER / "gridtown" / "gridtown.xodr").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not xml",
        GRIDTOWN[: len(GRIDTOWN) // 2],
        "<OpenDRIVE></OpenDRIVE>",
        "<svg/>",
        GRIDTOWN.replace('<speed max="50" unit="km/h"/>', "", 1),
        GRIDTOWN.replace('<speed max="50" unit="km/h"/>', '<speed max="fast" unit="km/h"/>', 1),
        GRIDTOWN.replace('<speed max="50" unit="km/h"/>', '<speed max="nan" unit="km/h"/>', 1),
        GRIDTOWN.replace('unit="km/h"', 'unit="knots"', 1),
        GRIDTOWN.replace('name="StopLine"', 'name="Line"', 1),
        GRIDTOWN.replace('<control signalId="2"', '<control signalId="999"', 1),
    ],
)
def test_a_broken_map_names_the_file_and_the_cure(tmp_path: Path, text: str) -> None:
    with pytest.raises(SimulatorError, match=r"gridtown\.xodr.*towns\.generate gridtown"):
        write(tmp_path, xodr=text)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"ground": "grass"}', "null"])
def test_a_broken_decor_names_the_file_and_the_cure(tmp_path: Path, text: str) -> None:
    with pytest.raises(SimulatorError, match=r"decor\.json.*towns\.generate gridtown"):
        write(tmp_path, decor=text)


def test_a_missing_or_binary_file_names_the_file_and_the_cure(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match=r"nowhere\.xodr.*towns\.generate"):
        load_files("gridtown", tmp_path / "nowhere.xodr", FOLDER / "gridtown" / "decor.json")
    binary = tmp_path / "binary.xodr"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SimulatorError, match=r"binary\.xodr"):
        load_files("gridtown", binary, FOLDER / "gridtown" / "decor.json")


def test_whole_files_load(tmp_path: Path) -> None:
    town = write(tmp_path)
    assert town.map.name == "gridtown"
    assert town.decor == json.loads((FOLDER / "gridtown" / "decor.json").read_text(encoding="utf-8"))
    assert town.extras == read_extras(GRIDTOWN)


# --- curves ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end",
    [
        Pose(20.0, 0.0, 0.0),
        Pose(12.0, 12.0, math.pi / 2.0),
        Pose(15.0, -9.0, -math.pi / 2.0),
        Pose(20.0, 3.0, 0.0),
        Pose(20.0, 3.0, 0.3),
        Pose(14.0, 18.0, math.radians(130.0)),
        Pose(25.0, -0.5, math.radians(-8.0)),
    ],
)
def test_connect_ends_in_the_wanted_pose_without_kinks(end: Pose) -> None:
    start = Pose(0.0, 0.0, 0.0)
    path = connect(start, end)
    last = pose_along(path, path_length(path))
    assert (last.x, last.y) == pytest.approx((end.x, end.y), abs=1e-6)
    assert math.cos(last.heading - end.heading) == pytest.approx(1.0)
    assert pose_along(path, 0.0) == start
    for piece, following in pairwise(path):
        joint = piece.pose_at(piece.length)
        assert (joint.x, joint.y) == pytest.approx((following.start.x, following.start.y), abs=1e-9)
        assert math.cos(joint.heading - following.start.heading) == pytest.approx(1.0)


def test_rounded_polyline_keeps_ends_and_radius() -> None:
    path = rounded_polyline([(0.0, 0.0), (50.0, 0.0), (50.0, 60.0)], 20.0)
    assert [round(piece.length, 3) for piece in path] == [30.0, round(10.0 * math.pi, 3), 40.0]
    assert path[1].curvature == pytest.approx(1.0 / 20.0)
    end = pose_along(path, path_length(path))
    assert (end.x, end.y, end.heading) == pytest.approx((50.0, 60.0, math.pi / 2.0))


def test_a_street_too_short_for_its_junctions_is_refused() -> None:
    path = rounded_polyline([(0.0, 0.0), (20.0, 0.0), (20.0, 60.0)], 20.0)
    with pytest.raises(ValueError, match="control points"):
        trimmed(path, 11.0, 11.0)
