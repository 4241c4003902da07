"""Dense labels from stored pictures: the classes of the raw picture, and nearly its depths."""

from __future__ import annotations

import carla
import numpy as np
import pytest

from simlingo.contracts import InvalidInputError
from simlingo.model.config import MINI, ImageConfig
from simlingo_sim.render.renderer import Renderer
from simlingo_sim.render.scene import SceneFrame, VehicleVisual, WalkerVisual
from simlingo_sim.render.town_mesh import town_mesh
from simlingo_sim.towns import load
from simlingo_sim.weather import WEATHERS
from training.datasets import pictures
from training.datasets.cells import CELLS, CLASSES, cell_labels

IMAGE = MINI.image
TAGS = {
    "sky": (0, 11), "ground": (10, 22, 25), "road": (1,), "marking": (24,), "sidewalk": (2,), "building": (3, 4),
    "vegetation": (9,), "vehicle": (14, 15, 16, 17, 18, 19), "pedestrian": (12, 13), "light_off": (7,), "sign": (8,),
    "light_red": (101,), "light_yellow": (102,), "light_green": (103,), "object": (5, 6, 20, 21, 23, 26, 27, 28, 255),
}  # fmt: skip


def stored(semantic: np.ndarray, depth: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Cell labels after a way through the file."""
    metres = np.ones((512, 1024), np.float32) if depth is None else depth
    return cell_labels(
        pictures.decode_semantic(pictures.encode_semantic(semantic)),
        pictures.decode_depth(pictures.encode_depth(metres)),
        IMAGE,
    )


def filled(tag: int) -> np.ndarray:
    return np.full((512, 1024), tag, np.uint8)


def classes_of_raw(rgb: np.ndarray, semantic: np.ndarray) -> np.ndarray:
    """The rule, cell by cell, on the raw picture."""
    names = {tag: name for name, tags in TAGS.items() for tag in tags}
    thin = {"marking": 0.15, "vehicle": 0.3, "pedestrian": 0.08, "light_off": 0.08, "sign": 0.08}
    thin |= {"light_yellow": 0.015, "light_green": 0.015, "light_red": 0.015}
    result = np.zeros((32, 64), np.uint8)
    for row, column in np.ndindex(32, 64):
        area = np.s_[72 + 9 * row : 81 + 9 * row, 16 * column : 16 * column + 16]
        kinds = [names.get(int(tag), "object") for tag in semantic[area].ravel()]
        for index, (red, green, blue) in enumerate(rgb[area].reshape(-1, 3).astype(int)):
            if kinds[index] == "light_off" and max(red, green) > 150:
                if green - red > 90:
                    kinds[index] = "light_green"
                elif red - green > 100:
                    kinds[index] = "light_red"
                elif red - blue > 90:
                    kinds[index] = "light_yellow"
        counts = [kinds.count(name) for name in CLASSES]
        best = CLASSES[int(np.argmax(counts))]
        for name, share in thin.items():
            if kinds.count(name) >= share * 144:
                best = name
        result[row, column] = CLASSES.index(best)
    return result


@pytest.fixture(scope="module")
def views() -> list[dict[str, np.ndarray]]:
    """A street with a red light, a car and a pedestrian; the same light in green from nearer."""
    town = load("gridtown")
    renderer = Renderer(town_mesh("gridtown"))
    name, signal = next(
        (name, signal)
        for name, signal in town.extras.signals.items()
        if signal.road_id == 1 and signal.lane_ids == (-1,)
    )
    found = []
    for state, distance in (("red", 28.0), ("green", 14.0), ("yellow", 20.0)):
        pose = town.map.get_waypoint_xodr(1, -1, signal.stop_line.s - distance).transform
        ahead = town.map.get_waypoint_xodr(1, -1, signal.stop_line.s - distance + 11.0).transform.location
        frame = SceneFrame(
            WEATHERS["clear_noon"],
            signals={name: state},
            vehicles=[VehicleVisual("vehicle.tesla.model3", ahead.x, ahead.y, 0.0, yaw_deg=pose.rotation.yaw)],
            walkers=[WalkerVisual(ahead.x + 2.5, ahead.y + 2.5, 0.0, 0.0)],
        )
        camera = carla.Transform(pose.transform(carla.Location(-1.5, 0.0, 2.0)), pose.rotation)
        found.append(renderer.render(camera, 1024, 512, 110.0, frame, ("rgb", "semantic", "depth")))
    return found


@pytest.mark.medium
@pytest.mark.parametrize("index", range(3))
def test_classes_of_a_rendered_view_are_those_of_the_raw_picture(
    views: list[dict[str, np.ndarray]], index: int
) -> None:
    view = views[index]
    classes, _ = stored(pictures.with_lenses(view["semantic"], view["rgb"]), view["depth"])
    assert (classes == classes_of_raw(view["rgb"], view["semantic"])).all()
    lens = CLASSES.index(("light_red", "light_green", "light_yellow")[index])
    seen = {CLASSES[kind] for kind in np.unique(classes)}
    assert (classes == lens).any()
    assert {"road", "vehicle", "building"} <= seen


@pytest.mark.parametrize("index", range(3))
def test_depths_of_a_rendered_view_are_nearly_those_of_the_raw_picture(
    views: list[dict[str, np.ndarray]], index: int
) -> None:
    view = views[index]
    _, found = stored(view["semantic"], view["depth"])
    raw = np.minimum(view["depth"][72:360], 100.0).reshape(32, 9, 64, 16)
    wanted = np.median(raw[:, ::3, :, ::4], axis=(1, 3)).astype(np.float16).astype(np.float64)
    apart = np.abs(found.astype(np.float64) - wanted)
    assert (apart <= np.maximum(0.1, 0.02 * wanted)).mean() > 0.97
    assert apart.mean() < 0.5


@pytest.mark.parametrize(("name", "tag"), [(name, tag) for name, tags in TAGS.items() for tag in tags])
def test_every_tag_has_its_class(name: str, tag: int) -> None:
    classes, _ = stored(filled(tag))
    assert (classes == CLASSES.index(name)).all()


@pytest.mark.parametrize(
    ("tag", "pixels", "name"),
    [
        (24, 22, "marking"), (24, 21, "road"), (14, 44, "vehicle"), (14, 43, "road"),
        (12, 12, "pedestrian"), (12, 11, "road"), (7, 12, "light_off"), (7, 11, "road"), (8, 12, "sign"), (8, 11, "road"),
        (101, 3, "light_red"), (101, 2, "road"), (102, 3, "light_yellow"), (103, 3, "light_green"), (103, 2, "road"),
        (9, 71, "road"), (9, 73, "vegetation"),
    ],
)  # fmt: skip
def test_a_thin_class_names_a_cell_from_its_share_on(tag: int, pixels: int, name: str) -> None:
    """A cell has 9 x 16 = 144 pixels; one in the middle, and its neighbours are left alone."""
    semantic = filled(1)
    cell = np.full(144, 1, np.uint8)
    cell[:pixels] = tag
    semantic[72 + 9 * 5 : 72 + 9 * 6, 16 * 40 : 16 * 41] = cell.reshape(9, 16)
    classes, _ = stored(semantic)
    expected = np.full((CELLS, 2 * CELLS), CLASSES.index("road"))
    expected[5, 40] = CLASSES.index(name)
    assert (classes == expected).all()


@pytest.mark.parametrize(
    ("tags", "name"),
    [((24, 14), "vehicle"), ((14, 12), "pedestrian"), ((12, 7), "light_off"), ((7, 8), "sign"), ((8, 102), "light_yellow"),
     ((102, 103), "light_green"), ((103, 101), "light_red"), ((101, 24), "light_red")],
)  # fmt: skip
def test_of_two_thin_classes_the_rarer_wins(tags: tuple[int, int], name: str) -> None:
    semantic = np.where(np.arange(1024) % 2 == 0, *np.array(tags, np.uint8)) + np.zeros((512, 1), np.uint8)
    assert (stored(semantic)[0] == CLASSES.index(name)).all()


def test_rows_outside_the_crop_count_for_nothing() -> None:
    semantic = filled(1)
    semantic[:72], semantic[360:] = 11, 14
    classes, depth = stored(semantic, np.where(np.arange(512)[:, None] < 360, 7.0, 90.0) + np.zeros((1, 1024)))
    assert (classes == CLASSES.index("road")).all()
    assert (depth == 7.0).all()


def test_depth_is_cut_at_a_hundred_metres_and_follows_its_place() -> None:
    depth = np.full((512, 1024), 500.0, np.float32)
    depth[72 + 9 * 3 : 72 + 9 * 20, 160:320] = 20.0
    _, cells = stored(filled(1), depth)
    assert cells.dtype == np.float16
    assert (cells[4:19, 10:20] == 20.0).all()
    assert (cells[:3] == 100.0).all()
    assert (cells[:, 20:] == 100.0).all()
    assert (cells[:, :10] == 100.0).all()
    assert (cells[20:] == 100.0).all()


def test_depth_of_a_plane_is_exact_though_three_rows_in_four_are_missing() -> None:
    rows = np.arange(512.0)[:, None] + np.zeros((1, 1024))
    plane = (2.0 * 358.5 / np.maximum(rows - 256.0, 1.0)).astype(np.float32)
    _, cells = stored(filled(1), plane)
    wanted = np.median(plane[72:360].reshape(32, 9, 64, 16)[:, ::3, :, ::4], axis=(1, 3))
    assert cells[23:] == pytest.approx(wanted[23:], rel=0.003)


@pytest.mark.parametrize("size", [(256, 512), (512, 2048), (1024, 1024)])
def test_a_view_of_another_size_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(InvalidInputError, match=r"the model's camera gives 1024x512 .*collect with the model's camera"):
        cell_labels(np.ones(size, np.uint8), np.ones((size[0] // 4, size[1] // 4), np.float32), ImageConfig())
