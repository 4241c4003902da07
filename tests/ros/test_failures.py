"""What happens when parts die, stay silent, or are asked for what does not exist."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from carla_msgs.msg import CarlaEgoVehicleControl, CarlaEgoVehicleStatus
from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, SetParameters
from simlingo_msgs.msg import Score, StackState
from stack_harness import START_S, geometric, log_of, process, running, whole_stack

from simlingo_node.stack import StackOptions, stack

VEHICLE = "/carla/ego_vehicle/vehicle_status"


@pytest.mark.parametrize("victim", ["planner", "route", "controller"])
def test_kill_of_a_node_stops_the_car(tmp_path: Path, victim: str) -> None:
    with whole_stack(tmp_path, lockstep=False) as (network, supervisor):
        vehicle = network.listen(CarlaEgoVehicleStatus, VEHICLE)
        network.until(lambda: vehicle and vehicle[-1].velocity > 1.5, START_S, "a moving car")
        os.kill(supervisor.pids[victim], signal.SIGKILL)
        network.until(lambda: vehicle[-1].control.brake > 0.3, 20.0, "the brake")
        network.until(lambda: vehicle[-1].velocity < 0.1, 30.0, "a standing car")
        network.spin(0.5)
        assert vehicle[-1].velocity < 0.1
        death = supervisor.death()
    assert death is not None
    assert (death.node, death.why) == (victim, "was killed by signal 9 (SIGKILL)")


def test_in_lockstep_a_silent_stack_ends_the_drive_as_failed(tmp_path: Path) -> None:
    nodes = geometric(stack(StackOptions(page_port=None, traffic="none", lockstep=True)))
    nodes[0] = process("carla_bridge", {**nodes[0].parameters, "lockstep_timeout_s": 2.0})
    with running(nodes, tmp_path) as (network, supervisor):
        scores = network.listen(Score, "/simlingo/score")
        states = network.listen(StackState, "/simlingo/state")
        vehicle = network.listen(CarlaEgoVehicleStatus, VEHICLE)
        network.until(lambda: len(vehicle) > 20, START_S, "a drive")
        os.kill(supervisor.pids["controller"], signal.SIGKILL)
        network.until(lambda: scores and scores[-1].status == "failed", 15.0, "a failed score")
        network.until(
            lambda: any(state.mode == "failed" and "no command for" in state.detail for state in states), 5.0, "the state"
        )


def test_every_node_ends_within_two_seconds_of_sigterm(tmp_path: Path) -> None:
    with whole_stack(tmp_path, lockstep=True) as (network, supervisor):
        commands = network.listen(CarlaEgoVehicleControl, "/carla/ego_vehicle/vehicle_control_cmd")
        network.until(lambda: len(commands) > 5, START_S, "a drive")
        begin = time.monotonic()
        killed = supervisor.stop()
        assert time.monotonic() - begin < 2.0 + 0.2 * os.getloadavg()[0] / (os.cpu_count() or 1)
        assert killed == []


def test_a_node_ends_with_its_supervisor(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\n"
        "from stack_harness import process\n"
        "from simlingo_node.supervisor import Supervisor\n"
        "from simlingo_node import dds\n"
        "domain = dds.take_domain()\n"
        "s = Supervisor([process('controller')], dds.environment(domain.number), pathlib.Path(sys.argv[1]))\n"
        "s.start(); time.sleep(3.0); print(s.pids['controller'], flush=True); time.sleep(60)\n"
    )
    env = dict(os.environ, PYTHONPATH=str(Path(__file__).parent))
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=env) as boss:
        assert boss.stdout is not None
        pid = int(boss.stdout.readline())
        boss.kill()
    deadline = time.monotonic() + 5.0
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"weather": "rain_non"}, "did you mean 'rain_noon'?"),
        ({"twon": "gridtown"}, "did you mean 'town'?"),
        ({"seed": -4}, "seed"),
        ({"town": 7}, "town"),
    ],
)
def test_a_wrong_parameter_ends_the_node_at_once_with_the_right_word(tmp_path: Path, parameters: dict, said: str) -> None:
    with running([process("carla_bridge", parameters)], tmp_path) as (network, supervisor):
        death = network.until(supervisor.death, START_S, "the end of the bridge")
    assert death.why == "ended with exit code 2"
    assert said in log_of(tmp_path, "carla_bridge")
    assert "Traceback" not in log_of(tmp_path, "carla_bridge")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"town": "gridtwon"}, "gridtown"),
        ({"start": "0,0"}, "'start' and 'goal' belong together"),
        ({"start": "a,b", "goal": "1,2"}, "must be 'x,y'"),
        ({"simulator": "carla", "port": 1}, "no CARLA server answers at 127.0.0.1:1"),
    ],
)
def test_a_world_that_does_not_exist_leaves_the_bridge_unconfigured(tmp_path: Path, parameters: dict, said: str) -> None:
    with running([process("carla_bridge", parameters)], tmp_path) as (network, _):
        assert not network.transition("carla_bridge", 1)
        assert network.state("carla_bridge") == "unconfigured"
    assert said in log_of(tmp_path, "carla_bridge")


def test_a_stack_that_cannot_come_up_ends_and_names_the_cause(tmp_path: Path) -> None:
    with whole_stack(tmp_path, town="nowhere") as (network, supervisor):
        death = network.until(supervisor.death, START_S, "the end of the manager")
    assert death.node == "lifecycle_manager"
    assert any("carla_bridge could not configure" in line for line in death.log)
    assert any("unknown town 'nowhere'" in line for line in death.log)


def test_parameters_are_described_ranged_and_read_again(tmp_path: Path) -> None:
    def change(value: float) -> ParameterMsg:
        return ParameterMsg(name="max_deviation_m", value=ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value))

    with running([process("route")], tmp_path) as (network, _):
        network.up("route")
        request = DescribeParameters.Request(names=["max_deviation_m", "route_source"])
        described = network.call(DescribeParameters, "/route/describe_parameters", request).descriptors
        assert all(descriptor.description for descriptor in described)
        assert described[0].floating_point_range[0].to_value == 200.0
        assert "waypoints" in described[1].description
        for value, accepted in ((50.0, True), (1000.0, False)):
            answer = network.call(SetParameters, "/route/set_parameters", SetParameters.Request(parameters=[change(value)]))
            assert answer.results[0].successful is accepted
        fixed = ParameterMsg(
            name="route_source", value=ParameterValue(type=ParameterType.PARAMETER_STRING, string_value="waypoints")
        )
        answer = network.call(SetParameters, "/route/set_parameters", SetParameters.Request(parameters=[fixed]))
        assert not answer.results[0].successful
        assert "configure it again" in answer.results[0].reason
