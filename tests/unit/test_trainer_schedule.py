"""Learning rate and budget over samples."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.trainer.config import ScheduleConfig
from training.trainer.schedule import budget_of, learning_rate

PEAK = 2e-3


@pytest.mark.parametrize(
    ("share", "of_peak"),
    [
        (0.0, 0.02),
        (0.0005, 0.02),
        (0.025, 0.5),
        (0.05, 1.0),
        (0.5, 0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * 0.45 / 0.95))),
        (0.525, 0.505),  # half of the way down
        (1.0, 0.01),
        (1.3, 0.01),
    ],
)
def test_the_learning_rate_rises_in_a_line_and_falls_in_a_cosine(share: float, of_peak: float) -> None:
    assert learning_rate(share, ScheduleConfig(peak_rate=PEAK)) == pytest.approx(of_peak * PEAK)


def test_the_shares_of_the_schedule_can_be_set() -> None:
    schedule = ScheduleConfig(peak_rate=1.0, warm_up_share=0.5, first_share=0.2, last_share=0.4)
    assert [learning_rate(share, schedule) for share in (0.0, 0.25, 0.5, 0.75, 1.0)] == pytest.approx(
        [0.2, 0.5, 1.0, 0.7, 0.4]
    )
    assert learning_rate(0.0, ScheduleConfig(peak_rate=1.0, warm_up_share=0.0)) == 1.0


@given(st.floats(0, 1), st.floats(1e-5, 1e-2))
def test_the_learning_rate_stays_within_its_peak(share: float, peak: float) -> None:
    assert 0.0 < learning_rate(share, ScheduleConfig(peak_rate=peak)) <= peak * (1 + 1e-9)


@pytest.mark.parametrize(("minutes", "rate", "samples"), [(10.0, 25.0, 15000), (1.0, 25.1, 1512), (0.001, 25.0, 24)])
def test_minutes_become_samples_in_whole_batches(minutes: float, rate: float, samples: int) -> None:
    assert budget_of(minutes, rate, 24) == samples
