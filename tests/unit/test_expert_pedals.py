"""What the pedals are asked for comes about in the embedded world's car, and the forecast tells where that leads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from simlingo.contracts import TICK_S, FloatArray
from simlingo_drive.expert import CONSTANTS
from simlingo_drive.expert.forecast import forecast_ego
from simlingo_drive.expert.pedals import HOLD_BRAKE, full_throttle, pedals
from simlingo_drive.expert.situation import Lead, Situation
from simlingo_sim.bodies import BodyArrays, DriveArrays, column
from simlingo_sim.dynamics import step_driven

#: A straight road without end.
ROAD: Any = SimpleNamespace(bend=lambda s: (30.0, 0.0))
GRIP, FRONT_M, TICKS = 0.9, 2.4, 50


class Rolling:
    """One car of the embedded world on a straight road."""

    def __init__(self, speed: float) -> None:
        self.bodies = BodyArrays(*(column(BodyArrays, name, (1,)) for name in BodyArrays._fields))
        self.drive = DriveArrays(*(column(DriveArrays, name, (1,)) for name in DriveArrays._fields))
        self.drive.wheelbase[0], self.drive.agility[0], self.bodies.speed[0] = 2.86, 1.0, speed
        self.drive.brake_now[0] = HOLD_BRAKE if speed == 0.0 else 0.0

    @property
    def speed(self) -> float:
        return float(self.bodies.speed[0])

    def step(self, throttle: float, brake: float) -> None:
        self.drive.throttle[0], self.drive.brake[0] = throttle, brake
        step_driven(self.bodies, self.drive, np.zeros(1, np.int64), TICK_S, GRIP)

    def settle(self, acceleration: float) -> float:
        """Acceleration (m/s^2) once the pedals for ``acceleration`` at the speed of now have been answered."""
        speed = self.speed
        for _ in range(60):
            self.step(*pedals(acceleration, speed))
            self.bodies.speed[0] = speed
        self.step(*pedals(acceleration, speed))
        return (self.speed - speed) / TICK_S


@pytest.mark.parametrize("speed", [0.5, 5.0, 10.0, 15.0, 20.0])
def test_the_pedals_give_what_is_wanted(speed: float) -> None:
    for wanted in (-6.0, -2.0, -0.3, 0.0, 1.0, min(2.2, full_throttle(speed))):
        assert Rolling(speed).settle(wanted) == pytest.approx(wanted, abs=0.12)
    assert Rolling(speed).settle(9.0) == pytest.approx(full_throttle(speed), abs=0.03)


def driven(situation: Situation, speed: float) -> FloatArray:
    """Places (m) of the car that the expert's laws drive, the first now."""
    car, places = Rolling(speed), [0.0]
    if speed > 0.0:
        wanted, _ = situation.acceleration(ROAD, 0.0, speed, 0.0, CONSTANTS)
        car.settle(wanted)
        car.bodies.speed[0], car.bodies.x[0] = speed, 0.0
    for tick in range(TICKS):
        wanted, _ = situation.acceleration(ROAD, places[-1], car.speed, tick * TICK_S, CONSTANTS)
        car.step(*pedals(wanted, car.speed))
        places.append(float(car.bodies.x[0]))
    return np.array(places)


def told(situation: Situation, speed: float) -> FloatArray:
    """The same by the forecast that labels are made of."""
    wanted, _ = situation.acceleration(ROAD, 0.0, speed, 0.0, CONSTANTS)
    return forecast_ego(ROAD, situation, 0.0, speed, wanted, TICKS * TICK_S, CONSTANTS)[:, 0]


@pytest.mark.parametrize("speed", [0.0, 3.0, 8.0, 14.0, 17.5])
@pytest.mark.parametrize("free", [6.0, 12.0, 26.0])
def test_the_car_is_where_the_forecast_says(speed: float, free: float) -> None:
    situation = Situation(free, FRONT_M)
    assert told(situation, speed) == pytest.approx(driven(situation, speed), abs=0.3)


def test_a_start_behind_one_who_starts_is_told_and_a_stand_stays_one() -> None:
    starts = Situation(12.0, FRONT_M, leads=[Lead(FRONT_M + 3.9, 1.5, 7)])
    track = driven(starts, 0.0)
    assert 0.5 < track[-1] < 4.0
    assert told(starts, 0.0) == pytest.approx(track, abs=0.2)
    stands = Situation(12.0, FRONT_M, leads=[Lead(FRONT_M + 3.0, 0.0, 7)])
    assert told(stands, 0.0) == pytest.approx(np.zeros(TICKS + 1))
