"""Parts of the recorder: definitions of messages, stamps, leftovers, and its thread under load."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from nav_msgs.msg import Odometry
from PIL import Image as Picture
from rclpy.serialization import serialize_message
from rosbags.typesys import get_types_from_msg
from sensor_msgs.msg import Image

from simlingo.contracts import SimlingoError
from simlingo_node.conversions import ns_to_stamp
from simlingo_node.recorder.frames import DriveFrames
from simlingo_node.recorder.node import header_stamp, leftovers
from simlingo_node.recorder.schema import message_definition
from simlingo_node.recorder.video import VideoWriter
from simlingo_node.recorder.writer import Item, RecordingThread, Settings


@pytest.mark.parametrize("name", ["simlingo_msgs/msg/DrivingPlan", "nav_msgs/msg/Odometry", "tf2_msgs/msg/TFMessage"])
def test_definitions_are_whole(name: str) -> None:
    types = get_types_from_msg(message_definition(name), name)
    used = {inner for fields in types.values() for inner in str(fields).split("'") if "/msg/" in inner}
    assert used <= set(types)


def test_unknown_message_is_said() -> None:
    with pytest.raises(SimlingoError, match="no_such_msgs"):
        message_definition("no_such_msgs/msg/Thing")


@pytest.mark.parametrize("stamp", [0, 50_000_000, 3_600_000_000_001])
def test_stamp_is_read_without_decoding(stamp: int) -> None:
    message = Odometry()
    message.header.stamp = ns_to_stamp(stamp)
    assert header_stamp(serialize_message(message)) == stamp


def test_leftovers_of_other_runs_are_found_and_own_files_not(tmp_path: Path) -> None:
    for name in ("old/drive.mcap.tmp", "old/drive.mp4", "own/drive.mp4.tmp", "new/drive.mp4.tmp"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        if "new" not in name:
            os.utime(path, (0, 0))
    assert leftovers(tmp_path, tmp_path / "own") == [tmp_path / "old/drive.mcap.tmp"]


def frame(stamp: int, width: int = 64, height: int = 32) -> Item:
    """A serialized grey picture."""
    image = Image(width=width, height=height, step=3 * width, encoding="rgb8", data=[90] * (3 * width * height))
    image.header.stamp = ns_to_stamp(stamp)
    return Item("image", "image", serialize_message(image), stamp)


def thread_of(directory: Path, problems: list[str]) -> RecordingThread:
    settings = Settings(directory / "drive.mp4", directory / "drive.mcap", 10.0, 80, "/picture/compressed")
    return RecordingThread(settings, {"/odometry": "nav_msgs/msg/Odometry"}, problems.append)


def test_offering_never_waits_and_surplus_pictures_are_left_out(tmp_path: Path) -> None:
    thread = thread_of(tmp_path, [])
    begin = time.monotonic()
    taken = [thread.offer(frame(index * 100_000_000)) for index in range(200)]
    offered_s = time.monotonic() - begin
    assert thread.close(5.0)
    assert not all(taken)
    assert offered_s < 2.0


def test_broken_pictures_are_said_and_the_recording_goes_on(tmp_path: Path) -> None:
    problems: list[str] = []
    thread = thread_of(tmp_path, problems)
    broken = Image(width=64, height=32, step=192, encoding="rgb8", data=[0] * 10)
    items = [
        frame(0),
        Item("image", "image", serialize_message(broken), 100_000_000),
        frame(200_000_000, width=32),
        frame(300_000_000),
    ]
    for item in items:
        assert thread.offer(item)
        time.sleep(0.3)
    assert thread.close(5.0)
    assert [("truncated" in text, "left out" in text) for text in problems] == [(True, False), (False, True)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["drive.mcap", "drive.mp4"]


def test_any_failure_of_the_thread_is_said_and_what_was_written_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def burst(*_: object) -> None:
        raise ValueError("nobody has foreseen this")

    monkeypatch.setattr(DriveFrames, "draw", burst)
    problems: list[str] = []
    thread = thread_of(tmp_path, problems)
    assert thread.offer(frame(0))
    deadline = time.monotonic() + 5.0
    while not problems and time.monotonic() < deadline:
        time.sleep(0.02)
    assert thread.stopped
    assert "recording stopped: ValueError: nobody has foreseen this (test_recorder_parts.py" in problems[0]
    for index in range(1, 3000):  # more than the queue holds: it goes on to be emptied
        thread.offer(Item("odometry", "/odometry", b"", index))
    assert thread.close(5.0)
    assert (tmp_path / "drive.mcap").exists()


def test_recording_without_any_picture_leaves_a_bag_and_no_broken_video(tmp_path: Path) -> None:
    thread = thread_of(tmp_path, [])
    thread.offer(Item("odometry", "/odometry", serialize_message(Odometry()), 1))
    assert thread.close(5.0)
    assert [path.name for path in tmp_path.iterdir()] == ["drive.mcap"]
    assert threading.active_count() < 20


def test_video_leaves_out_pictures_that_go_back_in_time(tmp_path: Path) -> None:
    writer = VideoWriter(tmp_path / "v.mp4", 64, 32, 10.0)
    picture = Picture.fromarray(np.zeros((32, 64, 3), np.uint8))
    for time_s in (0.0, 0.1, 0.1, 0.05, 0.2):
        writer.add(picture, time_s)
    writer.close()
    import av

    with av.open(str(tmp_path / "v.mp4")) as container:
        assert [round(float(shown.time), 2) for shown in container.decode(video=0)] == [0.0, 0.1, 0.2]
