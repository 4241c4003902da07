"""The world log of a route as arrays: where everybody and every light was at each tick, and where they go on to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from simlingo.contracts import TICK_S, FloatArray, InvalidInputError

IntArray = npt.NDArray[np.int64]

#: Who is slower than this where the record ends stands there on, m/s; others go on as they went.
STANDING_MPS = 0.3
#: Columns of the states.
X, Y, YAW, VX, VY, YAW_RATE = range(6)
_STATE = ("x_m", "y_m", "yaw_rad", "vx_mps", "vy_mps", "yaw_rate_rps")
RED, YELLOW, GREEN = 0, 1, 2  # carla.TrafficLightState
UNKNOWN = 4


@dataclass(frozen=True)
class Actor:
    """What does not change about somebody."""

    id: int
    type_id: str
    half_length_m: float
    half_width_m: float

    @property
    def is_walker(self) -> bool:
        """A person on foot."""
        return self.type_id.startswith("walker.")


@dataclass(frozen=True)
class Record:
    """All vehicles and walkers, and all lights, at each tick of a route. Map frame."""

    actors: tuple[Actor, ...]
    states: FloatArray  # (actors, ticks, 6) m, rad, m/s, rad/s; NaN where somebody is not there
    lights: Mapping[int, IntArray]  # id -> (ticks,) carla.TrafficLightState
    first_tick: int

    @property
    def last_tick(self) -> int:
        """The last one that is recorded."""
        return int(self.first_tick + self.states.shape[1] - 1)

    def row_of(self, actor_id: int) -> int | None:
        """Row of an actor; None where it is not in the record."""
        return next((row for row, actor in enumerate(self.actors) if actor.id == actor_id), None)

    def window(self, tick: int, ticks: int, rows: Sequence[int] | None = None) -> FloatArray:
        """States (actors, ticks + 1, 6) from ``tick`` on, of the actors in ``rows`` or all.

        Beyond the record of an actor it stands on where it stood, and else goes on with the velocity that it had. NaN before
        it came.
        """
        begin = tick - self.first_tick
        part = (self.states if rows is None else self.states[list(rows)])[:, begin : begin + ticks + 1]
        window = np.full((len(part), ticks + 1, 6), np.nan)
        window[:, : part.shape[1]] = part
        there = ~np.isnan(window[:, :, X])
        last = ticks - np.argmax(there[:, ::-1], axis=1)
        for row in np.flatnonzero(there.any(axis=1) & (last < ticks)):
            known = window[row, last[row]].copy()
            if np.hypot(known[VX], known[VY]) < STANDING_MPS:
                known[VX] = known[VY] = 0.0
            after = TICK_S * np.arange(1, ticks - last[row] + 1)
            window[row, last[row] + 1 :] = known
            window[row, last[row] + 1 :, YAW_RATE] = 0.0
            window[row, last[row] + 1 :, X] += known[VX] * after
            window[row, last[row] + 1 :, Y] += known[VY] * after
        return window

    def velocities(self, tick: int) -> dict[int, tuple[float, float]]:
        """x and y velocity (m/s) at ``tick`` of everybody who is there, by actor."""
        now = self.states[:, tick - self.first_tick]
        there = np.flatnonzero(~np.isnan(now[:, VX]))
        return {self.actors[row].id: (float(now[row, VX]), float(now[row, VY])) for row in there}

    def light(self, light_id: int, tick: int, ticks: int) -> IntArray:
        """States (ticks + 1,) of a light from ``tick`` on; beyond the record the last one stays."""
        states = self.lights.get(light_id)
        if states is None:
            return np.full(ticks + 1, UNKNOWN)
        wanted = np.arange(tick - self.first_tick, tick - self.first_tick + ticks + 1)
        return np.asarray(states[np.clip(wanted, 0, len(states) - 1)])


def record_of(table: pa.Table, actors: Sequence[Mapping[str, Any]]) -> Record:
    """The record of a route.

    Args:
        table: ``actor_states`` and ``light_states`` of its rows; those of second views are null.
        actors: ``actors`` of the route's metadata.

    Raises:
        InvalidInputError: the route has no world log.
    """
    states = _columns(table.column("actor_states"), ("tick", "id", *_STATE))
    lights = _columns(table.column("light_states"), ("tick", "id", "state"))
    if not len(states["tick"]):
        raise InvalidInputError("the route has no states of actors; collect it again with ./simlingo collect")
    ticks = np.concatenate((states["tick"], lights["tick"]))
    first, count = int(ticks.min()), int(ticks.max() - ticks.min()) + 1
    ids, rows = np.unique(states["id"], return_inverse=True)
    found = np.full((len(ids), count, 6), np.nan)
    for number, name in enumerate(_STATE):
        found[rows, states["tick"] - first, number] = states[name]
    known = {int(entry["id"]): entry for entry in actors}
    missing = [int(actor) for actor in ids if int(actor) not in known]
    if missing:
        raise InvalidInputError(f"the route's metadata lack the actors {missing}; collect it again")
    return Record(
        tuple(_actor(known[int(actor)]) for actor in ids),
        _centred(found, [known[int(actor)]["box_centre_m"] for actor in ids]),
        _light_table(lights, first, count),
        first,
    )


def _columns(column: pa.ChunkedArray, names: Sequence[str]) -> dict[str, npt.NDArray[Any]]:
    """Fields of a column of lists of structs, one array each over all lists."""
    flat = column.combine_chunks().flatten()
    return {name: flat.field(name).to_numpy(zero_copy_only=False) for name in names}


def _light_table(lights: Mapping[str, npt.NDArray[Any]], first: int, count: int) -> dict[int, IntArray]:
    table: dict[int, IntArray] = {}
    for light in np.unique(lights["id"]):
        mine = lights["id"] == light
        states = np.full(count, UNKNOWN, dtype=np.int64)
        states[lights["tick"][mine] - first] = lights["state"][mine]
        table[int(light)] = states
    return table


def _actor(entry: Mapping[str, Any]) -> Actor:
    extent = entry["extent_m"]
    return Actor(int(entry["id"]), str(entry["type_id"]), float(extent[0]), float(extent[1]))


def _centred(states: FloatArray, centres_m: Sequence[Sequence[float]]) -> FloatArray:
    """States of the middles of the boxes, which CARLA's actors do not all have at their origins."""
    centres = np.array([centre[:2] for centre in centres_m], dtype=np.float64)
    cos, sin = np.cos(states[:, :, YAW]), np.sin(states[:, :, YAW])
    states[:, :, X] += centres[:, :1] * cos - centres[:, 1:] * sin
    states[:, :, Y] += centres[:, :1] * sin + centres[:, 1:] * cos
    return states
