"""Expert, criteria, routes, tick loop and collection use no name that CARLA's classes do not have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import carla
import numpy as np
import pytest
from carla_names import NamedBackend, NotInCarlaError, asked, unwrapped

from simlingo.contracts import EgoState
from simlingo.geometry import map_to_ego
from simlingo_drive.backends.base import CapabilityError
from simlingo_drive.criteria.minimum_speed import MinimumSpeed
from simlingo_drive.criteria.route_progress import RouteProgress
from simlingo_drive.criteria.scorer import RouteScorer
from simlingo_drive.expert.signals import stop_points
from training.collect.episode import Episode
from training.collect.settings import CollectSettings, RouteJob
from training.datasets.reader import open_dataset, read_row
from training.datasets.writer import RouteFile, write_dataset_card

#: Drives for many seconds.
pytestmark = pytest.mark.medium

FRAMES = 13
JOB = RouteJob(0, "ringtown", 3, "clear_noon", 12, 0)


@dataclass(frozen=True)
class ServerSettings(CollectSettings):
    """Of a collection on what looks like a server."""

    def backend(self) -> NamedBackend:
        return NamedBackend()


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> tuple[Episode, Path, dict[str, Any], set[tuple[str, str]]]:
    out = tmp_path_factory.mktemp("server")
    asked.clear()
    settings = ServerSettings(out, counterfactual=False, repaint=False, simulator="carla")
    episode = Episode(settings, JOB)
    file = RouteFile(out, JOB.name)
    meta = episode.run(file, lambda frames: frames >= FRAMES)
    meta["driven_frames"] = file.frames
    file.close(meta)
    write_dataset_card(out, {"name": "server"})
    return episode, out, meta, set(asked)


def test_a_stretch_is_driven_and_collected(collected: Any) -> None:
    _, out, meta, _ = collected
    (route,) = open_dataset([out]).routes
    assert (route.frames, route.rows) == (FRAMES, 2 * FRAMES)
    rows = [read_row(route, index) for index in range(route.rows)]
    assert rows[-1]["tick"] == 5 * (FRAMES - 1) >= 60
    assert np.hypot(rows[-1]["ego_x_m"] - rows[0]["ego_x_m"], rows[-1]["ego_y_m"] - rows[0]["ego_y_m"]) > 3.0
    for one, other in zip(rows[::2], rows[1::2], strict=True):
        assert one["image"].std() > 20
        assert (one["image"] != other["image"]).mean() > 0.3
        assert other["counterfactual"] == ""
        assert len(one["actor_states"]) >= 5 * len(meta["actors"]) or one["tick"] == 0
    assert len(meta["actors"]) > 8
    assert meta["signal_programs"] == []
    assert meta["lights"] or meta["stop_signs"]
    assert (out / "maps" / f"{meta['map']}.xodr").read_text().startswith("<?xml")
    assert not list((out / "maps").glob("*.decor.json"))


def test_the_names_that_were_used_are_carlas(collected: Any) -> None:
    episode, _, _, names = collected
    assert {kind for kind, _ in names} >= {
        "World", "Vehicle", "TrafficSign", "Sensor", "ActorList", "BlueprintLibrary", "ActorBlueprint", "Image",
        "WorldSnapshot",
    }  # fmt: skip
    # The one name that is asked for on the chance that it is there: stop signs of the embedded world have it.
    lacking = {(kind, name) for kind, name in names if not hasattr(getattr(carla, kind), name)}
    assert lacking <= {("TrafficSign", "get_stop_waypoints")}
    with pytest.raises(NotInCarlaError, match=r"carla.World has no 'scene'"):
        episode.session.world.scene()
    with pytest.raises(NotInCarlaError, match=r"carla.World has no 'town'"):
        _ = episode.session.world.town
    with pytest.raises(NotInCarlaError, match="is set"):
        episode.session.world.frame = 3


def test_the_world_is_left_as_it_was(collected: Any) -> None:
    episode, _, _, _ = collected
    actors = episode.session.world.get_actors()
    assert len(actors.filter("vehicle.*")) == len(actors.filter("sensor.*")) == 0


def test_stop_lines_of_signs_come_out_alike_by_carlas_names(collected: Any) -> None:
    episode, _, _, _ = collected
    signs = episode.session.world.get_actors().filter("traffic.stop*")
    assert len(signs)
    for sign in signs:
        (found,) = stop_points(sign)
        again = stop_points(sign)
        assert again == [found], "asking changes nothing"
        # A volume of ten metres ends at the line.
        known = stop_points(unwrapped(sign))
        gaps = [np.hypot(found[0] - x, found[1] - y) for x, y, _ in known]
        assert min(gaps) < 6.0


def test_criteria_and_minimum_speed_use_carlas_names(collected: Any) -> None:
    episode, _, _, _ = collected
    session = episode.session
    session.begin(episode.dense[0][0].transform, 4, 0, 1)
    transforms = [waypoint.transform for waypoint, _ in episode.dense]
    minimum = MinimumSpeed(session.world, session.ego, RouteProgress(transforms))
    scorer = RouteScorer(session.world, session.ego, transforms, [minimum])
    for _ in range(5):
        session.ego.apply_control(carla.VehicleControl(throttle=1.0))
        session.tick()
        scorer.tick()
    scorer.close()
    assert scorer.result().driven_m > 0.03
    session.close()


def test_what_only_the_embedded_world_can_is_refused_by_name(tmp_path: Path) -> None:
    backend = NamedBackend()
    with pytest.raises(CapabilityError, match="the world 'carla' cannot draw the town in other colours"):
        backend.views(None, None, np.random.default_rng(0))
    with pytest.raises(CapabilityError, match="make a town of random layout"):
        Episode(ServerSettings(tmp_path, procedural=1.0), RouteJob(0, "procedural", 1, "clear_noon", 0, 0))


def test_the_second_camera_stands_beside_the_first(collected: Any) -> None:
    _, out, _, _ = collected
    (route,) = open_dataset([out]).routes
    row = read_row(route, 9)
    ego = EgoState(0, row["ego_x_m"], row["ego_y_m"], row["ego_yaw_rad"], 0.0)
    place = map_to_ego(np.array([[row["view_x_m"], row["view_y_m"]]]), ego)[0]
    assert place == pytest.approx((0.0, row["shift_m"]), abs=1e-4)
