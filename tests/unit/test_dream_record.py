"""The record of a route: who is where at which tick, and where those go who leave it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from simlingo.contracts import InvalidInputError
from training.datasets.schema import BY_NAME
from training.language.dreams.record import GREEN, RED, UNKNOWN, Record, record_of


def state(tick: int, number: int, x: float, vx: float = 0.0) -> dict[str, float]:
    return {
        "tick": tick, "id": number, "x_m": x, "y_m": 5.0, "z_m": 0.0, "yaw_rad": 0.0, "vx_mps": vx, "vy_mps": 0.0,
        "yaw_rate_rps": 0.2,
    }  # fmt: skip


def describe(number: int, centre: float = 0.0) -> dict[str, object]:
    return {
        "id": number, "type_id": "vehicle.audi.a2", "extent_m": [1.8, 0.8, 0.7], "box_centre_m": [centre, 0.0, 0.7],
        "color": "1,2,3", "role_name": "",
    }  # fmt: skip


@pytest.fixture
def record() -> Record:
    """Ticks 10 to 19: 1 stands until tick 14, 2 drives until tick 14, 3 comes at tick 16; a light turns at tick 15."""
    states = [state(tick, 1, 3.0) for tick in range(10, 15)]
    states += [state(tick, 2, 0.5 * tick, 10.0) for tick in range(10, 15)]
    states += [state(tick, 3, 7.0) for tick in range(16, 20)]
    lights = [{"tick": tick, "id": 9, "state": RED if tick < 15 else GREEN} for tick in range(10, 20)]
    table = pa.table(
        {
            "actor_states": pa.array([states[:6], None, states[6:]], BY_NAME["actor_states"].type),
            "light_states": pa.array([lights, None, []], BY_NAME["light_states"].type),
        }
    )
    return record_of(table, [describe(1), describe(2), describe(3, centre=0.5)])


def test_states_stand_at_their_ticks(record: Record) -> None:
    assert (record.first_tick, record.last_tick) == (10, 19)
    assert record.window(12, 2)[1, :, 0] == pytest.approx((6.0, 6.5, 7.0))
    assert record.row_of(2) == 1
    assert record.row_of(4) is None
    assert record.velocities(12) == {1: (0.0, 0.0), 2: (10.0, 0.0)}


def test_who_stood_stands_on_and_who_drove_drives_on(record: Record) -> None:
    window = record.window(13, 20)
    assert window[0, -1, 0] == pytest.approx(3.0)
    assert window[1, -1, 0] == pytest.approx(7.0 + 10.0 * 0.05 * 19)
    assert window[1, 5, 1] == pytest.approx(5.0)
    assert window[1, -1, 5] == 0.0


def test_nobody_is_there_before_he_comes(record: Record) -> None:
    window = record.window(12, 10, [2])
    assert np.isnan(window[0, :4, 0]).all()
    assert window[0, 4, 0] == pytest.approx(7.5)
    assert record.window(13, 1, [2]).shape == (1, 2, 6)
    assert np.isnan(record.window(13, 1, [2])).all()


def test_lights_keep_their_last_state(record: Record) -> None:
    assert record.light(9, 13, 3).tolist() == [RED, RED, GREEN, GREEN]
    assert record.light(9, 18, 5).tolist() == [GREEN] * 6
    assert record.light(8, 18, 1).tolist() == [UNKNOWN] * 2


def test_a_route_without_a_log_is_refused() -> None:
    empty = pa.table(
        {name: pa.array([None], BY_NAME[name].type) for name in ("actor_states", "light_states")}
    )  # fmt: skip
    with pytest.raises(InvalidInputError, match="collect it again"):
        record_of(empty, [])
