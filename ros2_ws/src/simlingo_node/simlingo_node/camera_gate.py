"""Lets a frame through to the driver only when it can be trusted."""

from __future__ import annotations

from sensor_msgs.msg import CameraInfo, Image

from simlingo.contracts import CameraIntrinsics, ImageArray, InvalidInputError
from simlingo_node.conversions import camera_info_to_intrinsics, image_to_rgb, stamp_to_ns

#: An image may be stamped this much (ns) ahead of the newest odometry: its own may still be on its way.
MAX_AHEAD_NS = 1_000_000_000


class CameraGate:
    """Checks encoding, size, CameraInfo and the order of stamps; the core checks the field of view.

    ``decode`` may be called from another thread than the rest.
    """

    def __init__(self) -> None:
        self._intrinsics: CameraIntrinsics | None = None
        self._fault: str | None = None
        self._last_stamp = -1
        self._last_info: tuple[object, ...] = ()

    def clear(self) -> None:
        """Accept any stamp again."""
        self._last_stamp = -1

    def set_info(self, message: CameraInfo) -> None:
        """Take a CameraInfo; a bad one closes the gate until a good one comes.

        Raises:
            InvalidInputError: it is no usable pinhole camera.
        """
        seen = (message.width, message.height, message.k.tobytes(), message.d.tobytes())
        if seen == self._last_info:
            return
        self._last_info = seen
        try:
            self._intrinsics = camera_info_to_intrinsics(message)
        except InvalidInputError as error:
            self._fault, self._intrinsics = str(error), None
            raise

    def check_order(self, message: Image, odometry_stamp: int | None) -> int:
        """The stamp (ns) of a frame that is newer than all before it.

        Args:
            message: the frame.
            odometry_stamp: stamp (ns) of the newest odometry; ``None`` before the first. A frame far ahead of it is
                not remembered: it would make all that follow look late.

        Raises:
            InvalidInputError: the stamp lies in the past, or more than a second ahead of the odometry.
        """
        stamp = stamp_to_ns(message.header.stamp)
        if odometry_stamp is None:
            return stamp
        if stamp > odometry_stamp + MAX_AHEAD_NS:
            raise InvalidInputError(
                f"image is stamped {(stamp - odometry_stamp) * 1e-9:.3f} s ahead of the odometry; it is dropped:"
                " let camera and odometry use one clock"
            )
        if stamp <= self._last_stamp:
            raise InvalidInputError(
                f"image is stamped {(self._last_stamp - stamp) * 1e-9:.3f} s before or at the last one; it is dropped"
            )
        self._last_stamp = stamp
        return stamp

    def decode(self, message: Image) -> tuple[ImageArray, CameraIntrinsics]:
        """RGB picture (H, W, 3) and its intrinsics.

        Raises:
            InvalidInputError: no CameraInfo yet, another size than it says, or a broken picture.
        """
        intrinsics = self._intrinsics  # read once: a CameraInfo may come meanwhile
        if intrinsics is None:
            raise InvalidInputError(self._fault or f"no CameraInfo for '{message.header.frame_id}' yet; publish it")
        if (message.width, message.height) != (intrinsics.width, intrinsics.height):
            raise InvalidInputError(
                f"image is {message.width}x{message.height}, but its CameraInfo says"
                f" {intrinsics.width}x{intrinsics.height}"
            )
        return image_to_rgb(message), intrinsics
