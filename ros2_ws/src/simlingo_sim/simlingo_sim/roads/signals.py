"""Lights and signs of a town and the waypoints where each holds its lanes back."""

from __future__ import annotations

from dataclasses import dataclass

import carla

from simlingo_sim.errors import SimulatorError
from simlingo_sim.towns.extras import STOP_SIGN_TYPE, TRAFFIC_LIGHT_TYPE, RoadExtras

YIELD_SIGN_TYPE = "205"


@dataclass(frozen=True)
class Signal:
    """One light or sign on one approach to a junction."""

    id: str  # OpenDRIVE id
    kind: str  # TRAFFIC_LIGHT_TYPE, STOP_SIGN_TYPE or YIELD_SIGN_TYPE
    transform: carla.Transform
    stops: tuple[carla.Waypoint, ...]  # on the stop line, one a lane, innermost lane first
    junction_id: int


def read_signals(carla_map: carla.Map, extras: RoadExtras) -> list[Signal]:
    """All lights, stop and yield signs in the order of their OpenDRIVE ids (numbers before words)."""
    places = {str(landmark.id): landmark.transform for landmark in carla_map.get_all_landmarks()}
    found = []
    for key in sorted(extras.signals, key=lambda text: (len(text), text)):
        info = extras.signals[key]
        if info.type not in (TRAFFIC_LIGHT_TYPE, STOP_SIGN_TYPE, YIELD_SIGN_TYPE):
            continue
        stops = [carla_map.get_waypoint_xodr(info.road_id, lane, info.stop_line.s) for lane in info.lane_ids]
        stops = [stop for stop in stops if stop is not None and stop.lane_type == carla.LaneType.Driving]
        if key not in places or not stops:
            raise SimulatorError(
                f"signal {key} on road {info.road_id} holds back no driving lane; "
                "correct its stop line and validity in the .xodr"
            )
        found.append(Signal(key, info.type, places[key], tuple(stops), info.junction_id))
    return found
