"""What a plan looks like in the camera's picture: projection, and drawing for the video.

Points are in the core's ego frame (x forward, y right, metres) on flat ground; pictures are measured in fractions
of their width and height, from the upper left corner, so that one overlay fits every scaled copy of the picture.
The live page draws the same overlay in the browser.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from simlingo.contracts import (
    MODEL_CAMERA,
    MODEL_CAMERA_POSITION_IN_EGO,
    CameraIntrinsics,
    DrivingPlan,
    EgoState,
    FloatArray,
    InvalidInputError,
)
from simlingo.geometry import arc_length, ego_to_map, map_to_ego

#: Half of the drawn band's width, metres: a little narrower than a car.
BAND_HALF_WIDTH_M = 0.8
#: Radius of a drawn speed waypoint on the ground, metres.
DOT_RADIUS_M = 0.28
#: Nothing nearer to the camera than this is drawn, metres; it lies below the picture's lower edge.
NEAR_M = 1.0
_STEP_M = 0.5
#: Lines of the driver's words on a frame; a text of 100 tokens fits.
_MOST_LINES = 4

PATH_RGB = (45, 212, 191)
WAYPOINT_RGB = (251, 146, 60)


@dataclass(frozen=True)
class Camera:
    """Pinhole camera that looks along the vehicle's x axis."""

    intrinsics: CameraIntrinsics = MODEL_CAMERA
    position_in_ego: tuple[float, float, float] = MODEL_CAMERA_POSITION_IN_EGO  # m, x forward, y right, z up

    def project(self, points_in_ego: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Where ``points_in_ego`` (N, 3) appear.

        Returns:
            Picture coordinates (N, 2) as fractions of width and height, and depths (N,) in metres along the
            optical axis. Coordinates mean nothing where the depth is not positive.
        """
        lens = self.intrinsics
        seen = np.asarray(points_in_ego, dtype=np.float64) - self.position_in_ego
        depth = seen[:, 0]
        safe = np.where(np.abs(depth) < 1e-6, 1e-6, depth)
        u = (lens.center_x + lens.focal_x * seen[:, 1] / safe) / lens.width
        v = (lens.center_y - lens.focal_y * seen[:, 2] / safe) / lens.height
        return np.stack((u, v), axis=1), depth


@dataclass(frozen=True)
class Overlay:
    """A plan in picture fractions; empty arrays where nothing is to be seen."""

    left: FloatArray  # (N, 2) left edge of the path's band, near to far
    right: FloatArray  # (N, 2) right edge
    dots: FloatArray  # (M, 3) speed waypoints: u, v, radius as a fraction of the width


def carry(points_in_ego: FloatArray, then: EgoState, now: EgoState) -> FloatArray:
    """Points (N, 2) of the ego frame at ``then`` in the ego frame at ``now``."""
    return map_to_ego(ego_to_map(points_in_ego, then), now)


def _resample(path: FloatArray) -> FloatArray:
    """``path`` (N, 2) every half metre, without repeated points."""
    keep = np.concatenate(([True], np.hypot(*np.diff(path, axis=0).T) > 1e-3))
    path = path[keep]
    along = arc_length(path)
    wanted = np.arange(0.0, along[-1] + 1e-9, _STEP_M)
    return np.stack((np.interp(wanted, along, path[:, 0]), np.interp(wanted, along, path[:, 1])), axis=1)


def _band(path: FloatArray, camera: Camera) -> tuple[FloatArray, FloatArray]:
    """Left and right edge (N, 2) each, in picture fractions, of a band on the ground along ``path``."""
    line = _resample(path)
    if len(line) < 2:
        return np.empty((0, 2)), np.empty((0, 2))
    tangent = np.gradient(line, axis=0)
    tangent /= np.maximum(np.hypot(tangent[:, 0], tangent[:, 1]), 1e-6)[:, None]
    normal = np.stack((-tangent[:, 1], tangent[:, 0]), axis=1) * BAND_HALF_WIDTH_M
    ground = np.zeros((len(line), 1))
    left, left_depth = camera.project(np.hstack((line - normal, ground)))
    right, right_depth = camera.project(np.hstack((line + normal, ground)))
    seen = np.minimum(left_depth, right_depth) > NEAR_M
    return left[seen], right[seen]


def plan_overlay(path: FloatArray, speed_waypoints: FloatArray, camera: Camera) -> Overlay:
    """The overlay of a plan's ``path`` (N, 2) and ``speed_waypoints`` (M, 2), both in the ego frame of the picture."""
    left, right = _band(path, camera) if len(path) > 1 else (np.empty((0, 2)), np.empty((0, 2)))
    place, depth = camera.project(np.hstack((speed_waypoints, np.zeros((len(speed_waypoints), 1)))))
    radius = camera.intrinsics.focal_x * DOT_RADIUS_M / np.maximum(depth, NEAR_M) / camera.intrinsics.width
    return Overlay(left, right, np.column_stack((place, radius))[depth > NEAR_M])


def carried_overlay(plan: DrivingPlan, then: EgoState, now: EgoState, camera: Camera) -> Overlay:
    """The overlay of ``plan``, made at pose ``then``, in a picture taken at pose ``now``."""
    return plan_overlay(carry(plan.path, then, now), carry(plan.speed_waypoints, then, now), camera)


def draw_overlay(picture: Image.Image, overlay: Overlay) -> None:
    """Draw ``overlay`` onto ``picture`` (RGB), in place."""
    size = np.array(picture.size, dtype=np.float64)
    _draw_band(picture, overlay.left * size, overlay.right * size)
    draw = ImageDraw.Draw(picture, "RGBA")
    for u, v, radius in overlay.dots[::-1]:
        r = max(radius * size[0], 2.0)
        x, y = u * size[0], v * size[1]
        draw.ellipse((x - r, y - r * 0.45, x + r, y + r * 0.45), fill=(*WAYPOINT_RGB, 235))


def _draw_band(picture: Image.Image, left: FloatArray, right: FloatArray) -> None:
    """Draw the band between the edges (N, 2), pixels, fading with distance; a mask keeps its pieces from adding up."""
    if len(left) < 2:
        return
    top = int(np.clip(min(left[:, 1].min(), right[:, 1].min()), 0, picture.height - 1))
    mask = Image.new("L", (picture.width, picture.height - top))
    draw = ImageDraw.Draw(mask)
    for index in range(len(left) - 1):
        corners = np.array((left[index], left[index + 1], right[index + 1], right[index])) - (0, top)
        strength = 45 + 105 * (1.0 - index / len(left))
        draw.polygon([float(value) for value in corners.reshape(-1)], fill=int(strength))
    for edge in (left, right):
        draw.line(
            [float(value) for value in (edge - (0, top)).reshape(-1)], fill=215, width=max(picture.width // 500, 1)
        )
    picture.paste(PATH_RGB, (0, top), mask)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


@dataclass(frozen=True)
class Caption:
    """What the strip at the lower edge of a video frame says."""

    left: str  # speed and controls
    right: str  # time and score
    progress: float  # driven part of the route, 0 to 1
    instruction: str = ""  # shown in the upper left corner; empty: nothing
    words: str = ""  # the driver's, shown in the middle above the strip; empty: nothing


def draw_caption(picture: Image.Image, caption: Caption) -> None:
    """Draw the strip with ``caption`` and a progress bar onto ``picture`` (RGB), in place."""
    draw = ImageDraw.Draw(picture, "RGBA")
    width, height = picture.size
    size = max(height // 28, 10)
    strip = int(size * 1.9)
    draw.rectangle((0, height - strip, width, height), fill=(15, 20, 28, 170))
    text_y = height - strip / 2
    draw.text((size * 0.8, text_y), caption.left, font=_font(size), fill=(240, 244, 248), anchor="lm")
    draw.text((width - size * 0.8, text_y), caption.right, font=_font(size), fill=(240, 244, 248), anchor="rm")
    done = min(max(caption.progress, 0.0), 1.0)
    draw.rectangle((0, height - strip, width * done, height - strip + max(size // 6, 2)), fill=(*PATH_RGB, 255))
    if caption.instruction:
        _draw_boxed(draw, (size * 1.2, size * 1.5), caption.instruction, "lm", size)
    if caption.words:
        lines = textwrap.wrap(caption.words, max(int(width / size * 1.5), 10), max_lines=_MOST_LINES, placeholder=" …")
        _draw_boxed(draw, (width / 2, height - strip - size), "\n".join(lines), "md", size)


def _draw_boxed(draw: ImageDraw.ImageDraw, place: tuple[float, float], text: str, anchor: str, size: int) -> None:
    """Text of ``size`` (px) on a dark box, anchored at ``place`` (px) as Pillow names it."""
    box = draw.textbbox(place, text, font=_font(size), anchor=anchor, align="center")
    margin = size * 0.5
    draw.rounded_rectangle(
        (box[0] - margin, box[1] - margin, box[2] + margin, box[3] + margin), radius=margin, fill=(15, 20, 28, 170)
    )
    draw.text(place, text, font=_font(size), fill=(240, 244, 248), anchor=anchor, align="center")


#: Pillow's name of each ROS encoding, and its bytes per pixel.
_RAW_MODES = {"bgra8": ("BGRX", 4), "bgr8": ("BGR", 3), "rgb8": ("RGB", 3)}


def picture_from_pixels(data: bytes, width: int, height: int, step: int, encoding: str) -> Image.Image:
    """An RGB picture of a ROS image's bytes; several times faster than going through an array.

    Args:
        data: ``step * height`` bytes or more.
        width: px.
        height: px.
        step: bytes of one row.
        encoding: "bgra8", "bgr8" or "rgb8".

    Raises:
        InvalidInputError: another encoding, or fewer bytes than the size needs.
    """
    if encoding not in _RAW_MODES:
        raise InvalidInputError(f"image encoding '{encoding}' cannot be shown; publish one of {', '.join(_RAW_MODES)}")
    raw_mode, bytes_per_pixel = _RAW_MODES[encoding]
    if width <= 0 or height <= 0 or step < width * bytes_per_pixel or len(data) < step * height:
        raise InvalidInputError(
            f"image is truncated: {len(data)} bytes for {width}x{height} {encoding}, row step {step}"
        )
    return Image.frombytes("RGB", (width, height), data, "raw", raw_mode, step, 1)
