"""The planner node between processes: what it pairs, what it refuses, and what it says of it."""

from __future__ import annotations

import array
import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from nav_msgs.msg import Odometry
from nav_msgs.msg import Path as PathMsg
from sensor_msgs.msg import CameraInfo, Image
from simlingo_msgs.msg import Commentary, DrivingPlan, Navigation, StackState
from stack_harness import TICK, Network, log_of, navigation, odometry, picture, process, running
from std_msgs.msg import Header, String
from visualization_msgs.msg import MarkerArray

from simlingo.contracts import MODEL_CAMERA, CameraIntrinsics, Command
from simlingo.model.checkpoints.provenance import SIMLINGO_LICENCE, Provenance
from simlingo.model.folder import SHIPPED
from simlingo_node.conversions import intrinsics_to_camera_info, ns_to_stamp, stamp_to_ns
from simlingo_node.qos import LATCHED

CAMERA = "/carla/ego_vehicle/rgb_front"


class Inputs:
    """The bridge and the route, played by the test."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.info = network.speak(CameraInfo, f"{CAMERA}/camera_info")
        self.image = network.speak(Image, f"{CAMERA}/image")
        self.odometry = network.speak(Odometry, "/carla/ego_vehicle/odometry")
        self.navigation = network.speak(Navigation, "/simlingo/navigation")
        self.plans = network.listen(DrivingPlan, "/simlingo/plan")
        self.states = network.listen(StackState, "/simlingo/state")
        network.up("planner")
        for topic in (f"{CAMERA}/image", "/simlingo/navigation", "/carla/ego_vehicle/odometry"):
            network.matched(topic, 1, 1)
        network.matched("/simlingo/plan", 1, 1)
        self.stamp = 0

    def send(
        self,
        image: Image | None = None,
        info: CameraInfo | None = None,
        stamp: int | None = None,
        command: Command = Command.FOLLOW_LANE,
        instruction_id: str = "",
        x: float = 0.0,
    ) -> int:
        """One tick; returns its stamp."""
        self.stamp = stamp if stamp is not None else self.stamp + TICK
        self.info(info or intrinsics_to_camera_info(MODEL_CAMERA, self.stamp, ""))
        self.odometry(odometry(self.stamp, x=x))
        told = navigation(self.stamp, command)
        told.instruction_id = instruction_id
        self.navigation(told)
        frame = image or picture(self.stamp)
        frame.header.stamp = ns_to_stamp(self.stamp)
        self.image(frame)
        return self.stamp

    def answered(self, stamp: int) -> DrivingPlan:
        """The plan for ``stamp``."""
        found = self.network.until(
            lambda: [plan for plan in self.plans if stamp_to_ns(plan.header.stamp) == stamp], 10.0, f"plan {stamp}"
        )
        assert len(found) == 1
        return found[0]

    def refused_with(self, words: str, count: int) -> StackState:
        """A state that tells of ``count`` refusals because of ``words``."""
        self.network.until(
            lambda: [s for s in self.states if s.node == "planner" and words in s.detail and s.refused >= count],
            10.0,
            f"a state that says '{words}' (last: {self.states[-1].detail if self.states else 'none'})",
        )
        return self.states[-1]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inputs]:
    spec = process("planner", {"lockstep": True}, module="geometric_planner")
    with running([spec], tmp_path_factory.mktemp("planner")) as (network, _):
        yield Inputs(network)


def test_a_plan_carries_the_images_stamp_and_phases_within_the_time_it_took(inputs: Inputs) -> None:
    begin = time.perf_counter()
    plan = inputs.answered(inputs.send())
    took_ms = 1e3 * (time.perf_counter() - begin)
    assert plan.header.frame_id == "ego_vehicle"
    assert plan.model == "geometric"
    assert (len(plan.path), len(plan.speed_waypoints)) == (20, 10)
    phases = {part.phase: part.duration_ms for part in plan.timing}
    assert set(phases) == {"wait", "decode", "geometry", "other"}
    assert all(duration >= 0.0 for duration in phases.values())
    assert phases["geometry"] < sum(phases.values()) <= took_ms


def test_the_state_carries_phases_and_memory(inputs: Inputs) -> None:
    inputs.answered(inputs.send())
    wanted = {"wait", "decode", "geometry", "other"}

    def told() -> list[StackState]:
        return [s for s in inputs.states if s.node == "planner" and wanted <= {part.phase for part in s.phases}]

    state = inputs.network.until(told, 10.0, "a state with the phases of a plan")[-1]
    assert all(part.duration_ms >= 0.0 for part in state.phases)
    assert state.memory_mib > 10.0
    assert math.isnan(state.gpu_allocated_mib)  # this driver uses no GPU
    assert math.isnan(state.gpu_reserved_mib)


def test_the_driver_is_told_the_instruction_and_its_plans_name_it(inputs: Inputs) -> None:
    plan = inputs.answered(inputs.send(instruction_id="i7"))
    assert (plan.instruction_id, plan.text) == ("i7", "I carry out i7.")
    plan = inputs.answered(inputs.send())
    assert (plan.instruction_id, plan.text) == ("", "")


def test_views_carry_stamps_of_their_own(inputs: Inputs) -> None:
    network = inputs.network
    paths = network.listen(PathMsg, "/simlingo/path")
    waypoints = network.listen(PathMsg, "/simlingo/speed_waypoints")
    markers = network.listen(MarkerArray, "/simlingo/markers")
    network.matched("/simlingo/markers", 1, 1)
    stamp = inputs.send()
    network.until(lambda: paths and waypoints and markers, 10.0, "path, speed waypoints and markers")
    stamps = [stamp_to_ns(pose.header.stamp) - stamp for pose in waypoints[-1].poses]
    assert stamps == [250_000_000 * index for index in range(1, 11)]
    assert {pose.header.frame_id for pose in paths[-1].poses} == {"ego_vehicle"}


@pytest.mark.parametrize("what", ["encoding", "truncated", "size", "narrow", "distorted", "black"])
def test_a_bad_frame_is_refused_with_the_reason_and_the_next_good_one_driven(inputs: Inputs, what: str) -> None:
    frame, info, words = picture(0), None, ""
    if what == "encoding":
        frame.encoding, words = "yuv422", "yuv422"
    elif what == "truncated":
        frame.data, words = array.array("B", bytes(1000)), "truncated"
    elif what == "size":
        frame, words = picture(0, 640, 480), "640x480, but its CameraInfo says 1024x512"
    elif what == "narrow":
        frame, words = picture(0, 640, 320), "narrower"
        info = intrinsics_to_camera_info(CameraIntrinsics.from_field_of_view(640, 320, 60.0), 0, "")
    elif what == "black":
        frame.data, words = array.array("B", bytes(1024 * 512 * 4)), "the picture is black and shows nothing"
    else:
        info, words = intrinsics_to_camera_info(MODEL_CAMERA, 0, ""), "rectified"
        info.d = [0.2, 0.0, 0.0, 0.0, 0.0]
    before = len(inputs.plans)
    refused = inputs.network.listen(Header, "/simlingo/refused_frame")
    inputs.network.matched("/simlingo/refused_frame", 1, 1)
    stamp = inputs.send(frame, info)
    inputs.refused_with(words, 1)
    assert len(inputs.plans) == before
    inputs.network.until(lambda: refused, 5.0, "word that no plan comes")
    assert [stamp_to_ns(header.stamp) for header in refused] == [stamp]
    inputs.answered(inputs.send())


def test_a_picture_that_stays_the_same_while_the_car_moves_is_not_driven_by(inputs: Inputs) -> None:
    for x in (0.0, 0.15, 0.3, 0.45, 0.6, 0.75):  # as 3 m/s do in a tick, or 5
        inputs.answered(inputs.send(x=x))
    before = len(inputs.plans)
    inputs.send(x=1.0)
    inputs.refused_with("the car moved 1.0 m; the camera is frozen", 1)
    assert len(inputs.plans) == before
    inputs.send(picture(0, moved=8), x=2.1)
    inputs.refused_with("the next one tells whether it is late", 1)
    inputs.answered(inputs.send(picture(0, moved=8), x=2.1))


def test_a_wider_camera_of_another_size_is_warped(inputs: Inputs) -> None:
    wide = CameraIntrinsics.from_field_of_view(1280, 720, 120.0)
    inputs.answered(inputs.send(picture(0, 1280, 720), intrinsics_to_camera_info(wide, 0, "")))


def test_a_frame_of_the_past_is_dropped(inputs: Inputs) -> None:
    newest = inputs.send()
    inputs.answered(newest)
    before = len(inputs.plans)
    inputs.send(stamp=newest - 3 * TICK)
    inputs.refused_with("before or at the last one", 1)
    assert len(inputs.plans) == before
    inputs.stamp = newest
    inputs.answered(inputs.send())


def test_a_frame_of_the_future_is_dropped_and_the_next_good_one_driven(inputs: Inputs) -> None:
    newest = inputs.send()
    inputs.answered(newest)
    inputs.image(picture(newest + 3600 * 20 * TICK))
    inputs.refused_with("3600.000 s ahead of the odometry", 1)
    inputs.answered(inputs.send())


@pytest.mark.parametrize("image_first", [False, True])
def test_lockstep_hears_of_a_tick_whose_image_has_another_stamp(inputs: Inputs, image_first: bool) -> None:
    """Also where odometry or image have come twice before, and whichever of the tick's two comes first."""
    refused = inputs.network.listen(Header, "/simlingo/refused_frame")
    inputs.network.matched("/simlingo/refused_frame", 1, 1)
    inputs.answered(inputs.send())
    inputs.odometry(odometry(inputs.stamp))
    inputs.image(picture(inputs.stamp))
    inputs.network.spin(0.3)
    assert refused == []
    for _ in range(2):
        inputs.stamp += TICK
        steps = [
            lambda: inputs.odometry(odometry(inputs.stamp)),
            lambda: inputs.image(picture(inputs.stamp + 1000 * 10**9)),
        ]
        for step in reversed(steps) if image_first else steps:
            step()
            inputs.network.spin(0.2)
        told = inputs.network.until(lambda: refused, 5.0, "word that no plan comes")
        assert [stamp_to_ns(header.stamp) for header in told] == [inputs.stamp]
        refused.clear()
    inputs.answered(inputs.send())
    assert refused == []


