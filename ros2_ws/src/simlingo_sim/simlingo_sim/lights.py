"""Programs of the traffic lights: groups of signals that take turns with green, yellow and all red."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import carla
import numpy as np

from simlingo_sim.roads.signals import Signal
from simlingo_sim.towns.extras import RoadExtras

GREEN_S, YELLOW_S, ALL_RED_S = 12.0, 3.0, 2.0

_RED = carla.TrafficLightState.Red
_YELLOW = carla.TrafficLightState.Yellow
_GREEN = carla.TrafficLightState.Green


@dataclass
class LightState:
    """State of one light (signal) of a program; times in s."""

    signal_id: str
    state: carla.TrafficLightState = _RED
    elapsed_s: float = 0.0  # since the state last changed
    green_s: float = GREEN_S
    yellow_s: float = YELLOW_S
    red_s: float = ALL_RED_S  # all red after this light's phase

    def change(self, state: carla.TrafficLightState) -> None:
        if state != self.state:
            self.state, self.elapsed_s = state, 0.0


@dataclass
class Program:
    """The lights of one junction: ``phases`` show green one after another."""

    phases: list[list[LightState]]
    phase: int = 0
    clock_s: float = 0.0  # since the phase's green began
    frozen: bool = False
    lights: list[LightState] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lights = [light for phase in self.phases for light in phase]
        self._show()

    def cycle_s(self) -> float:
        """Length of a whole round, s."""
        return sum(_length(phase) for phase in self.phases)

    def advance(self, dt: float) -> None:
        """Let ``dt`` seconds pass; nothing moves while frozen."""
        for light in self.lights:
            light.elapsed_s += dt
        if self.frozen:
            return
        self.clock_s += dt
        while self.clock_s >= _length(self.phases[self.phase]) - 1e-9:
            self.clock_s -= _length(self.phases[self.phase])
            self.phase = (self.phase + 1) % len(self.phases)
        self._show()

    def set_state(self, light: LightState, state: carla.TrafficLightState) -> None:
        """Bring ``light`` to ``state``: alone while frozen, else the program goes on from there, the others fitting."""
        if self.frozen or state not in (_RED, _YELLOW, _GREEN):
            light.change(state)
            return
        own = next(number for number, phase in enumerate(self.phases) if light in phase)
        if state == _RED:
            if self.phase == own:
                self.phase, self.clock_s = (own + 1) % len(self.phases), 0.0
                if len(self.phases) == 1:
                    self.clock_s = light.green_s + light.yellow_s
        else:
            self.phase, self.clock_s = own, 0.0 if state == _GREEN else light.green_s
        self._show()

    def _show(self) -> None:
        for number, phase in enumerate(self.phases):
            for light in phase:
                light.change(self._state_of(light) if number == self.phase else _RED)

    def _state_of(self, light: LightState) -> carla.TrafficLightState:
        if self.clock_s < light.green_s - 1e-9:
            return _GREEN
        return _YELLOW if self.clock_s < light.green_s + light.yellow_s - 1e-9 else _RED


def build_programs(signals: Iterable[Signal], extras: RoadExtras, rng: np.random.Generator) -> list[Program]:
    """One program a junction; its controllers are the phases, a light without controller is a phase of its own.

    Offsets come from ``rng``, so that equal seeds give equal lights.
    """
    junctions: dict[int, list[str]] = {}
    for signal in signals:
        junctions.setdefault(signal.junction_id, []).append(signal.id)
    programs = []
    for junction in sorted(junctions):
        left = list(junctions[junction])
        phases = []
        for controller in sorted(extras.controllers, key=lambda entry: (entry.sequence, entry.id)):
            group = [signal for signal in left if signal in controller.signal_ids]
            if group and controller.junction_id == junction:
                phases.append([LightState(signal) for signal in group])
                left = [signal for signal in left if signal not in group]
        program = Program(phases + [[LightState(signal)] for signal in left])
        program.advance(round(float(rng.uniform(0.0, program.cycle_s())) * 20) / 20)
        programs.append(program)
    return programs


def _length(phase: Sequence[LightState]) -> float:
    return max(light.green_s + light.yellow_s + light.red_s for light in phase)
