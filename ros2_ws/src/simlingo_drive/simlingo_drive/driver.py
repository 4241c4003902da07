"""What a driver is, and how one is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import carla

from simlingo.contracts import Instruction
from simlingo.navigation.global_planner import DenseRoute


class Driver(Protocol):
    """Gives one control a tick."""

    def control(self, tick: int) -> carla.VehicleControl:
        """Control for the state before tick ``tick`` (from 0) of the drive."""

    @property
    def planner_ms(self) -> list[float]:
        """How long each plan took, frame in to plan out, ms."""

    @property
    def texts(self) -> int:
        """How many commentaries came with the plans."""

    @property
    def alarms(self) -> list[str]:
        """What monitors had against pictures, odometry and plans, tick by tick."""


class InstructedDriver(Driver, Protocol):
    """A driver that takes another way where it is asked to; the drivers of the registry do."""

    def instruct(self, instruction: Instruction, dense: DenseRoute) -> None:
        """Obey a navigation instruction: drive along ``dense``, the way that it means, from now on."""


@dataclass(frozen=True)
class DriverSettings:
    """How a driver is made."""

    driver: str = "model"  # name in the registry
    weights: str = "simlingo-mini"  # name or folder of the model
    camera: str = "real"  # real, grey, shuffled: what the model sees
    route_as: str = "target_point"  # target_point, command: what of the navigation the model reads
    plan_every: int = 1  # ticks from frame to frame and plan to plan
    threads: int = 2  # of the network
    text: str = "never"  # never, every_n, on_change, always: when the model puts its driving into words
    text_before_plan: bool = False  # a plan waits for a text that is due, and reads it
    traffic: str = "light"  # of the route whose frames are shown instead, where they are
    perturbation: str = "none"  # a name of drivers.perturbation: what is done to a model's senses and hands
