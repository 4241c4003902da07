"""An MP4 of the drive.

Encoder: AV1 by SVT-AV1, which is free of royalties (BSD-3-Clause-Clear with AOMedia's patent licence), through the
wheel of PyAV (BSD-3-Clause). Written in fragments until it is closed, so that what a killed run leaves plays up to
its last second.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import av
from av.video.stream import VideoStream
from PIL import Image

from simlingo_node.recorder.bag import temporary_name

_TIME_BASE = Fraction(1, 1000)
#: Preset 12 of 13 costs 6 ms a frame of 1024x512; crf 38 keeps lane marks and lights clear.
_ENCODER = "libsvtav1"
_OPTIONS = {"preset": "12", "crf": "38", "svtav1-params": "lp=1:pred-struct=1"}
_CONTAINER_OPTIONS = {"movflags": "hybrid_fragmented", "frag_duration": "1000000", "flush_packets": "1"}
_KEY_FRAME_PERIOD_S = 2.0


class VideoWriter:
    """Writes ``path``; it appears under this name when ``close`` has made it whole."""

    def __init__(self, path: Path, width: int, height: int, rate: float) -> None:
        """A video of ``width`` x ``height`` px (even numbers) with about ``rate`` frames a second."""
        os.environ.setdefault("SVT_LOG", "1")  # errors only: the encoder otherwise prints its settings
        self._path = path
        self._container = av.open(str(temporary_name(path)), "w", format="mp4", options=_CONTAINER_OPTIONS)
        stream = self._container.add_stream(_ENCODER, rate=round(rate), options=_OPTIONS)
        assert isinstance(stream, VideoStream)
        self._stream = stream
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.codec_context.time_base = _TIME_BASE
        self._stream.codec_context.gop_size = max(round(rate * _KEY_FRAME_PERIOD_S), 1)
        self._last_ms = -1

    def add(self, picture: Image.Image, time_s: float) -> None:
        """Append ``picture`` (RGB, of the video's size), shown from ``time_s`` seconds after the start."""
        time_ms = round(time_s * 1000)
        if time_ms <= self._last_ms:
            return
        self._last_ms = time_ms
        frame = av.VideoFrame.from_image(picture)
        frame.pts, frame.time_base = time_ms, _TIME_BASE
        for packet in self._stream.encode(frame):
            self._container.mux(packet)

    def close(self) -> None:
        """Finish the file and give it its name."""
        for packet in self._stream.encode():
            self._container.mux(packet)
        self._container.close()
        temporary_name(self._path).replace(self._path)
