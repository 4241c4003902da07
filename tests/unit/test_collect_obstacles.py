"""Things on a collected route: the boxes say what stands where, and a route without them is the same as ever."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from collect_cases import Recording, record

from simlingo.contracts import EgoState
from simlingo.geometry import map_to_ego
from simlingo_drive.backends.base import CapabilityError
from simlingo_drive.backends.carla_server import CarlaBackend
from training.collect.boxes import BOX_RADIUS_M, static_class
from training.collect.settings import CollectSettings, RouteJob, route_job

JOB = RouteJob(0, "ringtown", 8, "clear_noon", 6, 0, "many")
STATIC = ("static", "static_car", "static_trafficwarning")


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return record(tmp_path_factory.mktemp("things"), JOB, frames=3, counterfactual=False, repaint=False)


def static_boxes(row: dict[str, Any]) -> dict[int, dict[str, Any]]:
    found = json.loads(row["boxes"]) if isinstance(row["boxes"], str) else row["boxes"]
    return {box["id"]: box for box in found if box["class"] in STATIC}


@pytest.mark.medium
def test_every_thing_near_the_ego_has_its_box(drive: Recording) -> None:
    props = {prop.id: prop for prop in drive.episode.session.world.props()}
    for row in drive.view("ego"):
        ego = EgoState(0, row["ego_x_m"], row["ego_y_m"], row["ego_yaw_rad"], 0.0)
        found = static_boxes(row)
        near = {
            number for number, prop in props.items()
            if math.hypot(prop.get_location().x - ego.x, prop.get_location().y - ego.y) < BOX_RADIUS_M
        }  # fmt: skip
        assert set(found) == near
        for number, box in found.items():
            prop = props[number]
            place, extent = prop.get_location(), prop.bounding_box.extent
            ahead, right = map_to_ego(np.array([[place.x, place.y]]), ego)[0]
            assert box["position"] == pytest.approx((ahead, right, place.z), abs=1e-3)
            assert box["extent"] == pytest.approx((extent.x, extent.y, extent.z), abs=1e-5)
            turned = math.radians(prop.get_transform().rotation.yaw) - ego.yaw
            assert math.remainder(box["yaw"] - turned, 2 * math.pi) == pytest.approx(0.0, abs=1e-4)
            assert (box["type_id"], box["speed"]) == (prop.type_id, 0.0)
            assert box["class"] == ("static_car" if prop.type_id == "static.prop.mesh" else box["class"])
            assert box["color"] == prop.attributes.get("color", "")


@pytest.mark.medium
def test_the_route_tells_of_all_things_and_their_places(drive: Recording) -> None:
    told = {thing["id"]: thing for thing in drive.route.meta["objects"]}
    props = drive.episode.session.world.props()
    assert set(told) == {prop.id for prop in props}
    assert len(props) > 100
    for prop in props[::9]:
        pose = prop.get_transform()
        assert told[prop.id]["pose"][:2] == pytest.approx((pose.location.x, pose.location.y), abs=1e-4)
        assert told[prop.id]["pose"][3] == pytest.approx(math.radians(pose.rotation.yaw), abs=1e-5)
        assert told[prop.id]["mesh_path"] == prop.attributes.get("mesh_path", "")


def test_classes_of_boxes_are_the_published_ones() -> None:
    car = "/Game/Carla/Static/Car/4Wheeled/ParkedVehicles/TeslaM3/SM_TeslaM3_parked.SM_TeslaM3_parked"
    assert static_class("static.prop.mesh", car) == "static_car"
    assert static_class("static.prop.trafficwarning", "") == "static_trafficwarning"
    assert static_class("static.prop.trafficcone01", "") == "static"


def test_a_share_of_the_routes_has_things_and_the_rest_of_a_route_is_drawn_as_before(tmp_path: Path) -> None:
    plain = [route_job(CollectSettings(tmp_path, seed=2), index) for index in range(200)]
    half = [route_job(CollectSettings(tmp_path, seed=2, obstacles=0.5), index) for index in range(200)]
    assert {job.obstacles for job in plain} == {"none"}
    counts = {name: sum(job.obstacles == name for job in half) for name in ("none", "some", "many")}
    assert 70 < counts["none"] < 130
    assert min(counts["some"], counts["many"]) > 25
    for one, other in zip(plain, half, strict=True):
        assert asdict(one) | {"obstacles": ""} == asdict(other) | {"obstacles": ""}
    assert CollectSettings(tmp_path, obstacles=0.5).card()["obstacles"] == 0.5


def test_a_server_refuses_by_name() -> None:
    with pytest.raises(CapabilityError, match="the world 'carla' cannot put things beside"):
        CarlaBackend().place_objects(None, "some", 1)
    CarlaBackend().place_objects(None, "none", 1)
