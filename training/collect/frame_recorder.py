"""Takes the pictures and labels of a drive, four frames a second, each with two views or the ego's alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import carla
import numpy as np

from simlingo.contracts import EgoState
from simlingo.geometry import map_to_ego
from simlingo_drive.expert import Expert, ExpertInfo
from simlingo_drive.rollout import Hook
from simlingo_drive.session import Session
from simlingo_drive.views import MAX_SHIFT_M, MAX_TURN_RAD, View, ViewCamera, beside
from training.collect.boxes import boxes
from training.collect.collect_driver import CollectDriver, Decision
from training.collect.counterfactual import other_speed
from training.collect.labels import labels_of
from training.collect.second_view import SecondView, SecondViews
from training.collect.standing import WaitingFrames
from training.collect.visible import Visible
from training.collect.world_log import WorldLog
from training.datasets.pictures import with_lenses
from training.datasets.schema import EGO, ROUTE_POINTS, SECOND
from training.datasets.writer import RouteFile

#: Ticks (20 Hz) between two frames: 4 Hz (spec B.1).
FRAME_EVERY = 5
#: The first point of the saved route lies so far ahead, m (spec B.2).
FIRST_ROUTE_POINT_M = 2.5


class FrameRecorder(Hook):
    """Writes a row for each view of each frame."""

    def __init__(
        self,
        session: Session,
        driver: CollectDriver,
        expert: Expert,
        camera: ViewCamera,
        second_views: SecondViews | None,
        log: WorldLog,
        file: RouteFile,
        rng: np.random.Generator,
        told: Callable[[int], bool],
        ego_views_only: bool = False,
    ) -> None:
        """Make ready.

        Args:
            session, driver, expert: who drives where, and who labels.
            camera: takes the pictures.
            second_views: draws what second views show; None: what is there.
            log: hook that stands before this one.
            file: takes the rows.
            rng: of poses and speeds.
            told: hears the number of frames after each; True ends the drive.
            ego_views_only: take no second views.
        """
        self._session, self._driver, self._expert, self._camera = session, driver, expert, camera
        self._second_views, self._log, self._file, self._rng, self._told = second_views, log, file, rng, told
        self._ego_views_only = ego_views_only
        self._waiting = WaitingFrames()
        self._place_second()

    def decide(self, tick: int, control: carla.VehicleControl) -> None:
        """Take the frame of this tick, where there is one."""
        if tick % FRAME_EVERY == 0 and self._driver.decision is not None:
            self._frame(tick, self._driver.decision, control)
            self._place_second()
            self.finished = self._told(self._file.frames)

    def _place_second(self) -> None:
        """Where the next frame's second view stands beside the ego; some cameras must be there before the tick."""
        self._shift = float(self._rng.uniform(-MAX_SHIFT_M, MAX_SHIFT_M))
        self._turn = float(self._rng.uniform(-MAX_TURN_RAD, MAX_TURN_RAD))
        self._camera.place_second(self._shift, self._turn)

    def _frame(self, tick: int, decision: Decision, control: carla.VehicleControl) -> None:
        info = decision.info
        if not self._waiting.keeps(info.ego.speed, info.target_speed):
            return
        second = SecondView(info, decision.navigation)
        if self._second_views is not None:
            second = self._second_views.draw(info, decision.navigation)
        pose = beside(second.info.ego, self._shift, self._turn)
        common = {
            "frame": tick // FRAME_EVERY,
            "tick": tick,
            "stamp_ns": info.ego.stamp,
            **self._ego_columns(info),
            "steer": control.steer,
            "throttle": control.throttle,
            "brake": control.brake,
            "model_drives": decision.model_drives,
            "disturbed": decision.disturbed,
        }
        first = SecondView(info, decision.navigation)
        own = self._camera.capture(info.ego)
        visible = Visible(own, info.ego, common["ego_z_m"])
        ego_row = common | self._view_columns(EGO, own, first, info.ego, 0.0, 0.0)
        ego_row |= {
            "route_m": route_ahead(self._expert, info),
            "boxes": boxes(self._session.world, self._session.ego, info, visible),
            **self._log.take(),
        }
        if self._ego_views_only:
            self._file.add([ego_row])
            return
        seen = self._camera.capture(pose, second.changes)
        second_row = common | self._view_columns(SECOND, seen, second, pose, self._shift, self._turn)
        self._file.add([ego_row, second_row])

    def _ego_columns(self, info: ExpertInfo) -> dict[str, Any]:
        return {
            "ego_x_m": info.ego.x,
            "ego_y_m": info.ego.y,
            "ego_z_m": self._session.ego.get_location().z,
            "ego_yaw_rad": info.ego.yaw,
            "ego_speed_mps": info.ego.speed,
        }

    def _view_columns(
        self, name: str, view: View, told: SecondView, pose: EgoState, shift: float, turn: float
    ) -> dict[str, Any]:
        """Pictures, pose and labels of one view."""
        speed = other_speed(told.info, self._expert, self._rng)
        return {
            "view": name,
            "image": view.rgb,
            "semantic": with_lenses(view.semantic, view.rgb),
            "depth": view.depth,
            "view_x_m": pose.x,
            "view_y_m": pose.y,
            "view_yaw_rad": pose.yaw,
            "ahead_m": told.ahead,
            "shift_m": shift,
            "turn_rad": turn,
            "counterfactual": told.kind,
            "counterfactual_detail": told.detail or "",
            **labels_of(told.info, self._expert, told.navigation, pose, speed),
        }


def route_ahead(expert: Expert, info: ExpertInfo) -> np.ndarray:
    """Points (40, 2) m of the route, a metre apart from 2.5 m ahead on, in the ego's frame (spec B.2)."""
    places = info.place.s + FIRST_ROUTE_POINT_M + np.arange(float(ROUTE_POINTS))
    return map_to_ego(expert.route.at(places), info.ego)
