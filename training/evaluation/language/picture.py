"""The pictures that suites ask about, and what a model is told with each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simlingo.contracts import Command, ImageArray, Navigation
from training.datasets.reader import Route, read, read_row
from training.datasets.schema import EGO

_COLUMNS = (
    "view", "frame", "ego_speed_mps", "target_points_m", "command", "next_command", "distance_to_command_m",
)  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """One picture of a route, the ego's view, and what the model is told with it."""

    route: Route
    row: int  # of the route's file
    number: int  # of the frame
    speed_mps: float
    navigation: Navigation

    @property
    def key(self) -> str:
        """Names it."""
        return f"{self.route.name}:{self.number}"

    def image(self) -> ImageArray:
        """What the camera saw, (H, W, 3) RGB."""
        image: ImageArray = read_row(self.route, self.row, ["image"])["image"]
        return image


def frames_of(route: Route) -> list[Frame]:
    """The frames of a route, in order."""
    table = read(route, list(_COLUMNS)).to_pylist()
    return [
        Frame(
            route,
            index,
            int(row["frame"]),
            float(row["ego_speed_mps"]),
            Navigation(
                np.asarray(row["target_points_m"], dtype=np.float64).reshape(2, 2),
                Command(int(row["command"])),
                Command(int(row["next_command"])),
                float(row["distance_to_command_m"]),
            ),
        )
        for index, row in enumerate(table)
        if row["view"] == EGO
    ]
