"""Frozen lists of frames: seeds of routes in the town never trained on, driven and rendered again where they are not at hand.

A list is a small JSON file. What it names is collected by the collector's own code into a folder that no commit holds, and
compared with the list by hash: of the drives, and of the pictures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from simlingo.contracts import InvalidInputError
from simlingo_sim.towns import HELD_OUT_TOWN
from training.collect.settings import CollectSettings, RouteJob, route_job
from training.datasets.reader import Route, open_dataset, read
from training.datasets.route_jobs import in_processes
from training.datasets.writer import CARD_FILE, empty_path, route_path, write_dataset_card

#: Lists that come with the repository.
LISTS = Path(__file__).parent / "lists"
#: Columns that say how a route was driven; compared to millimetres and hundredths.
_DRIVE = ("frame", "ego_x_m", "ego_y_m", "ego_yaw_rad", "ego_speed_mps")
_DECIMALS = 3


@dataclass(frozen=True)
class RouteHashes:
    """SHA-256 of a route, hexadecimal."""

    drive: str  # where the ego was at each frame, and how fast
    pictures: str  # the camera's pictures as stored


@dataclass(frozen=True)
class FrameList:
    """Routes by seed, each with its first frames."""

    name: str
    seed: int
    routes: tuple[int, ...]  # their numbers in a collection with this seed
    quick: tuple[int, ...]  # those of the short list
    frames: int  # of each route, at most
    hashes: dict[str, RouteHashes]  # by route, none of one without frames; empty: the list is not frozen yet

    @classmethod
    def load(cls, name: str) -> FrameList:
        """The list ``name`` of the repository."""
        data = json.loads((LISTS / f"{name}.json").read_text(encoding="utf-8"))
        hashes = {route: RouteHashes(**each) for route, each in data["hashes"].items()}
        return cls(
            data["name"], data["seed"], tuple(data["routes"]), tuple(data["quick"]), data["frames"], hashes
        )  # fmt: skip

    def save(self) -> Path:
        """Write it back; returns the file."""
        path = LISTS / f"{self.name}.json"
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        return path

    @property
    def key(self) -> str:
        """Stands for all that the list says."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:12]

    def settings(self, folder: Path) -> CollectSettings:
        """Of its collection: undisturbed drives, things beside the lanes everywhere."""
        return CollectSettings(
            folder, (HELD_OUT_TOWN,), self.seed, perturb=False, counterfactual=False, repaint=False, obstacles=1.0
        )


@dataclass(frozen=True)
class Frames:
    """The routes of a list, at hand."""

    list: FrameList
    routes: tuple[Route, ...]
    driven_otherwise: tuple[str, ...]  # names of routes whose drive is not the frozen one
    painted_otherwise: tuple[str, ...]  # whose pictures are not

    def note(self) -> dict[str, Any]:
        """What a report says of them."""
        return {
            "list": self.list.name,
            "key": self.list.key,
            "frozen": bool(self.list.hashes),
            "routes": len(self.routes),
            "frames": sum(route.frames for route in self.routes),
            "driven_otherwise": list(self.driven_otherwise),
            "painted_otherwise": list(self.painted_otherwise),
        }


def open_frames(
    frame_list: FrameList, data: Path, quick: bool, jobs: int, begin: Callable[[str, int], Callable[[int], None]]
) -> Frames:
    """The routes of a list; those that ``data`` does not hold yet are driven and rendered.

    Args:
        frame_list: what to open.
        data: folder of all lists.
        quick: only the short list.
        jobs: processes.
        begin: shows a bar, see :class:`training.evaluation.language.suite.Progress`.

    Raises:
        InvalidInputError: a file is damaged, or a route of the list gives no frames any more.
    """
    folder = data / f"{frame_list.name}-{frame_list.key}"
    names = collect(frame_list, folder, frame_list.quick if quick else frame_list.routes, jobs, begin)
    found = {route.name: route for route in open_dataset([folder]).routes}
    wanted = [name for name in names if name in frame_list.hashes or not frame_list.hashes]
    missing = [name for name in wanted if name not in found]
    if missing:
        raise InvalidInputError(
            f"the routes {', '.join(missing)} of the list {frame_list.name} give no frames any more: the expert or the world "
            "has changed; freeze the list again (python -m training.evaluation.language.freeze) and say so beside the figures"
        )
    routes = tuple(found[name] for name in wanted if name in found)
    hashes = {route.name: hashes_of(route) for route in routes} if frame_list.hashes else {}
    return Frames(
        frame_list,
        routes,
        tuple(name for name, each in hashes.items() if each.drive != frame_list.hashes[name].drive),
        tuple(name for name, each in hashes.items() if each.pictures != frame_list.hashes[name].pictures),
    )


def collect(
    frame_list: FrameList,
    folder: Path,
    routes: Sequence[int],
    jobs: int,
    begin: Callable[[str, int], Callable[[int], None]],
) -> list[str]:
    """Drive and render what is missing of ``routes`` into ``folder``; returns the names of all of them."""
    settings = frame_list.settings(folder)
    all_jobs = [route_job(settings, index) for index in routes]
    missing = [
        job
        for job in all_jobs
        if not (route_path(folder, job.name).is_file() or empty_path(folder, job.name).is_file())
    ]
    if missing:
        if not (folder / CARD_FILE).is_file():
            card = settings.dataset_card(f"frames of the list {frame_list.name}", "./simlingo bench language")
            write_dataset_card(folder, card)
        advance = begin(f"frames of {frame_list.name}: routes driven and rendered", len(missing))
        work = partial(collect_route, settings, frames=frame_list.frames)
        for _ in in_processes(work, missing, min(jobs, len(missing))):
            advance(1)
    return [job.name for job in all_jobs]


def collect_route(settings: CollectSettings, job: RouteJob, frames: int) -> None:
    """Drive a route and write its first ``frames`` frames, the ego's views alone; runs in a process of its own."""
    from training.collect.worker import LEAST_FRAMES, limit_threads

    limit_threads(1)
    from training.collect.episode import Episode
    from training.datasets.writer import RouteFile

    file = RouteFile(settings.out, job.name)
    meta = Episode(settings, job, ego_views_only=True).run(file, lambda taken: taken >= frames)
    if file.frames < LEAST_FRAMES:
        file.close_empty(meta)
    else:
        file.close({**meta, "driven_frames": file.frames})


def hashes_of(route: Route) -> RouteHashes:
    """The hashes of a route as it lies there."""
    table = read(route, [*_DRIVE, "image"])
    drive = [[round(value, _DECIMALS) for value in table.column(name).to_pylist()] for name in _DRIVE]
    pictures = hashlib.sha256()
    for picture in table.column("image").to_pylist():
        pictures.update(picture["bytes"])
    return RouteHashes(hashlib.sha256(json.dumps(drive).encode()).hexdigest(), pictures.hexdigest())
