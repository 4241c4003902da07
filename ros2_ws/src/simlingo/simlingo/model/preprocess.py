"""From a camera frame to the picture that the network sees (spec A.2)."""

from __future__ import annotations

import numpy as np
from PIL import Image

from simlingo.contracts import ImageArray, InvalidInputError
from simlingo.model.config import MINI, ImageConfig


def model_image(rgb: ImageArray, config: ImageConfig = MINI.image) -> ImageArray:
    """Crop and resize a raw frame to both tiles side by side.

    Args:
        rgb: (raw_height, raw_width, 3) uint8 RGB of the model's camera.
        config: crop rows and tile size.

    Returns:
        (tile, 2 * tile, 3) uint8; columns [0, tile) are the left tile.

    Raises:
        InvalidInputError: another shape or type than the configuration's camera gives.
    """
    if rgb.dtype != np.uint8 or rgb.shape != (config.raw_height, config.raw_width, 3):
        raise InvalidInputError(
            f"the model needs a uint8 RGB frame of {config.raw_width}x{config.raw_height}, "
            f"got {rgb.dtype} of shape {rgb.shape}; set the camera to that size"
        )
    crop = Image.fromarray(rgb[config.crop_top : config.crop_bottom])
    return np.asarray(crop.resize((2 * config.tile, config.tile), Image.Resampling.BICUBIC))
