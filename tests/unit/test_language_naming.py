"""What things are called: by blueprint, by the mesh of a parked vehicle, and by paint."""

from __future__ import annotations

import pytest

from simlingo_sim.object_models import MESH_BLUEPRINT, OBJECT_MODELS, PARKED_VEHICLES
from simlingo_sim.vehicle_models import VEHICLE_MODELS
from training.language.languages import language
from training.language.naming import VEHICLES, colour_of, name_of, paint_of


@pytest.mark.parametrize(
    ("type_id", "name"),
    [
        ("vehicle.carlamotors.european_hgv", "truck"), ("vehicle.dodge.charger_police", "police car"),
        ("vehicle.ford.ambulance", "ambulance"), ("vehicle.carlamotors.firetruck", "fire engine"),
        ("vehicle.ford.crown", "taxi"), ("vehicle.unknown.thing", "car"), ("walker.pedestrian.0007", "pedestrian"),
        ("static.prop.constructioncone", "cone"), ("static.prop.warningaccident", "warning sign"),
        ("static.prop.trashcan03", "bin"), ("static.prop.glasscontainer", "bin"), ("static.prop.creasedbox01", "box"),
        ("static.prop.mailbox", "obstacle"), ("static.prop.kiosk_01", "obstacle"),
    ],
)  # fmt: skip
def test_blueprints_have_names(type_id: str, name: str) -> None:
    assert name_of(type_id) == name


def test_a_parked_vehicle_is_called_by_what_it_looks_like() -> None:
    found = {name_of(MESH_BLUEPRINT, mesh): type_id for mesh, type_id in PARKED_VEHICLES.items()}
    assert {"car", "van", "taxi", "police car", "ambulance"} == set(found)
    assert all(name_of(MESH_BLUEPRINT, mesh) == name_of(type_id) for mesh, type_id in PARKED_VEHICLES.items())
    assert name_of(MESH_BLUEPRINT, "/Game/Carla/Static/Car/4Wheeled/Other/SM_Other.SM_Other") == "car"
    assert name_of(MESH_BLUEPRINT, "/Game/Carla/Static/Static/SM_Thing.SM_Thing") == "obstacle"


def test_the_language_has_a_word_for_everything_that_the_world_has() -> None:
    classes = language().objects.classes
    for type_id in (*VEHICLE_MODELS, *OBJECT_MODELS):
        name = name_of(type_id)
        assert name.replace(" ", "_") in classes, type_id
        assert (name in VEHICLES) == type_id.startswith("vehicle.")


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((200, 20, 20), "red"), ((17, 37, 103), "blue"), ((240, 240, 240), "white"), ((12, 12, 14), "black"),
        ((120, 122, 125), "grey"), ((20, 120, 40), "green"), ((230, 200, 30), "yellow"), ((230, 110, 20), "orange"),
        ((90, 60, 40), "brown"), ((220, 190, 145), "beige"), ((130, 40, 150), "purple"),
        ((205, 205, 205), ""), ((110, 90, 85), ""),
    ],
)  # fmt: skip
def test_colours_have_names_where_people_would_agree(rgb: tuple[int, int, int], name: str) -> None:
    assert colour_of(*rgb) == name
    assert name == "" or name in language().objects.colours
    assert paint_of(",".join(map(str, rgb))) == name


def test_no_paint_has_no_name() -> None:
    assert paint_of("") == ""
