"""What happens when parts die, stay silent, or are asked for what does not exist."""

from __future__ import annotations

import copy
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from carla_msgs.msg import CarlaEgoVehicleControl, CarlaEgoVehicleStatus
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from rcl_interfaces.msg import Parameter as ParameterMsg
from rcl_interfaces.msg import ParameterType, ParameterValue
from rcl_interfaces.srv import DescribeParameters, SetParameters
from simlingo_msgs.msg import DrivingPlan, Route, Score, StackState
from stack_harness import START_S, geometric, log_of, process, running, whole_stack

from simlingo_node import qos
from simlingo_node.drive_monitor import DriveMonitor
from simlingo_node.drive_result import make_result
from simlingo_node.stack import StackOptions, stack
from simlingo_node.supervisor import Supervisor

#: What a machine that does other work at the same time adds, s.
BUSY_S = 0.5 * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
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


def test_a_transition_that_the_state_does_not_allow_is_refused_and_the_car_drives_on(tmp_path: Path) -> None:
    """As a second lifecycle manager asks for it."""
    with whole_stack(tmp_path, lockstep=False) as (network, supervisor):
        vehicle = network.listen(CarlaEgoVehicleStatus, VEHICLE)
        network.until(lambda: vehicle and vehicle[-1].velocity > 1.5, START_S, "a moving car")
        for node in ("carla_bridge", "route", "planner", "controller"):
            assert not network.transition(node, Transition.TRANSITION_CONFIGURE)
            assert not network.transition(node, 200)
            assert network.state(node) == "active"
        network.spin(1.0)
        assert supervisor.death() is None
        assert vehicle[-1].velocity > 1.5
    assert "'active' does not allow it" in log_of(tmp_path, "controller")


@pytest.mark.parametrize(
    ("number", "words"),
    [(signal.SIGSTOP, "route is not answering"), (signal.SIGKILL, "route is not answering|route is gone")],
)
def test_the_manager_knows_of_a_node_that_says_nothing_within_two_seconds(
    tmp_path: Path, number: signal.Signals, words: str
) -> None:
    with whole_stack(tmp_path, lockstep=False) as (network, supervisor):
        states = network.listen(StackState, "/simlingo/state")

        def manager(mode: str, words: str) -> bool:
            said = [state for state in states if state.node == "lifecycle_manager"]
            return bool(said) and said[-1].mode == mode and re.search(words, said[-1].detail) is not None

        network.until(lambda: manager("active", "route=active"), START_S, "a manager that has brought all up")
        os.kill(supervisor.pids["route"], number)
        network.until(lambda: manager("degraded", words), 2.0 + BUSY_S, "a manager that names it")
        if number == signal.SIGSTOP:
            os.kill(supervisor.pids["route"], signal.SIGCONT)
            network.until(lambda: manager("active", "route=active"), 5.0, "a manager that sees it again")


@pytest.mark.parametrize(
    ("kind", "topic", "obedient"),
    [
        (DrivingPlan, "/simlingo/plan", "controller"),
        (CarlaEgoVehicleControl, "/carla/ego_vehicle/vehicle_control_cmd", "carla_bridge"),
    ],
)
def test_a_second_publisher_of_what_drives_the_car_stops_it_and_is_named(
    tmp_path: Path, kind: type, topic: str, obedient: str
) -> None:
    with whole_stack(tmp_path, lockstep=False) as (network, _):
        vehicle = network.listen(CarlaEgoVehicleStatus, VEHICLE)
        states = network.listen(StackState, "/simlingo/state")
        network.until(lambda: vehicle and vehicle[-1].velocity > 1.5, START_S, "a moving car")
        stranger = network.node.create_publisher(kind, topic, qos.DEFAULT)
        network.until(
            lambda: any(s.node == obedient and f"and /test publish {topic}" in s.detail for s in states),
            5.0,
            "a state that names it",
        )
        network.until(lambda: vehicle[-1].velocity < 0.1, 20.0, "a standing car")
        network.spin(0.5)
        assert vehicle[-1].velocity < 0.1
        network.node.destroy_publisher(stranger)
        network.until(lambda: vehicle[-1].velocity > 1.5, 20.0, "a car that drives on")


