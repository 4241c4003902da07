"""Where things appear: projection, occlusion, depth and tags of scenes whose answer is known."""

from __future__ import annotations

import math

import carla
import numpy as np
import pytest

from simlingo_sim.errors import SimulatorError
from simlingo_sim.render.materials import Material, Tag
from simlingo_sim.render.mesh import MeshBuilder
from simlingo_sim.render.renderer import Renderer
from simlingo_sim.render.scene import SceneFrame
from simlingo_sim.render.town_mesh import Layer, assemble

WIDTH, HEIGHT, FOV = 320, 160, 110.0
FOCAL = WIDTH / (2.0 * math.tan(math.radians(FOV) / 2.0))


def noon() -> carla.WeatherParameters:
    weather = carla.WeatherParameters()
    weather.sun_altitude_angle, weather.sun_azimuth_angle, weather.cloudiness = 60.0, 200.0, 0.0
    return weather


def renderer_of(builder: MeshBuilder) -> Renderer:
    return Renderer(assemble([Layer(builder.build(), 1000.0)]))


def boxes(*items: tuple[tuple[float, float, float], float, Tag]) -> Renderer:
    builder = MeshBuilder()
    for center, size, tag in items:
        builder.box(center, (size, size, size), (200, 40, 40), Material.FLAT, tag, bottom=True)
    return renderer_of(builder)


def floor(z: float = 0.0) -> Renderer:
    builder = MeshBuilder()
    corners = [(-400.0, -400.0, z), (400.0, -400.0, z), (400.0, 400.0, z), (-400.0, 400.0, z)]
    builder.fan(corners, (90, 90, 90), Material.ASPHALT, Tag.ROAD)
    return renderer_of(builder)


@pytest.mark.parametrize(
    ("pose", "offset"),
    [
        (carla.Transform(carla.Location(0, 0, 2)), (14.0, 3.0, -0.5)),
        (carla.Transform(carla.Location(5, -7, 2), carla.Rotation(yaw=130.0)), (20.0, -9.0, 4.0)),
        (
            carla.Transform(carla.Location(-3, 4, 9), carla.Rotation(pitch=-20.0, yaw=-75.0, roll=8.0)),
            (17.0, 6.0, -3.0),
        ),
    ],
)
def test_a_known_point_lands_where_the_pinhole_formula_says(
    pose: carla.Transform, offset: tuple[float, float, float]
) -> None:
    ahead, right, up = offset
    target = pose.transform(carla.Location(x=ahead, y=right, z=up))
    picture = boxes(((target.x, target.y, target.z), 0.3, Tag.OTHER)).render(
        pose, WIDTH, HEIGHT, FOV, SceneFrame(noon()), ("semantic",)
    )["semantic"]
    rows, columns = np.nonzero(picture == Tag.OTHER)
    assert len(rows) > 3
    assert columns.mean() + 0.5 == pytest.approx(WIDTH / 2 + FOCAL * right / ahead, abs=0.8)
    assert rows.mean() + 0.5 == pytest.approx(HEIGHT / 2 - FOCAL * up / ahead, abs=0.8)


