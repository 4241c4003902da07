"""The recorder's own thread: everything that costs time or waits for the disk happens here, never in a callback."""

from __future__ import annotations

import io
import queue
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from av.error import FFmpegError
from carla_msgs.msg import CarlaEgoVehicleControl
from PIL import Image as Picture
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from simlingo.contracts import InvalidInputError
from simlingo_node.conversions import camera_info_to_intrinsics
from simlingo_node.overlay import Camera, picture_from_pixels
from simlingo_node.recorder.bag import BagWriter
from simlingo_node.recorder.frames import DriveFrames
from simlingo_node.recorder.video import VideoWriter

_WAITING_MESSAGES = 2000
_WAITING_PICTURES = 3


@dataclass(frozen=True)
class Item:
    """One serialized message on its way to the disk."""

    role: str  # what it is to the video: "image", "odometry", ...; any other name: bag only
    topic: str
    serialized: bytes
    stamp: int  # ns, simulation time


@dataclass(frozen=True)
class Settings:
    """What is written, and how."""

    video: Path | None
    bag: Path | None
    rate: float  # pictures per simulated second
    jpeg_quality: int
    picture_topic: str  # of the compressed pictures in the bag


class RecordingThread:
    """Takes messages without ever waiting and writes them in the order they came."""

    def __init__(self, settings: Settings, topics: dict[str, str], on_problem: Callable[[str], None]) -> None:
        """``topics`` maps each topic of the bag to its type's name; ``on_problem`` may be called on this thread."""
        self._settings = settings
        self._on_problem = on_problem
        self._frames = DriveFrames()
        self._queue: queue.Queue[Item | None] = queue.Queue(_WAITING_MESSAGES)
        self._pictures_waiting = 0
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._video: VideoWriter | None = None
        self._first_stamp: int | None = None
        self._bag = BagWriter(settings.bag) if settings.bag is not None else None
        if self._bag is not None:
            for topic, type_name in topics.items():
                self._bag.add_topic(topic, type_name, latched=topic.endswith(("/mission", "/tf_static", "/commentary")))
            self._bag.add_topic(settings.picture_topic, "sensor_msgs/msg/CompressedImage")
        self.written = 0
        self.stopped = False  # by a failure: nothing is written any more
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def offer(self, item: Item) -> bool:
        """Hand ``item`` over; ``False`` where the thread is behind and it is left out."""
        if item.role == "image":
            with self._lock:
                if self._pictures_waiting >= _WAITING_PICTURES:
                    return False
                self._pictures_waiting += 1
        try:
            self._queue.put_nowait(item)
        except queue.Full:
            return False
        return True

    def close(self, timeout_s: float) -> bool:
        """Write what waits, without further pictures, and finish the files; ``False`` if that took too long."""
        self._ending.set()
        try:
            self._queue.put(None, timeout=timeout_s / 2)
        except queue.Full:
            return False
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                self._write(item)
        except Exception as error:  # whatever it is, this thread writes no more, and the node must say so
            self.stopped = True
            self._on_problem(f"recording stopped: {_words(error)}")
            while self._queue.get() is not None:
                pass
        finally:
            self._finish()

    def _write(self, item: Item) -> None:
        if item.role == "image":
            with self._lock:
                self._pictures_waiting -= 1
            if not self._ending.is_set():
                self._write_picture(item)
            return
        self._remember(item)
        if self._bag is not None:
            self._bag.write(item.topic, item.serialized, item.stamp)

    def _remember(self, item: Item) -> None:
        """Keep what the next frame of the video shows."""
        frames = self._frames
        if item.role == "odometry":
            frames.add_odometry(item.serialized)
        elif item.role == "control":
            frames.control = deserialize_message(item.serialized, CarlaEgoVehicleControl)
        elif item.role == "camera_info":
            try:
                frames.camera = Camera(camera_info_to_intrinsics(deserialize_message(item.serialized, CameraInfo)))
            except InvalidInputError as error:
                self._on_problem(str(error))
        elif item.role == "instruction":
            frames.instruction, frames.instruction_stamp = item.serialized, item.stamp
        elif item.role in ("plan", "navigation", "score", "commentary"):
            setattr(frames, item.role, item.serialized)

    def _write_picture(self, item: Item) -> None:
        image = deserialize_message(item.serialized, Image)
        try:
            picture = picture_from_pixels(image.data, image.width, image.height, image.step, image.encoding)
        except InvalidInputError as error:
            self._on_problem(str(error))
            return
        if self._bag is not None:
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=self._settings.jpeg_quality)
            message = CompressedImage(header=image.header, format="jpeg")
            message.data.frombytes(buffer.getvalue())
            self._bag.write(self._settings.picture_topic, serialize_message(message), item.stamp)
        if self._settings.video is not None:
            self._write_frame(self._settings.video, picture, item.stamp)
        self.written += 1

    def _write_frame(self, path: Path, picture: Picture.Image, stamp: int) -> None:
        width, height = picture.width - picture.width % 2, picture.height - picture.height % 2
        if picture.size != (width, height):
            picture = picture.crop((0, 0, width, height))
        if self._video is None or self._first_stamp is None:
            self._video = VideoWriter(path, width, height, self._settings.rate)
            self._first_stamp, self._video_size = stamp, (width, height)
        if picture.size != self._video_size:
            self._on_problem(f"picture of {picture.size} px left out: the video began with {self._video_size}")
            return
        self._frames.draw(picture, stamp)
        self._video.add(picture, (stamp - self._first_stamp) / 1e9)

    def _finish(self) -> None:
        for part in (self._video, self._bag):
            if part is None:
                continue
            try:
                part.close()
            except Exception as error:  # as above
                self.stopped = True
                self._on_problem(
                    f"a recording could not be finished: {_words(error)}; its .tmp file holds what was written"
                )


def _words(error: Exception) -> str:
    """What went wrong, with the cure where the disk is the likely cause and the place in our code where it is not."""
    if isinstance(error, (OSError, FFmpegError)):
        return f"{error}; free disk space or record elsewhere (parameter directory)"
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(place.filename).name}, line {place.lineno})"
