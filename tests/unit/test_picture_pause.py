"""Pictures that go on where they had paused are late; those that catch up are not."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simlingo.camera_monitor import CameraMonitor
from simlingo.contracts import TICK_S, EgoState, ImageArray, InvalidInputError
from simlingo.picture_pause import PicturePause
from simlingo_sim.render.renderer import Renderer
from simlingo_sim.render.scene import SceneFrame
from simlingo_sim.render.town_mesh import town_mesh
from simlingo_sim.towns import load
from simlingo_sim.weather import WEATHERS

PAUSE = 10  # ticks
BEGINS = 5  # the tick of the picture that stays

Drive = list[tuple[ImageArray, EgoState]]


@pytest.fixture(
    scope="module",
    params=[(3.0, "clear_noon"), (5.0, "fog"), (12.0, "rain_noon")],
    ids=lambda param: f"{param[0]:g} m/s, {param[1]}",
)
def drive(request: pytest.FixtureRequest) -> Drive:
    """Pictures and states of a car that keeps its speed, tick by tick."""
    speed, weather = request.param
    renderer, scene = Renderer(town_mesh("gridtown")), SceneFrame(WEATHERS[weather])
    found: Drive = []
    for tick in range(BEGINS + PAUSE + 8):
        here = load("gridtown").map.get_waypoint_xodr(1, -1, 20.0).transform
        yaw = math.radians(here.rotation.yaw)
        here.location.x += speed * tick * TICK_S * math.cos(yaw)
        here.location.y += speed * tick * TICK_S * math.sin(yaw)
        here.location.z += 2.0
        picture = renderer.render(here, 1024, 512, 110.0, scene, ("rgb",))["rgb"].astype(np.uint8)
        found.append(
            (picture, EgoState(round((1.0 + tick * TICK_S) * 1e9), here.location.x, here.location.y, yaw, speed))
        )
    return found


def said(drive: Drive, late: bool, monitor: CameraMonitor) -> list[str]:
    """What is said at each tick: the picture stays for ``PAUSE`` ticks, and then is of now, or ``late`` by the pause."""
    found = []
    for tick, (picture, ego) in enumerate(drive):
        if tick > BEGINS:
            picture = drive[max(tick - PAUSE, BEGINS) if late or tick <= BEGINS + PAUSE else tick][0]
        try:
            monitor.check(picture, ego)
            found.append("")
        except InvalidInputError as error:
            found.append(str(error))
    return found


def test_pictures_that_go_on_where_they_paused_are_late_until_somebody_activates_again(drive: Drive) -> None:
    monitor = CameraMonitor()
    found = said(drive, True, monitor)
    assert "frozen" in found[BEGINS + PAUSE]
    assert "whether it is late" in found[BEGINS + PAUSE + 1]
    assert all(words.startswith("pictures are late: after 0.5") for words in found[BEGINS + PAUSE + 2 :])
    monitor.clear()
    monitor.check(*drive[-1])


def test_pictures_that_catch_up_are_trusted_from_the_second_on(drive: Drive) -> None:
    found = said(drive, False, CameraMonitor())
    assert "frozen" in found[BEGINS + PAUSE]
    assert "whether it is late" in found[BEGINS + PAUSE + 1]
    assert not any(found[BEGINS + PAUSE + 2 :])


def test_at_half_the_rate_a_camera_that_hung_is_not_taken_for_a_late_one(drive: Drive) -> None:
    monitor, found = CameraMonitor(), []
    for tick in range(1, len(drive), 2):
        picture, ego = drive[BEGINS if BEGINS <= tick <= BEGINS + PAUSE else tick][0], drive[tick][1]
        try:
            monitor.check(picture, ego)
        except InvalidInputError as error:
            found.append(str(error))
    assert sum("frozen" in words for words in found) > 0
    assert not any("late:" in words for words in found)


@pytest.mark.parametrize(
    ("step_s", "over_pause", "late"), [(0.05, 12, True), (0.1, 12, False), (0.1, 9, True), (0.15, 9, False)]
)
def test_how_much_must_have_changed_hangs_on_the_rate(step_s: float, over_pause: int, late: bool) -> None:
    """Over the pause so many columns of 40, over the step after it 10."""
    pause, paused = PicturePause(), np.zeros((10, 40), np.int16)
    first = paused.copy()
    first[:, :over_pause] = 50
    second = first.copy()
    second[:, over_pause : over_pause + 10] = 50
    pause.paused(paused, 0.5)
    with pytest.raises(InvalidInputError, match="whether it is late"):
        pause.check(first, 10**9)
    if late:
        with pytest.raises(InvalidInputError, match="pictures are late"):
            pause.check(second, round((1.0 + step_s) * 1e9))
    else:
        pause.check(second, round((1.0 + step_s) * 1e9))


def test_who_stands_when_the_pictures_come_back_sees_the_same_twice_and_drives_on(drive: Drive) -> None:
    monitor = CameraMonitor()
    said(drive[: BEGINS + PAUSE + 1], True, monitor)
    picture, ego = drive[-1]
    with pytest.raises(InvalidInputError, match="whether it is late"):
        monitor.check(picture, ego)
    monitor.check(picture, ego)


def test_a_pause_of_a_blink_is_no_matter() -> None:
    """At 20 m/s the same picture twice is a metre; what comes then may be a tick late, as any."""
    monitor, rng = CameraMonitor(), np.random.default_rng(0)
    first, second, third = (rng.integers(0, 255, (512, 1024, 3), np.uint8) for _ in range(3))
    for tick, picture in enumerate((first, first, second, third)):
        ego = EgoState(round((1.0 + tick * TICK_S) * 1e9), 20.0 * tick * TICK_S, 0.0, 0.0, 20.0)
        if tick == 1:
            with pytest.raises(InvalidInputError, match="frozen"):
                monitor.check(picture, ego)
        else:
            monitor.check(picture, ego)


@pytest.mark.parametrize("changes_at", [3, 4])
def test_another_size_ends_a_pause_whenever_it_comes(changes_at: int) -> None:
    monitor, rng = CameraMonitor(), np.random.default_rng(0)
    same = rng.integers(0, 255, (512, 1024, 3), np.uint8)
    for tick in range(6):
        size = (512, 1024, 3) if tick < changes_at else (480, 640, 3)
        picture = same if tick < 3 else rng.integers(0, 255, size, np.uint8)
        ego = EgoState(round((1.0 + 0.2 * tick) * 1e9), 2.0 * tick, 0.0, 0.0, 10.0)
        if tick in (1, 2):
            with pytest.raises(InvalidInputError, match="frozen"):
                monitor.check(picture, ego)
        elif tick == 3 and changes_at == 4:
            with pytest.raises(InvalidInputError, match="whether it is late"):
                monitor.check(picture, ego)
        else:
            monitor.check(picture, ego)