def driven_again(inputs: Inputs) -> None:
    """After a jump of the clock a picture that comes before its odometry is dropped: of three good ticks one is planned at least."""
    good = []
    for _ in range(3):
        good.append(inputs.send())
        inputs.network.spin(0.2)
    inputs.network.until(
        lambda: any(stamp_to_ns(plan.header.stamp) in good for plan in inputs.plans), 10.0, "a plan of a good tick"
    )


@pytest.mark.parametrize("image_first", [False, True])
@pytest.mark.parametrize("seconds", [1000, -4])
def test_lockstep_hears_of_a_tick_whose_odometry_has_another_stamp(
    inputs: Inputs, image_first: bool, seconds: int
) -> None:
    """Its own is told, since the controller waits for a plan of it; odometry first needs the last tick's picture to compare with."""
    refused = inputs.network.listen(Header, "/simlingo/refused_frame")
    inputs.network.matched("/simlingo/refused_frame", 1, 1)
    inputs.stamp += 5 * 10**9
    driven_again(inputs)
    for _ in range(2):
        inputs.stamp += TICK
        wrong = inputs.stamp + seconds * 10**9
        steps = [lambda: inputs.odometry(odometry(wrong)), lambda: inputs.image(picture(inputs.stamp))]  # noqa: B023
        for step in reversed(steps) if image_first else steps:
            step()
            inputs.network.spin(0.2)
        inputs.network.until(
            lambda: any(stamp_to_ns(header.stamp) == wrong for header in refused),  # noqa: B023
            10.0,
            f"word that no plan of {wrong} comes; refused so far: {[stamp_to_ns(header.stamp) - wrong for header in refused]}",
        )
        refused.clear()
    driven_again(inputs)


