"""Picture elements of a thing: what hides it, what stands beside it, and what another thing shows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import SimpleNamespace

import carla
import numpy as np
import pytest

from simlingo.contracts import MODEL_CAMERA, MODEL_CAMERA_POSITION_IN_EGO, EgoState
from simlingo_drive.views import View
from training.collect import visible
from training.collect.visible import Visible, pixels_of
from training.language.surroundings.visibility import MARGIN_M, PEDESTRIAN_TAGS, SEEN_ROWS, VEHICLE_TAGS, pixel_of

CAR, ROAD, FAR_M = 14, 1, 500.0
HALF = np.array((2.3, 0.9, 0.75))
#: Of a car whose middle stands 15 m ahead.
MIDDLE, NEAR_END_M = np.array((15.0, 1.0, 0.75)), 12.7


@pytest.fixture(params=["compiled", "plain"], autouse=True)
def _both_ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain code of the compiled count is judged, too: only there a planted fault can be seen."""
    if request.param == "plain":
        monkeypatch.setattr(visible, "_count", visible._count.py_func)


@pytest.fixture
def view() -> View:
    """A picture of the near end of a car, before nothing."""
    shape = (MODEL_CAMERA.height, MODEL_CAMERA.width)
    semantic, depth = np.full(shape, ROAD, np.uint8), np.full(shape, FAR_M, np.float32)
    semantic[face()], depth[face()] = CAR, NEAR_END_M + 1.5  # depth counts from the camera
    return View(np.zeros((*shape, 3), np.uint8), semantic, depth)


def face() -> tuple[slice, slice]:
    """Rows and columns of the near end."""
    corners = [pixel_of((NEAR_END_M, 1.0 + side * 0.9, 0.75 + up * 0.75)) for side in (-1, 1) for up in (-1, 1)]
    columns, rows = ([corner[axis] for corner in corners if corner] for axis in (0, 1))
    return slice(int(min(rows)), int(max(rows))), slice(int(min(columns)), int(max(columns)))


def count(view: View, tags: tuple[int, ...] = VEHICLE_TAGS) -> int:
    return pixels_of(view, MIDDLE, 0.0, HALF, tags)


def test_all_that_is_drawn_of_a_thing_counts(view: View) -> None:
    rows, columns = face()
    assert count(view) == (rows.stop - rows.start) * (columns.stop - columns.start) > 1000


