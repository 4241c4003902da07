"""Boxes around the ego, as the published data set has them (spec K.1)."""

from __future__ import annotations

import math
from typing import Any

import carla
import numpy as np

from simlingo.contracts import EgoState
from simlingo.geometry import map_to_ego
from simlingo_drive.expert import ExpertInfo
from training.collect.visible import Visible

#: Boxes farther away are not written, m (spec B.1).
BOX_RADIUS_M = 64.0
WEATHER_KEYS = (
    "cloudiness", "precipitation", "precipitation_deposits", "wind_intensity", "sun_azimuth_angle",
    "sun_altitude_angle", "fog_density", "fog_distance", "fog_falloff", "wetness", "scattering_intensity",
    "mie_scattering_scale", "rayleigh_scattering_scale", "dust_storm",
)  # fmt: skip


def boxes(world: Any, ego: Any, info: ExpertInfo, visible: Visible) -> list[dict[str, Any]]:
    """The box records: ego_car, car, walker, static, static_car, static_trafficwarning, traffic_light, stop_sign,
    weather, ego_info; bodies with their picture elements (``visible``)."""
    records: list[dict[str, Any]] = [_ego_record(ego, info)]
    actors = world.get_actors()
    for actor in actors.filter("vehicle.*"):
        if actor.id != ego.id:
            records += _moving_record("car", actor, info.ego, visible)
    for actor in actors.filter("walker.*"):
        records += _moving_record("walker", actor, info.ego, visible)
    for actor in actors.filter("static.prop*"):
        records += _static_record(actor, info.ego, visible)
    for name, pattern in (("traffic_light", "traffic.traffic_light*"), ("stop_sign", "traffic.stop*")):
        for actor in actors.filter(pattern):
            records += _signal_record(name, actor, info)
    weather = world.get_weather()
    records.append({"class": "weather", **{key: getattr(weather, key) for key in WEATHER_KEYS}})
    records.append(_ego_info(world, ego, info))
    return records


def _ego_record(ego: Any, info: ExpertInfo) -> dict[str, Any]:
    extent = ego.bounding_box.extent
    return {
        "class": "ego_car",
        "extent": [extent.x, extent.y, extent.z],
        "position": [0.0, 0.0, 0.0],
        "yaw": 0.0,
        "num_points": -1,
        "distance": -1,
        "speed": info.ego.speed,
        "brake": ego.get_control().brake,
        "id": ego.id,
        "matrix": ego.get_transform().get_matrix(),
    }


def _moving_record(name: str, actor: Any, ego: EgoState, visible: Visible) -> list[dict[str, Any]]:
    transform = actor.get_transform()
    place = _relative(transform, ego)
    distance = math.hypot(place[0], place[1])
    if distance > BOX_RADIUS_M:
        return []
    extent, velocity = actor.bounding_box.extent, actor.get_velocity()
    record = {
        "class": name,
        "extent": [extent.x, extent.y, extent.z],
        "position": place,
        "yaw": math.remainder(math.radians(transform.rotation.yaw) - ego.yaw, 2.0 * math.pi),
        "distance": distance,
        "num_pixels": visible.pixels(name, actor),
        "speed": math.hypot(velocity.x, velocity.y),
        "id": actor.id,
        "role_name": actor.attributes.get("role_name", ""),
        "matrix": transform.get_matrix(),
    }
    if name == "car":
        control = actor.get_control()
        record |= {
            "type_id": actor.type_id,
            "brake": control.brake,
            "steer": control.steer,
            "throttle": control.throttle,
            "light_state": int(actor.get_light_state()),
            "number_of_wheels": int(actor.attributes.get("number_of_wheels", 4)),
        }
    return [record]


def _static_record(actor: Any, ego: EgoState, visible: Visible) -> list[dict[str, Any]]:
    """A thing that stands about; a parked vehicle has its mesh and, as ours alone, its colour."""
    transform, box = actor.get_transform(), actor.bounding_box
    place = _relative(transform, ego)
    distance = math.hypot(place[0], place[1])
    if distance > BOX_RADIUS_M:
        return []
    mesh = actor.attributes.get("mesh_path", "")
    name = static_class(actor.type_id, mesh)
    return [
        {
            "class": name,
            "extent": [box.extent.x, box.extent.y, box.extent.z],
            "position": place,
            "yaw": math.remainder(math.radians(transform.rotation.yaw) - ego.yaw, 2.0 * math.pi),
            "distance": distance,
            "num_pixels": visible.pixels(name, actor),
            "speed": 0.0,
            "id": actor.id,
            "type_id": actor.type_id,
            "mesh_path": mesh,
            "color": actor.attributes.get("color", ""),
            "matrix": transform.get_matrix(),
        }
    ]


def static_class(type_id: str, mesh_path: str) -> str:
    """The box class of a thing: parked cars and warning boards have their own (spec K.1)."""
    if "/Car/" in mesh_path:
        return "static_car"
    return "static_trafficwarning" if "trafficwarning" in f"{type_id}{mesh_path}".lower() else "static"


def _signal_record(name: str, actor: Any, info: ExpertInfo) -> list[dict[str, Any]]:
    volume, transform = actor.trigger_volume, actor.get_transform()
    centre = volume.location
    middle = transform.transform(carla.Location(centre.x, centre.y, centre.z))  # it changes its argument
    place = _relative(carla.Transform(middle, transform.rotation), info.ego)
    distance = math.hypot(place[0], place[1])
    if distance > BOX_RADIUS_M:
        return []
    record = {
        "class": name,
        "extent": [volume.extent.x, volume.extent.y, volume.extent.z],
        "position": place,
        "yaw": math.remainder(math.radians(transform.rotation.yaw) - info.ego.yaw, 2.0 * math.pi),
        "distance": distance,
        "id": actor.id,
        "affects_ego": actor.id == info.light.actor_id
        or any(stop.actor_id == actor.id for stop in info.situation.stops if stop.reason == name),
        "matrix": transform.get_matrix(),
    }
    if name == "traffic_light":
        record["state"] = int(actor.get_state())
    return [record]


def _ego_info(world: Any, ego: Any, info: ExpertInfo) -> dict[str, Any]:
    waypoint = world.get_map().get_waypoint(ego.get_location())
    return {
        "class": "ego_info",
        "traffic_light_state": info.light.state,
        "road_id": waypoint.road_id,
        "lane_id": waypoint.lane_id,
        "is_in_junction": waypoint.is_junction,
        "junction_id": waypoint.junction_id if waypoint.is_junction else None,
        "lane_type_str": str(waypoint.lane_type),
        "lane_change_str": str(waypoint.lane_change),
        "left_lane_marking_type_str": str(waypoint.left_lane_marking.type),
        "left_lane_marking_color_str": str(waypoint.left_lane_marking.color),
        "right_lane_marking_type_str": str(waypoint.right_lane_marking.type),
        "right_lane_marking_color_str": str(waypoint.right_lane_marking.color),
    }


def _relative(transform: carla.Transform, ego: EgoState) -> list[float]:
    location = transform.location
    point = map_to_ego(np.array([[location.x, location.y]]), ego)[0]
    return [float(point[0]), float(point[1]), float(location.z)]
