"""The whole stack as processes, in lockstep: topics, types, stamps, a person's hand, pause, and the end."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from carla_msgs.msg import (
    CarlaControl,
    CarlaEgoVehicleControl,
    CarlaEgoVehicleStatus,
    CarlaStatus,
    CarlaTrafficLightInfoList,
    CarlaTrafficLightStatusList,
    CarlaWorldInfo,
)
from nav_msgs.msg import Odometry
from rclpy.qos import DurabilityPolicy, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image
from simlingo_msgs.msg import DrivingPlan, InstructionStatus, Navigation, Route, Score, StackState
from stack_harness import START_S, TICK, Network, whole_stack
from std_msgs.msg import Bool
from tf2_msgs.msg import TFMessage

from simlingo.contracts import EgoState
from simlingo_node import qos
from simlingo_node.conversions import image_to_rgb, stamp_to_ns
from simlingo_node.page.lights import STATE_NAMES
from simlingo_node.page.state import PageState
from simlingo_sim import towns
from simlingo_sim.roads.signals import read_signals
from simlingo_sim.towns.extras import TRAFFIC_LIGHT_TYPE

EGO = "/carla/ego_vehicle"
CONTROL = f"{EGO}/vehicle_control_cmd"
#: Topics that must be there, with their types: those of carla-ros-bridge and our own.
TOPICS = {
    "/clock": "rosgraph_msgs/msg/Clock",
    f"{EGO}/rgb_front/image": "sensor_msgs/msg/Image",
    f"{EGO}/rgb_front/camera_info": "sensor_msgs/msg/CameraInfo",
    f"{EGO}/odometry": "nav_msgs/msg/Odometry",
    f"{EGO}/speedometer": "std_msgs/msg/Float32",
    f"{EGO}/imu": "sensor_msgs/msg/Imu",
    f"{EGO}/gnss": "sensor_msgs/msg/NavSatFix",
    f"{EGO}/vehicle_status": "carla_msgs/msg/CarlaEgoVehicleStatus",
    CONTROL: "carla_msgs/msg/CarlaEgoVehicleControl",
    f"{EGO}/vehicle_control_cmd_manual": "carla_msgs/msg/CarlaEgoVehicleControl",
    f"{EGO}/vehicle_control_manual_override": "std_msgs/msg/Bool",
    f"{EGO}/status": "std_msgs/msg/Bool",
    "/carla/status": "carla_msgs/msg/CarlaStatus",
    "/carla/world_info": "carla_msgs/msg/CarlaWorldInfo",
    "/carla/traffic_lights/info": "carla_msgs/msg/CarlaTrafficLightInfoList",
    "/carla/traffic_lights/status": "carla_msgs/msg/CarlaTrafficLightStatusList",
    "/tf": "tf2_msgs/msg/TFMessage",
    "/simlingo/mission": "simlingo_msgs/msg/Route",
    "/simlingo/navigation": "simlingo_msgs/msg/Navigation",
    "/simlingo/plan": "simlingo_msgs/msg/DrivingPlan",
    "/simlingo/commentary": "simlingo_msgs/msg/Commentary",
    "/simlingo/commentary_text": "std_msgs/msg/String",
    "/simlingo/path": "nav_msgs/msg/Path",
    "/simlingo/speed_waypoints": "nav_msgs/msg/Path",
    "/simlingo/markers": "visualization_msgs/msg/MarkerArray",
    "/simlingo/instruction": "std_msgs/msg/String",
    "/simlingo/instruction_stamped": "simlingo_msgs/msg/Instruction",
    "/simlingo/instruction_status": "simlingo_msgs/msg/InstructionStatus",
    "/simlingo/score": "simlingo_msgs/msg/Score",
    "/simlingo/state": "simlingo_msgs/msg/StackState",
    "/diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
}
LATCHED = (
    "/carla/world_info",
    "/carla/traffic_lights/info",
    "/carla/traffic_lights/status",
    "/simlingo/mission",
    "/simlingo/score",
    "/simlingo/commentary",
    "/simlingo/commentary_text",
    f"{EGO}/status",
)


class Ears:
    """Everything that the stack says in one lockstep drive."""

    def __init__(self, network: Network) -> None:
        listen = network.listen
        self.network = network
        self.odometry = listen(Odometry, f"{EGO}/odometry")
        self.image = listen(Image, f"{EGO}/rgb_front/image")
        self.info = listen(CameraInfo, f"{EGO}/rgb_front/camera_info")
        self.navigation = listen(Navigation, "/simlingo/navigation")
        self.plan = listen(DrivingPlan, "/simlingo/plan")
        self.control = listen(CarlaEgoVehicleControl, CONTROL)
        self.vehicle = listen(CarlaEgoVehicleStatus, f"{EGO}/vehicle_status")
        self.status = listen(CarlaStatus, "/carla/status")
        self.tf = listen(TFMessage, "/tf")
        self.score = listen(Score, "/simlingo/score")
        self.states = listen(StackState, "/simlingo/state")

    def state(self, node: str) -> StackState:
        """Newest state of ``node``."""
        return [state for state in self.states if state.node == node][-1]


@pytest.fixture(scope="module")
def ears(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ears]:
    with whole_stack(tmp_path_factory.mktemp("stack"), lockstep=True) as (network, _):
        heard = Ears(network)
        network.until(lambda: len(heard.control) > 20, START_S, "twenty commands")
        yield heard


def test_topics_and_types(ears: Ears) -> None:
    offered = dict(ears.network.node.get_topic_names_and_types())
    assert {topic: offered.get(topic) for topic in TOPICS} == {topic: [kind] for topic, kind in TOPICS.items()}


def test_quality_of_service(ears: Ears) -> None:
    node = ears.network.node
    for topic in TOPICS:
        for info in node.get_publishers_info_by_topic(topic):
            if info.node_name == "test" or topic == "/tf":
                continue
            assert info.qos_profile.reliability == ReliabilityPolicy.RELIABLE, topic
            latched = info.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL
            assert latched == (topic in LATCHED), topic


def test_late_listeners_get_what_is_latched(ears: Ears) -> None:
    world = ears.network.listen(CarlaWorldInfo, "/carla/world_info", qos.LATCHED)
    mission = ears.network.listen(Route, "/simlingo/mission", qos.LATCHED)
    ears.network.until(lambda: world and mission, 10.0, "map and mission")
    assert world[0].opendrive.lstrip().startswith("<?xml")
    assert len(mission[0].points) > 100


def test_the_page_knows_the_light_ahead_from_what_the_bridge_says(ears: Ears) -> None:
    places = ears.network.listen(CarlaTrafficLightInfoList, "/carla/traffic_lights/info", qos.LATCHED)
    shown = ears.network.listen(CarlaTrafficLightStatusList, "/carla/traffic_lights/status", qos.LATCHED)
    ears.network.until(lambda: places and shown, 10.0, "places and states of the lights")
    page = PageState()
    page.set_light_places(places[0])
    page.set_light_states(shown[-1])
    states = {light.id: STATE_NAMES[light.state] for light in shown[-1].traffic_lights}
    town = towns.load("gridtown")
    signals = [each for each in read_signals(town.map, town.extras) if each.kind == TRAFFIC_LIGHT_TYPE]
    assert len(signals) == len(places[0].traffic_lights) == len(states) > 20
    for number, signal in enumerate(signals):
        pole = signal.transform.location
        (own,) = [
            info.id
            for info in places[0].traffic_lights
            if math.hypot(info.transform.position.x - pole.x, info.transform.position.y + pole.y) < 0.01
        ]
        for stop, distance in ((stop, distance) for stop in signal.stops for distance in (3.0, 20.0)):
            pose = stop.previous(distance)[0].transform
            page.add_pose(EgoState(number, pose.location.x, pose.location.y, math.radians(pose.rotation.yaw), 5.0))
            light = page.snapshot()["light"]
            assert light == {"state": states[own], "distance": pytest.approx(distance, abs=0.5)}


def test_one_message_a_tick_with_one_stamp(ears: Ears) -> None:
    commands = [stamp_to_ns(command.header.stamp) for command in ears.control]
    assert {later - earlier for earlier, later in pairwise(commands)} == {TICK}
    of = {
        name: {stamp_to_ns(message.header.stamp) for message in getattr(ears, name)}
        for name in ("odometry", "image", "info", "navigation", "plan")
    }
    for stamp in commands[1:-2]:
        assert [name for name, stamps in of.items() if stamp not in stamps] == []


def test_the_picture_shows_a_world(ears: Ears) -> None:
    message = ears.image[-1]
    assert (message.encoding, message.width, message.height) == ("bgra8", 1024, 512)
    assert image_to_rgb(message).std() > 10.0
    assert message.header.frame_id == "ego_vehicle/rgb_front"


def test_transforms_lead_from_map_to_camera(ears: Ears) -> None:
    links = {(link.header.frame_id, link.child_frame_id): link for link in ears.tf[-1].transforms}
    assert set(links) == {("map", "ego_vehicle"), ("ego_vehicle", "ego_vehicle/rgb_front")}
    camera = links["ego_vehicle", "ego_vehicle/rgb_front"].transform.translation
    assert (camera.x, camera.y, camera.z) == (-1.5, 0.0, 2.0)


def test_the_car_moves_and_the_score_counts(ears: Ears) -> None:
    ears.network.until(lambda: ears.vehicle[-1].velocity > 2.0, 60.0, "a moving car")
    ears.network.until(lambda: ears.score and ears.score[-1].driven_m > 1.0, 30.0, "driven metres")
    assert ears.score[-1].status == "running"
    assert ears.state("planner").latency_p50_ms > 0.0


def test_pause_holds_the_world_and_step_moves_it_once(ears: Ears) -> None:
    control = ears.network.speak(CarlaControl, "/carla/control")
    ears.network.matched("/carla/control", 1, 1)
    control(CarlaControl(command=CarlaControl.PAUSE))
    ears.network.spin(1.0)
    frame = ears.status[-1].frame
    ears.network.spin(0.5)
    assert ears.status[-1].frame == frame
    ears.network.until(lambda: ears.state("carla_bridge").mode == "paused", 5.0, "a bridge that says so")
    ears.network.until(lambda: "the world is paused" in ears.state("planner").detail, 5.0, "a planner that knows it")
    control(CarlaControl(command=CarlaControl.STEP_ONCE))
    ears.network.until(lambda: ears.status[-1].frame == frame + 1, 5.0, "one step")
    ears.network.spin(0.5)
    assert ears.status[-1].frame == frame + 1
    control(CarlaControl(command=CarlaControl.PLAY))
    ears.network.until(lambda: ears.status[-1].frame > frame + 5, 10.0, "a world that goes on")
    ears.network.until(lambda: ears.state("carla_bridge").mode == "driving", 5.0, "a bridge that says so")


def test_a_second_command_for_a_tick_is_dropped_and_counted(ears: Ears) -> None:
    before = ears.state("carla_bridge").dropped
    speak = ears.network.speak(CarlaEgoVehicleControl, CONTROL)
    ears.network.matched(CONTROL, 2, 2)
    late = CarlaEgoVehicleControl(brake=1.0)
    late.header.stamp = ears.control[-1].header.stamp
    speak(late)
    ears.network.until(lambda: ears.state("carla_bridge").dropped == before + 1, 10.0, "one dropped command")


def test_a_foreign_instruction_status_kills_nothing(ears: Ears) -> None:
    speak = ears.network.speak(InstructionStatus, "/simlingo/instruction_status")
    ears.network.matched("/simlingo/instruction_status", 1, 2)
    speak(InstructionStatus(id="foreign", status=77))
    ears.network.until(lambda: ears.score[-1].instruction_result == "unknown status 77", 10.0, "a score that says so")
    commands = len(ears.control)
    ears.network.until(lambda: len(ears.control) > commands + 5, 10.0, "a drive that goes on")


def test_a_person_takes_over_and_gives_back(ears: Ears) -> None:
    override = ears.network.speak(Bool, f"{EGO}/vehicle_control_manual_override", qos.LATCHED)
    manual = ears.network.speak(CarlaEgoVehicleControl, f"{EGO}/vehicle_control_cmd_manual")
    ears.network.matched(f"{EGO}/vehicle_control_cmd_manual", 1, 1)
    override(Bool(data=True))

    def steers_right() -> bool:
        manual(CarlaEgoVehicleControl(steer=0.5, brake=0.25))
        applied = ears.vehicle[-1].control
        return (applied.steer, applied.brake) == (0.5, 0.25)

    ears.network.until(steers_right, 10.0, "the person's command applied")
    override(Bool(data=False))
    ears.network.until(lambda: ears.vehicle[-1].control.steer != 0.5, 10.0, "the stack's command applied")


def test_two_runs_of_a_seed_give_equal_controls(tmp_path: Path) -> None:
    runs = []
    for number in range(2):
        with whole_stack(tmp_path / str(number), lockstep=True, traffic="light", seconds=2.0, seed=5) as (network, _):
            heard = network.listen(CarlaEgoVehicleControl, CONTROL)
            assert network.end_of_drive(2 * START_S) == "stopped"
            runs.append([(stamp_to_ns(c.header.stamp), c.steer, c.throttle, c.brake) for c in heard])
    assert min(map(len, runs)) >= 40
    assert runs[0][:40] == runs[1][:40]  # whether the answer to the last tick is still heard is a matter of chance