def test_only_nodes_that_are_allowed_may_plan(tmp_path: Path) -> None:
    nodes = geometric(stack(StackOptions(page_port=None, traffic="none")))
    names = [node.name for node in nodes]
    controller = names.index("controller")
    nodes[controller] = process(
        "controller", {**nodes[controller].parameters, "allowed_publishers": ["/somebody_else"]}
    )
    with running(nodes, tmp_path) as (network, _):
        vehicle = network.listen(CarlaEgoVehicleStatus, VEHICLE)
        states = network.listen(StackState, "/simlingo/state")
        network.until(
            lambda: any(
                s.node == "controller" and "/planner may not publish /simlingo/plan" in s.detail for s in states
            ),
            START_S,
            "a state that names it",
        )
        network.until(lambda: len(vehicle) > 40, START_S, "two seconds")
        assert max(status.velocity for status in vehicle) < 0.2


def test_in_lockstep_a_tick_without_an_answer_is_braked_and_the_drive_goes_on(tmp_path: Path) -> None:
    nodes = geometric(stack(StackOptions(page_port=None, traffic="none", lockstep=True)))
    nodes[0] = process("carla_bridge", {**nodes[0].parameters, "lockstep_lost_s": 0.4})
    with running(nodes, tmp_path) as (network, supervisor):
        states = network.listen(StackState, "/simlingo/state")
        vehicle = network.listen(CarlaEgoVehicleStatus, VEHICLE)
        network.until(lambda: vehicle and vehicle[-1].velocity > 4.0, START_S, "a drive")
        os.kill(supervisor.pids["controller"], signal.SIGSTOP)
        said = network.until(
            lambda: [each for each in states if "tick without an answer for 0." in each.detail], 5.0, "the state"
        )
        assert (said[0].node, said[0].mode) == ("carla_bridge", "braking")
        began = len(vehicle)
        network.until(lambda: len(vehicle) > began + 2, 5.0, "two more ticks")
        os.kill(supervisor.pids["controller"], signal.SIGCONT)
        assert all(each.control.brake > 0.0 and each.control.throttle == 0.0 for each in vehicle[began : began + 2])
        network.until(lambda: len(vehicle) > began + 40, START_S, "the drive's going on")
        assert max(each.control.throttle for each in vehicle[began + 20 :]) > 0.0


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
            lambda: any(state.mode == "failed" and "no command for" in state.detail for state in states),
            5.0,
            "the state",
        )


def test_a_refused_route_stops_the_moving_car_until_a_good_one_comes(tmp_path: Path) -> None:
    with whole_stack(tmp_path, lockstep=False) as (network, _):
        vehicle = network.listen(CarlaEgoVehicleStatus, VEHICLE)
        states = network.listen(StackState, "/simlingo/state")
        missions = network.listen(Route, "/simlingo/mission", qos.LATCHED)
        speak = network.speak(Route, "/simlingo/mission", qos.LATCHED)
        network.matched("/simlingo/mission", 2, 2)
        network.until(lambda: missions, START_S, "the mission")
        short, broken, far = (copy.deepcopy(missions[0]) for _ in range(3))
        short.points = short.points[:1]
        broken.points[3].position.x = math.nan
        for point in far.points:
            point.position.x += 5000.0
        for bad, words in ((short, "1 point"), (broken, "NaN"), (far, "m away from the vehicle")):
            network.until(lambda: vehicle and vehicle[-1].velocity > 1.5, START_S, "a moving car")
            speak(bad)
            network.until(lambda: vehicle[-1].velocity < 0.1, 20.0, f"a standing car: {words}")
            network.spin(1.0)
            route = [state for state in states if state.node == "route"][-1]
            assert (route.mode, words in route.detail) == ("no route", True), route.detail
            speak(missions[0])


