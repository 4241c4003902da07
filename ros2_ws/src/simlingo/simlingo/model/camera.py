"""Other cameras: warp a frame to the model's camera where it covers the field of view."""

from __future__ import annotations

import numpy as np

from simlingo.contracts import MODEL_CAMERA, CameraIntrinsics, ImageArray, InvalidInputError

#: Pixels by which the model's view may reach over the frame's edge (rounding of published intrinsics).
_EDGE_TOLERANCE_PX = 1.0


def to_model_camera(image: ImageArray, intrinsics: CameraIntrinsics) -> ImageArray:
    """``image`` (H, W, 3) as the model's camera would see it, (512, 1024, 3).

    The frame is taken as a pinhole at the model camera's pose; only the intrinsics differ.

    Raises:
        InvalidInputError: size and intrinsics disagree, or the view is narrower than the model's.
    """
    if image.shape[:2] != (intrinsics.height, intrinsics.width):
        raise InvalidInputError(
            f"the frame is {image.shape[1]}x{image.shape[0]}, its CameraInfo says {intrinsics.width}x{intrinsics.height}; "
            "publish the CameraInfo of this camera"
        )
    if np.allclose(
        (intrinsics.focal_x, intrinsics.focal_y, intrinsics.center_x, intrinsics.center_y, intrinsics.width),
        (MODEL_CAMERA.focal_x, MODEL_CAMERA.focal_y, MODEL_CAMERA.center_x, MODEL_CAMERA.center_y, MODEL_CAMERA.width),
        rtol=1e-4,
    ) and image.shape[:2] == (MODEL_CAMERA.height, MODEL_CAMERA.width):
        return image
    columns = (np.arange(MODEL_CAMERA.width) + 0.5 - MODEL_CAMERA.center_x) / MODEL_CAMERA.focal_x
    rows = (np.arange(MODEL_CAMERA.height) + 0.5 - MODEL_CAMERA.center_y) / MODEL_CAMERA.focal_y
    source_x = columns * intrinsics.focal_x + intrinsics.center_x - 0.5
    source_y = rows * intrinsics.focal_y + intrinsics.center_y - 0.5
    limit = _EDGE_TOLERANCE_PX
    if (
        source_x[0] < -limit
        or source_y[0] < -limit
        or source_x[-1] > intrinsics.width - 1 + limit
        or source_y[-1] > intrinsics.height - 1 + limit
    ):
        raise InvalidInputError(
            f"the camera's view ({intrinsics.width}x{intrinsics.height}, focal length {intrinsics.focal_x:.1f} px) is narrower "
            "than the model's (1024x512, 110 degrees); use a wider camera"
        )
    return _bilinear(image, np.clip(source_x, 0, intrinsics.width - 1), np.clip(source_y, 0, intrinsics.height - 1))


def _bilinear(image: ImageArray, source_x: np.ndarray, source_y: np.ndarray) -> ImageArray:
    """Sample ``image`` at the grid of ``source_y`` x ``source_x`` (px)."""
    left = np.minimum(source_x.astype(np.int64), image.shape[1] - 2)
    top = np.minimum(source_y.astype(np.int64), image.shape[0] - 2)
    across = (source_x - left).astype(np.float32)[None, :, None]
    down = (source_y - top).astype(np.float32)[:, None, None]
    upper = image[top][:, left] * (1 - across) + image[top][:, left + 1] * across
    lower = image[top + 1][:, left] * (1 - across) + image[top + 1][:, left + 1] * across
    return np.asarray(np.rint(upper * (1 - down) + lower * down), dtype=np.uint8)
