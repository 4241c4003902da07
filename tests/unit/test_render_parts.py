"""Parts of the renderer on their own: meshes, colours, polygons, cache folder, benchmark options."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import numpy as np
import pytest

from simlingo_sim.errors import SimulatorError
from simlingo_sim.render import bench
from simlingo_sim.render.instances import LAMP
from simlingo_sim.render.materials import Material, Tag, displayed_light, noise_table, tone_table
from simlingo_sim.render.mesh import MeshBuilder, Triangles
from simlingo_sim.render.road_mesh import triangulate
from simlingo_sim.render.shadow import ShadowMaps, sun_vector
from simlingo_sim.render.signal_mesh import LIT
from simlingo_sim.render.streets import shifted
from simlingo_sim.render.town_mesh import Layer, assemble
from simlingo_sim.render.vehicles import Lamp, vehicle_mesh
from simlingo_sim.render.walkers import walker_parts
from simlingo_sim.vehicle_models import VEHICLE_MODELS
from simlingo_sim.weather import WEATHERS


def outward_share(mesh: Triangles) -> float:
    """Share of the area whose normals point away from the upright axis through the middle."""
    mesh = mesh.select(np.flatnonzero(mesh.tags != Tag.ROAD))  # without the gloom under a car
    middle = mesh.vertices.mean(axis=1)
    area = np.linalg.norm(
        np.cross(mesh.vertices[:, 1] - mesh.vertices[:, 0], mesh.vertices[:, 2] - mesh.vertices[:, 0]), axis=1
    )
    center = np.array([0.0, 0.0, mesh.vertices[..., 2].mean()])
    away = ((middle - center) * mesh.normals).sum(axis=1) > -0.02
    return float(area[away].sum() / area.sum())


@pytest.mark.parametrize("kind", sorted(VEHICLE_MODELS))
def test_vehicles_have_their_size_and_face_outwards(kind: str) -> None:
    mesh, model = vehicle_mesh(kind), VEHICLE_MODELS[kind]
    size = np.ptp(mesh.vertices.reshape(-1, 3), axis=0)
    assert size[0] == pytest.approx(model.length, abs=0.15)
    assert size[1] == pytest.approx(model.width, abs=0.20)
    assert size[2] == pytest.approx(model.height, rel=0.16)
    assert mesh.vertices[..., 2].min() == pytest.approx(0.0, abs=0.06)
    # Riders' limbs stand beside the axis, and so do the rails of a ladder on a roof.
    share = 0.7 if model.wheels != 4 else 0.8 if kind == "vehicle.carlamotors.firetruck" else 0.85
    assert outward_share(mesh) > share
    assert (mesh.params == LAMP + Lamp.BRAKE).sum() >= 2
    assert len(mesh) < 420


def test_an_unknown_vehicle_is_drawn_as_the_ego() -> None:
    assert len(vehicle_mesh("vehicle.nobody.knows")) == len(vehicle_mesh("vehicle.lincoln.mkz_2020"))


def test_pedestrians_stand_on_their_soles() -> None:
    parts = walker_parts()
    heights = np.concatenate([part.mesh.vertices[..., 2].ravel() for part in parts])
    assert heights.min() == pytest.approx(0.0, abs=0.02)
    assert heights.max() == pytest.approx(1.75, abs=0.05)


def test_boxes_and_cylinders_wind_outwards() -> None:
    for shape in ("box", "cylinder"):
        builder = MeshBuilder()
        if shape == "box":
            builder.box((0.0, 0.0, 1.0), (2.0, 3.0, 2.0), (9, 9, 9), yaw=0.7, bottom=True)
        else:
            builder.cylinder((0.0, 0.0, 0.0), 1.0, 2.0, (9, 9, 9))
        assert outward_share(builder.build()) == 1.0


def test_triangles_without_area_are_left_out() -> None:
    builder = MeshBuilder()
    builder.triangle((0, 0, 0), (1, 0, 0), (2, 0, 0), (9, 9, 9), Material.FLAT, Tag.STATIC)
    assert len(builder.build()) == 0


def test_a_polygon_with_dents_is_filled_exactly() -> None:
    star = [
        ((3.0 if i % 2 else 8.0) * math.cos(i * math.pi / 5), (3.0 if i % 2 else 8.0) * math.sin(i * math.pi / 5), 0.0)
        for i in range(10)
    ]
    ears = triangulate(star[::-1])
    wanted = 0.5 * abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(star, [*star[1:], star[0]], strict=True)))
    areas = [0.5 * ((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])) for a, b, c in ears]
    assert min(areas) > 0.0
    assert sum(areas) == pytest.approx(wanted)


def test_a_shifted_line_lies_to_the_right() -> None:
    assert shifted([(0.0, 0.0, 0.0), (10.0, 0.0, 0.0)], 2.0) == [(0.0, 2.0, 0.0), (10.0, 2.0, 0.0)]


def test_chunks_hold_every_triangle_once_within_their_boxes() -> None:
    builder = MeshBuilder()
    for i in range(40):
        builder.box((17.0 * i, -31.0 * i, 1.0), (2.0, 2.0, 2.0), (9, 9, 9))
    mesh = assemble([Layer(builder.build(), 100.0), Layer(vehicle_mesh("vehicle.audi.a2"), 50.0)])
    counted = np.concatenate([np.arange(a, b) for a, b in zip(mesh.starts, mesh.ends, strict=True)])
    assert (counted == np.arange(len(mesh.triangles))).all()
    for box, start, end in zip(mesh.boxes, mesh.starts, mesh.ends, strict=True):
        corners = mesh.triangles.vertices[start:end].reshape(-1, 3)
        assert (corners >= box[:3]).all()
        assert (corners <= box[3:]).all()


def test_lamps_show_the_very_colour_asked_for() -> None:
    table = tone_table()
    assert (np.diff(table.astype(int)) >= 0).all()
    for color in LIT:
        light = np.array(displayed_light(color, table))
        shown = table[(light * len(table) / 2.0).astype(int)]
        assert np.abs(shown.astype(int) - color).max() <= 1


def test_noise_is_the_same_everywhere_and_without_drift() -> None:
    table = noise_table()
    assert abs(float(table.mean())) < 6.0
    assert (table == noise_table()).all()


def test_the_sun_stands_where_the_weather_says() -> None:
    weather = WEATHERS["clear_noon"]
    sun = sun_vector(weather)
    assert math.degrees(math.asin(sun[2])) == pytest.approx(weather.sun_altitude_angle)
    assert math.degrees(math.atan2(sun[1], sun[0])) % 360.0 == pytest.approx(weather.sun_azimuth_angle)


def test_the_shadow_region_moves_in_whole_steps_and_covers_what_lies_ahead() -> None:
    sun = sun_vector(WEATHERS["clear_noon"])
    corners = set()
    for x in np.arange(0.0, 15.0, 1.0):
        view = ShadowMaps.view(np.array([x, 3.0, 2.0, 1, 0, 0, 0, 1, 0, 0, 0, 1.0]), sun, 1.0)
        corners.add(tuple(view[:2]))
        assert view[0] < x - 8.0
        assert view[0] + 1024 / view[2] > x + 80.0
    assert len(corners) <= 2


@pytest.mark.medium
def test_the_benchmark_writes_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    file = tmp_path / "render.json"
    assert bench.run(parser.parse_args(["--frames", "2", "--size", "64x32", "--json", str(file)])) == 0
    figures = json.loads(file.read_text())
    assert (figures["triangles"], figures["cars"], figures["walkers"]) == (22_000, 30, 20)
    assert all(row["frames_per_cpu_second"] > 0.0 for row in figures["results"])
    assert "64x32" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == [file]


def test_the_benchmark_refuses_a_size_it_cannot_read() -> None:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    with pytest.raises(SimulatorError, match="448x224"):
        bench.run(parser.parse_args(["--size", "big"]))
