"""The stack as plain data: which nodes there are, with which parameters, in which order.

Two ways run this one list: the launch files, and ``./simlingo drive``. Order is the order of configuration and of
activation; the bridge is configured first, since it says what the world is, and activated last, since it ticks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Value = bool | int | float | str | list[str]
PACKAGE = "simlingo_node"
#: Nodes that send or receive camera images.
WITH_PICTURES = frozenset({"carla_bridge", "planner", "page", "recorder"})


@dataclass(frozen=True)
class NodeSpec:
    """One node's process."""

    name: str  # node name
    executable: str  # name of the installed executable
    module: str  # the same as a module, for ``python -m``
    parameters: Mapping[str, Value] = field(default_factory=dict)
    lifecycle: bool = True  # brought up by the lifecycle manager; watchers bring themselves up
    remaps: Mapping[str, str] = field(default_factory=dict)  # topics by other names

    @property
    def pictures(self) -> bool:
        """Whether it sends or receives camera images."""
        return self.name in WITH_PICTURES


@dataclass(frozen=True)
class StackOptions:
    """What a user chooses; the launch arguments and the options of ``./simlingo drive``."""

    role_name: str = "ego_vehicle"
    lockstep: bool = False
    simulator: str = "embedded"
    host: str = "127.0.0.1"
    port: int = 2000  # of the CARLA server
    town: str = "gridtown"
    route: int = 0
    seed: int = 0
    weather: str = "clear_noon"
    traffic: str = "light"
    seconds: float = 0.0  # simulated; 0: until the route's end
    route_source: str = "simlingo"
    instructions: tuple[str, ...] = ()
    model: str = "simlingo-mini"
    threads: int = 2
    route_as: str = "target_point"  # what of the navigation the model is told
    device: str = "cpu"
    precision: str = "fp32"
    text: str = "on_change"  # when the model says what it does
    text_before_plan: bool = False  # the published order
    instruction_mode: str = "safety"  # whether the driver may refuse instructions
    page_port: int | None = 8090  # None: no page
    record_dir: str = ""  # folder of bag and video; empty: no recorder
    video: bool = True


#: What each option means, for ``--help`` and ``ros2 launch --show-args``.
DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "role_name": "role name <r> of the vehicle; its topics are /carla/<r>/...",
        "lockstep": "true: the world waits for every command; false: real time",
        "simulator": "'embedded', or 'carla' for a CARLA 0.9.15/0.9.16 server",
        "host": "address of the CARLA server",
        "port": "TCP port of the CARLA server",
        "town": "town to drive in",
        "route": "number of the route among those of town and seed",
        "seed": "seed of routes, traffic and lights",
        "weather": "weather by name, such as clear_noon, rain_noon, dusk, fog",
        "traffic": "none, light or dense",
        "seconds": "simulated seconds after which the drive ends; 0: at the goal",
        "route_source": "simlingo, waypoints or leaderboard",
        "instructions": "instructions 'seconds:text', separated by ';'",
        "model": "shipped model's name, or a model folder or checkpoint",
        "threads": "CPU threads of the network",
        "route_as": "what of the navigation the model is told: target_point or command",
        "device": "what the network runs on: cpu or cuda",
        "precision": "type of the network's weights: fp32, bf16 or int8",
        "text": "when the model says what it does: never, every_n, on_change or always",
        "text_before_plan": "true: a plan waits for a text that is due and reads it, the published order",
        "instruction_mode": "safety: unsafe instructions are refused; follow: the driver is told to obey whatever comes",
        "page_port": "TCP port of the live page; -1: no page",
        "record_dir": "folder for the bag and the video; empty: no recording",
        "video": "true: record a video beside the bag",
    }
)


def stack(options: StackOptions) -> list[NodeSpec]:
    """The nodes in order; the lifecycle manager comes last and names those it brings up."""
    common: dict[str, Value] = {"role_name": options.role_name, "lockstep": options.lockstep}
    clocked: dict[str, Value] = {**common, "use_sim_time": True}
    names = ("simulator", "host", "port", "town", "route", "seed", "weather", "traffic", "seconds")
    world: dict[str, Value] = {name: getattr(options, name) for name in names}
    instructions: Value = list(options.instructions) or [""]
    route: dict[str, Value] = {"route_source": options.route_source, "instructions": instructions}
    driver = ("model", "threads", "route_as", "device", "precision", "text", "text_before_plan", "instruction_mode")
    # The embedded world and a CARLA server are both simulations.
    planner: dict[str, Value] = {**{name: getattr(options, name) for name in driver}, "simulation": True}
    nodes = [
        _node("carla_bridge", {**common, **world}),
        _node("route", {**clocked, **route}),
        _node("planner", {**clocked, **planner}),
        _node("controller", clocked),
    ]
    watchers = []
    if options.page_port is not None:
        parameters: dict[str, Value] = {**clocked, "port": options.page_port}
        watchers.append(NodeSpec("page", "page", f"{PACKAGE}.page.node", parameters, lifecycle=False))
    if options.record_dir:
        parameters = {**clocked, "directory": options.record_dir, "video": options.video}
        watchers.append(NodeSpec("recorder", "recorder", f"{PACKAGE}.recorder.node", parameters, lifecycle=False))
    return [*nodes, *watchers, _manager(nodes)]


def bring_up_order(nodes: list[NodeSpec]) -> list[str]:
    """Names for activation: the bridge, which ticks, comes last."""
    names = [node.name for node in nodes if node.lifecycle]
    return sorted(names, key=lambda name: name == "carla_bridge")


def _manager(nodes: list[NodeSpec]) -> NodeSpec:
    parameters: dict[str, Value] = {
        "configure_order": [node.name for node in nodes],
        "activate_order": bring_up_order(nodes),
    }
    return NodeSpec(
        "lifecycle_manager", "lifecycle_manager", f"{PACKAGE}.lifecycle_manager", parameters, lifecycle=False
    )


def _node(name: str, parameters: Mapping[str, Value]) -> NodeSpec:
    return NodeSpec(name, name, f"{PACKAGE}.{name}", parameters)
