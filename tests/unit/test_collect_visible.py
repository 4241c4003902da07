"""Picture elements of a thing: what hides it, what stands beside it, and what another thing shows."""

from __future__ import annotations

import math
from types import SimpleNamespace

import carla
import numpy as np
import pytest

from simlingo.contracts import MODEL_CAMERA, EgoState
from simlingo_drive.views import View
from training.collect.visible import Visible, pixels_of
from training.language.surroundings.visibility import MARGIN_M, PEDESTRIAN_TAGS, SEEN_ROWS, VEHICLE_TAGS, pixel_of

CAR, ROAD, FAR_M = 14, 1, 500.0
HALF = np.array((2.3, 0.9, 0.75))
#: Of a car whose middle stands 15 m ahead.
MIDDLE, NEAR_END_M = np.array((15.0, 1.0, 0.75)), 12.7


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
