"""The live page in a real browser, fed by real messages."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from harness_watchers import Process, wait_for, watcher
from PIL import Image

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
)
needs_browser = pytest.mark.skipif(
    CHROMIUM is None or DRIVER is None, reason="no chromium with chromedriver: apt-get install chromium chromium-driver"
)


@pytest.fixture(scope="module")
def stack() -> Iterator[tuple[Process, Process, str]]:
    with watcher("page", "port:=0") as (page, fake):
        found = wait_for(lambda: re.search(r"http://\S+", "\n".join(page.lines)), 5.0, "the page's address")
        yield page, fake, found.group()


@pytest.fixture(scope="module")
def driver() -> Iterator[Any]:
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in FLAGS.split():
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    browser.set_window_size(1280, 860)
    yield browser
    browser.quit()


@pytest.fixture
def opened(stack: tuple[Process, Process, str], driver: Any) -> Iterator[tuple[Any, Process, Callable[[str], str]]]:
    """The browser with the page alive in it, the stand-in, and the text of an element by id."""
    driver.get(stack[2])
    wait_for(lambda: int(driver.execute_script("return document.body.dataset.frames || 0")) > 2, 15.0, "camera frames")
    yield driver, stack[1], lambda name: str(driver.find_element("id", name).text)
    assert [entry for entry in driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def pixels(driver: Any, name: str) -> np.ndarray:
    """(H, W, 3) of one element as it is shown."""
    return np.asarray(Image.open(io.BytesIO(driver.find_element("id", name).screenshot_as_png)).convert("RGB")).astype(
        int
    )


@needs_browser
def test_camera_shows_the_picture_with_path_and_waypoints(opened: tuple[Any, Process, Callable[[str], str]]) -> None:
    def shows_the_plan() -> bool:
        picture = pixels(opened[0], "camera")
        road = picture[len(picture) * 3 // 4]
        dots = (picture[:, :, 0] > 220) & (picture[:, :, 2] < 110)
        return bool((road[:, 1] - road[:, 0] > 30).any() and dots[len(picture) // 2 :].sum() > 100)

    wait_for(shows_the_plan, 5.0, "path and waypoints on the road")
    sky = pixels(opened[0], "camera")[20, 300]
    assert sky == pytest.approx((130, 170, 200), abs=12), "the sky of the stand-in's frames"


@needs_browser
def test_top_view_shows_streets_and_vehicle(opened: tuple[Any, Process, Callable[[str], str]]) -> None:
    driver = opened[0]
    wait_for(lambda: len(np.unique(pixels(driver, "map").reshape(-1, 3), axis=0)) > 50, 20.0, "streets in the top view")
    before = pixels(driver, "map")
    driver.find_element("id", "zoom-out").click()
    wait_for(lambda: (pixels(driver, "map") != before).any(), 3.0, "the zoom")


@needs_browser
def test_numbers_of_the_stack_are_shown(opened: tuple[Any, Process, Callable[[str], str]]) -> None:
    driver, _, text = opened
    wait_for(lambda: "planner" in text("nodes"), 5.0, "the nodes")
    assert 20 <= int(text("speed")) <= 36
    assert text("town") == "gridtown"
    assert text("command") == "turn left in 42 m"
    assert "of 800 m" in text("distance")
    assert text("reds") == "1/2"
    assert text("latency") == "22 ms"
    assert "red light" in text("infractions")
    assert "not Bench2Drive" in driver.find_element("class name", "banner").text
    assert text("status") == "driving"
    assert text("says") == "Turn left at the junction. Stop for the red light."


@needs_browser
def test_light_ahead_is_shown(opened: tuple[Any, Process, Callable[[str], str]]) -> None:
    driver, _, text = opened
    driver.execute_script("document.getElementById('light').hidden = true")
    wait_for(lambda: re.fullmatch(r"red in \d+ m", text("light")), 60.0, "the red light of the stand-in")


@needs_browser
def test_instruction_reaches_the_topic_and_its_status_comes_back(
    opened: tuple[Any, Process, Callable[[str], str]],
) -> None:
    driver, fake, text = opened
    field = driver.find_element("id", "text")
    field.send_keys("please turn left <b>now</b>\n")
    wait_for(lambda: "please turn left <b>now</b>" in fake.said("instruction"), 3.0, "the instruction on its topic")
    wait_for(lambda: "accepted → obeying" in text("feed"), 3.0, "its states")
    assert "<b>now</b>" in text("feed"), "words are shown as words, not as markup"
    driver.find_elements("css selector", ".chips button")[3].click()
    wait_for(lambda: "follow the road" in fake.said("instruction"), 3.0, "the instruction of a button")
    wait_for(lambda: "not understood" in text("feed"), 3.0, "its status")


@needs_browser
def test_pause_and_resume(opened: tuple[Any, Process, Callable[[str], str]]) -> None:
    driver, fake, text = opened
    driver.find_element("id", "pause").click()
    wait_for(lambda: text("pause") == "Resume" and text("status") == "paused", 3.0, "the pause to show")
    assert fake.said("control")[-1] == 1
    driver.find_element("id", "step").click()
    wait_for(lambda: fake.said("control")[-1] == 2, 3.0, "the single tick")
    driver.find_element("id", "pause").click()
    wait_for(lambda: text("pause") == "Pause", 3.0, "the end of the pause")
    assert fake.said("control")[-1] == 0


@needs_browser
def test_person_drives_with_the_keys_and_the_car_brakes_when_the_page_is_gone(
    opened: tuple[Any, Process, Callable[[str], str]],
) -> None:
    driver, fake, text = opened
    keys = webdriver.common.keys.Keys
    driver.find_element("id", "takeover").click()
    wait_for(lambda: fake.said("override")[-1:] == [True], 3.0, "the override")
    wait_for(lambda: text("status") == "you drive", 3.0, "the take-over to show")
    actions = webdriver.ActionChains(driver)
    actions.key_down(keys.ARROW_UP).key_down(keys.ARROW_RIGHT).pause(0.8).perform()
    steer, throttle, brake = fake.said("manual")[-1]
    assert steer > 0.2
    assert throttle > 0.5
    assert brake == 0.0
    webdriver.ActionChains(driver).key_up(keys.ARROW_UP).key_up(keys.ARROW_RIGHT).perform()
    address = driver.current_url
    driver.get("about:blank")
    wait_for(lambda: fake.said("manual")[-1] == [0.0, 0.0, 1.0], 3.0, "the dead man's brake")
    assert fake.said("override")[-1] is True, "the stack must not drive on by itself"
    driver.get(address)
    wait_for(lambda: text("takeover") == "Give back", 5.0, "the page to know who drives")
    driver.find_element("id", "takeover").click()
    wait_for(lambda: fake.said("override")[-1] is False, 3.0, "the stack to drive again")


@needs_browser
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (390, 844)])
def test_nothing_runs_out_of_the_window(
    opened: tuple[Any, Process, Callable[[str], str]], width: int, height: int
) -> None:
    driver, _, _ = opened
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    try:
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width
        box = driver.find_element("id", "camera").rect
        assert box["width"] == pytest.approx(2 * box["height"], rel=0.02)
        assert driver.find_element("id", "takeover").rect["y"] < 100, "the way out is always in sight"
    finally:
        driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_taken_port_is_named_with_the_cure(stack: tuple[Process, Process, str]) -> None:
    port = stack[2].rsplit(":", 1)[1].strip("/")
    with (
        pytest.raises(AssertionError, match=rf"port {port} .* is taken.*choose another port"),
        watcher("page", f"port:={port}"),
    ):
        pass


def test_node_ends_at_once_and_gives_its_port_back() -> None:
    with watcher("page", "port:=0") as (page, _):
        assert page.end() == 0
