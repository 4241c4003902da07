"""CARLA leaderboard route files: ``<routes><route id town><waypoints><position x y z/>…``, read and written."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import carla
import numpy as np

from simlingo.contracts import FloatArray, InvalidInputError
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner
from simlingo_drive.routes.route import Route, route_along

#: Key points keep away from junctions by so many waypoints, about a metre each.
JUNCTION_MARGIN = 2


@dataclass(frozen=True)
class RouteEntry:
    """One route of a file: key points that the shortest way joins. CARLA's map frame, m."""

    id: str
    town: str
    keypoints: FloatArray  # (N >= 2, 3) m
    weather: dict[str, float] = field(default_factory=dict)  # fields of carla.WeatherParameters at the begin


def read_routes(path: Path) -> list[RouteEntry]:
    """The routes of a leaderboard 1.0 or 2.0 file.

    Raises:
        InvalidInputError: no such file, no XML, or a route without two finite places; names the route.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise InvalidInputError(f"{path} is no route file of CARLA's leaderboard ({error})") from error
    found = [_entry(path, node) for node in root.iter("route")]
    if not found:
        raise InvalidInputError(f"{path} holds no <route>; give a route file of CARLA's leaderboard")
    return found


def write_routes(path: Path, entries: Sequence[RouteEntry]) -> None:
    """A leaderboard 2.0 file of the routes, without scenarios; written whole."""
    root = ElementTree.Element("routes")
    for entry in entries:
        node = ElementTree.SubElement(root, "route", id=entry.id, town=entry.town)
        if entry.weather:
            values = {name: f"{value:g}" for name, value in entry.weather.items()}
            weathers = ElementTree.SubElement(node, "weathers")
            ElementTree.SubElement(weathers, "weather", {"route_percentage": "0", **values})
        waypoints = ElementTree.SubElement(node, "waypoints")
        for x, y, z in entry.keypoints:
            ElementTree.SubElement(waypoints, "position", x=f"{x:.3f}", y=f"{y:.3f}", z=f"{z:.3f}")
        ElementTree.SubElement(node, "scenarios")
    ElementTree.indent(root, "   ")
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_bytes(ElementTree.tostring(root, encoding="utf-8") + b"\n")
    temporary.replace(path)


def entry_of(route: Route, town: str) -> RouteEntry:
    """Key points that name ``route``: its ends, and every fifth metre between, so that the shortest way is this one.

    None near a junction: several lanes lie over each other there, and a place alone does not say which is meant.
    """
    inside = [index for index, (waypoint, _) in enumerate(route.dense) if waypoint.is_junction]
    near = {index + step for index in inside for step in range(-JUNCTION_MARGIN, JUNCTION_MARGIN + 1)}
    chosen = sorted({*range(0, len(route.dense), 5)} - near | {0, len(route.dense) - 1})
    places = [route.dense[index][0].transform.location for index in chosen]
    return RouteEntry(route.name, town, np.array([(place.x, place.y, place.z) for place in places]))


def to_route(entry: RouteEntry, planner: GlobalPlanner, signalled: set[tuple[int, int]] | None = None) -> Route:
    """The shortest way over the key points.

    Raises:
        SimlingoError: a place is on no road, or no way joins two of them.
    """
    dense: DenseRoute = []
    places = [carla.Location(*(float(value) for value in point)) for point in entry.keypoints]
    for start, goal in pairwise(places):
        part = planner.trace(start, goal)
        dense += part[1:] if dense else part
    return route_along(entry.id, dense, planner, signalled or set())


def _entry(path: Path, node: ElementTree.Element) -> RouteEntry:
    name, town = node.get("id", ""), node.get("town", "")
    places = node.findall("waypoints/position") or node.findall("waypoint")
    try:
        keypoints = np.array([[float(place.attrib[axis]) for axis in "xyz"] for place in places]).reshape(-1, 3)
        weather = {
            key: float(value)
            for begin in (node.find("weathers/weather"), node.find("weather"))
            if begin is not None
            for key, value in begin.attrib.items()
            if key not in ("route_percentage", "id")
        }
    except (KeyError, ValueError) as error:
        raise InvalidInputError(f"{path}: route {name!r} has a place or weather that is no number ({error})") from error
    if not town or len(keypoints) < 2 or not np.isfinite(keypoints).all():
        raise InvalidInputError(f"{path}: route {name!r} needs a town and at least two finite places")
    return RouteEntry(name, town, keypoints, weather)
