"""Pictures that turn before or after the car are found, those that turn with it never."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from simlingo.contracts import MODEL_CAMERA, TICK_NS, CameraIntrinsics, EgoState, ImageArray, InvalidInputError
from simlingo.picture_lag import PictureLag, _misfit

PANORAMA = 128.0 + 500.0 * gaussian_filter1d(np.random.default_rng(7).normal(0.0, 0.4, 3600), 8.0, mode="wrap")


def view(yaw: float, camera: CameraIntrinsics = MODEL_CAMERA) -> ImageArray:
    """A far world of soft stripes around the car, seen at ``yaw`` (rad, clockwise)."""
    across = np.arctan((np.arange(camera.width) - camera.center_x) / camera.focal_x)
    stripes = PANORAMA[np.floor((yaw + across) % (2.0 * math.pi) / (2.0 * math.pi) * 3600).astype(int) % 3600]
    return np.broadcast_to(stripes[None, :, None], (camera.height, camera.width, 3)).clip(0, 255).astype(np.uint8)


def yaw_at(tick: int) -> float:
    """Straight on for 2 s, a bend of 90 degrees in 4 s, straight on."""
    part = min(max((tick - 40) / 80, 0.0), 1.0)
    return math.pi / 2 * (part - math.sin(2 * math.pi * part) / (2 * math.pi))


def drive(
    late: int, ticks: int = 200, camera: CameraIntrinsics = MODEL_CAMERA
) -> Iterator[tuple[ImageArray, EgoState]]:
    for tick in range(ticks):
        yield (
            view(yaw_at(tick - late), camera),
            EgoState(10**9 + tick * TICK_NS, 0.4 * tick, 0.0, (yaw_at(tick) + math.pi) % (2 * math.pi) - math.pi, 8.0),
        )


def first_fault(
    drive: Iterator[tuple[ImageArray, EgoState]],
    camera: CameraIntrinsics = MODEL_CAMERA,
    monitor: PictureLag | None = None,
) -> tuple[int, str] | None:
    monitor = monitor or PictureLag()
    for tick, (image, ego) in enumerate(drive):
        try:
            monitor.check(image, ego, camera)
        except InvalidInputError as error:
            return tick, str(error)
    return None


@pytest.mark.parametrize("late", [0, 1, 2, -2])
def test_pictures_that_turn_with_the_car_pass(late: int) -> None:
    assert first_fault(drive(late)) is None


@pytest.mark.parametrize("late", [7, 10, 20, -7, -10])
def test_late_and_early_pictures_are_found_in_the_first_bend(late: int) -> None:
    found = first_fault(drive(late))
    assert found is not None
    assert 40 < found[0] < 40 + 50 + abs(late)
    assert "picture and odometry are of different times, some" in found[1]


def test_a_small_picture_of_another_lens_is_judged_alike() -> None:
    camera = CameraIntrinsics.from_field_of_view(640, 360, 70.0)
    assert first_fault(drive(0, camera=camera), camera) is None
    assert first_fault(drive(12, camera=camera), camera) is not None


def test_only_the_band_above_the_horizon_tells() -> None:
    """What is near stands still before the camera here, as the own bonnet does."""
    near = view(1.0)

    def banded(late: int) -> Iterator[tuple[ImageArray, EgoState]]:
        for image, ego in drive(late):
            seen = near.copy()
            seen[240:256] = image[240:256]
            yield seen, ego

    assert first_fault(banded(0)) is None
    assert first_fault(banded(10)) is not None


def test_in_a_slow_bend_a_small_lag_does_not_show() -> None:
    def slow(tick: int) -> float:
        part = min(max((tick - 40) / 300, 0.0), 1.0)
        return 0.8 * (part - math.sin(2 * math.pi * part) / (2 * math.pi))

    late = ((view(slow(tick - 7)), EgoState(tick * TICK_NS, 0.4 * tick, 0.0, slow(tick), 8.0)) for tick in range(380))
    assert first_fault(late) is None


def test_a_fault_is_doubted_in_four_pictures_one_after_the_other() -> None:
    doubts: list[bool] = []

    class Noted(PictureLag):
        def _judge(self) -> str:
            doubts.append(bool(found := super()._judge()))
            return found

    assert first_fault(drive(20), monitor=Noted()) is not None
    assert doubts[-4:] == [True] * 4
    assert [True] * 4 not in [doubts[at : at + 4] for at in range(len(doubts) - 4)]


@pytest.mark.parametrize("early", [False, True])
def test_what_is_not_believed_of_a_picture_counts_nowhere(early: bool) -> None:
    rng = np.random.default_rng(2)
    turned = rng.normal(0.0, 0.03, 110)
    seen, believed = np.roll(turned, -10 if early else 10), np.ones(110)
    wrong = np.arange(15, 95, 4)
    seen[wrong], believed[wrong] = 5.0, 0.0
    pair = (seen, turned) if early else (turned, seen)
    misfit = _misfit(*pair, believed, weigh_moved=early)
    assert misfit is not None
    assert misfit.argmin() == 10
    assert misfit[10] == pytest.approx(0.0)
    assert misfit[0] < 1.0


def test_straight_on_nobody_can_tell() -> None:
    assert first_fault(iter(list(drive(20))[:40])) is None


def test_where_pictures_show_too_little_or_come_seldom_nothing_is_said() -> None:
    plain = ((np.full_like(image, 90), ego) for image, ego in drive(20))
    assert first_fault(plain) is None
    most_plain = (
        (image if tick % 4 < 2 else np.full_like(image, 90), ego) for tick, (image, ego) in enumerate(drive(20))
    )
    assert first_fault(most_plain) is None
    seldom = (pair for tick, pair in enumerate(drive(20)) if tick % 4 == 0)
    assert first_fault(seldom) is None
    every_third = (pair for tick, pair in enumerate(drive(20)) if tick % 3 == 0)
    assert first_fault(every_third) is not None


def test_it_stays_a_fault_until_the_car_has_stood_for_a_second() -> None:
    monitor = PictureLag()
    pairs = list(drive(20))
    tick = next(iter(first_fault(iter(pairs)) or ()))
    for image, ego in pairs[:tick]:
        monitor.check(image, ego, MODEL_CAMERA)
    image, ego = pairs[tick]
    for later in range(60):
        stands = replace(ego, stamp=ego.stamp + later * TICK_NS, speed=8.0 if later < 20 else 0.0)
        if later < 40:
            with pytest.raises(InvalidInputError):
                monitor.check(image, stands, MODEL_CAMERA)
        else:
            monitor.check(image, stands, MODEL_CAMERA)


def test_a_clock_that_is_set_back_begins_anew() -> None:
    monitor = PictureLag()
    for image, ego in list(drive(20))[:50]:
        monitor.check(image, ego, MODEL_CAMERA)
    for image, ego in drive(0):
        monitor.check(image, replace(ego, stamp=ego.stamp - 10**9), MODEL_CAMERA)
