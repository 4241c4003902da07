"""Things of the embedded world: each can be put somewhere, has a box of its size, is hit, and is drawn where it stands."""

from __future__ import annotations

import math
from typing import Any

import carla
import numpy as np
import pytest
from sim_world import EGO, far_from_town, fresh_world, spawn

from simlingo_sim import SimulatorError, World
from simlingo_sim.blueprints import ActorBlueprint
from simlingo_sim.object_models import MESH_BLUEPRINT, OBJECT_MODELS, PARKED_VEHICLES, mesh_path_of
from simlingo_sim.prop import Prop
from simlingo_sim.render.contact_sheet import bare_ground
from simlingo_sim.render.materials import Tag
from simlingo_sim.render.object_mesh import object_mesh
from simlingo_sim.render.renderer import Renderer
from simlingo_sim.render.scene import PropVisual, SceneFrame, VehicleVisual
from simlingo_sim.vehicle_models import VEHICLE_MODELS, traffic_models

KINDS = [*sorted(OBJECT_MODELS), *(f"parked {kind}" for kind in PARKED_VEHICLES.values())]
SIDE, FOV_DEG = 160, 60.0


def blueprint_of(world: World, kind: str, color: str = "200,20,20") -> ActorBlueprint:
    library = world.get_blueprint_library()
    if not kind.startswith("parked "):
        return library.find(kind)
    blueprint = library.find(MESH_BLUEPRINT)
    blueprint.set_attribute("mesh_path", mesh_path_of(kind.removeprefix("parked ")))
    blueprint.set_attribute("color", color)
    return blueprint


def size_of(kind: str) -> tuple[float, float, float]:
    model: Any = VEHICLE_MODELS.get(kind.removeprefix("parked ")) or OBJECT_MODELS[kind]
    return model.length, model.width, model.height


@pytest.fixture(scope="module")
def world() -> World:
    return fresh_world("ringtown")


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return bare_ground()


def test_carlas_names_are_there() -> None:
    for name in (
        "trafficcone01", "trafficcone02", "constructioncone", "streetbarrier", "trafficwarning", "warningconstruction",
        "warningaccident", "bin", "trashcan01", "trashcan05", "box01", "box03", "bench01", "bench03", "busstop",
    ):  # fmt: skip
        assert f"static.prop.{name}" in OBJECT_MODELS
    for name in (
        "dodge.charger_police", "ford.ambulance", "mitsubishi.fusorosa", "carlamotors.firetruck", "vespa.zx125",
        "bh.crossbike", "mercedes.sprinter",
    ):  # fmt: skip
        assert f"vehicle.{name}" in VEHICLE_MODELS


@pytest.mark.parametrize("kind", KINDS)
def test_it_stands_where_it_was_put_with_a_box_of_its_size(world: World, kind: str) -> None:
    prop = world.spawn_actor(blueprint_of(world, kind), far_from_town(900.0, 40.0, 30.0))
    assert isinstance(prop, Prop)
    extent, place = prop.bounding_box.extent, prop.get_transform()
    assert 2 * np.array((extent.x, extent.y, extent.z)) == pytest.approx(size_of(kind), abs=1e-5)
    assert (prop.bounding_box.location.z, place.location.x, place.rotation.yaw) == pytest.approx(
        (extent.z, 900.0, 30.0)
    )
    assert prop.type_id == (MESH_BLUEPRINT if kind.startswith("parked ") else kind)
    if kind.startswith("parked "):
        assert prop.attributes["color"] == "200,20,20"
    assert prop.destroy()


@pytest.mark.parametrize("kind", sorted(OBJECT_MODELS))
def test_its_shape_fills_its_box(kind: str) -> None:
    mesh, model = object_mesh(kind), OBJECT_MODELS[kind]
    own = mesh.vertices[mesh.tags == model.tag].reshape(-1, 3)
    low, high = own.min(axis=0), own.max(axis=0)
    assert high - low == pytest.approx((model.length, model.width, model.height), abs=0.12)
    assert (low + high)[:2] == pytest.approx((0.0, 0.0), abs=0.12)
    assert low[2] == pytest.approx(0.0, abs=0.02)
    assert high[2] <= model.height + 0.01
    assert len(mesh) < 250


@pytest.mark.medium
def test_a_car_driven_into_it_hits_it_by_name(world: World) -> None:
    events: list[Any] = []
    ego = spawn(world, far_from_town(1000.0, 0.0), EGO)
    sensor = world.spawn_actor(
        world.get_blueprint_library().find("sensor.other.collision"), carla.Transform(), attach_to=ego
    )
    sensor.listen(events.append)
    for kind in KINDS:
        half = max(size_of(kind)[:2]) / 2
        prop = world.spawn_actor(blueprint_of(world, kind), far_from_town(1000.0 + 2.45 + half + 0.3, 0.0))
        ego.set_transform(far_from_town(1000.0, 0.0))
        ego.set_target_velocity(carla.Vector3D(6.0, 0.0, 0.0))
        events.clear()
        for _ in range(12):
            world.tick()
            if events:
                break
        assert {event.other_actor.id for event in events} == {prop.id}, kind
        assert events[0].other_actor.type_id == prop.type_id
        assert math.hypot(events[0].normal_impulse.x, events[0].normal_impulse.y) > 1000.0
        assert prop.destroy()
    ego.set_transform(far_from_town(1000.0, 0.0))
    events.clear()
    world.tick()
    assert not events, "what was taken away is not hit"
    ego.destroy()


