"""What a driver sees in gridtown: road, lenses, lamps, pedestrians, the own car; and the same bytes every time."""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys

import carla
import numpy as np
import pytest

from simlingo_sim.render.materials import Tag
from simlingo_sim.render.renderer import Renderer
from simlingo_sim.render.scene import SceneFrame, VehicleVisual, WalkerVisual
from simlingo_sim.render.town_mesh import town_mesh
from simlingo_sim.towns import Town, load
from simlingo_sim.weather import WEATHERS

WIDTH, HEIGHT, FOV = 1024, 512, 110.0


@pytest.fixture(scope="module")
def town() -> Town:
    return load("gridtown")


@pytest.fixture(scope="module")
def renderer() -> Renderer:
    return Renderer(town_mesh("gridtown"))


def on_lane(town: Town, s: float) -> carla.Transform:
    return town.map.get_waypoint_xodr(1, -1, s).transform


def driver_camera(pose: carla.Transform) -> carla.Transform:
    return carla.Transform(pose.transform(carla.Location(-1.5, 0.0, 2.0)), pose.rotation)


def car_at(pose: carla.Transform, kind: str = "vehicle.tesla.model3", **lamps: bool) -> VehicleVisual:
    return VehicleVisual(
        kind, pose.location.x, pose.location.y, 0.0, yaw_deg=pose.rotation.yaw, color=(60, 70, 80), **lamps
    )


def signal_ahead(town: Town) -> str:
    return next(
        name for name, signal in town.extras.signals.items() if signal.road_id == 1 and signal.lane_ids == (-1,)
    )


def lens_pixels(town: Town, renderer: Renderer, distance: float, state: str, weather: str = "clear_noon") -> np.ndarray:
    """Pixels (N, 3) of signal heads when the stop line of road 1 is ``distance`` m ahead."""
    line = town.extras.signals[signal_ahead(town)].stop_line.s
    frame = SceneFrame(WEATHERS[weather], signals={signal_ahead(town): state})
    seen = renderer.render(
        driver_camera(on_lane(town, line - distance)), WIDTH, HEIGHT, FOV, frame, ("rgb", "semantic")
    )
    return seen["rgb"][seen["semantic"] == Tag.TRAFFIC_LIGHT].astype(int)


def reds(pixels: np.ndarray) -> int:
    return int(((pixels[:, 0] > 215) & (pixels[:, 1] < 90) & (pixels[:, 2] < 90)).sum())


def greens(pixels: np.ndarray) -> int:
    return int(((pixels[:, 1] > 215) & (pixels[:, 0] < 110) & (pixels[:, 2] < 190)).sum())


@pytest.mark.medium
def test_the_road_lies_two_metres_below_the_camera(town: Town, renderer: Renderer) -> None:
    pose = on_lane(town, 30.0)
    down = carla.Transform(pose.transform(carla.Location(0.0, 0.6, 2.0)), carla.Rotation(pitch=-90.0))
    seen = renderer.render(down, 64, 64, 60.0, SceneFrame(WEATHERS["clear_noon"]), ("semantic", "depth"))
    assert seen["semantic"][32, 32] == Tag.ROAD
    assert seen["depth"][32, 32] == pytest.approx(2.0, abs=0.02)


@pytest.mark.medium
def test_the_street_has_marks_walks_buildings_and_sky(town: Town, renderer: Renderer) -> None:
    seen = renderer.render(
        driver_camera(on_lane(town, 20.0)), WIDTH, HEIGHT, FOV, SceneFrame(WEATHERS["clear_noon"]), ("rgb", "semantic")
    )
    tags, rgb = seen["semantic"], seen["rgb"].astype(int)
    for tag in (Tag.ROAD, Tag.ROAD_LINE, Tag.SIDEWALK, Tag.BUILDING, Tag.SKY, Tag.TRAFFIC_LIGHT, Tag.POLE):
        assert (tags == tag).sum() > 20, tag
    marks = rgb[tags == Tag.ROAD_LINE]
    yellow = (marks[:, 0] > 180) & (marks[:, 2] < 130)
    white = marks.min(axis=1) > 190
    assert yellow.sum() > 20
    assert white.sum() > 20


