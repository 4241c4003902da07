"""All that the world derives from a town's roads, made once a process and shared by its worlds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import carla

from simlingo_sim.roads.conflicts import ConflictArrays, find_conflicts
from simlingo_sim.roads.lane_graph import LaneGraph, build_lane_graph
from simlingo_sim.roads.sidewalks import SidewalkArrays, build_sidewalks
from simlingo_sim.roads.signals import Signal, read_signals
from simlingo_sim.town_map import TownMap
from simlingo_sim.towns import Town

_KEPT = 4
_networks: OrderedDict[str, RoadNetwork] = OrderedDict()


@dataclass(frozen=True)
class RoadNetwork:
    """Roads of one town; nobody writes to it."""

    map: carla.Map
    signals: tuple[Signal, ...]
    graph: LaneGraph
    conflicts: ConflictArrays
    sidewalks: SidewalkArrays


def network_of(town: Town) -> RoadNetwork:
    """The roads of ``town``; the last few towns are kept."""
    if town.xodr_text not in _networks:
        carla_map = TownMap(town.name, town.xodr_text, town.spawn_points)
        signals = tuple(read_signals(carla_map, town.extras))
        graph = build_lane_graph(carla_map, town.extras, signals)
        _networks[town.xodr_text] = RoadNetwork(
            carla_map, signals, graph, find_conflicts(graph.arrays), build_sidewalks(carla_map, signals)
        )
        while len(_networks) > _KEPT:
            _networks.popitem(last=False)
    return _networks[town.xodr_text]
