"""From a camera frame to the picture and the pixels that the network sees (spec A.2)."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from PIL import Image

from simlingo.contracts import ImageArray, InvalidInputError
from simlingo.model.config import MINI, ImageConfig

#: ImageNet statistics that the vision tower expects.
IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)
#: OpenCV's default, and its chroma subsampling 4:2:0, which the published code left as they were.
_JPEG_QUALITY, _JPEG_SUBSAMPLING = 95, "4:2:0"


def model_image(rgb: ImageArray, config: ImageConfig = MINI.image) -> ImageArray:
    """Crop and resize a raw frame to both tiles side by side, after a JPEG round trip where the weights need it.

    Args:
        rgb: (raw_height, raw_width, 3) uint8 RGB of the model's camera.
        config: crop rows, tile size and whether the frame is made a JPEG first.

    Returns:
        (tile, 2 * tile, 3) uint8; columns [0, tile) are the left tile.

    Raises:
        InvalidInputError: an alpha channel, or another shape or type than the configuration's camera gives.
    """
    if rgb.ndim == 3 and rgb.shape[2] == 4:
        raise InvalidInputError(
            "the frame has an alpha channel; convert it to RGB first (keep the first three channels)"
        )
    if rgb.dtype != np.uint8 or rgb.shape != (config.raw_height, config.raw_width, 3):
        raise InvalidInputError(
            f"the model needs a uint8 RGB frame of {config.raw_width}x{config.raw_height}, "
            f"got {rgb.dtype} of shape {rgb.shape}; set the camera to that size"
        )
    seen = jpeg_round_trip(rgb) if config.jpeg_round_trip else rgb
    crop = Image.fromarray(seen[config.crop_top : config.crop_bottom])
    return np.asarray(crop.resize((2 * config.tile, config.tile), Image.Resampling.BICUBIC))


def jpeg_round_trip(rgb: ImageArray) -> ImageArray:
    """``rgb`` (H, W, 3) uint8 RGB as it comes back from a JPEG.

    The published code used OpenCV's encoder and decoder with their defaults. Pillow's at the same quality gives the same
    file and the same pixels, byte for byte (Pillow 13.0.0 beside OpenCV 4.11.0 and 5.0.0, both on libjpeg-turbo).
    """
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=_JPEG_QUALITY, subsampling=_JPEG_SUBSAMPLING)
    return np.asarray(Image.open(file))


def tile_pixels(picture: ImageArray) -> npt.NDArray[np.float32]:
    """Normalised tiles (2, 3, tile, tile) of a picture (tile, 2 * tile, 3) uint8, left tile first.

    The same numbers as :meth:`simlingo.model.network.SimLingoNetwork.tile_pixels`, without torch.
    """
    tile = picture.shape[0]
    tiles = picture.reshape(tile, 2, tile, 3).transpose(1, 3, 0, 2).astype(np.float32)
    mean, std = (np.asarray(values, np.float32).reshape(1, 3, 1, 1) for values in (IMAGE_MEAN, IMAGE_STD))
    return np.asarray((tiles / np.float32(255.0) - mean) / std)
