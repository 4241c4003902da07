"""Domains of one's own, shared memory, and what dead processes leave there."""

from __future__ import annotations

import mmap
import os
import shutil
import socket
from pathlib import Path
from xml.etree import ElementTree

import pytest

from simlingo.contracts import SimlingoError
from simlingo_node import dds


def test_two_stacks_get_two_domains() -> None:
    first = dds.take_domain()
    second = dds.take_domain()
    assert first.number != second.number
    with pytest.raises(SimlingoError, match=f"domain {first.number} is in use.*--domain"):
        dds.take_domain(first.number)
    first.release()
    again = dds.take_domain(first.number)
    assert again.number == first.number
    again.release()
    second.release()


def test_a_domain_that_others_speak_on_is_passed_over() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", 7410 + 250 * 57))
        with pytest.raises(SimlingoError, match="domain 57"):
            dds.take_domain(57)


def test_the_environment_keeps_the_stack_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_ROS_WHEELS_BOOTSTRAP_COMPLETE", "1")
    variables = dds.environment(12, pictures=True)
    assert variables["ROS_DOMAIN_ID"] == "12"
    assert variables["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "SYSTEM_DEFAULT"  # the profile's, for which see the next test
    assert "_ROS_WHEELS_BOOTSTRAP_COMPLETE" not in variables


@pytest.mark.parametrize(("pictures", "kinds"), [(True, ["SHM", "UDPv4"]), (False, ["UDPv4"])])
def test_pictures_alone_travel_in_shared_memory_and_nothing_leaves_the_machine(
    pictures: bool, kinds: list[str]
) -> None:
    variables = dds.environment(12, pictures)
    assert variables["FASTRTPS_DEFAULT_PROFILES_FILE"] == variables["FASTDDS_DEFAULT_PROFILES_FILE"]
    profile = ElementTree.parse(variables["FASTRTPS_DEFAULT_PROFILES_FILE"])

    def words(path: str) -> list[str | None]:
        return [each.text for each in profile.iterfind(path, {"": "http://www.eprosima.com"})]

    assert words(".//type") == kinds
    assert words(".//userTransports/transport_id") == words(".//transport_descriptor/transport_id")
    assert words(".//useBuiltinTransports") == ["false"]
    assert words(".//interfaceWhiteList/address") == words(".//initialPeersList//address") == ["127.0.0.1"]


def test_too_little_shared_memory_is_said_with_the_cure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(64 << 20, 0, 64 << 20))
    with pytest.raises(SimlingoError, match=r"64 MiB left.*--shm-size"):
        dds.check_shared_memory(6)
    dds.check_shared_memory(1)


def test_missing_shared_memory_is_said_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dds, "SHARED_MEMORY", tmp_path / "shm")
    with pytest.raises(SimlingoError, match=r"shm is missing.*mount -t tmpfs"):
        dds.check_shared_memory(1)
    assert dds.remove_stale_segments(0) == []


def make_old(path: Path) -> None:
    """A file that was made long ago."""
    path.touch()
    os.utime(path, (0, 0))


def test_a_segment_that_another_stack_removes_meanwhile_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dds, "SHARED_MEMORY", tmp_path)
    make_old(tmp_path / "fastrtps_dead")
    (tmp_path / "fastrtps_gone").symlink_to(tmp_path / "nowhere")  # listed, and no longer there when looked at
    assert [path.name for path in dds.remove_stale_segments(0)] == ["fastrtps_dead"]


def test_segments_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dds, "SHARED_MEMORY", tmp_path)
    monkeypatch.setattr(dds, "_files_in_use", lambda: {str(tmp_path / "fastrtps_living")})
    names = ["fastrtps_living", "fastrtps_living_el", "sem.fastrtps_living_mutex"]
    dead = ["fastrtps_dead", "fastrtps_dead_el", "fastrtps_port7412", "sem.fastrtps_port7412_mutex"]
    others = [
        "fastrtps_port7912_el",
        "fastrtps_port7399",
        "somebody_elses",
    ]  # ports that another domain's stack may open now
    for name in [*names, *dead, *others]:
        make_old(tmp_path / name)
    (tmp_path / "fastrtps_young").touch()  # not mapped yet by who has made it
    assert sorted(path.name for path in dds.remove_stale_segments(0)) == sorted(dead)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, *others, "fastrtps_young"])


@pytest.mark.medium
def test_a_mapped_segment_is_seen_as_in_use() -> None:
    path = Path("/dev/shm") / f"fastrtps_test_{os.getpid()}"
    path.write_bytes(bytes(4096))
    os.utime(path, (0, 0))
    try:
        with path.open("r+b") as file, mmap.mmap(file.fileno(), 4096):
            assert str(path) in dds._files_in_use()
            assert path not in dds.remove_stale_segments(0)
        os.utime(path, (0, 0))
        assert path in dds.remove_stale_segments(0)
        assert not path.exists()
    finally:
        path.unlink(missing_ok=True)
