"""What the route node talks to: bridge and person, played by the test."""

from __future__ import annotations

import numpy as np
from carla_msgs.msg import CarlaWorldInfo
from nav_msgs.msg import Odometry
from nav_msgs.msg import Path as PathMsg
from simlingo_msgs.msg import Instruction, InstructionStatus, Navigation, Route, StackState
from stack_harness import TICK, Network, odometry
from std_msgs.msg import String

from simlingo.contracts import Command
from simlingo.navigation.global_planner import GlobalPlanner
from simlingo_node import qos
from simlingo_node.conversions import quaternion_from_euler, route_to_message, stamp_to_ns
from simlingo_sim import towns


def straight_route(offset: float = 0.0, count: int = 100) -> Route:
    line = np.stack((offset + 2.0 * np.arange(count), np.zeros(count)), axis=1)
    return route_to_message(line, [Command.FOLLOW_LANE] * count, f"straight{offset}", 0)


class Partner:
    """Bridge and person, played by the test."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.odometry = network.speak(Odometry, "/carla/ego_vehicle/odometry")
        self.mission = network.speak(Route, "/simlingo/mission", qos.LATCHED)
        self.path = network.speak(PathMsg, "/carla/ego_vehicle/waypoints", qos.LATCHED)
        self.text = network.speak(String, "/simlingo/instruction")
        self.instruct = network.speak(Instruction, "/simlingo/instruction_stamped")
        self.world = network.speak(CarlaWorldInfo, "/carla/world_info", qos.LATCHED)
        self.navigation = network.listen(Navigation, "/simlingo/navigation")
        self.status = network.listen(InstructionStatus, "/simlingo/instruction_status")
        self.routes = network.listen(Route, "/simlingo/route", qos.LATCHED)
        self.states = network.listen(StackState, "/simlingo/state")
        self.stamp = 0

    def up(self) -> None:
        """Activate the node and wait until it listens."""
        self.network.up("route")
        for topic in ("/carla/ego_vehicle/odometry", "/simlingo/navigation", "/simlingo/instruction"):
            self.network.matched(topic, 1, 1)

    def at(self, x: float, y: float = 0.0, yaw: float = 0.0) -> Navigation:
        """Navigation at a place, ROS's map frame."""
        self.stamp += TICK
        message = odometry(self.stamp, x, y)
        message.pose.pose.orientation = quaternion_from_euler(0.0, 0.0, yaw)
        self.odometry(message)
        stamp = self.stamp
        found = self.network.until(
            lambda: [answer for answer in self.navigation if stamp_to_ns(answer.header.stamp) == stamp],
            10.0,
            f"navigation for {stamp}",
        )
        assert len(found) == 1
        return found[0]

    def says(self, words: str) -> None:
        """Wait for a state that says ``words``."""
        self.network.until(
            lambda: any(words in state.detail for state in self.states), 10.0, f"a state that says '{words}'"
        )

    def takes_over_a_town_route(self) -> np.ndarray:
        """Drive a mission through gridtown; its line (N, 2), CARLA's map frame, m."""
        town = towns.load("gridtown")
        planner = GlobalPlanner(town.map)
        dense = planner.trace(town.spawn_points[0].location, town.spawn_points[40].location)
        line = planner.polyline(dense)
        self.world(CarlaWorldInfo(map_name="gridtown", opendrive=town.map.to_opendrive()))
        self.mission(route_to_message(line, [command for _, command in dense], "mission", 0))
        self.network.spin(0.5)
        self.up()
        self.network.until(lambda: self.routes, 10.0, "the route taken over")
        return line
