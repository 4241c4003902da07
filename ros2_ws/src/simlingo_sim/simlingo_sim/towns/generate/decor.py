"""What stands beside the streets: buildings, trees, lamp posts, parked cars.

OpenDRIVE's frame inside, CARLA's in the file.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from simlingo_sim.towns.generate.curves import Pose, pose_along
from simlingo_sim.towns.generate.occupancy import Box, Occupancy
from simlingo_sim.towns.generate.plan import Network, Road, Street, TownPlan

#: Buildings keep this far from the outer edge of sidewalks and shoulders, m.
BUILDING_CLEARANCE = 1.05
#: Trunks keep this far from it, m.
TREE_CLEARANCE = 0.8
#: Free sight around junctions: no tree nearer to a street's end than this, m.
TREELESS_END = 12.0
#: Trees around the town reach this far beyond its outermost streets, m.
OUTSKIRTS = 55.0

# Ranges in m by the kind of street side: open country, houses with front gardens, closed rows.
_SETBACK = {"rural": (10.0, 25.0), "green": (4.5, 7.0), "dense": (1.3, 2.6)}
_LENGTH = {"rural": (9.0, 15.0), "green": (10.0, 18.0), "dense": (10.0, 22.0)}
_GAP = {"rural": (50.0, 110.0), "green": (3.8, 6.5), "dense": (0.3, 3.0)}
_HEIGHT = {"rural": (4.0, 7.0), "green": (5.0, 10.0), "dense": (8.0, 24.0)}

Item = dict[str, Any]


class Decorator:
    """Fills the space that the road network leaves; deterministic from the plan's seed."""

    def __init__(self, plan: TownPlan, network: Network) -> None:
        self._plan = plan
        self._network = network
        self._random = np.random.default_rng(plan.seed)
        self._space = Occupancy(network)
        self._decor: dict[str, list[Item]] = {"buildings": [], "trees": [], "parked_cars": [], "poles": []}

    def build(self) -> dict[str, Any]:
        """The content of decor.json."""
        streets = [(road, self._plan.streets[road.id - 1]) for road in self._network.roads if road.junction == -1]
        for road, street in streets:
            for side in (1.0, -1.0):
                self._line_street(road, street, side)
        for road, street in streets:
            self._light_street(road, street)
        self._scatter_trees(self._plan.trees)
        return {
            "ground": self._plan.ground,
            **self._decor,
            "repeaters": [
                {"signal_id": str(head.signal), **_place(head.x, head.y, head.heading), "z": head.z}
                for head in self._network.repeaters
            ],
            "junctions": [
                {"id": junction.id, "kerb": [[_round(x), _round(-y)] for x, y in junction.kerb]}
                for junction in self._network.junctions
            ],
        }

    def _line_street(self, road: Road, street: Street, side: float) -> None:
        """Buildings, trees and driveways along one side."""
        rural = street.sidewalk == 0.0
        outer = street.half_width + street.verge[1]
        zone = "rural" if rural else "green" if self._random.random() < self._plan.green_share else "dense"
        green = zone != "dense"
        s = self._random.uniform(15.0, 60.0) if rural else -6.0
        while s < road.length + 6.0:
            length = float(self._random.uniform(*_LENGTH[zone]))
            depth = float(self._random.uniform(8.0, 13.0))
            setback = float(self._random.uniform(*_SETBACK[zone]))
            pose = pose_along(road.path, s + length / 2.0).shifted(0.0, side * (outer + setback + depth / 2.0))
            if self._building(pose, side, length, depth, zone) and green and self._random.random() < 0.45:
                self._driveway(road, s + length + 1.8, side, outer)
            s += length + float(self._random.uniform(*_GAP[zone]))
        if green:
            self._tree_row(road, street, side, outer)

    def _building(self, pose: Pose, side: float, length: float, depth: float, zone: str) -> bool:
        for shrink in (1.0, 0.75, 0.55):
            box = Box(pose.x, pose.y, pose.heading, length * shrink, depth * shrink)
            if self._space.claim(box, BUILDING_CLEARANCE):
                break
        else:
            return False
        self._decor["buildings"].append(
            {
                # The façade with the door looks at the street: yaw is that of the street's side.
                **_place(pose.x, pose.y, pose.heading if side > 0.0 else pose.heading + math.pi),
                "length": _round(box.length),
                "width": _round(box.width),
                "height": _round(float(self._random.uniform(*_HEIGHT[zone])), 1),
                "style": int(self._random.choice(self._plan.styles)),
                "seed": int(self._random.integers(1, 100000)),
            }
        )
        return True

    def _driveway(self, road: Road, s: float, side: float, outer: float) -> None:
        if not 3.0 < s < road.length - 3.0:
            return
        pose = pose_along(road.path, s).shifted(0.0, side * (outer + 3.4))
        heading = pose.heading + math.copysign(math.pi / 2.0, float(self._random.random()) - 0.5)
        if self._space.claim(Box(pose.x, pose.y, heading, 4.8, 2.1), 0.4):
            self._decor["parked_cars"].append(
                {**_place(pose.x, pose.y, heading), "seed": int(self._random.integers(1, 100000))}
            )

    def _tree_row(self, road: Road, street: Street, side: float, outer: float) -> None:
        s = TREELESS_END + float(self._random.uniform(0.0, 8.0))
        while s < road.length - TREELESS_END:
            away = float(self._random.uniform(4.0, 14.0) if street.sidewalk == 0.0 else self._random.uniform(1.4, 2.2))
            pose = pose_along(road.path, s).shifted(0.0, side * (outer + away))
            self._tree(pose.x, pose.y, conifer=street.sidewalk == 0.0 and self._random.random() < 0.4)
            s += float(self._random.uniform(16.0, 45.0) if street.sidewalk == 0.0 else self._random.uniform(9.0, 22.0))

    def _tree(self, x: float, y: float, conifer: bool) -> None:
        """A tree whose trunk stands off the streets; its crown keeps clear of walls."""
        height = float(self._random.uniform(4.5, 10.0))
        radius = float(self._random.uniform(0.18, 0.26)) * height
        if self._space.claim(Box(x, y, 0.0, 0.4, 0.4), TREE_CLEARANCE, room=radius):
            kind = "conifer" if conifer else "broadleaf"
            self._decor["trees"].append(
                {"x": _round(x), "y": _round(-y), "height": _round(height), "radius": _round(radius), "kind": kind}
            )

    def _light_street(self, road: Road, street: Street) -> None:
        rural = street.sidewalk == 0.0
        if rural and not self._plan.rural_poles:
            return
        spacing, away, height = (55.0, 3.0, 8.5) if rural else (34.0, 0.35, 7.0)
        outer = street.half_width + street.verge[1]
        number = max(1, round(road.length / spacing))
        for index in range(number):
            side = 1.0 if rural or index % 2 else -1.0
            pose = pose_along(road.path, (index + 0.5) * road.length / number).shifted(0.0, side * (outer + away))
            if self._space.claim(Box(pose.x, pose.y, 0.0, 0.3, 0.3), 0.05):
                self._decor["poles"].append({"x": _round(pose.x), "y": _round(-pose.y), "height": height})

    def _scatter_trees(self, number: int) -> None:
        low, high = self._space.bounds(OUTSKIRTS)
        for _ in range(number * 6):
            if len(self._decor["trees"]) >= number:
                return
            x, y = (float(value) for value in self._random.uniform(low, high))
            self._tree(x, y, conifer=self._random.random() < 0.3)


def _round(value: float, digits: int = 2) -> float:
    return round(float(value), digits) + 0.0


def _place(x: float, y: float, heading: float) -> Item:
    yaw = (-math.degrees(heading) + 180.0) % 360.0 - 180.0
    return {"x": _round(x), "y": _round(-y), "yaw_deg": _round(yaw)}


def to_json(decor: dict[str, Any]) -> str:
    """One item a line, so that changes can be read."""
    parts = []
    for key, value in decor.items():
        if isinstance(value, list):
            rows = ",\n".join("  " + json.dumps(item) for item in value)
            parts.append(f" {json.dumps(key)}: [\n{rows}\n ]")
        else:
            parts.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"