def test_after_the_end_nobody_releases_the_brake(tmp_path: Path) -> None:
    with whole_stack(tmp_path, lockstep=False, seconds=4.0) as (network, _):
        vehicle = network.listen(CarlaEgoVehicleStatus, VEHICLE)
        commands = network.listen(CarlaEgoVehicleControl, "/carla/ego_vehicle/vehicle_control_cmd")
        assert network.end_of_drive(START_S) == "stopped"
        assert max(status.velocity for status in vehicle) > 1.5
        after, said = len(vehicle) + 3, len(commands)  # the last tick of the drive may still be on its way
        network.until(lambda: vehicle[-1].velocity < 0.1, 20.0, "a standing car")
        network.until(lambda: len(commands) > said + 60, 20.0, "the stack's further commands")
        assert vehicle[-1].velocity < 0.1
        assert {(status.control.throttle, round(status.control.brake, 3)) for status in vehicle[after:]} == {(0.0, 0.6)}


@pytest.mark.parametrize("ticks", [0, 20])
def test_a_simulator_that_fails_ends_the_drive_once_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ticks: int
) -> None:
    monkeypatch.setenv("FAIL_AFTER", str(ticks))
    options = StackOptions(page_port=None, traffic="none")
    nodes = geometric(stack(options))
    nodes[0] = process("carla_bridge", nodes[0].parameters, module="failing_bridge")
    with running(nodes, tmp_path) as (network, _):
        assert network.end_of_drive(START_S) == "failed"
        monitor = DriveMonitor("ego_vehicle", network.domain.number)  # later than the score, which is latched
        deadline = time.monotonic() + 10.0
        while not (monitor.picture.ended and "carla_bridge" in monitor.picture.states) and time.monotonic() < deadline:
            monitor.listen(0.5)
        result = make_result(options, monitor.picture, "")
        monitor.close()
    assert result["status"] == "failed"
    assert result["reason"] == "carla_bridge: the simulator failed: the server is gone"
    assert log_of(tmp_path, "carla_bridge").count("the drive has ended") == 1


def test_a_deactivated_controller_brakes_at_once_and_the_manager_names_it(tmp_path: Path) -> None:
    nodes = geometric(stack(StackOptions(page_port=None, traffic="none")))
    names = [node.name for node in nodes]
    controller = names.index("controller")
    nodes[controller] = process("controller", {**nodes[controller].parameters, "brake": 0.95})
    with running(nodes, tmp_path) as (network, _):
        vehicle = network.listen(CarlaEgoVehicleStatus, VEHICLE)
        states = network.listen(StackState, "/simlingo/state")
        diagnostics = network.listen(DiagnosticArray, "/diagnostics")

        def manager_is(mode: str, level: bytes, words: str) -> bool:
            modes = [(state.mode, words in state.detail) for state in states if state.node == "lifecycle_manager"]
            found = [status for array in diagnostics for status in array.status if "lifecycle_manager" in status.name]
            return modes[-1] == (mode, True) and found[-1].level == level

        network.until(lambda: vehicle and vehicle[-1].velocity > 1.5, START_S, "a moving car")
        assert network.transition("controller", Transition.TRANSITION_DEACTIVATE)
        network.until(
            lambda: any(status.control.brake == pytest.approx(0.95) for status in vehicle),
            5.0,
            "the controller's brake",
        )
        lost = "controller is inactive"
        network.until(lambda: manager_is("degraded", DiagnosticStatus.ERROR, lost), 10.0, "a manager that names it")
        assert network.transition("controller", Transition.TRANSITION_ACTIVATE)
        network.until(lambda: manager_is("active", DiagnosticStatus.OK, ""), 10.0, "an active manager")
        network.until(lambda: vehicle[-1].velocity > 1.5, 20.0, "a car that drives on")


