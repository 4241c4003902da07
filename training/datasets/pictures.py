"""Pictures as bytes and back: camera image, semantic tags with the lit lenses of traffic lights, depth."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from simlingo.contracts import ImageArray, InvalidInputError
from training.datasets.schema import DEPTH_STEP

LabelArray = npt.NDArray[np.uint8]
DepthArray = npt.NDArray[np.float32]

#: As the published data set's JPEG (spec B.1).
JPEG_QUALITY, JPEG_SUBSAMPLING = 95, "4:2:0"
#: Level of the PNG's compression: the highest takes four times as long for a sixth less.
PNG_LEVEL = 6
#: CARLA's tag of a traffic light, and what the lit lenses in it are stored as.
LIGHT_TAG = 7
LENS_RED, LENS_YELLOW, LENS_GREEN = 101, 102, 103
#: The farthest depth that sixteen bits of centimetres hold, m.
FARTHEST_M = 655.35


def with_lenses(semantic: LabelArray, rgb: ImageArray) -> LabelArray:
    """``semantic`` with the lit lenses of traffic lights told by their saturated colour.

    Args:
        semantic: (H, W) uint8, CARLA tags.
        rgb: (H, W, 3) uint8, the raw picture: a JPEG washes small lenses out.

    Returns:
        (H, W) uint8, a new array.
    """
    result = semantic.copy()
    place = np.flatnonzero(semantic.reshape(-1) == LIGHT_TAG)
    if len(place):
        red, green, blue = rgb.reshape(-1, 3)[place].astype(np.int16).T
        bright = np.maximum(red, green) > 150
        codes = np.full(len(place), LIGHT_TAG, dtype=np.uint8)
        codes[bright & (red - green > 100)] = LENS_RED
        codes[bright & (np.abs(red - green) <= 100) & (red - blue > 90)] = LENS_YELLOW
        codes[bright & (green - red > 90)] = LENS_GREEN
        result.reshape(-1)[place] = codes
    return result


def encode_image(rgb: ImageArray) -> bytes:
    """``rgb`` (H, W, 3) uint8 as a JPEG."""
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
        raise InvalidInputError(f"an image is (H, W, 3) uint8 RGB, got {rgb.dtype} of shape {rgb.shape}")
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=JPEG_QUALITY, subsampling=JPEG_SUBSAMPLING)
    return file.getvalue()


def decode_image(data: bytes) -> ImageArray:
    """The (H, W, 3) uint8 RGB picture in a JPEG."""
    return np.array(_opened(data).convert("RGB"))


def encode_semantic(semantic: LabelArray) -> bytes:
    """``semantic`` (H, W) uint8 as a PNG."""
    if semantic.dtype != np.uint8 or semantic.ndim != 2:
        raise InvalidInputError(f"semantic is (H, W) uint8, got {semantic.dtype} of shape {semantic.shape}")
    return _png(Image.fromarray(semantic))


def decode_semantic(data: bytes) -> LabelArray:
    """The (H, W) uint8 tags in a PNG."""
    return np.array(_opened(data), dtype=np.uint8)


def encode_depth(depth: DepthArray) -> bytes:
    """Every fourth row and column of ``depth`` (H, W) float32, m, as a PNG of centimetres; farther than 655.35 m is cut."""
    if depth.ndim != 2 or depth.dtype.kind != "f":
        raise InvalidInputError(f"depth is (H, W) float32 in m, got {depth.dtype} of shape {depth.shape}")
    metres = np.clip(depth[::DEPTH_STEP, ::DEPTH_STEP], 0.0, FARTHEST_M)
    return _png(Image.fromarray(np.rint(metres * 100.0).astype(np.uint16)))


def decode_depth(data: bytes) -> DepthArray:
    """The (H / 4, W / 4) float32 depths, m, in a PNG."""
    return np.array(_opened(data), dtype=np.uint16).astype(np.float32) / np.float32(100.0)


def _png(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=PNG_LEVEL)
    return file.getvalue()


def _opened(data: bytes) -> Image.Image:
    """The picture in ``data``.

    Raises:
        InvalidInputError: it cannot be decoded.
    """
    try:
        picture = Image.open(io.BytesIO(data))
        picture.load()
    except (OSError, SyntaxError, ValueError) as error:
        raise InvalidInputError(f"a picture cannot be decoded ({error}); its route file is damaged") from error
    return picture
