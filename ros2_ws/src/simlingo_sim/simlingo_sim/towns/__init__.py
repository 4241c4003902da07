"""The towns of the embedded world: an OpenDRIVE map and what stands beside its streets.

``decor.json`` is in CARLA's frame (x, y right, yaw in degrees clockwise, m): ``buildings`` (length along yaw, the
street on their right-hand side), ``trees``, ``parked_cars``, ``poles``, ``repeaters`` (second heads of signals on the
far side of a junction; x, y, z is the head's middle and yaw_deg the direction its lenses look), ``junctions`` (kerb
polygon of each junction's carriageway) and ``ground``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import carla

from simlingo_sim.errors import SimulatorError
from simlingo_sim.towns.extras import RoadExtras, read_extras

#: All towns; the last one is held out: nothing is ever trained in it.
TOWNS: tuple[str, ...] = ("gridtown", "ringtown", "harbortown")
HELD_OUT_TOWN = "harbortown"

_DECOR_KEYS = ("ground", "buildings", "trees", "parked_cars", "poles", "repeaters", "junctions")
_FOLDER = Path(__file__).parent
_CURE = "restore it with 'git checkout' or write it anew with 'python -m simlingo_sim.towns.generate {name}'"


@dataclass(frozen=True)
class Town:
    """A town as loaded from its two files."""

    name: str
    xodr_text: str
    decor: dict[str, Any]
    map: carla.Map

    @cached_property
    def extras(self) -> RoadExtras:
        """Speed limits, stop lines, signals and controllers, which carla.Map does not tell."""
        return read_extras(self.xodr_text)

    @cached_property
    def spawn_points(self) -> list[carla.Transform]:
        """Middles of driving lanes every 20 m, at least 8 m from junctions, 0.3 m above the road; fixed order."""
        points = []
        for road_id, length in sorted(self.extras.street_lengths.items()):
            for lane_id in self.extras.driving_lanes[road_id]:
                count = max(1, int((length - 16.0) // 20.0) + 1)
                for index in range(count):
                    s = 8.0 + (length - 16.0) * (index + 0.5) / count
                    transform = self.map.get_waypoint_xodr(road_id, lane_id, s).transform
                    transform.location.z += 0.3
                    points.append(transform)
        return points


def load(name: str) -> Town:
    """The town ``name``; SimulatorError for an unknown name and for a missing or broken file."""
    if name not in TOWNS:
        raise SimulatorError(f"unknown town {name!r}: choose one of {', '.join(TOWNS)}")
    return load_files(name, _FOLDER / name / f"{name}.xodr", _FOLDER / name / "decor.json")


def load_files(name: str, xodr: Path, decor: Path) -> Town:
    """A town from files of any place; SimulatorError names the file that is missing or broken and the cure."""
    texts = []
    for path in (xodr, decor):
        try:
            texts.append(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise SimulatorError(f"cannot read {path} of town {name}: {error}; {_CURE.format(name=name)}") from error
    return town_of(name, texts[0], texts[1], str(xodr), str(decor))


def town_of(name: str, xodr_text: str, decor_text: str, xodr: str = "its map", decor: str = "its decor") -> Town:
    """A town from the text of its two files, which ``xodr`` and ``decor`` call by name; SimulatorError for broken ones."""
    cure = _CURE.format(name=name)
    try:
        extras = read_extras(xodr_text)  # before carla.Map, which accepts half a map without a word
        carla_map = carla.Map(name, xodr_text)
    except (ValueError, KeyError, RuntimeError) as error:
        raise SimulatorError(f"{xodr} is no OpenDRIVE map ({error}); {cure}") from error
    if not extras.street_lengths or not carla_map.get_topology():
        raise SimulatorError(f"{xodr} holds no road; {cure}")
    try:
        content = json.loads(decor_text)
    except ValueError as error:
        raise SimulatorError(f"{decor} is no JSON file ({error}); {cure}") from error
    missing = [key for key in _DECOR_KEYS if not isinstance(content, dict) or key not in content]
    if missing:
        raise SimulatorError(f"{decor} lacks {', '.join(missing)}; {cure}")
    return Town(name, xodr_text, content, carla_map)