def test_nan_in_odometry_makes_no_plan(inputs: Inputs) -> None:
    inputs.stamp += TICK
    broken = odometry(inputs.stamp)
    broken.twist.twist.linear.x = math.nan
    inputs.odometry(broken)
    inputs.navigation(navigation(inputs.stamp))
    inputs.image(picture(inputs.stamp))
    inputs.refused_with("NaN", 1)
    assert all(stamp_to_ns(plan.header.stamp) != inputs.stamp for plan in inputs.plans)


def test_odometry_without_its_frame_waits_and_the_state_says_so(inputs: Inputs) -> None:
    for _ in range(40):
        inputs.stamp += TICK
        inputs.odometry(odometry(inputs.stamp))
        inputs.navigation(navigation(inputs.stamp))
        inputs.network.spin(0.04)
    assert inputs.plans[-1].header.stamp != ns_to_stamp(inputs.stamp)
    state = inputs.refused_with("no image for 1 s", 0)
    assert state.mode == "waiting"
    inputs.answered(inputs.send())


def test_without_guidance_it_plans_to_stand_and_says_so_once(inputs: Inputs) -> None:
    said = inputs.network.listen(Commentary, "/simlingo/commentary", LATCHED)
    twin = inputs.network.listen(String, "/simlingo/commentary_text", LATCHED)
    for _ in range(3):
        inputs.stamp += TICK
        inputs.odometry(odometry(inputs.stamp))
        lost = Navigation(status=Navigation.FINISHED)
        lost.header.stamp = ns_to_stamp(inputs.stamp)
        inputs.navigation(lost)
        inputs.image(picture(inputs.stamp))
        plan = inputs.answered(inputs.stamp)
        assert all(point.x == 0.0 and point.y == 0.0 for point in plan.speed_waypoints)
        assert "goal" in plan.text
    inputs.network.until(lambda: said and twin, 5.0, "the words on their topics")
    about_goal = [words for words in said if words.text == plan.text]
    assert [(words.model, words.header.frame_id) for words in about_goal] == [("geometric", "ego_vehicle")]
    assert inputs.stamp - 2 * TICK == stamp_to_ns(about_goal[0].header.stamp)
    assert twin[-1].data == plan.text
    inputs.answered(inputs.send())
    inputs.network.until(lambda: twin[-1].data == "" and said[-1].text == "", 5.0, "the words taken back")


