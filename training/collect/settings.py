"""What to collect, and the routes that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simlingo.contracts import MODEL_CAMERA, MODEL_CAMERA_POSITION_IN_EGO, SimlingoError
from simlingo_drive.backends.base import Backend
from simlingo_drive.backends.carla_server import CarlaBackend
from simlingo_drive.backends.embedded import EmbeddedBackend
from simlingo_drive.rig import FIELD_OF_VIEW_DEG
from simlingo_sim.towns import HELD_OUT_TOWN, TOWNS
from simlingo_sim.weather import WEATHERS

#: Towns to collect in: all but the held-out one.
DEFAULT_TOWNS: tuple[str, ...] = tuple(name for name in TOWNS if name != HELD_OUT_TOWN)
#: Stands for a town that is made for one route only.
PROCEDURAL = "procedural"
#: Frames dropped before an infraction.
FRAMES_BEFORE_INFRACTION = 8
#: Share of the routes without any traffic.
EMPTY_SHARE = 0.1
#: How much stands about on the routes with obstacles, each as often as the other.
OBSTACLE_SETTINGS = ("some", "many")
#: Most vehicles and pedestrians in a town.
MOST_VEHICLES, MOST_WALKERS = 60, 50


@dataclass(frozen=True)
class CollectSettings:
    """Options of one collection."""

    out: Path  # the data set's folder
    towns: tuple[str, ...] = DEFAULT_TOWNS
    seed: int = 0
    perturb: bool = True  # disturb the drive, so that recovery is in the data
    policy: str | None = None  # name or folder of a model that drives part of the time
    policy_threads: int = 1
    procedural: float = 0.0  # share of the routes that lie in towns of random layout
    counterfactual: bool = True  # second views of what is not there
    repaint: bool = True  # towns in other colours than their own
    simulator: str = "embedded"  # embedded, carla
    host: str = "127.0.0.1"  # of the CARLA server
    port: int = 2000
    obstacles: float = 0.0  # share of the routes with things beside and at the edge of the lanes

    def backend(self) -> Backend:
        """The world that the settings name."""
        return EmbeddedBackend() if self.simulator == "embedded" else CarlaBackend(self.host, self.port)

    def card(self) -> dict[str, object]:
        """What decides over the frames, as plain data: a data set holds the routes of one such collection."""
        return {
            "towns": list(self.towns),
            "seed": self.seed,
            "perturb": self.perturb,
            "policy": self.policy,
            "procedural": self.procedural,
            "obstacles": self.obstacles,
            "counterfactual": self.counterfactual,
            "repaint": self.repaint,
            "simulator": self.simulator,
        }

    def dataset_card(self, name: str, created_by: str) -> dict[str, object]:
        """What stands in the data set's ``dataset.json``: its name, the camera, and how it was collected."""
        camera = {
            "width": MODEL_CAMERA.width,
            "height": MODEL_CAMERA.height,
            "fov_deg": FIELD_OF_VIEW_DEG,
            "position_in_ego_m": list(MODEL_CAMERA_POSITION_IN_EGO),
        }
        return {"name": name, "camera": camera, "created_by": created_by, "collection": self.card()}


@dataclass(frozen=True)
class RouteJob:
    """One route to collect; everything random in it follows from ``seed``."""

    index: int
    town: str
    seed: int
    weather: str
    vehicles: int
    walkers: int
    obstacles: str = "none"  # none, some, many

    @property
    def name(self) -> str:
        """Name of the route's file."""
        return f"{self.town}_{self.weather}_route{self.index:05d}_seed{self.seed}"


def route_job(settings: CollectSettings, index: int) -> RouteJob:
    """Route number ``index`` of a collection."""
    rng = np.random.default_rng((settings.seed, index, 1))
    empty = rng.random() < EMPTY_SHARE
    procedural = np.random.default_rng((settings.seed, index, 2)).random() < settings.procedural
    things = np.random.default_rng((settings.seed, index, 3))
    return RouteJob(
        index,
        PROCEDURAL if procedural else settings.towns[index % len(settings.towns)],
        settings.seed * 100_000 + index,
        sorted(WEATHERS)[int(rng.integers(len(WEATHERS)))],
        0 if empty else int(rng.integers(8, MOST_VEHICLES + 1)),
        0 if empty else int(rng.integers(0, MOST_WALKERS + 1)),
        str(things.choice(OBSTACLE_SETTINGS)) if things.random() < settings.obstacles else "none",
    )


def checked_towns(names: list[str] | None, allow_held_out: bool, simulator: str = "embedded") -> tuple[str, ...]:
    """The towns to collect in.

    Raises:
        SimlingoError: a name is unknown, or the town that is kept for tests is asked for without leave.
    """
    if simulator != "embedded":
        if not names:
            raise SimlingoError("a CARLA server has no default towns; name them: --towns Town01 Town03")
        return tuple(names)
    for name in names or ():
        if name not in TOWNS:
            raise SimlingoError(f"unknown town {name!r}: choose from {', '.join(TOWNS)}")
        if name == HELD_OUT_TOWN and not allow_held_out:
            raise SimlingoError(f"{name} is kept for tests; add --allow-held-out to collect in it all the same")
    return tuple(names) if names else DEFAULT_TOWNS
