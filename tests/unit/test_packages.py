"""The ROS packages are standard ones, and the messages are those that other software speaks."""

from __future__ import annotations

import ast
import configparser
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml
from catkin_pkg.package import parse_package

ROOT = Path(__file__).resolve().parents[2]
WS = ROOT / "ros2_ws"
PACKAGES = [*sorted((WS / "src").iterdir()), WS / "underlay/carla_msgs", WS / "underlay/tf2_msgs"]
PYTHON_PACKAGES = ["simlingo", "simlingo_sim", "simlingo_drive", "simlingo_node"]

#: carla_msgs 1.x field by field, in the order that counts on the wire: "type name".
CARLA_MESSAGES = {
    "CarlaEgoVehicleControl": "std_msgs/Header header, float32 throttle, float32 steer, float32 brake, bool hand_brake, bool reverse, "
    "int32 gear, bool manual_gear_shift",
    "CarlaEgoVehicleStatus": "std_msgs/Header header, float32 velocity, geometry_msgs/Accel acceleration, "
    "geometry_msgs/Quaternion orientation, CarlaEgoVehicleControl control",
    "CarlaEgoVehicleInfo": "uint32 id, string type, string rolename, CarlaEgoVehicleInfoWheel[] wheels, float32 max_rpm, float32 moi, "
    "float32 damping_rate_full_throttle, float32 damping_rate_zero_throttle_clutch_engaged, "
    "float32 damping_rate_zero_throttle_clutch_disengaged, bool use_gear_autobox, float32 gear_switch_time, "
    "float32 clutch_strength, float32 mass, float32 drag_coefficient, geometry_msgs/Vector3 center_of_mass",
    "CarlaEgoVehicleInfoWheel": "float32 tire_friction, float32 damping_rate, float32 max_steer_angle, float32 radius, "
    "float32 max_brake_torque, float32 max_handbrake_torque, geometry_msgs/Vector3 position",
    "CarlaStatus": "uint64 frame, float32 fixed_delta_seconds, bool synchronous_mode, bool synchronous_mode_running",
    "CarlaControl": "int8 PLAY=0, int8 PAUSE=1, int8 STEP_ONCE=2, int8 command",
    "CarlaWorldInfo": "string map_name, string opendrive",
    "CarlaCollisionEvent": "std_msgs/Header header, uint32 other_actor_id, geometry_msgs/Vector3 normal_impulse",
    "CarlaLaneInvasionEvent": "std_msgs/Header header, int32[] crossed_lane_markings, int32 LANE_MARKING_OTHER=0, "
    "int32 LANE_MARKING_BROKEN=1, int32 LANE_MARKING_SOLID=2",
    "CarlaTrafficLightStatus": "uint32 id, uint8 RED=0, uint8 YELLOW=1, uint8 GREEN=2, uint8 OFF=3, uint8 UNKNOWN=4, uint8 state",
    "CarlaTrafficLightStatusList": "CarlaTrafficLightStatus[] traffic_lights",
    "CarlaTrafficLightInfoList": "CarlaTrafficLightInfo[] traffic_lights",
    "CarlaTrafficLightInfo": "uint32 id, geometry_msgs/Pose transform, CarlaBoundingBox trigger_volume",
    "CarlaBoundingBox": "geometry_msgs/Vector3 center, geometry_msgs/Vector3 size",
    "CarlaActorInfo": "uint32 id, uint32 parent_id, string type, string rolename",
    "CarlaActorList": "CarlaActorInfo[] actors",
    "CarlaWeatherParameters": "float32 cloudiness, float32 precipitation, float32 precipitation_deposits, float32 wind_intensity, "
    "float32 fog_density, float32 fog_distance, float32 wetness, float32 sun_azimuth_angle, float32 sun_altitude_angle",
    "CarlaWalkerControl": "geometry_msgs/Vector3 direction, float32 speed, bool jump",
    "SpawnObject": "string type, string id, diagnostic_msgs/KeyValue[] attributes, geometry_msgs/Pose transform, uint32 attach_to, "
    "bool random_pose, ---, int32 id, string error_string",
    "DestroyObject": "int32 id, ---, bool success",
    "GetBlueprints": "string filter, ---, string[] blueprints",
}


def fields_of(file: Path) -> list[str]:
    """Fields and constants of an interface file, without comments and blanks."""
    lines = (line.split("#")[0].strip() for line in file.read_text().splitlines())
    return [re.sub(r"\s+", " ", line) for line in lines if line]


