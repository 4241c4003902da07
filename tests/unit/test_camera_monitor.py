"""Pictures that cannot be of now are refused; those of any weather are not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import uniform_filter

from simlingo.camera_monitor import CameraMonitor
from simlingo.contracts import EgoState, ImageArray, InvalidInputError
from simlingo_sim.render.renderer import Renderer
from simlingo_sim.render.scene import SceneFrame
from simlingo_sim.render.town_mesh import town_mesh
from simlingo_sim.towns import load
from simlingo_sim.weather import WEATHERS

HERE = EgoState(10**9, 5.0, 3.0, 0.5, 8.0)


def moved(metres: float, speed: float = 8.0) -> EgoState:
    """The car a way further along its heading, as its speed says."""
    x, y = HERE.x + metres * math.cos(HERE.yaw), HERE.y + metres * math.sin(HERE.yaw)
    return replace(HERE, stamp=HERE.stamp + round(metres / 8.0 * 1e9), x=x, y=y, speed=speed)


def noise(seed: int, middle: float = 128.0, spread: float = 40.0) -> ImageArray:
    values = np.random.default_rng(seed).normal(middle, spread, (512, 1024, 3))
    return np.clip(values, 0, 255).astype(np.uint8)


@pytest.mark.parametrize(("grey", "words"), [(0, "black"), (3, "black"), (128, "of one colour"), (255, "white")])
def test_a_picture_that_shows_nothing_is_refused_though_it_be_noisy(grey: int, words: str) -> None:
    with pytest.raises(InvalidInputError, match=f"is {words} and shows nothing"):
        CameraMonitor().check(noise(1, grey, 2.0), HERE)


def test_a_picture_that_stays_while_the_car_moves_is_frozen_until_it_changes() -> None:
    monitor = CameraMonitor()
    for metres in (0.0, 0.4, 0.79):
        monitor.check(noise(1), moved(metres))
    with pytest.raises(InvalidInputError, match=r"not changed for 0\.10 s, in which the car moved 0\.8 m"):
        monitor.check(noise(1), moved(0.81))
    monitor.check(noise(2), moved(0.85))
    monitor.check(noise(2), moved(1.6))
    monitor.check(noise(1), moved(1.7))
    with pytest.raises(InvalidInputError, match="frozen"):
        monitor.check(noise(1), moved(2.6))
    monitor.clear()
    monitor.check(noise(1), moved(9.0))


def test_a_standing_car_may_see_the_same_for_ever_wherever_odometry_jumps() -> None:
    monitor = CameraMonitor()
    for second in range(100):
        stands = replace(HERE, stamp=HERE.stamp + second * 10**9, speed=0.0)
        monitor.check(noise(1), replace(stands, y=stands.y + (10.0 if 20 < second < 40 else 0.0), yaw=0.1 * second))


def test_a_speed_that_is_wrong_moves_no_car() -> None:
    monitor = CameraMonitor()
    for second in range(20):
        monitor.check(noise(1), replace(HERE, stamp=HERE.stamp + second * 10**9, speed=15.0))


def road(seed: int) -> ImageArray:
    """Shapes with edges and some noise, as a lens sees them; those of neighbouring seeds are like each other."""
    y, x = np.mgrid[0:512, 0:1024]
    shapes = 128.0 + 60.0 * np.sign(np.sin(x / 12.0 + 0.2 * seed) * np.cos(y / 30.0))
    grain = np.random.default_rng(seed).normal(0.0, 1.0, (512, 1024))
    return np.repeat(np.clip(shapes + grain, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def spoilt(what: str, picture: ImageArray) -> ImageArray:
    if what == "blurred":
        return uniform_filter(picture, (17, 17, 1))
    if what == "noisy":
        grain = np.random.default_rng(0).normal(0.0, 12.0, picture.shape)
        return np.clip(picture + grain, 0, 255).astype(np.uint8)
    other = picture.copy()
    other[:, :200] = 0
    return other


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("blurred", r"blurred: edges are 0\.\d\d times as sharp as before"),
        ("noisy", r"noisy: \d+\.\d times as rough as before"),
        ("gone black", "20 % of the picture have gone black"),
    ],
)
def test_what_is_suddenly_on_the_lens_is_named_for_as_long_as_it_is_there(what: str, said: str) -> None:
    monitor = CameraMonitor()
    for number in range(12):
        monitor.check(road(number), moved(0.4 * number))
    for number in range(12, 40):
        with pytest.raises(InvalidInputError, match=said):
            monitor.check(spoilt(what, road(number)), moved(0.4 * number))
    monitor.check(road(40), moved(16.0))


@pytest.mark.parametrize("what", ["blurred", "noisy", "gone black"])
def test_a_lens_that_was_so_from_the_start_passes_and_so_does_another_place(what: str) -> None:
    monitor = CameraMonitor()
    for number in range(12):
        monitor.check(spoilt(what, road(number)), moved(0.4 * number))
    if what == "blurred":
        return
    monitor.clear()
    monitor.check(road(0), moved(0.0))
    monitor.check(spoilt(what, road(1)), moved(8.1))  # more than a second later


def test_light_that_fades_within_seconds_is_no_fault() -> None:
    monitor = CameraMonitor()
    for number in range(50):
        dimmed = road(number).astype(float) * (1.0 - number / 60.0)
        monitor.check(dimmed.astype(np.uint8), moved(0.4 * number))


@pytest.mark.parametrize("weather", WEATHERS)
def test_no_weather_is_taken_for_a_fault(weather: str) -> None:
    road = load("gridtown").map.get_waypoint_xodr(1, -1, 60.0).transform
    road.location.z += 2.0
    monitor = CameraMonitor()
    for _ in range(2):
        picture = Renderer(town_mesh("gridtown")).render(
            road, 1024, 512, 110.0, SceneFrame(WEATHERS[weather]), ("rgb",)
        )
        monitor.check(picture["rgb"].astype(np.uint8), HERE)
