"""What the model gets to see: the camera, or, to prove that it looks, something else in its place."""

from __future__ import annotations

import io
from typing import Protocol

import numpy as np
from PIL import Image

from simlingo.contracts import MODEL_CAMERA, ImageArray
from simlingo_drive.expert import Expert
from training.evaluation.routes import BenchRoute, RouteSpec, build
from training.evaluation.world import FrontCamera, RouteWorld, open_world

#: Another route's drive is recorded every so many ticks, for so long.
RECORD_EVERY = 5
RECORD_TICKS = 1200
GREY_LEVEL = 128


class FrameSource(Protocol):
    """Gives the frames of a drive, (512, 1024, 3) RGB."""

    def frame(self, tick: int) -> ImageArray | None:
        """The frame of tick ``tick`` (from 0) of the drive; None at a tick without one."""


class RealFrames:
    """The camera on the ego."""

    def __init__(self, world: RouteWorld, every: int) -> None:
        self._camera = FrontCamera(world.world, world.ego, every)

    def frame(self, tick: int) -> ImageArray | None:
        """The camera's frame of this tick."""
        del tick
        return self._camera.take()


class GreyFrames:
    """A uniform grey."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._image = np.full((MODEL_CAMERA.height, MODEL_CAMERA.width, 3), GREY_LEVEL, dtype=np.uint8)

    def frame(self, tick: int) -> ImageArray | None:
        """Always the same."""
        return self._image if tick % self._every == 0 else None


class OtherRouteFrames:
    """What the expert's camera saw on another route, in its order and at its pace."""

    def __init__(self, frames: list[bytes], every: int) -> None:
        self._frames, self._every = frames, every

    def frame(self, tick: int) -> ImageArray | None:
        """The other drive's frame at this time; its last one once it is over."""
        if tick % self._every:
            return None
        index = min(tick // RECORD_EVERY, len(self._frames) - 1)
        return np.asarray(Image.open(io.BytesIO(self._frames[index])).convert("RGB"))


def frame_source(kind: str, route: BenchRoute, world: RouteWorld, traffic: str, every: int) -> FrameSource:
    """The source named ``kind`` (real, grey, shuffled), with a frame every ``every`` ticks."""
    if kind == "real":
        return RealFrames(world, every)
    if kind == "grey":
        return GreyFrames(every)
    return OtherRouteFrames(record_drive(other_route(route.spec), traffic), every)


def other_route(spec: RouteSpec) -> BenchRoute:
    """The route whose frames stand in for those of ``spec``: of the same town, another index."""
    return build(RouteSpec(spec.town, spec.seed, spec.index + 1))


def record_drive(route: BenchRoute, traffic: str) -> list[bytes]:
    """JPEG frames of an expert's drive on ``route``, one every ``RECORD_EVERY`` ticks."""
    opened = open_world(route, traffic)
    expert = Expert(opened.world, opened.ego, route.dense)
    camera = FrontCamera(opened.world, opened.ego, RECORD_EVERY)
    frames: list[bytes] = []
    for _ in range(RECORD_TICKS):
        control, info = expert.run_step()
        opened.ego.apply_control(control)
        opened.world.tick()
        image = camera.take()
        if image is not None:
            frames.append(_jpeg(image))
        if info.place.s >= route.length - 5.0:
            break
    return frames


def _jpeg(image: ImageArray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
