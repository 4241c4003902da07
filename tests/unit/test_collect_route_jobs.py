"""Route number N of a collection is the same for ever: a data set is made again from its options alone."""

from __future__ import annotations

from dataclasses import astuple, replace
from pathlib import Path

from simlingo_drive.backends.carla_server import CarlaBackend
from simlingo_drive.expert.constants import CONSTANTS
from training.collect import episode, second_view, world_log
from training.collect.settings import CollectSettings, route_job

#: Routes 0 to 7 of this collection, as they were first drawn.
SETTINGS = CollectSettings(Path("data"), ("gridtown", "ringtown"), seed=4, procedural=0.3, obstacles=0.5)
ROUTES = [
    (0, "gridtown", 400000, "clear_sunset", 11, 37, "none"),
    (1, "ringtown", 400001, "dusk", 18, 24, "none"),
    (2, "gridtown", 400002, "wet_cloudy_noon", 10, 12, "none"),
    (3, "ringtown", 400003, "clear_morning", 53, 47, "many"),
    (4, "gridtown", 400004, "fog", 20, 16, "some"),
    (5, "ringtown", 400005, "clear_morning", 23, 49, "many"),
    (6, "gridtown", 400006, "cloudy_sunset", 58, 30, "many"),
    (7, "ringtown", 400007, "fog", 51, 13, "none"),
]


def test_routes_follow_from_the_options_as_they_always_did() -> None:
    assert [astuple(route_job(SETTINGS, index)) for index in range(8)] == ROUTES


def test_one_route_in_some_has_empty_streets() -> None:
    jobs = [route_job(CollectSettings(Path("data"), ("gridtown",), seed=4), index) for index in range(40)]
    assert [job.index for job in jobs if job.vehicles == 0] == [15, 34]
    assert all((job.vehicles == 0) == (job.walkers == 0) or job.walkers == 0 for job in jobs)
    assert all(job.vehicles == 0 or 8 <= job.vehicles <= 60 for job in jobs)


def test_a_server_is_looked_for_where_the_settings_say() -> None:
    backend = CollectSettings(Path("data"), ("Town03",), simulator="carla", host="10.0.0.7", port=2100).backend()
    assert isinstance(backend, CarlaBackend)
    assert (backend._host, backend._port) == ("10.0.0.7", 2100)


def test_what_is_drawn_how_often_and_how_the_expert_differs_is_part_of_the_data() -> None:
    assert (second_view.OTHER_LEAD_SHARE, second_view.NEARER_SHARE, second_view.OTHER_LIGHT_SHARE) == (0.5, 0.5, 0.6)
    assert (episode.START_SIDEWAYS_M, episode.START_TURN_DEG, episode.PAINTED_SHARE) == (0.5, 4.0, 0.75)
    assert replace(episode.EXPERT, sign_stop_ticks=CONSTANTS.sign_stop_ticks) == CONSTANTS
    assert episode.EXPERT.sign_stop_ticks == 3
    assert (episode.MOST_TICKS, episode.GREEN_S, world_log.REFRESH_TICKS) == (6000, (4.0, 10.0), 20)
