"""Only frames that can be trusted reach the driver."""

from __future__ import annotations

import pytest
from sensor_msgs.msg import CameraInfo, Image

from simlingo.contracts import CameraIntrinsics, InvalidInputError
from simlingo_node.camera_gate import CameraGate
from simlingo_node.conversions import bgra_to_image, intrinsics_to_camera_info

CAMERA = CameraIntrinsics.from_field_of_view(8, 4, 110.0)


def frame(stamp: int = 1, width: int = 8, height: int = 4) -> Image:
    return bgra_to_image(bytes(width * height * 4), width, height, stamp, "ego/rgb_front")


@pytest.fixture
def gate() -> CameraGate:
    made = CameraGate()
    made.set_info(intrinsics_to_camera_info(CAMERA, 0, ""))
    return made


def test_a_good_frame_passes_with_its_intrinsics(gate: CameraGate) -> None:
    image, intrinsics = gate.decode(frame())
    assert image.shape == (4, 8, 3)
    assert intrinsics == CAMERA


def test_without_camera_info_no_frame_passes() -> None:
    with pytest.raises(InvalidInputError, match=r"no CameraInfo for 'ego/rgb_front'"):
        CameraGate().decode(frame())


def test_a_size_other_than_the_camera_infos_is_refused(gate: CameraGate) -> None:
    with pytest.raises(InvalidInputError, match=r"6x4, but its CameraInfo says 8x4"):
        gate.decode(frame(width=6))


def test_a_bad_camera_info_closes_the_gate_until_a_good_one_comes(gate: CameraGate) -> None:
    with pytest.raises(InvalidInputError):
        gate.set_info(CameraInfo(width=8, height=4))
    with pytest.raises(InvalidInputError, match="focal"):
        gate.decode(frame())
    gate.set_info(intrinsics_to_camera_info(CAMERA, 0, ""))
    gate.decode(frame())


@pytest.mark.parametrize("late", [0, 4, 5])
def test_a_stamp_of_the_past_is_refused(gate: CameraGate, late: int) -> None:
    assert gate.check_order(frame(stamp=5), 5) == 5
    with pytest.raises(InvalidInputError, match="before or at"):
        gate.check_order(frame(stamp=late), 5)
    gate.clear()
    assert gate.check_order(frame(stamp=late), 5) == late


def test_a_stamp_far_ahead_of_the_odometry_is_refused_and_forgotten(gate: CameraGate) -> None:
    second = 1_000_000_000
    assert gate.check_order(frame(stamp=90 * second), None) == 90 * second, "nothing to compare with yet"
    assert gate.check_order(frame(stamp=5 * second), 5 * second) == 5 * second
    with pytest.raises(InvalidInputError, match=r"100\.000 s ahead of the odometry.*one clock"):
        gate.check_order(frame(stamp=105 * second), 5 * second)
    assert gate.check_order(frame(stamp=6 * second), 5 * second) == 6 * second


class _ChangingGate(CameraGate):
    """A gate whose CameraInfo turns bad as soon as its intrinsics have been read, as another thread may do it."""

    armed = False

    def __getattribute__(self, name: str) -> object:
        value = super().__getattribute__(name)
        if name == "_intrinsics" and super().__getattribute__("armed"):
            self._intrinsics = None
        return value


def test_a_camera_info_that_comes_while_a_frame_is_decoded_breaks_nothing() -> None:
    gate = _ChangingGate()
    gate.set_info(intrinsics_to_camera_info(CAMERA, 0, ""))
    gate.armed = True
    assert gate.decode(frame())[1] == CAMERA