def picture(renderer: Renderer, frame: SceneFrame, size: tuple[float, float, float]) -> dict[str, Any]:
    """From 9 m before it, at half its height."""
    camera = carla.Transform(carla.Location(9.0, 0.0, size[2] / 2), carla.Rotation(yaw=180.0))
    return renderer.render(camera, SIDE, SIDE, FOV_DEG, frame, ("rgb", "semantic", "depth"))


def projected(size: tuple[float, float, float]) -> np.ndarray:
    """(SIDE, SIDE) where the front of its box is in the picture."""
    focal = SIDE / (2.0 * math.tan(math.radians(FOV_DEG) / 2.0))
    scale = focal / (9.0 - size[0] / 2)
    half_w, half_h = (max(part * scale / 2, 1.0) for part in (size[1], size[2]))
    rows, columns = np.mgrid[0:SIDE, 0:SIDE] + 0.5 - SIDE / 2
    return np.asarray((np.abs(columns) <= half_w + 1) & (np.abs(rows) <= half_h + 1))


@pytest.mark.medium
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_drawn_in_its_tag_where_it_stands(world: World, renderer: Renderer, kind: str) -> None:
    prop = world.spawn_actor(blueprint_of(world, kind), carla.Transform())
    assert isinstance(prop, Prop)
    size, tag = size_of(kind), prop.semantic_tags[0]
    made = picture(renderer, SceneFrame(world.weather, props=[prop.visual()]), size)
    inside, seen = projected(size), made["semantic"] == tag
    assert seen[inside].sum() > 0.12 * inside.sum(), "it stands in its place"
    assert not seen[~inside].any(), "and nothing else has its tag"
    assert made["depth"][seen].min() == pytest.approx(9.0 - size[0] / 2, abs=0.3)
    prop.destroy()


def test_the_paint_of_a_parked_car_shows(world: World, renderer: Renderer) -> None:
    red, blue = (
        world.spawn_actor(blueprint_of(world, "parked vehicle.tesla.model3", paint), far_from_town(0.0, y))
        for paint, y in (("200,20,20", -2.0), ("20,40,200", 2.0))
    )
    assert isinstance(red, Prop)
    assert isinstance(blue, Prop)
    for prop, channel in ((red, 0), (blue, 2)):
        visual = prop.visual()
        shown = SceneFrame(world.weather, props=[type(visual)(visual.kind, 0.0, 0.0, 0.0, 0.0, visual.color)])
        made = picture(renderer, shown, size_of("parked vehicle.tesla.model3"))
        mean = made["rgb"][made["semantic"] == Tag.CAR].mean(axis=0)
        assert mean[channel] > 1.5 * max(np.delete(mean, channel))
        prop.destroy()


def test_tags_are_carlas(world: World) -> None:
    for kind, tag in (
        ("static.prop.trafficcone01", Tag.DYNAMIC), ("static.prop.bench01", Tag.STATIC),
        ("static.prop.dirtdebris01", Tag.OTHER), ("parked vehicle.mini.cooper_s", Tag.CAR),
        ("parked vehicle.ford.ambulance", Tag.TRUCK),
    ):  # fmt: skip
        prop = world.spawn_actor(blueprint_of(world, kind), far_from_town())
        assert prop.semantic_tags == [int(tag)]
        prop.destroy()
    fire_engine = spawn(world, far_from_town(), "vehicle.carlamotors.firetruck")
    assert fire_engine.semantic_tags == [int(Tag.TRUCK)]
    fire_engine.destroy()


def test_a_mesh_or_a_colour_that_is_none_is_refused(world: World) -> None:
    blueprint = blueprint_of(world, "parked vehicle.tesla.model3")
    blueprint.set_attribute("mesh_path", "/Game/Carla/Static/Car/Tesla")
    with pytest.raises(SimulatorError, match="unknown mesh_path"):
        world.spawn_actor(blueprint, far_from_town())
    with pytest.raises(SimulatorError, match="three numbers"):
        world.spawn_actor(blueprint_of(world, "parked vehicle.tesla.model3", "red"), far_from_town())


def test_without_things_a_picture_is_the_same_whatever_was_drawn_before(renderer: Renderer) -> None:
    world = fresh_world("ringtown")
    assert world.scene().props == []
    frame = SceneFrame(world.weather, [VehicleVisual(EGO, 0.0, 0.0, 0.0)])
    fresh = bare_ground()
    before = picture(fresh, frame, (4.9, 1.84, 1.49))["rgb"]
    picture(
        renderer, SceneFrame(world.weather, props=[PropVisual("static.prop.bench01", 0.0, 0.0, 0.0)]), (1.0, 1.0, 1.0)
    )
    again = picture(renderer, frame, (4.9, 1.84, 1.49))["rgb"]
    assert (before == again).all()


def test_traffic_is_made_of_the_same_kinds_as_ever() -> None:
    assert [model.type_id for model in traffic_models()] == list(VEHICLE_MODELS)[:16]
    assert traffic_models()[-1].type_id == "vehicle.diamondback.century"
