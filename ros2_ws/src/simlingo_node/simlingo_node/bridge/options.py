"""Parameters of the bridge."""

from __future__ import annotations

import math

from simlingo.contracts import InvalidInputError
from simlingo_node.bridge.simulator import WorldSettings
from simlingo_node.parameters import Parameter, Parameters
from simlingo_node.publishers import ALLOWED
from simlingo_sim import TOWNS
from simlingo_sim.traffic_density import TRAFFIC
from simlingo_sim.weather import WEATHERS

PARAMETERS = (
    Parameter(
        "simulator",
        "embedded",
        "The embedded world, or a CARLA 0.9.15/0.9.16 server at host:port.",
        choices=("embedded", "carla"),
        fixed=True,
    ),
    Parameter("host", "127.0.0.1", "Address of the CARLA server.", fixed=True),
    Parameter("port", 2000, "TCP port of the CARLA server.", minimum=1, maximum=65535, fixed=True),
    Parameter("town", TOWNS[0], f"Town to load; embedded: {', '.join(TOWNS)}.", fixed=True),
    Parameter("seed", 0, "Seed of routes, traffic and lights.", minimum=0, maximum=2**31 - 1, fixed=True),
    Parameter("route", 0, "Number of the route among those of town and seed.", minimum=0, maximum=999, fixed=True),
    Parameter("start", "", "'x,y' in m, CARLA's map frame: with goal, instead of a numbered route.", fixed=True),
    Parameter("goal", "", "'x,y' in m, CARLA's map frame.", fixed=True),
    Parameter("weather", "clear_noon", "Weather by name.", choices=tuple(WEATHERS), fixed=True),
    Parameter("traffic", "light", "Vehicles and walkers in the town.", choices=tuple(TRAFFIC), fixed=True),
    Parameter("seconds", 0.0, "Simulated s after which the drive ends; 0: at the goal.", 0.0, 86400.0, fixed=True),
    Parameter("camera.width", 1024, "Width of the camera's picture, px.", 64, 4096, fixed=True),
    Parameter("camera.height", 512, "Height of the camera's picture, px.", 32, 4096, fixed=True),
    Parameter("camera.fov_deg", 110.0, "Horizontal field of view, degrees.", 20.0, 150.0, fixed=True),
    Parameter("control_timeout_s", 0.5, "Simulated s without a command after which the bridge brakes.", 0.1, 5.0),
    Parameter("brake", 0.6, "Brake [0, 1] of the last brake.", 0.1, 1.0),
    Parameter(
        "lockstep_timeout_s",
        10.0,
        "Lockstep: wall time (s, steady clock) without a command after which the drive has failed.",
        0.5,
        600.0,
    ),
    Parameter(
        "lockstep_lost_s",
        5.0,
        "Lockstep: wall time (s, steady clock) after which a tick without an answer is braked and the world goes on.",
        0.2,
        600.0,
    ),
    ALLOWED,
)


def world_settings(parameters: Parameters, role: str) -> WorldSettings:
    """What the parameters ask of the simulator.

    Raises:
        InvalidInputError: start or goal cannot be read, or one is given without the other.
    """
    start, goal = (_place(name, parameters[name]) for name in ("start", "goal"))
    if (start is None) != (goal is None):
        raise InvalidInputError("parameters 'start' and 'goal' belong together; give both or none")
    names = ("simulator", "host", "port", "town", "seed", "route", "weather", "traffic")
    return WorldSettings(start=start, goal=goal, role=role, **{name: parameters[name] for name in names})


def _place(name: str, text: str) -> tuple[float, float] | None:
    if not text:
        return None
    parts = text.split(",")
    try:
        x, y = (float(part) for part in parts)
    except ValueError:
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise InvalidInputError(f"parameter '{name}' is '{text}', but must be 'x,y' in metres, such as '12.5,-40'")
    return x, y
