"""The renderer's table of triangles: the town's first, then room for what moves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from simlingo_sim.render.materials import FloatImage, Material, displayed_light, to_linear, tone_table
from simlingo_sim.render.signal_mesh import DARK, GLOW, GLOWING, LENS_ROWS, LENSES, LIT
from simlingo_sim.render.town_mesh import TownMesh


def _with_room(array: npt.NDArray[np.generic], rows: int) -> npt.NDArray[np.generic]:
    grown = np.zeros((rows, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown


class TriangleTable:
    """Columns of all triangles; rows up to ``static`` are the town's and change only with light and signals."""

    def __init__(self, town: TownMesh) -> None:
        mesh = town.triangles
        self._town = town
        self.static = len(mesh)
        self.vertices, self.normals, self.colors = mesh.vertices, mesh.normals, mesh.colors
        self.materials, self.tags, self.params = mesh.materials, mesh.tags, mesh.params
        self.lit: FloatImage = np.zeros((len(mesh), 8), np.float32)
        self._shown: dict[str, str] | None = None
        tone = tone_table()
        self._lens_lit = np.array([displayed_light(color, tone) for color in LIT], np.float32)
        self._lamp_light = np.array(displayed_light((255, 226, 160), tone), np.float32)
        self._glow_lit = np.array([displayed_light(color, tone) for color in GLOWING], np.float32)
        self._lens_dark = np.array([to_linear(color) for color in DARK], np.float32)
        self.reserve(4096)

    def reserve(self, moving: int) -> None:
        """Make room for at least ``moving`` triangles behind the town's."""
        rows = self.static + moving
        if rows <= len(self.materials):
            return
        rows = self.static + moving * 3 // 2
        for name in ("vertices", "normals", "colors", "materials", "tags", "params", "lit"):
            setattr(self, name, _with_room(getattr(self, name), rows))

    def light_lamps(self, on: bool) -> None:
        """Make the lamp posts glow, after the town was lit."""
        if on:
            lamps = self._town.lamps
            self.lit[lamps, :3] = self._lamp_light
            self.lit[lamps, 3:6] = 0.0
            self.lit[lamps, 6] = Material.EMISSIVE

    def forget_signals(self) -> None:
        """Say that the lenses' light was overwritten and must be set again."""
        self._shown = None

    def light_signals(self, states: dict[str, str]) -> None:
        """Light the lens of each signal's state ("red", "yellow", "green"; anything else: dark)."""
        if states == self._shown:
            return
        self._shown = dict(states)
        lenses = self._town.lenses
        if not len(lenses):
            return
        lit_rows = np.full(max(self._town.signal_numbers.values(), default=0) + 1, -1)
        for signal_id, number in self._town.signal_numbers.items():
            state = states.get(signal_id, "off")
            lit_rows[number] = LENSES.index(state) if state in LENSES else -1
        param = self._town.triangles.params[lenses] - 1
        row, glow = param % GLOW, param % LENS_ROWS >= GLOW
        is_lit = lit_rows[param // LENS_ROWS] == row
        bright = np.where(glow[:, None], self._glow_lit[row], self._lens_lit[row])
        dark = np.where(glow[:, None], self._town.triangles.colors[lenses], self._lens_dark[row]) * 0.8
        self.lit[lenses, :3] = np.where(is_lit[:, None], bright, dark)
        self.lit[lenses, 3:6] = 0.0
        self.lit[lenses, 6] = np.where(is_lit, Material.EMISSIVE, Material.FLAT)