def test_the_nearer_of_two_boxes_hides_the_other() -> None:
    renderer = boxes(
        ((10.0, 0.0, 0.0), 2.0, Tag.CAR), ((30.0, 0.0, 0.0), 4.0, Tag.BUS), ((30.0, 9.0, 0.0), 4.0, Tag.BUS)
    )
    tags = renderer.render(carla.Transform(), WIDTH, HEIGHT, FOV, SceneFrame(noon()), ("semantic",))["semantic"]
    assert tags[HEIGHT // 2, WIDTH // 2] == Tag.CAR
    assert (tags[:, : WIDTH // 2] != Tag.BUS).all()  # the bus straight ahead is hidden
    assert (tags == Tag.BUS).any()  # the one to the right is not


def test_depth_of_a_floor_is_exact() -> None:
    depth = floor().render(
        carla.Transform(carla.Location(0, 0, 2.0)), WIDTH, HEIGHT, FOV, SceneFrame(noon()), ("depth",)
    )["depth"]
    assert depth.dtype == np.float32
    for row in (HEIGHT - 1, HEIGHT - 40, HEIGHT // 2 + 6):
        expected = 2.0 * FOCAL / (row + 0.5 - HEIGHT / 2)
        assert depth[row] == pytest.approx(np.full(WIDTH, expected), rel=2e-4)
    assert (depth[: HEIGHT // 2 - 1] == 1000.0).all()


def test_depth_of_a_wall_is_along_the_optical_axis() -> None:
    builder = MeshBuilder()
    builder.box((50.5, 0.0, 0.0), (1.0, 300.0, 300.0), (90, 90, 90), Material.FLAT, Tag.WALL)
    depth = renderer_of(builder).render(carla.Transform(), WIDTH, HEIGHT, FOV, SceneFrame(noon()), ("depth",))["depth"]
    assert depth == pytest.approx(np.full((HEIGHT, WIDTH), 50.0), rel=1e-4)


def test_a_surface_through_the_camera_plane_is_clipped() -> None:
    tags = floor().render(
        carla.Transform(carla.Location(0, 0, 1.5), carla.Rotation(pitch=-60.0)),
        WIDTH,
        HEIGHT,
        FOV,
        SceneFrame(noon()),
        ("semantic",),
    )["semantic"]
    assert (tags == Tag.ROAD).all()


def test_adjacent_triangles_leave_no_gap() -> None:
    builder = MeshBuilder()
    dice = np.random.default_rng(3)
    side = 24
    grid = np.stack(np.meshgrid(np.linspace(-20, 20, side), np.linspace(-20, 20, side)), axis=-1)
    grid[1:-1, 1:-1] += dice.uniform(-0.6, 0.6, (side - 2, side - 2, 2))
    points = [[(float(y), float(z)) for y, z in row] for row in grid]
    for i in range(side - 1):
        for j in range(side - 1):
            corners = [(10.0, *points[a][b]) for a, b in ((i, j), (i, j + 1), (i + 1, j + 1), (i + 1, j))]
            builder.fan(corners[::-1], (90, 90, 90), Material.FLAT, Tag.WALL)
    tags = renderer_of(builder).render(carla.Transform(), 512, 256, 90.0, SceneFrame(noon()), ("semantic",))["semantic"]
    assert (tags == Tag.WALL).all()


def test_edges_are_smoothed_by_four_samples() -> None:
    picture = boxes(((10.0, 0.3, 0.1), 3.0, Tag.CAR)).render(
        carla.Transform(carla.Location(0, 0, 0), carla.Rotation(roll=11.0)), WIDTH, HEIGHT, FOV, SceneFrame(noon())
    )["rgb"]
    reds = np.unique(picture[HEIGHT // 2 - 8 : HEIGHT // 2, :, 0].astype(int))
    assert len(reds) > 6  # box, sky and steps between the two


def test_a_box_throws_its_shadow_away_from_the_sun() -> None:
    builder = MeshBuilder()
    builder.fan(
        [(-90.0, -90.0, 0.0), (90.0, -90.0, 0.0), (90.0, 90.0, 0.0), (-90.0, 90.0, 0.0)],
        (150, 150, 150),
        Material.KERB,
        Tag.ROAD,
    )
    builder.box((20.0, 0.0, 2.0), (2.0, 2.0, 4.0), (200, 40, 40), Material.FLAT, Tag.BUILDING)
    weather = noon()
    weather.sun_altitude_angle, weather.sun_azimuth_angle = 45.0, 90.0  # from the right
    above = carla.Transform(carla.Location(20, 0, 30), carla.Rotation(pitch=-90.0))
    picture = renderer_of(builder).render(above, 200, 200, 60.0, SceneFrame(weather))["rgb"].astype(int)
    focal = 200 / (2 * math.tan(math.radians(30.0)))
    shaded, sunny = (picture[100, int(100 + focal * y / 30.0), 1] for y in (-3.0, 3.0))
    assert shaded < sunny - 40


@pytest.mark.parametrize(
    ("width", "height", "fov", "outputs", "word"),
    [
        (0, 10, 90.0, ("rgb",), "pixels"),
        (9000, 100, 90.0, ("rgb",), "pixels"),
        (64, 64, 180.0, ("rgb",), "fov"),
        (64, 64, 90.0, ("lidar",), "lidar"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_reason(
    width: int, height: int, fov: float, outputs: tuple[str, ...], word: str
) -> None:
    with pytest.raises(SimulatorError, match=word):
        floor().render(carla.Transform(), width, height, fov, SceneFrame(noon()), outputs)


def test_a_pose_that_is_not_finite_is_refused() -> None:
    pose = carla.Transform(carla.Location(float("nan"), 0, 2))
    with pytest.raises(SimulatorError, match="not finite"):
        floor().render(pose, 64, 64, 90.0, SceneFrame(noon()))