def test_what_is_hidden_or_another_things_does_not_count(view: View) -> None:
    whole = count(view)
    rows, columns = face()
    half = slice((columns.start + columns.stop) // 2, columns.stop)
    view.depth[rows, half] = 6.0  # another car before it
    assert count(view) == pytest.approx(whole / 2, rel=0.05)
    assert count(view, PEDESTRIAN_TAGS) == 0
    view.depth[rows, columns] = NEAR_END_M + 1.5 + 2.0 * HALF[0] + 1.0  # one behind it
    assert count(view) == 0


def test_what_stands_beside_its_far_end_does_not_count(view: View) -> None:
    """The picture's part that the near end takes is wider there than the car."""
    depth = MIDDLE[0] + HALF[0] + 1.5 - 0.1
    view.semantic[:], view.depth[:] = CAR, depth
    columns = MODEL_CAMERA.focal_x * 2.0 * (HALF[1] + MARGIN_M) / depth
    rows = MODEL_CAMERA.focal_y * 2.0 * (HALF[2] + 2.0 * MARGIN_M) / depth
    assert count(view) == pytest.approx(columns * rows, rel=0.06)


def count_by_hand(view: View, middle: np.ndarray, yaw: float, half: np.ndarray) -> int:
    """The same by points in space: every element of a car goes where it stands, and from there into the box's own frame."""
    rows, columns = np.nonzero((view.semantic == CAR)[:SEEN_ROWS])
    ahead = view.depth[rows, columns].astype(float)
    camera = MODEL_CAMERA_POSITION_IN_EGO
    right = (columns + 0.5 - MODEL_CAMERA.center_x) * ahead / MODEL_CAMERA.focal_x
    up = (MODEL_CAMERA.center_y - rows - 0.5) * ahead / MODEL_CAMERA.focal_y
    points = np.stack([ahead + camera[0], right + camera[1], up + camera[2]], axis=1) - middle
    turn = np.array(((math.cos(yaw), math.sin(yaw)), (-math.sin(yaw), math.cos(yaw))))
    own = np.column_stack([points[:, :2] @ turn.T, points[:, 2]])
    return int((np.abs(own) < half + np.array((MARGIN_M, MARGIN_M, 2.0 * MARGIN_M))).all(axis=1).sum())


@pytest.mark.parametrize(
    ("middle", "yaw", "half"),
    [
        ((9.0, -1.5, 0.9), 0.6, (2.3, 0.9, 0.75)),
        ((8.0, 4.0, 0.4), -1.1, (2.3, 0.9, 0.75)),
        ((14.0, 0.5, 1.4), 2.5, (2.3, 0.9, 0.75)),
        ((5.5, 0.0, 0.75), math.pi / 2, (2.3, 0.9, 0.75)),
        ((9.0, 1.0, 0.5), 0.2, (0.3, 3.0, 0.3)),  # wide and low
        ((5.0, -0.5, 3.0), -0.4, (0.4, 0.3, 3.0)),  # beyond the upper edge
    ],
)
def test_a_turned_box_counts_what_stands_in_it(
    view: View, middle: tuple[float, ...], yaw: float, half: tuple[float, ...]
) -> None:
    """Cars wherever one looks, at depths that run through the box from one side to the other."""
    rng = np.random.default_rng(3)
    view.semantic[:] = CAR
    view.semantic[rng.random(view.semantic.shape) < 0.8] = ROAD
    deep = math.hypot(half[0], half[1]) + 0.5
    view.depth[:] = middle[0] - MODEL_CAMERA_POSITION_IN_EGO[0] + rng.uniform(-deep, deep, view.depth.shape)
    found = pixels_of(view, np.array(middle), yaw, np.array(half), VEHICLE_TAGS)
    assert found == count_by_hand(view, np.array(middle), yaw, np.array(half)) > 200


def test_a_box_before_the_lens_is_looked_for_in_the_whole_picture(view: View) -> None:
    """Its corners have no place in the picture; what is left of it may stand at any edge."""
    view.semantic[:], view.depth[:] = ROAD, FAR_M
    edges = ((0, 0), (0, -1), (SEEN_ROWS - 1, 0), (SEEN_ROWS - 1, -1))
    for row, column in edges:
        view.semantic[row, column], view.depth[row, column] = CAR, 0.5
    middle = np.array((MODEL_CAMERA_POSITION_IN_EGO[0] + 1.0, 0.0, 2.0))
    assert pixels_of(view, middle, 0.0, np.array((2.3, 0.9, 0.75)), VEHICLE_TAGS) == len(edges)
    # Its middle stands behind the lens, and one end before it, the long one or that of something turned.
    half_behind = np.array((MODEL_CAMERA_POSITION_IN_EGO[0] - 1.5, 0.0, 2.0))
    for yaw, half in ((0.0, (2.3, 0.9, 0.75)), (math.pi / 2, (0.9, 2.3, 0.75))):
        assert pixels_of(view, half_behind, yaw, np.array(half), VEHICLE_TAGS) == len(edges)
    behind = np.array((MODEL_CAMERA_POSITION_IN_EGO[0] - HALF[0] - MARGIN_M - 0.1, 0.0, 2.0))
    assert pixels_of(view, behind, 0.0, HALF, VEHICLE_TAGS) == 0


def test_nothing_below_the_bonnet_or_behind_counts(view: View) -> None:
    view.semantic[SEEN_ROWS:] = CAR
    view.depth[SEEN_ROWS:] = 3.0
    assert pixels_of(view, np.array((2.0, 0.0, 0.0)), 0.0, HALF, VEHICLE_TAGS) == 0
    assert pixels_of(view, np.array((-9.0, 0.0, 0.75)), 0.0, HALF, VEHICLE_TAGS) == 0
    view.semantic[:], view.depth[:] = CAR, 2.0
    beside = pixels_of(view, np.array((0.0, 2.2, 0.75)), 0.0, HALF, VEHICLE_TAGS)
    assert beside > 1000  # one that reaches behind the camera


def test_the_box_is_the_actors(view: View) -> None:
    """The ego looks along y of the map; the actor's box does not lie about its origin."""
    ego = EgoState(0, 100.0, 50.0, math.pi / 2.0, 0.0)
    box = carla.BoundingBox(carla.Location(0.5, 0.0, 0.75), carla.Vector3D(2.3, 0.9, 0.75))
    place = carla.Transform(carla.Location(99.0, 64.5, 7.0), carla.Rotation(yaw=90.0))
    actor = SimpleNamespace(bounding_box=box, get_transform=lambda: place)
    assert Visible(view, ego, 7.0).pixels("car", actor) == count(view)
    assert Visible(view, ego, 7.0).pixels("walker", actor) == 0
    assert Visible(view, ego, 9.5).pixels("car", actor) < count(view)
    # Its middle lies ahead of its origin and to the right of it, and neither map nor actor look along an axis.
    yaw, own = math.radians(30.0), math.radians(75.0)
    ego = EgoState(0, -20.0, 8.0, yaw, 0.0)
    middle = np.array((15.0, 1.0)) - turned((0.5, 0.25), own - yaw)
    x, y = np.array((-20.0, 8.0)) + turned(middle, yaw)
    box = carla.BoundingBox(carla.Location(0.5, 0.25, 0.75), carla.Vector3D(2.3, 0.9, 0.75))
    turned_place = carla.Transform(carla.Location(x, y, 3.0), carla.Rotation(yaw=75.0))
    actor = SimpleNamespace(bounding_box=box, get_transform=lambda: turned_place)
    found = Visible(view, ego, 3.0).pixels("car", actor)
    assert 0 < found == pixels_of(view, MIDDLE, own - yaw, HALF, VEHICLE_TAGS) < count(view)


def turned(point: Sequence[float] | np.ndarray, angle: float) -> np.ndarray:
    x, y = point
    return np.array((x * math.cos(angle) - y * math.sin(angle), x * math.sin(angle) + y * math.cos(angle)))