@pytest.mark.parametrize("folder", PACKAGES, ids=lambda folder: folder.name)
def test_package_xml_is_valid_format_3(folder: Path) -> None:
    package = parse_package(str(folder))
    package.validate()
    assert package.package_format == 3
    assert package.name == folder.name
    assert package.licenses == ["Apache-2.0"]
    expected = "ament_python" if folder.name in PYTHON_PACKAGES else "ament_cmake"
    assert package.get_build_type() == expected


@pytest.mark.parametrize("name", PYTHON_PACKAGES)
def test_python_packages_have_what_ament_looks_for(name: str) -> None:
    folder = WS / "src" / name
    assert (folder / "resource" / name).is_file()
    settings = configparser.ConfigParser()
    settings.read(folder / "setup.cfg")
    assert settings["install"]["install_scripts"] == f"$base/lib/{name}"
    assert settings["develop"]["script_dir"] == f"$base/lib/{name}"
    for inner in {file.parent for file in (folder / name).rglob("*.py")}:
        assert (inner / "__init__.py").is_file(), f"colcon installs no {inner}"


def test_every_executable_has_its_main() -> None:
    text = (WS / "src/simlingo_node/setup.py").read_text()
    entries = re.findall(r'"(\w+) = ([\w.]+):(\w+)"', text)
    assert {name for name, _, _ in entries} == {
        "carla_bridge", "route", "planner", "controller", "lifecycle_manager", "page", "recorder",
    }  # fmt: skip
    for name, module, function in entries:
        file = (WS / "src/simlingo_node").joinpath(*module.split(".")).with_suffix(".py")
        defined = {node.name for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef)}
        assert function in defined, f"{name}: no {function} in {file}"


def test_versions_agree() -> None:
    from simlingo_cli import __version__

    for name in [*PYTHON_PACKAGES, "simlingo_msgs"]:
        assert ET.parse(WS / "src" / name / "package.xml").findtext("version") == __version__
    for name in PYTHON_PACKAGES:
        assert f'version="{__version__}"' in (WS / "src" / name / "setup.py").read_text()


@pytest.mark.parametrize("name", sorted(CARLA_MESSAGES))
def test_carla_msgs_are_those_of_the_wire(name: str) -> None:
    file = next((WS / "underlay/carla_msgs").glob(f"*/{name}.*"))
    assert fields_of(file) == CARLA_MESSAGES[name].split(", ")


@pytest.mark.parametrize("folder", ["src/simlingo_msgs", "underlay/carla_msgs", "underlay/tf2_msgs"])
def test_every_interface_is_built(folder: str) -> None:
    files = {f"{file.parent.name}/{file.name}" for file in (WS / folder).glob("*/*.[ms][sr][gv]")}
    built = set(re.findall(r'"((?:msg|srv)/\w+\.\w+)"', (WS / folder / "CMakeLists.txt").read_text()))
    assert files == built
    if folder.endswith("carla_msgs"):
        assert {Path(file).stem for file in files} == set(CARLA_MESSAGES)


def test_every_field_of_our_messages_is_commented() -> None:
    for file in (WS / "src/simlingo_msgs/msg").glob("*.msg"):
        for line in file.read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                assert "#" in line or "=" in line, f"{file.name}: {line}"


def test_apt_users_do_not_build_the_underlay() -> None:
    assert (WS / "underlay/COLCON_IGNORE").is_file()
    assert not list((WS / "src").glob("*/COLCON_IGNORE"))


def test_compose_runs_the_same_drive_with_enough_shared_memory() -> None:
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["drive"]
    assert service["command"][0] == "drive"
    assert service["shm_size"] == "512m"
    dockerfile = (ROOT / service["build"]["dockerfile"]).read_text()
    assert 'ENTRYPOINT ["./simlingo"]' in dockerfile
    assert dockerfile.index("USER simlingo") < dockerfile.index("ENTRYPOINT")


@pytest.mark.parametrize("name", ["fastdds_shm.xml", "local_pictures.xml"])
def test_dds_profile_holds_a_camera_image(name: str) -> None:
    namespace = {"dds": "http://www.eprosima.com"}
    profile = ET.parse(WS / "src/simlingo_node/config" / name)
    segment = int(profile.findtext(".//dds:segment_size", namespaces=namespace) or 0)
    message = int(profile.findtext(".//dds:maxMessageSize", namespaces=namespace) or 0)
    assert 4 * 1024 * 512 < message < segment
