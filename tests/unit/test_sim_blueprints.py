"""Blueprints: names, attributes, and what is said about wrong ones."""

from __future__ import annotations

import pytest

from simlingo_sim import SimulatorError
from simlingo_sim.blueprints import make_library, paint_of
from simlingo_sim.vehicle_models import EGO_BLUEPRINT, VEHICLE_MODELS


def test_the_library_holds_every_kind_once() -> None:
    ids = [blueprint.id for blueprint in make_library()]
    assert len(ids) == len(set(ids))
    for wildcard, least in (
        ("vehicle.*", 12),
        ("walker.pedestrian.*", 10),
        ("sensor.camera.*", 3),
        ("static.prop.*", 1),
    ):
        assert len(make_library().filter(wildcard)) >= least
    assert EGO_BLUEPRINT in ids


def test_sizes_cover_bicycles_to_buses_and_fit_the_lane() -> None:
    kinds = {model.base_type for model in VEHICLE_MODELS.values()}
    assert kinds == {"car", "van", "truck", "bus", "motorcycle", "bicycle"}
    for model in VEHICLE_MODELS.values():
        assert 1.0 < model.wheelbase < model.length < 12.0
        assert 0.4 < model.width < 2.6


def test_find_gives_a_copy() -> None:
    library = make_library()
    library.find(EGO_BLUEPRINT).set_attribute("role_name", "hero")
    assert library.find(EGO_BLUEPRINT).get_attribute("role_name").as_str() == "autopilot"


def test_attributes_convert() -> None:
    camera = make_library().find("sensor.camera.rgb")
    camera.set_attribute("image_size_x", "1024")
    camera.set_attribute("fov", "110")
    assert camera.get_attribute("image_size_x").as_int() == 1024
    assert camera.get_attribute("fov").as_float() == 110.0
    assert camera.has_attribute("fov")
    assert not camera.has_attribute("focal")
    assert camera.get_attribute("fov") == "110"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("vehicle.lincoln.mkz2020", EGO_BLUEPRINT),
        ("sensor.camera.rbg", "sensor.camera.rgb"),
        ("walker.pedestrian.001", "walker.pedestrian.0001"),
    ],
)
def test_an_unknown_blueprint_names_the_nearest(name: str, near: str) -> None:
    with pytest.raises(SimulatorError) as error:
        make_library().find(name)
    assert name in str(error.value)
    assert near in str(error.value)


def test_an_unknown_attribute_names_the_valid_ones() -> None:
    with pytest.raises(SimulatorError, match=r"'image_size'.*image_size_x"):
        make_library().find("sensor.camera.rgb").set_attribute("image_size", "10")


def test_a_value_of_another_kind_is_refused() -> None:
    with pytest.raises(SimulatorError, match="needs int"):
        make_library().find("sensor.camera.rgb").set_attribute("image_size_x", "wide")


def test_a_fixed_attribute_stays() -> None:
    with pytest.raises(SimulatorError, match="cannot be changed"):
        make_library().find(EGO_BLUEPRINT).set_attribute("base_type", "truck")


@pytest.mark.parametrize("color", ["red", "1,2", "1,2,x"])
def test_a_color_that_is_none_is_refused(color: str) -> None:
    with pytest.raises(SimulatorError, match="three numbers"):
        paint_of({"color": color})


def test_a_color_is_cut_to_bytes() -> None:
    assert paint_of({"color": "300,-5,20"}) == (255, 0, 20)
