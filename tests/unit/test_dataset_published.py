"""The published layout: what we write is read back, key by key, and views beside the ego have labels of their own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import dataset_cases
import numpy as np
import pytest
from dataset_cases import SMALL, frame_rows, meta, points, row

from simlingo.contracts import InvalidInputError
from training.datasets.pictures import decode_image, encode_image
from training.datasets.published import read_json, write_json, write_published
from training.datasets.published_reader import published_routes, read_published
from training.datasets.reader import open_dataset
from training.datasets.writer import RouteFile, write_dataset_card

FRAMES = 14
#: A bend to the right: x, y (m) and yaw (rad) of the ego in each frame.
POSES = [(50.0 + 1.5 * step, 20.0 + 0.1 * step**2, 0.6 + 0.02 * step) for step in range(FRAMES)]


def driven(frame: int) -> list[dict[str, Any]]:
    """Both views of a frame of a drive along ``POSES``; each third second view shows what is not so."""
    x, y, yaw = POSES[frame]
    place = {"ego_x_m": x, "ego_y_m": y, "ego_yaw_rad": yaw, "ego_z_m": 0.25, "counterfactual": "", "brake": 0.0}
    ego, second = frame_rows(frame, **SMALL | place)
    ego["image"] = dataset_cases.picture(frame)[::16, ::16]
    second["image"] = dataset_cases.picture(60 + frame)[::16, ::16]
    ego["route_m"] = points(40, 2.5)
    if frame % 3 == 2:
        second["counterfactual"] = "nearer"
    return [ego, second]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("published")
    write_dataset_card(root / "data", {})
    file = RouteFile(root / "data", "Town_Rep0_route1")
    for frame in range(FRAMES):
        file.add(driven(frame))
    file.close(meta("Town_Rep0_route1"))
    (folder,) = write_published(open_dataset([root / "data"]), root / "out")
    return folder


def test_the_folders_are_the_layouts(written: Path) -> None:
    assert written.parts[-6:] == ("data", "simlingo", "training", "gridtown_expert", "clear_noon", "Town_Rep0_route1")
    files = {path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()}
    kinds = (("rgb", "jpg"), ("rgb_augmented", "jpg"), ("measurements", "json.gz"), ("boxes", "json.gz"))
    frames = {f"{name}/{number:04d}.{ending}" for name, ending in kinds for number in range(FRAMES)}
    assert files == frames | {"results.json.gz"}
    results = read_json(written / "results.json.gz")
    assert results["score"] == 100.0
    assert results["meta"]["route"] == "Town_Rep0_route1"
    assert published_routes(written.parents[5]) == [written]


def test_a_measurement_holds_the_frames_values(written: Path) -> None:
    ego, second = driven(4)
    told = read_json(written / "measurements/0004.json.gz")
    assert told["pos_global"] == [ego["ego_x_m"], ego["ego_y_m"]]
    assert told["theta"] == ego["ego_yaw_rad"]
    for key, column in (
        ("speed", "ego_speed_mps"), ("target_speed", "target_speed_mps"), ("speed_limit", "speed_limit_mps"),
        ("command", "command"), ("next_command", "next_command"), ("distance_to_command", "distance_to_command_m"),
        ("steer", "steer"), ("throttle", "throttle"), ("junction", "junction"), ("light_state", "light_state"),
        ("speed_reduced_by_obj_id", "cause_actor_id"), ("speed_reduced_by_obj_distance", "cause_distance_m"),
    ):  # fmt: skip
        assert told[key] == pytest.approx(ego[column]), key
    assert told["target_point"] == pytest.approx(ego["target_points_m"][0])
    assert told["target_point_next"] == pytest.approx(ego["target_points_m"][1])
    assert told["aim_wp"] == pytest.approx(ego["path_m"][3])
    assert told["angle"] == pytest.approx(math.atan2(ego["path_m"][3, 1], ego["path_m"][3, 0]) / (math.pi / 2.0))
    assert np.asarray(told["route"]) == pytest.approx(ego["route_m"])
    assert told["augmentation_translation"] == pytest.approx(second["shift_m"])
    assert told["augmentation_rotation"] == pytest.approx(math.degrees(second["turn_rad"]))
    assert read_json(written / "boxes/0004.json.gz") == ego["boxes"]


HAZARDS = ("vehicle_hazard", "light_hazard", "walker_hazard", "stop_sign_hazard", "stop_sign_close", "walker_close")


@pytest.mark.parametrize(
    ("cause", "stops", "true", "named"),
    [
        ("road", [], (), None),
        ("lead", [], ("vehicle_hazard",), "vehicle"),
        ("vehicle", [], ("vehicle_hazard",), "vehicle"),
        ("junction", [("junction", 5.0)], ("vehicle_hazard",), "junction"),
        ("traffic_light", [("traffic_light", 5.0)], ("light_hazard",), "traffic.traffic_light"),
        ("stop_sign", [("stop_sign", 20.0)], ("stop_sign_hazard",), "traffic.stop"),
        (
            "stop_sign",
            [("stop_sign", 30.0), ("stop_sign", 19.0)],
            ("stop_sign_hazard", "stop_sign_close"),
            "traffic.stop",
        ),
        ("walker", [("walker", 20.0)], ("walker_hazard",), "walker"),
        ("walker", [("walker", 3.0), ("walker", 40.0)], ("walker_hazard", "walker_close"), "walker"),
    ],
)
def test_hazards_follow_from_cause_and_stops(
    tmp_path: Path, cause: str, stops: list[tuple[str, float]], true: tuple[str, ...], named: str | None
) -> None:
    write_dataset_card(tmp_path / "data", {})
    file = RouteFile(tmp_path / "data", "route")
    listed = [{"reason": reason, "distance_m": distance, "actor_id": 3} for reason, distance in stops]
    file.add([row(1, **SMALL, cause=cause, stops=listed, brake=0.25, cause_actor_id=7)])
    file.close({})
    (folder,) = write_published(open_dataset([tmp_path / "data"]), tmp_path / "out")
    assert folder.parts[-3:] == ("unknown_town_expert", "unknown_weather", "route")
    told = read_json(folder / "measurements/0001.json.gz")
    assert {name for name in HAZARDS if told[name]} == set(true)
    assert told["speed_reduced_by_obj_type"] == named
    assert told["brake"] is told["control_brake"] is True
    assert told["vehicle_affecting_id"] == (7 if "vehicle_hazard" in true else None)
    assert told["walker_affecting_id"] == told["walker_close_id"] == (7 if "walker_hazard" in true else None)
    (back,) = read_published(folder)
    assert back["cause"] == ("lead" if cause == "vehicle" else cause)
    assert back["hazard"] == ("vehicle_hazard" in true or "walker_hazard" in true)
    assert back["brake"] == 1.0


@pytest.mark.medium
def test_rows_come_back_as_far_as_the_layout_holds_them(written: Path) -> None:
    rows = list(read_published(written))
    assert [found["frame"] for found in rows if found["view"] == "ego"] == list(range(FRAMES))
    assert [found["frame"] for found in rows if found["view"] == "second"] == [n for n in range(FRAMES) if n % 3 != 2]
    for found in rows:
        ego, second = driven(found["frame"])
        wanted = ego if found["view"] == "ego" else second
        same = ["frame", "tick", "view", "shift_m", "turn_rad", "ahead_m", "counterfactual"]
        same += ["ego_x_m", "ego_y_m", "ego_z_m", "ego_yaw_rad"]
        for name in same:
            assert found[name] == pytest.approx(wanted[name]), name
        for name in (
            "command",
            "next_command",
            "distance_to_command_m",
            "target_speed_mps",
            "junction",
            "steer",
            "brake",
        ):
            assert found[name] == pytest.approx(ego[name]), name
        assert (found["image"] == decode_image(encode_image(wanted["image"]))).all()
    first = rows[0]
    assert first["target_points_m"] == pytest.approx(driven(0)[0]["target_points_m"])
    assert first["route_m"] == pytest.approx(driven(0)[0]["route_m"])
    assert first["path_m"][0].tolist() == [0.0, 0.0]
    assert np.hypot(*np.diff(first["path_m"], axis=0).T) == pytest.approx(np.ones(19), abs=0.02)


def in_map(found: dict[str, Any], label: str) -> np.ndarray:
    """Points of a view in the map."""
    cos, sin = math.cos(found["view_yaw_rad"]), math.sin(found["view_yaw_rad"])
    x, y = found[label].T
    return np.stack([found["view_x_m"] + cos * x - sin * y, found["view_y_m"] + sin * x + cos * y], axis=1)


@pytest.mark.parametrize("view", [0, 1])
def test_speed_waypoints_are_where_the_ego_was_later(written: Path, view: int) -> None:
    rows = [found for found in read_published(written) if found["frame"] in (0, 9)]
    wanted = np.array([pose[:2] for pose in POSES])
    assert in_map(rows[view], "speed_waypoints_m") == pytest.approx(wanted[1:11], abs=1e-4)
    late = in_map(rows[2 + view], "speed_waypoints_m")
    assert late[:4] == pytest.approx(wanted[10:14], abs=1e-4)
    assert late[4:] == pytest.approx(np.tile(wanted[13], (6, 1)), abs=1e-4)


def test_a_view_beside_the_ego_sees_the_same_points_of_the_map(written: Path) -> None:
    ego, second = list(read_published(written))[:2]
    assert in_map(second, "target_points_m") == pytest.approx(in_map(ego, "target_points_m"), abs=1e-4)
    assert second["view_yaw_rad"] == pytest.approx(ego["view_yaw_rad"] + second["turn_rad"])
    right = np.array([-math.sin(ego["ego_yaw_rad"]), math.cos(ego["ego_yaw_rad"])])
    moved = np.array([second["view_x_m"] - ego["view_x_m"], second["view_y_m"] - ego["view_y_m"]])
    assert moved == pytest.approx(second["shift_m"] * right)
    far = in_map(ego, "path_m")[-1]
    assert np.hypot(*(in_map(second, "path_m") - far).T).min() < 1.0
    assert second["path_m"][0].tolist() == [0.0, 0.0]


def test_a_second_view_of_what_is_not_so_gives_way_to_the_camera(written: Path) -> None:
    for name in ("rgb", "rgb_augmented"):
        data = (written / name / "0005.jpg").read_bytes()
        assert (decode_image(data) == decode_image(encode_image(driven(5)[0]["image"]))).all()
    told = read_json(written / "measurements/0005.json.gz")
    assert (told["augmentation_translation"], told["augmentation_rotation"]) == (0.0, 0.0)


def test_a_route_that_is_there_is_left_alone_and_a_half_one_is_written_again(written: Path, tmp_path: Path) -> None:
    data = open_dataset([written.parents[6] / "data"])
    mark = written / "results.json.gz"
    before = mark.stat().st_mtime_ns
    assert write_published(data, written.parents[5]) == [written]
    assert mark.stat().st_mtime_ns == before
    half = tmp_path / written.relative_to(written.parents[5]).with_name(written.name + ".partial")
    (half / "rgb").mkdir(parents=True)
    (half / "rgb" / "0099.jpg").write_bytes(b"half")
    (folder,) = write_published(data, tmp_path)
    assert not half.exists()
    assert not (folder / "rgb" / "0099.jpg").exists()


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no route in the published layout"):
        published_routes(tmp_path)
    folder = tmp_path / "route"
    (folder / "measurements").mkdir(parents=True)
    write_json(folder / "measurements" / "0000.json.gz", {"ego_matrix": np.eye(4), "pos_global": [0, 0]})
    with pytest.raises(InvalidInputError, match=r"0000\.json\.gz lacks 'route'"):
        list(read_published(folder))
    (folder / "measurements" / "0000.json.gz").write_bytes(b"\x1f\x8b cut")
    with pytest.raises(InvalidInputError, match=r"0000\.json\.gz cannot be read"):
        list(read_published(folder))


def test_a_missing_picture_is_named(written: Path, tmp_path: Path) -> None:
    folder = tmp_path / "route"
    for name in ("measurements", "rgb"):
        (folder / name).mkdir(parents=True)
    (folder / "measurements" / "0000.json.gz").write_bytes((written / "measurements/0000.json.gz").read_bytes())
    with pytest.raises(InvalidInputError, match=r"0000\.jpg cannot be read"):
        list(read_published(folder))
    (folder / "rgb" / "0000.jpg").write_bytes((written / "rgb/0000.jpg").read_bytes())
    (only,) = read_published(folder)
    assert only["boxes"] is None


@pytest.mark.parametrize(
    ("name", "cause"),
    [(None, "road"), ("vehicle.tesla.model3", "lead"), ("walker.pedestrian.0001", "walker"), ("static.prop.cone", "lead"),
     ("traffic.traffic_light", "traffic_light"), ("traffic.stop", "stop_sign")],
)  # fmt: skip
def test_causes_are_told_by_the_layouts_names(written: Path, tmp_path: Path, name: str | None, cause: str) -> None:
    record = read_json(written / "measurements/0002.json.gz")
    for folder in ("measurements", "rgb"):
        (tmp_path / folder).mkdir()
    write_json(tmp_path / "measurements/0002.json.gz", record | {"speed_reduced_by_obj_type": name, "light_state": 3})
    (tmp_path / "rgb/0002.jpg").write_bytes((written / "rgb/0002.jpg").read_bytes())
    (found,) = read_published(tmp_path)
    assert (found["cause"], found["light_state"]) == (cause, "none")
