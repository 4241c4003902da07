"""The recorder: files that other programs read, whole at the end, recoverable after a kill."""

from __future__ import annotations

import time
from pathlib import Path

import av
import numpy as np
import pytest
from harness_watchers import wait_for, watcher
from mcap.reader import make_reader
from mcap.writer import Writer
from mcap_ros2.decoder import DecoderFactory
from rosbags.highlevel import AnyReader

from simlingo_node.recorder.recover import recover

EGO = "/carla/ego_vehicle"


def record(directory: Path, seconds: float) -> None:
    """Drive for some seconds and end the recorder as a supervisor does."""
    with watcher("recorder", f"directory:={directory}") as (recorder, _):
        wait_for(lambda: (directory / "drive.mp4.tmp").exists(), 10.0, "the first frame")
        assert not (directory / "drive.mcap").exists(), "an unfinished file does not carry the name of a whole one"
        time.sleep(seconds)
        assert recorder.end() == 0, recorder.lines


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("runs") / "drive"
    record(directory, 4.0)
    return directory


def test_only_whole_files_are_left(recording: Path) -> None:
    assert sorted(path.name for path in recording.iterdir()) == ["drive.mcap", "drive.mp4"]


def test_video_decodes_at_the_right_pace_with_the_plan_drawn(recording: Path) -> None:
    with av.open(str(recording / "drive.mp4")) as container:
        assert container.streams.video[0].codec_context.name in ("libdav1d", "av1")
        frames = list(container.decode(video=0))
    times = np.array([frame.time for frame in frames])
    assert len(frames) >= 25
    assert np.median(np.diff(times)) == pytest.approx(0.1, abs=0.01)
    picture = frames[-1].to_ndarray(format="rgb24").astype(int)
    assert picture.shape == (512, 1024, 3)
    road = picture[440]
    assert (road[:, 1] - road[:, 0] > 30).sum() > 50, "the path"
    assert picture[490:].mean() < picture[420:440].mean() - 20, "the strip of numbers"


def test_bag_opens_with_foreign_readers_and_holds_the_drive(recording: Path) -> None:
    with AnyReader([recording / "drive.mcap"]) as reader:
        counts = {connection.topic: connection.msgcount for connection in reader.connections}
        types = {connection.topic: connection.msgtype for connection in reader.connections}
        stamps = []
        for connection, stamp, raw in reader.messages():
            message = reader.deserialize(raw, connection.msgtype)
            if connection.topic == f"{EGO}/odometry":
                stamps.append(stamp)
                assert stamp == message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        assert reader.duration < 30e9
    assert np.median(np.diff(stamps)) == 50_000_000, "20 Hz of simulation time, nothing lost"
    assert types["/simlingo/plan"] == "simlingo_msgs/msg/DrivingPlan"
    for topic in (f"{EGO}/odometry", f"{EGO}/vehicle_control_cmd", "/simlingo/plan", "/simlingo/navigation"):
        assert counts[topic] >= 60, topic
    assert counts["/simlingo/mission"] == 1
    assert counts["/simlingo/score"] >= 5
    assert counts[f"{EGO}/rgb_front/image/compressed"] >= 25


def test_pictures_of_the_bag_are_jpeg_with_the_stamp_of_their_frame(recording: Path) -> None:
    topic = f"{EGO}/rgb_front/image/compressed"
    with (recording / "drive.mcap").open("rb") as file:
        reader = make_reader(file, decoder_factories=[DecoderFactory()])
        for _, _, record_, picture in reader.iter_decoded_messages(topics=[topic]):
            assert picture.format == "jpeg"
            assert bytes(picture.data[:2]) == b"\xff\xd8"
            assert record_.log_time == picture.header.stamp.sec * 10**9 + picture.header.stamp.nanosec


