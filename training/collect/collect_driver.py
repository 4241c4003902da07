"""Who drives while data are collected: the expert, disturbed now and then, or a model for stretches of time."""

from __future__ import annotations

from dataclasses import dataclass

import carla

from simlingo.contracts import Navigation
from simlingo.navigation.route import RoutePlanner
from simlingo_drive.expert import Expert, ExpertInfo
from training.collect.disturbance import Disturbance
from training.collect.policy_drive import PolicyStretches


@dataclass(frozen=True)
class Decision:
    """What was seen and decided before one tick."""

    info: ExpertInfo
    navigation: Navigation
    model_drives: bool
    disturbed: bool


class CollectDriver:
    """Gives the controls, and keeps what the expert saw."""

    def __init__(
        self,
        expert: Expert,
        route: RoutePlanner,
        disturbance: Disturbance | None,
        stretches: PolicyStretches | None,
    ) -> None:
        """``disturbance`` None: the expert drives undisturbed; ``stretches`` None: no model drives."""
        self._expert, self._route = expert, route
        self._disturbance, self._stretches = disturbance, stretches
        self.decision: Decision | None = None  # of the newest tick
        self.planner_ms: list[float] = []
        self.texts = 0
        self.alarms: list[str] = []

    def control(self, tick: int) -> carla.VehicleControl:
        """The control to apply."""
        expert_control, info = self._expert.run_step()
        navigation = self._route.update(info.ego)
        if self._stretches is not None:
            wanted = self._stretches.control(tick, info.ego, navigation, info.place.lateral)
            if wanted is not None:
                self.decision = Decision(info, navigation, model_drives=True, disturbed=False)
                return wanted
        if self._disturbance is None:
            self.decision = Decision(info, navigation, model_drives=False, disturbed=False)
            return expert_control
        control = self._disturbance.apply(expert_control, info.ego.speed, info.cause is None)
        self.decision = Decision(info, navigation, model_drives=False, disturbed=control is not expert_control)
        return control
