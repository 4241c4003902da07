"""What an OpenDRIVE file says and carla.Map keeps to itself: speed limits, stop lines, light phases."""

from __future__ import annotations

import math
from dataclasses import dataclass
from xml.etree import ElementTree

#: OpenDRIVE / CARLA types of signals.
TRAFFIC_LIGHT_TYPE = "1000001"
STOP_SIGN_TYPE = "206"

_TO_KMH = {"km/h": 1.0, "mph": 1.609344, "m/s": 3.6}


@dataclass(frozen=True)
class StopLine:
    """A painted stop line across the lanes that approach a junction."""

    road_id: int
    s: float  # m along the road, middle of the line
    lane_ids: tuple[int, ...]  # nearest to the centre first


@dataclass(frozen=True)
class SignalInfo:
    """A traffic light or a stop sign, for the lanes that approach ``junction_id``."""

    id: str
    type: str
    road_id: int
    s: float  # m
    t: float  # m, left positive
    z: float  # m, middle of the head
    lane_ids: tuple[int, ...]
    junction_id: int
    faces_along_road: bool  # lenses look in the road's own direction (else against it)
    stop_line: StopLine


@dataclass(frozen=True)
class ControllerInfo:
    """Signals that are green together, the ``sequence``-th phase of their junction."""

    id: str
    junction_id: int
    sequence: int
    signal_ids: tuple[str, ...]


@dataclass(frozen=True)
class RoadExtras:
    """Keys are road ids; lengths in m, speeds in km/h; ``street_lengths`` leaves out roads within junctions."""

    speed_limits: dict[int, float]
    street_lengths: dict[int, float]
    driving_lanes: dict[int, tuple[int, ...]]
    signals: dict[str, SignalInfo]
    controllers: tuple[ControllerInfo, ...]


def read_extras(xodr_text: str) -> RoadExtras:
    """Parse the file; ValueError where it is no OpenDRIVE or lacks what a town needs."""
    try:
        root = ElementTree.fromstring(xodr_text.encode())
    except ElementTree.ParseError as error:
        raise ValueError(str(error)) from error
    if root.tag != "OpenDRIVE":
        raise ValueError(f"its outermost element is <{root.tag}>")
    speeds: dict[int, float] = {}
    lengths: dict[int, float] = {}
    lanes: dict[int, tuple[int, ...]] = {}
    signals: dict[str, SignalInfo] = {}
    for road in root.iter("road"):
        road_id, length = int(_get(road, "id")), float(_get(road, "length"))
        speeds[road_id] = _speed_kmh(road)
        if _get(road, "junction") == "-1":
            lengths[road_id] = length
        lanes[road_id] = tuple(int(_get(lane, "id")) for lane in road.iter("lane") if lane.get("type") == "driving")
        for signal in _signals(road, road_id, lanes[road_id]):
            signals[signal.id] = signal
    controllers = tuple(_controllers(root, signals))
    return RoadExtras(speeds, lengths, lanes, signals, controllers)


def _get(element: ElementTree.Element, key: str) -> str:
    value = element.get(key)
    if value is None:
        raise ValueError(f"<{element.tag}> {element.get('id', '')} lacks the attribute {key}")
    return value


def _speed_kmh(road: ElementTree.Element) -> float:
    speed = road.find("type/speed")
    if speed is None:
        raise ValueError(f"road {_get(road, 'id')} has no speed limit")
    value = float(_get(speed, "max")) * _TO_KMH[speed.get("unit", "m/s")]
    if not math.isfinite(value) or value <= 0.0:
        raise ValueError(f"road {_get(road, 'id')} has the speed limit {value}")
    return value


def _signals(road: ElementTree.Element, road_id: int, driving: tuple[int, ...]) -> list[SignalInfo]:
    lines: dict[str, StopLine] = {}
    for item in road.iter("object"):
        if item.get("name") == "StopLine":
            orientation = _get(item, "orientation")
            approach = [lane for lane in driving if (lane < 0) == (orientation == "+")]
            lines[orientation] = StopLine(road_id, float(_get(item, "s")), tuple(sorted(approach, key=abs)))
    found = []
    for signal in road.iter("signal"):
        orientation, validity = _get(signal, "orientation"), signal.find("validity")
        if orientation not in lines or validity is None:
            raise ValueError(f"signal {_get(signal, 'id')} has no stop line or no validity")
        lanes = range(int(_get(validity, "fromLane")), int(_get(validity, "toLane")) + 1)
        link = road.find("link/successor" if orientation == "+" else "link/predecessor")
        if link is None or link.get("elementType") != "junction":
            raise ValueError(f"signal {_get(signal, 'id')} leads to no junction")
        found.append(
            SignalInfo(
                _get(signal, "id"),
                _get(signal, "type"),
                road_id,
                float(_get(signal, "s")),
                float(_get(signal, "t")),
                float(_get(signal, "zOffset")),
                tuple(sorted(lanes, key=abs)),
                int(_get(link, "elementId")),
                orientation == "-",
                lines[orientation],
            )
        )
    return found


def _controllers(root: ElementTree.Element, signals: dict[str, SignalInfo]) -> list[ControllerInfo]:
    found = []
    for controller in root.findall("controller"):
        members = tuple(_get(control, "signalId") for control in controller.iter("control"))
        unknown = [member for member in members if member not in signals]
        if unknown or not members:
            raise ValueError(f"controller {_get(controller, 'id')} names unknown signals {unknown}")
        junction = signals[members[0]].junction_id
        sequence = int(_get(controller, "sequence"))
        found.append(ControllerInfo(_get(controller, "id"), junction, sequence, members))
    return found