def test_killed_recording_is_recovered(tmp_path: Path) -> None:
    directory = tmp_path / "drive"
    with watcher("recorder", f"directory:={directory}") as (recorder, _):
        wait_for(lambda: (directory / "drive.mp4.tmp").exists(), 10.0, "the first frame")
        time.sleep(6.0)
        recorder.kill()
    assert sorted(path.name for path in directory.iterdir()) == ["drive.mcap.tmp", "drive.mp4.tmp"]
    assert len(recover(directory)) == 2
    assert sorted(path.name for path in directory.iterdir()) == ["drive.mcap", "drive.mcap.torn", "drive.mp4"]
    with av.open(str(directory / "drive.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 20
    with AnyReader([directory / "drive.mcap"]) as reader:
        assert reader.message_count > 100


def messages_of(path: Path) -> list[tuple[str, int, bytes]]:
    with path.open("rb") as file:
        read = make_reader(file).iter_messages(log_time_order=False)
        return [(channel.topic, message.log_time, message.data) for _, channel, message in read]


def damaged(recording: Path, directory: Path, data: bytes) -> Path:
    """A folder with what a recording left whose bag holds ``data``."""
    directory.mkdir()
    (directory / "drive.mcap.tmp").write_bytes(data)
    return directory


def in_chunks(bag: Path, path: Path) -> list[tuple[int, int]]:
    """Write the bag anew in chunks of some kilobytes; returns where those begin and end."""
    with bag.open("rb") as source, path.open("wb") as target:
        writer = Writer(target, chunk_size=8192)
        writer.start(profile="ros2")
        known: dict[int, int] = {}
        for schema, channel, message in make_reader(source).iter_messages(log_time_order=False):
            if channel.id not in known:
                kind = writer.register_schema(schema.name, schema.encoding, schema.data)
                known[channel.id] = writer.register_channel(channel.topic, channel.message_encoding, kind)
            writer.add_message(known[channel.id], message.log_time, message.data, message.publish_time)
        writer.finish()
    with path.open("rb") as file:
        return [
            (index.chunk_start_offset, index.chunk_start_offset + index.chunk_length)
            for index in make_reader(file).get_summary().chunk_indexes
        ]


def test_of_a_damaged_bag_all_that_can_be_read_is_and_nothing_is_deleted(recording: Path, tmp_path: Path) -> None:
    """Damage of every kind in every chunk of the later half, where all topics are known, costs that chunk and is told."""
    chunks = in_chunks(recording / "drive.mcap", tmp_path / "bag")
    whole = (tmp_path / "bag").read_bytes()
    messages = messages_of(tmp_path / "bag")
    (said,) = recover(damaged(recording, tmp_path / "whole", whole))
    assert said.endswith(f"drive.mcap: {len(messages)} messages; the original is drive.mcap.torn")
    assert len(chunks) >= 8
    for number, (begin, end) in enumerate(chunks[len(chunks) // 2 :]):
        middle = (begin + end) // 2
        for what, first, last, instead in (
            ("a byte", middle, middle + 1, bytes([255 - whole[middle]])),
            ("zeros", begin + 9, end, bytes(end - begin - 9)),
            ("zeros from its start", begin, end, bytes(end - begin)),
            ("length", begin + 1, begin + 9, b"\xff" * 8),
            ("kind", begin, begin + 1, b"\x05"),
            ("fewer bytes", middle, middle + 77, b""),
            ("more bytes", middle, middle, b"more"),
            ("cut", middle, len(whole), b""),
        ):
            directory = damaged(recording, tmp_path / f"{number} {what}", whole[:first] + instead + whole[last:])
            (said,) = recover(directory)
            assert ", 1 damaged places passed over;" in said, directory.name
            assert (directory / "drive.mcap.torn").read_bytes() == whole[:first] + instead + whole[last:]
            found = messages_of(directory / "drive.mcap")
            assert set(found) < set(messages), directory.name
            if what != "cut":
                assert len(messages) - len(found) <= 40, directory.name


@pytest.mark.parametrize("data", [b"", b"\x89MCAP0\r\n", b"\x04\0\0\0zstd" * 50, bytes(range(256)) * 400])
def test_a_bag_without_a_readable_message_stays(recording: Path, tmp_path: Path, data: bytes) -> None:
    directory = damaged(recording, tmp_path / "drive", data)
    (said,) = recover(directory)
    assert said.startswith(str(directory / "drive.mcap.torn: 0 messages"))
    assert [path.name for path in directory.iterdir()] == ["drive.mcap.torn"]
    assert (directory / "drive.mcap.torn").read_bytes() == data


def test_recorder_says_where_it_cannot_write() -> None:
    with (
        pytest.raises(AssertionError, match=r"cannot record into /proc/nowhere.*choose another place"),
        watcher("recorder", "directory:=/proc/nowhere"),
    ):
        pass
