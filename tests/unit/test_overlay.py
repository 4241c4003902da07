"""Projection of plans into the picture, and drawing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from simlingo.contracts import CameraIntrinsics, DrivingPlan, EgoState, InvalidInputError
from simlingo_node.overlay import (
    PATH_RGB,
    Camera,
    Caption,
    carried_overlay,
    carry,
    draw_caption,
    draw_overlay,
    picture_from_pixels,
    plan_overlay,
)

AHEAD = np.stack((np.arange(1.0, 21.0), np.zeros(20)), axis=1)


def test_point_on_the_optical_axis_is_the_middle_of_the_picture() -> None:
    place, depth = Camera().project(np.array([[10.0, 0.0, 2.0]]))
    assert place[0] == pytest.approx((0.5, 0.5))
    assert depth[0] == pytest.approx(11.5)


def test_edge_of_the_field_of_view_is_the_edge_of_the_picture() -> None:
    right = math.tan(math.radians(55.0)) * 10.0
    place, _ = Camera().project(np.array([[8.5, right, 2.0], [8.5, -right, 2.0]]))
    assert place[:, 0] == pytest.approx((1.0, 0.0))


def test_ground_lies_below_the_horizon_and_nearer_is_lower() -> None:
    place, _ = Camera().project(np.column_stack((AHEAD, np.zeros(20))))
    assert (place[:, 1] > 0.5).all()
    assert (np.diff(place[:, 1]) < 0).all()


def test_straight_path_is_a_symmetric_band_with_its_right_edge_right() -> None:
    overlay = plan_overlay(AHEAD, AHEAD[:10], Camera())
    assert overlay.left[:, 0] + overlay.right[:, 0] == pytest.approx(np.ones(len(overlay.left)))
    assert (overlay.right[:, 0] > overlay.left[:, 0]).all()
    assert overlay.dots[:, 0] == pytest.approx(np.full(10, 0.5))
    assert (np.diff(overlay.dots[:, 2]) < 0).all()


def test_path_to_the_right_appears_right() -> None:
    curve = AHEAD + np.stack((np.zeros(20), 0.02 * AHEAD[:, 0] ** 2), axis=1)
    overlay = plan_overlay(curve, curve[:10], Camera())
    assert overlay.left[-1, 0] > 0.5
    assert overlay.dots[-1, 0] > 0.5


def test_standing_plan_is_no_fault() -> None:
    overlay = plan_overlay(np.zeros((20, 2)), np.zeros((10, 2)), Camera())
    assert len(overlay.left) == 0
    assert len(overlay.dots) == 10  # 1.5 m in front of the camera


def test_overlay_does_not_depend_on_the_size_of_the_picture() -> None:
    small = Camera(CameraIntrinsics.from_field_of_view(512, 256, 110.0))
    assert plan_overlay(AHEAD, AHEAD, small).left == pytest.approx(plan_overlay(AHEAD, AHEAD, Camera()).left)


poses = st.builds(
    EgoState,
    stamp=st.just(0),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
    yaw=st.floats(-3.2, 3.2),
    speed=st.floats(0, 20),
)


@given(then=poses, now=poses)
def test_carrying_there_and_back_changes_nothing(then: EgoState, now: EgoState) -> None:
    assert carry(carry(AHEAD, then, now), now, then) == pytest.approx(AHEAD, abs=1e-6)


def test_path_carried_over_two_metres_begins_two_metres_nearer() -> None:
    then = EgoState(0, 10.0, 5.0, math.pi / 2, 8.0)
    now = EgoState(250_000_000, 10.0, 7.0, math.pi / 2, 8.0)
    assert carry(AHEAD, then, now) == pytest.approx(AHEAD - (2.0, 0.0))
    plan = DrivingPlan(stamp=0, path=AHEAD, speed_waypoints=AHEAD[:10])
    assert carried_overlay(plan, then, now, Camera()).dots[0, 1] > plan_overlay(AHEAD, AHEAD[:10], Camera()).dots[0, 1]


def test_drawing_touches_the_road_and_not_the_sky() -> None:
    picture = Image.new("RGB", (1024, 512), (90, 90, 90))
    draw_overlay(picture, plan_overlay(AHEAD, AHEAD[:10], Camera()))
    pixels = np.asarray(picture)
    assert (pixels[:256] == 90).all()
    assert tuple(pixels[400, 512]) != (90, 90, 90)


def test_progress_bar_is_as_long_as_the_progress() -> None:
    picture = Image.new("RGB", (1000, 500), (0, 0, 0))
    draw_caption(picture, Caption("30 km/h", "12.0 s", progress=0.25, instruction="turn left"))
    bar = (np.asarray(picture) == PATH_RGB).all(axis=2)
    assert bar.any(axis=0).nonzero()[0].max() == pytest.approx(250, abs=2)


def test_words_stand_in_the_middle_above_the_strip_however_long_they_are() -> None:
    bare = Image.new("RGB", (1000, 500), (0, 0, 0))
    draw_caption(bare, Caption("30 km/h", "12.0 s", progress=0.25))
    tops = []
    for words in ("Turn left. Stop for the red light.", "Keep your lane and wait. " * 200):
        picture = Image.new("RGB", (1000, 500), (0, 0, 0))
        draw_caption(picture, Caption("30 km/h", "12.0 s", progress=0.25, words=words))
        rows, columns = (np.asarray(picture) != np.asarray(bare)).any(axis=2).nonzero()
        assert columns.min() + columns.max() == pytest.approx(1000, abs=4)
        assert columns.min() > 0
        tops.append(rows.min())
        assert rows.max() < 500 - 500 // 28
    assert 250 < tops[1] < tops[0]


@pytest.mark.parametrize(("encoding", "pixel"), [("bgra8", (3, 2, 1, 0)), ("bgr8", (3, 2, 1)), ("rgb8", (1, 2, 3))])
def test_pictures_of_every_encoding(encoding: str, pixel: tuple[int, ...]) -> None:
    row = bytes(pixel) * 4 + b"pad"
    picture = picture_from_pixels(row * 2, 4, 2, len(row), encoding)
    assert picture.size == (4, 2)
    assert (np.asarray(picture) == (1, 2, 3)).all()


@pytest.mark.parametrize(
    ("data", "width", "step", "encoding", "says"),
    [
        (b"\0" * 31, 4, 16, "bgra8", "truncated"),
        (b"\0" * 32, 4, 8, "bgra8", "truncated"),
        (b"\0" * 32, 0, 16, "bgra8", "truncated"),
        (b"\0" * 32, 4, 16, "mono8", "mono8"),
    ],
)
def test_broken_pictures_are_refused(data: bytes, width: int, step: int, encoding: str, says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        picture_from_pixels(data, width, 2, step, encoding)