def test_junctions_have_no_holes(town: Town, renderer: Renderer) -> None:
    for junction in town.decor["junctions"]:
        kerb = np.array(junction["kerb"])
        x, y = kerb.mean(axis=0)
        above = carla.Transform(carla.Location(float(x), float(y), 30.0), carla.Rotation(pitch=-90.0))
        tags = renderer.render(above, 64, 64, 18.0, SceneFrame(WEATHERS["clear_noon"]), ("semantic",))["semantic"]
        assert (tags[24:40, 24:40] == Tag.ROAD).all()


@pytest.mark.parametrize("distance", [8.0, 20.0, 36.0])
@pytest.mark.parametrize("weather", ["clear_noon", "rain_noon", "dusk"])
def test_a_lit_lens_is_saturated_and_follows_the_state(
    town: Town, renderer: Renderer, distance: float, weather: str
) -> None:
    red = lens_pixels(town, renderer, distance, "red", weather)
    green = lens_pixels(town, renderer, distance, "green", weather)
    dark = lens_pixels(town, renderer, distance, "off", weather)
    assert reds(red) >= 3
    assert greens(green) >= 3
    assert reds(green) == greens(red) == reds(dark) == greens(dark) == 0


@pytest.mark.medium
def test_lenses_face_the_driver_of_every_signal(town: Town, renderer: Renderer) -> None:
    lights = {name: s for name, s in town.extras.signals.items() if s.type == "1000001"}
    for name, signal in lights.items():
        lane = signal.lane_ids[-1]
        back = -14.0 if lane < 0 else 14.0
        pose = town.map.get_waypoint_xodr(signal.road_id, lane, signal.stop_line.s + back).transform
        picture = renderer.render(
            driver_camera(pose), 512, 256, FOV, SceneFrame(WEATHERS["clear_noon"], signals={name: "red"})
        )
        rgb = picture["rgb"].astype(int)
        assert reds(rgb[:, 256:].reshape(-1, 3)) >= 4, name  # the near-side head, on the right


def test_brake_lights_show_from_behind(town: Town, renderer: Renderer) -> None:
    def lit(brake: bool) -> int:
        frame = SceneFrame(WEATHERS["clear_noon"], [car_at(on_lane(town, 42.0), brake=brake)])
        rgb = renderer.render(driver_camera(on_lane(town, 30.0)), WIDTH, HEIGHT, FOV, frame)["rgb"].astype(int)
        return reds(rgb.reshape(-1, 3))

    assert lit(True) > lit(False) + 25


def test_indicators_tell_left_from_right(town: Town, renderer: Renderer) -> None:
    def amber(**lamps: bool) -> float:
        frame = SceneFrame(WEATHERS["cloudy_noon"], [car_at(on_lane(town, 38.0), **lamps)])
        seen = renderer.render(driver_camera(on_lane(town, 30.0)), WIDTH, HEIGHT, FOV, frame, ("rgb", "semantic"))
        rgb = seen["rgb"].astype(int)
        glowing = (
            (rgb[..., 0] > 230) & (abs(rgb[..., 1] - 165) < 40) & (rgb[..., 2] < 90) & (seen["semantic"] == Tag.CAR)
        )
        assert glowing.sum() > 4
        return float(np.nonzero(glowing)[1].mean())

    assert amber(left_indicator=True) < amber(right_indicator=True) - 20


def test_the_own_car_leaves_the_upper_three_quarters_free(town: Town, renderer: Renderer) -> None:
    pose = on_lane(town, 30.0)
    bare = SceneFrame(WEATHERS["clear_noon"])
    own = SceneFrame(WEATHERS["clear_noon"], [car_at(pose, "vehicle.lincoln.mkz_2020")])
    tags = renderer.render(driver_camera(pose), WIDTH, HEIGHT, FOV, own, ("semantic",))["semantic"]
    before = renderer.render(driver_camera(pose), WIDTH, HEIGHT, FOV, bare, ("semantic",))["semantic"]
    assert (tags[:380] == before[:380]).all()
    assert (tags[400:] == Tag.CAR).sum() > 20_000