def test_a_start_that_fails_half_way_leaves_nothing_running(tmp_path: Path) -> None:
    unspeakable = process("route", {"instructions": object()})  # JSON has no words for it
    supervisor = Supervisor([process("controller"), unspeakable], dict(os.environ), tmp_path)
    with pytest.raises(TypeError), supervisor:
        pass
    (pid,) = supervisor.pids.values()
    assert not Path(f"/proc/{pid}").exists()


def stop_a_driving_stack(log_dir: Path) -> tuple[list[str], dict[str, int]]:
    """Names of the nodes that had to be killed, and the exit codes of those that ended in another way than in order."""
    with whole_stack(log_dir, lockstep=True) as (network, supervisor):
        commands = network.listen(CarlaEgoVehicleControl, "/carla/ego_vehicle/vehicle_control_cmd")
        network.until(lambda: len(commands) > 5, START_S, "a drive")
        killed = supervisor.stop()
        return killed, {name: code for name, code in supervisor.exit_codes.items() if code != 0}


def test_every_node_ends_in_order_when_the_supervisor_asks(tmp_path: Path) -> None:
    """A machine that stands still for seconds can spoil one try, hence three; a node that needs too long fails all."""
    tries = (stop_a_driving_stack(tmp_path / str(number)) for number in range(3))
    assert ([], {}) in tries


@pytest.mark.parametrize("hangs", ["in Python", "inside a call that holds the interpreter"])
def test_a_node_that_hangs_at_its_end_leaves_by_itself(tmp_path: Path, hangs: str) -> None:
    node = process("route", module="hanging_node")
    environment = dict(os.environ, PYTHONPATH=str(Path(__file__).parent), HANGS=hangs)
    supervisor = Supervisor([node], environment, tmp_path)
    supervisor.start()
    (pid,) = supervisor.pids.values()
    deadline = time.monotonic() + START_S
    while "ready" not in log_of(tmp_path, "route") and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(pid, signal.SIGTERM)
    while supervisor.death() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert supervisor.exit_codes == {"route": -signal.SIGALRM}


def test_a_node_ends_with_its_supervisor(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\n"
        "from stack_harness import process\n"
        "from simlingo_node.supervisor import Supervisor\n"
        "from simlingo_node import dds\n"
        "domain = dds.take_domain()\n"
        "s = Supervisor([process('controller')], dds.environment(domain.number, pictures=False), pathlib.Path(sys.argv[1]))\n"
        "s.start(); time.sleep(3.0); print(s.pids['controller'], flush=True); time.sleep(60)\n"
    )
    env = dict(os.environ, PYTHONPATH=str(Path(__file__).parent))
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=env
    ) as boss:
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
def test_a_wrong_parameter_ends_the_node_at_once_with_the_right_word(
    tmp_path: Path, parameters: dict, said: str
) -> None:
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
def test_a_world_that_does_not_exist_leaves_the_bridge_unconfigured(
    tmp_path: Path, parameters: dict, said: str
) -> None:
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
        return ParameterMsg(
            name="max_deviation_m", value=ParameterValue(type=ParameterType.PARAMETER_DOUBLE, double_value=value)
        )

    with running([process("route")], tmp_path) as (network, _):
        network.up("route")
        request = DescribeParameters.Request(names=["max_deviation_m", "route_source"])
        described = network.call(DescribeParameters, "/route/describe_parameters", request).descriptors
        assert all(descriptor.description for descriptor in described)
        assert described[0].floating_point_range[0].to_value == 200.0
        assert "waypoints" in described[1].description
        for value, accepted in ((50.0, True), (1000.0, False)):
            answer = network.call(
                SetParameters, "/route/set_parameters", SetParameters.Request(parameters=[change(value)])
            )
            assert answer.results[0].successful is accepted
        fixed = ParameterMsg(
            name="route_source", value=ParameterValue(type=ParameterType.PARAMETER_STRING, string_value="waypoints")
        )
        answer = network.call(SetParameters, "/route/set_parameters", SetParameters.Request(parameters=[fixed]))
        assert not answer.results[0].successful
        assert "configure it again" in answer.results[0].reason
