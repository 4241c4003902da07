"""What the model gets to see: the camera, or, to prove that it looks, something else in its place."""

from __future__ import annotations

import io
from typing import Protocol

import carla
import numpy as np
from PIL import Image

from simlingo.contracts import MODEL_CAMERA, ImageArray, InvalidInputError
from simlingo.navigation.global_planner import GlobalPlanner
from simlingo_drive.backends.base import Backend, Capability
from simlingo_drive.drivers.expert import ExpertDriver
from simlingo_drive.rig import SensorRig, camera_spec, to_rgb
from simlingo_drive.rollout import Hook, roll_out
from simlingo_drive.routes.draw import numbered_route
from simlingo_drive.routes.route import Route, RouteSpec
from simlingo_drive.session import Session, open_numbered
from simlingo_drive.views import ViewCamera

#: Another route's drive is recorded every so many ticks, for so long.
RECORD_EVERY = 5
RECORD_TICKS = 1200
#: The expert's drive is recorded up to this far before its end, m.
RECORD_END_M = 5.0
GREY_LEVEL = 128


class FrameSource(Protocol):
    """Gives the frames of a drive, (512, 1024, 3) RGB."""

    def frame(self, tick: int) -> ImageArray | None:
        """The frame of tick ``tick`` (from 0) of the drive; None at a tick without one."""

    def restart(self) -> None:
        """The driver takes the wheel again, and needs a frame."""


class CameraFrames:
    """The camera on the ego, with a frame every so many ticks."""

    def __init__(self, session: Session, every: int) -> None:
        self._rig = SensorRig(session.world, session.ego, [camera_spec(every=every)])

    def frame(self, tick: int) -> ImageArray | None:
        """The camera's frame of this tick."""
        del tick
        image = self._rig.take("camera")
        return None if image is None else to_rgb(image)

    def restart(self) -> None:
        """It goes on as it was."""


class ViewFrames:
    """Frames of a camera that looks on request, from where the ego is."""

    def __init__(self, session: Session, camera: ViewCamera, every: int) -> None:
        self._session, self._camera, self._every = session, camera, every
        self._needed = True

    def frame(self, tick: int) -> ImageArray | None:
        """A frame every so many ticks, and one at once after a restart."""
        if tick % self._every and not self._needed:
            return None
        self._needed = False
        return self._camera.rgb(self._session.ego_state())

    def restart(self) -> None:
        """Look at the next tick, whichever it is."""
        self._needed = True


class GreyFrames:
    """A uniform grey."""

    def __init__(self, every: int) -> None:
        self._every = every
        self._image = np.full((MODEL_CAMERA.height, MODEL_CAMERA.width, 3), GREY_LEVEL, dtype=np.uint8)

    def frame(self, tick: int) -> ImageArray | None:
        """Always the same."""
        return self._image if tick % self._every == 0 else None

    def restart(self) -> None:
        """Grey is grey."""


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

    def restart(self) -> None:
        """The other drive goes on."""


def frame_source(
    kind: str, route: Route, session: Session, planner: GlobalPlanner, traffic: str, every: int
) -> FrameSource:
    """The source named ``kind`` (real, grey, shuffled), with a frame every ``every`` ticks."""
    if kind == "real":
        return CameraFrames(session, every)
    if kind == "grey":
        return GreyFrames(every)
    return OtherRouteFrames(
        record_drive(other_route(route, session, planner), session.backend, planner, traffic), every
    )


def other_route(route: Route, session: Session, planner: GlobalPlanner) -> Route:
    """The route whose frames stand in for those of ``route``: of the same town, another index."""
    if route.spec is None:
        raise InvalidInputError(
            f"route {route.name} has no number, so no other route stands in for it; choose a numbered one"
        )
    spec = RouteSpec(route.spec.town, route.spec.seed, route.spec.index + 1)
    return numbered_route(session.map, planner, spec)


class _Film(Hook):
    """Keeps the camera's frames as JPEG."""

    def __init__(self, session: Session, driver: ExpertDriver, length: float) -> None:
        self._rig = SensorRig(session.world, session.ego, [camera_spec(every=RECORD_EVERY)])
        self._driver, self._length = driver, length
        self.frames: list[bytes] = []

    def decide(self, tick: int, control: carla.VehicleControl) -> None:
        del tick, control
        info = self._driver.info
        self._ends = info is not None and info.place.s >= self._length - RECORD_END_M

    def judge(self, tick: int) -> None:
        del tick
        image = self._rig.take("camera")
        if image is not None:
            buffer = io.BytesIO()
            Image.fromarray(to_rgb(image)).save(buffer, "JPEG", quality=90)
            self.frames.append(buffer.getvalue())
        self.finished = self._ends


def record_drive(route: Route, backend: Backend, planner: GlobalPlanner, traffic: str) -> list[bytes]:
    """JPEG frames of an expert's drive on ``route``, one every ``RECORD_EVERY`` ticks."""
    backend.require(Capability.SECOND_WORLD)
    session = open_numbered(backend, route, traffic)
    driver = ExpertDriver(session, route.dense, planner)
    film = _Film(session, driver, route.length)
    roll_out(session, driver, [film], RECORD_TICKS)
    return film.frames