def test_pedestrians_are_seen_and_move_their_legs(town: Town, renderer: Renderer) -> None:
    spot = on_lane(town, 38.0).location

    def picture(phase: float) -> tuple[np.ndarray, int]:
        frame = SceneFrame(WEATHERS["clear_noon"], walkers=[WalkerVisual(spot.x, spot.y, 0.0, 90.0, 1.4, phase, 3)])
        seen = renderer.render(driver_camera(on_lane(town, 30.0)), WIDTH, HEIGHT, FOV, frame, ("rgb", "semantic"))
        return seen["rgb"], int((seen["semantic"] == Tag.PEDESTRIAN).sum())

    standing, count = picture(0.0)
    striding, _ = picture(math.pi / 2)
    assert count > 300
    assert (standing != striding).any(axis=-1).sum() > 100


def test_weathers_differ_in_light_and_air(town: Town, renderer: Renderer) -> None:
    camera = driver_camera(on_lane(town, 30.0))
    pictures = {
        name: renderer.render(camera, 448, 224, FOV, SceneFrame(weather))["rgb"].astype(float)
        for name, weather in WEATHERS.items()
    }
    assert pictures["dusk"].mean() < 0.85 * pictures["clear_noon"].mean()
    sky = {name: picture[:20, 200:240].mean(axis=(0, 1)) for name, picture in pictures.items()}
    assert np.ptp(sky["rain_noon"]) < 16.0  # grey
    assert np.ptp(sky["clear_noon"]) > 60.0  # blue
    assert pictures["fog"][80:112, 200:248].std() < 0.7 * pictures["cloudy_noon"][80:112, 200:248].std()


_HASH = """
import sys; sys.path.insert(0, {folder!r})
import test_render_town as t
print(t.picture_hash())
"""


def picture_hash() -> str:
    """Digest of three pictures of a busy street."""
    town, renderer = load("gridtown"), Renderer(town_mesh("gridtown"))
    cars = [car_at(on_lane(town, 20.0 + 9.0 * i), brake=i % 2 == 0) for i in range(6)]
    walkers = [WalkerVisual(-60.0 + i, 168.0, 0.1, 40.0 * i, 1.2, 0.4 * i, i) for i in range(6)]
    digest = hashlib.sha256()
    for name in ("clear_noon", "rain_noon", "dusk"):
        frame = SceneFrame(WEATHERS[name], cars, walkers, {signal_ahead(town): "red"})
        for output in renderer.render(
            driver_camera(on_lane(town, 12.0)), 448, 224, FOV, frame, ("rgb", "semantic", "depth")
        ).values():
            digest.update(output.tobytes())
    return digest.hexdigest()


@pytest.mark.medium
def test_two_processes_draw_the_same_bytes() -> None:
    code = _HASH.format(folder=str(__file__).rsplit("/", 1)[0])
    hashes = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240).stdout
        for _ in range(2)
    }
    assert len(hashes) == 1
    assert hashes == {picture_hash() + "\n"}


def test_a_picture_does_not_depend_on_those_before_it(town: Town) -> None:
    frame = SceneFrame(WEATHERS["clear_noon"], [car_at(on_lane(town, 45.0))], signals={signal_ahead(town): "red"})
    camera = driver_camera(on_lane(town, 30.0))
    fresh = Renderer(town_mesh("gridtown")).render(camera, 448, 224, FOV, frame)["rgb"]
    used = Renderer(town_mesh("gridtown"))
    used.render(driver_camera(on_lane(town, 70.0)), 320, 160, 90.0, SceneFrame(WEATHERS["dusk"]))
    used.render(carla.Transform(carla.Location(0, 0, 80), carla.Rotation(pitch=-90.0)), 64, 64, 90.0, frame)
    assert (used.render(camera, 448, 224, FOV, frame)["rgb"] == fresh).all()