def test_its_subscriptions_hold_no_ground_truth_but_odometry(inputs: Inputs) -> None:
    node = inputs.network.node
    listened = {name for name, _ in node.get_subscriber_names_and_types_by_node("planner", "/")}
    assert listened == {
        f"{CAMERA}/image",
        f"{CAMERA}/camera_info",
        "/carla/ego_vehicle/odometry",
        "/simlingo/navigation",
    }


def test_weights_that_are_missing_leave_it_unconfigured_with_the_reason(tmp_path: Path) -> None:
    with running([process("planner", {"model": "simlingo-minni"})], tmp_path) as (network, supervisor):
        assert not network.transition("planner", 1)
        assert network.state("planner") == "unconfigured"
        assert any("no model 'simlingo-minni'" in line for line in supervisor.last_lines("planner"))


def test_a_driver_that_breaks_ends_the_node_with_the_cause(tmp_path: Path) -> None:
    with running([process("planner", {"lockstep": True}, module="failing_planner")], tmp_path) as (network, supervisor):
        Inputs(network).send()
        death = network.until(supervisor.death, 10.0, "the end of the planner")
    assert death.why == "ended with exit code 3"
    assert any("RuntimeError: the network has burst" in line for line in death.log)


def test_a_text_that_fails_leaves_the_plans_and_is_told(tmp_path: Path) -> None:
    with running([process("planner", {"lockstep": True}, module="failing_text_planner")], tmp_path) as (network, _):
        inputs = Inputs(network)
        inputs.answered(inputs.send())

        def told() -> list[StackState]:
            inputs.answered(inputs.send())
            return [s for s in inputs.states if s.node == "planner" and "more tokens than fit" in s.detail]

        assert network.until(told, 10.0, "a state that tells of the text")[-1].mode == "active"
        inputs.answered(inputs.send())


def test_a_plan_that_waits_for_its_text_is_given_up_at_the_end(tmp_path: Path) -> None:
    with running([process("planner", {"lockstep": True}, module="waiting_planner")], tmp_path) as (network, supervisor):
        inputs = Inputs(network)
        inputs.send()
        network.until(lambda: "waits for its text" in log_of(tmp_path, "planner"), 10.0, "the plan in work")
        assert network.transition("planner", 4, 3)  # deactivate, activate
        inputs.answered(inputs.send())
        assert len(inputs.plans) == 1
        network.spin(1.0)  # a node that must end does so within it
        assert supervisor.death() is None
        inputs.answered(inputs.send())


@pytest.mark.parametrize(("route_as", "steers"), [("target_point", False), ("command", True)])
def test_the_words_of_the_command_steer_where_they_are_asked_for(tmp_path: Path, route_as: str, steers: bool) -> None:
    with running([process("planner", {"lockstep": True, "route_as": route_as})], tmp_path) as (network, _):
        inputs = Inputs(network)
        plans = [inputs.answered(inputs.send(command=command)) for command in (Command.LEFT, Command.RIGHT)]
    assert (plans[0].path != plans[1].path) is steers


def restricted_model(folder: Path) -> Path:
    """The shipped model under the licence of the published weights."""
    shutil.copytree(SHIPPED / "simlingo-mini", folder)
    Provenance("simlingo", "a test", SIMLINGO_LICENCE).write(folder)
    return folder


@pytest.mark.parametrize(("use_sim_time", "simulation"), [(False, True), (True, False), (True, True)])
def test_weights_for_simulation_alone_drive_only_where_simulation_is_declared(
    tmp_path: Path, use_sim_time: bool, simulation: bool
) -> None:
    model = str(restricted_model(tmp_path / "model"))
    parameters = {"lockstep": True, "model": model, "use_sim_time": use_sim_time, "simulation": simulation}
    with running([process("planner", parameters)], tmp_path) as (network, supervisor):
        assert network.transition("planner", 1)
        assert network.transition("planner", 3) is (use_sim_time and simulation)
        if not (use_sim_time and simulation):
            assert network.state("planner") == "inactive"
            lines = " ".join(supervisor.last_lines("planner"))
            assert "in simulation only" in lines
            assert "simulation:=true" in lines
