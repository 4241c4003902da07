"""The states of everybody at every tick, kept beside the frames: what is derived from a drive later needs no driving again."""

from __future__ import annotations

import math
from typing import Any

from simlingo_drive.backends.base import Backend
from simlingo_drive.expert.signals import stop_points
from simlingo_drive.rollout import Hook
from simlingo_drive.session import Session

#: Ticks between two looks at who is there.
REFRESH_TICKS = 20


class WorldLog(Hook):
    """States of all vehicles, walkers and lights since the last ``take``."""

    def __init__(self, session: Session) -> None:
        self._world = session.world
        self._lights = session.traffic_lights
        self._actors: list[Any] = []
        self._actor_states: list[dict[str, Any]] = []
        self._light_states: list[dict[str, Any]] = []
        self.seen: dict[int, Any] = {}  # every actor that was ever there, by id

    def observe(self, tick: int) -> None:
        """Note the states before tick ``tick``."""
        if tick % REFRESH_TICKS == 0:
            actors = self._world.get_actors()
            self._actors = [actor for kind in ("vehicle.*", "walker.*") for actor in actors.filter(kind)]
            for actor in self._actors:
                self.seen.setdefault(actor.id, describe_actor(actor))
        self._actor_states += [_actor_state(tick, actor) for actor in self._actors if actor.is_alive]
        self._light_states += [
            {"tick": tick, "id": light.id, "state": int(light.get_state())} for light in self._lights
        ]

    def take(self) -> dict[str, list[dict[str, Any]]]:
        """The columns of what was noted since the last call."""
        taken = {"actor_states": self._actor_states, "light_states": self._light_states}
        self._actor_states, self._light_states = [], []
        return taken


def _actor_state(tick: int, actor: Any) -> dict[str, Any]:
    pose, velocity = actor.get_transform(), actor.get_velocity()
    return {
        "tick": tick,
        "id": actor.id,
        "x_m": pose.location.x,
        "y_m": pose.location.y,
        "z_m": pose.location.z,
        "yaw_rad": math.radians(pose.rotation.yaw),
        "vx_mps": velocity.x,
        "vy_mps": velocity.y,
        "yaw_rate_rps": math.radians(actor.get_angular_velocity().z),
    }


def describe_actor(actor: Any) -> dict[str, Any]:
    """What does not change about an actor; extents are half sizes, m."""
    box = actor.bounding_box
    return {
        "id": actor.id,
        "type_id": actor.type_id,
        "extent_m": [box.extent.x, box.extent.y, box.extent.z],
        "box_centre_m": [box.location.x, box.location.y, box.location.z],
        "color": actor.attributes.get("color", ""),
        "role_name": actor.attributes.get("role_name", ""),
    }


def describe_objects(session: Session) -> list[dict[str, Any]]:
    """Everything that stands about, with its place in the map (x m, y m, z m, yaw rad)."""
    found = []
    for actor in session.world.get_actors().filter("static.prop*"):
        pose = actor.get_transform()
        place = [pose.location.x, pose.location.y, pose.location.z, math.radians(pose.rotation.yaw)]
        found.append({**describe_actor(actor), "mesh_path": actor.attributes.get("mesh_path", ""), "pose": place})
    return found


def describe_signals(session: Session, backend: Backend) -> dict[str, Any]:
    """Lights with their stop lines (x m, y m, yaw rad), stop signs, and the lights' programs as far as they are known."""
    signs = session.world.get_actors().filter("traffic.stop*")
    return {
        "lights": [
            {"id": light.id, "opendrive_id": light.get_opendrive_id(), "stop_lines": stop_points(light)}
            for light in session.traffic_lights
        ],
        "stop_signs": [{"id": sign.id, "stop_lines": stop_points(sign)} for sign in signs],
        "signal_programs": backend.signal_programs(session.world),
    }
