"""The privileged expert at the wheel."""

from __future__ import annotations

import carla

from simlingo.contracts import Instruction
from simlingo.navigation.global_planner import DenseRoute, GlobalPlanner
from simlingo_drive.driver import DriverSettings
from simlingo_drive.expert import Expert, ExpertInfo
from simlingo_drive.routes.route import Route
from simlingo_drive.session import Session


class ExpertDriver:
    """Drives by what it knows of the world."""

    def __init__(self, session: Session, dense: DenseRoute, planner: GlobalPlanner) -> None:
        self._session, self._planner = session, planner
        self._expert = Expert(session.world, session.ego, dense, planner)
        self.info: ExpertInfo | None = None  # of the newest control
        self.planner_ms: list[float] = []
        self.texts = 0
        self.alarms: list[str] = []

    def control(self, tick: int) -> carla.VehicleControl:
        """The expert's control."""
        del tick
        control, self.info = self._expert.run_step()
        return control

    def instruct(self, instruction: Instruction, dense: DenseRoute) -> None:
        """Begin anew on ``dense``; the expert reads no words."""
        del instruction
        self._expert = Expert(self._session.world, self._session.ego, dense, self._planner)


def make_expert(session: Session, route: Route, planner: GlobalPlanner, settings: DriverSettings) -> ExpertDriver:
    """The expert at the start of ``route``."""
    del settings
    return ExpertDriver(session, route.dense, planner)
