"""Crop, resize and warp of camera frames."""

import numpy as np
import pytest

from simlingo.contracts import MODEL_CAMERA, CameraIntrinsics, InvalidInputError
from simlingo.model.camera import to_model_camera
from simlingo.model.config import MINI
from simlingo.model.preprocess import model_image


def gradient(width: int = 1024, height: int = 512) -> np.ndarray:
    columns = np.linspace(0, 255, width)[None, :, None]
    rows = np.linspace(0, 255, height)[:, None, None]
    return np.broadcast_to(
        np.concatenate((columns + 0 * rows, rows + 0 * columns, 0 * rows + 0 * columns), axis=2), (height, width, 3)
    ).astype(np.uint8)


def test_picture_has_two_tiles_of_the_cropped_rows() -> None:
    picture = model_image(gradient())
    tile = MINI.image.tile
    assert picture.shape == (tile, 2 * tile, 3)
    assert picture.dtype == np.uint8
    assert abs(int(picture[0, 0, 1]) - 255 * MINI.image.crop_top / 512) < 2
    assert abs(int(picture[-1, 0, 1]) - 255 * MINI.image.crop_bottom / 512) < 2
    assert abs(int(picture[0, tile, 0]) - 127) < 2


def test_model_camera_passes_untouched() -> None:
    frame = gradient()
    assert to_model_camera(frame, MODEL_CAMERA) is frame


def test_wider_and_larger_camera_is_warped_to_the_same_view() -> None:
    wide = CameraIntrinsics.from_field_of_view(1600, 900, 120.0)
    frame = np.zeros((900, 1600, 3), np.uint8)
    x, y = 0.4, 0.1  # direction (right, down) of a marked ray
    column, row = int(x * wide.focal_x + wide.center_x), int(y * wide.focal_y + wide.center_y)
    frame[row - 4 : row + 5, column - 4 : column + 5] = 255
    warped = to_model_camera(frame, wide)
    assert warped.shape == (512, 1024, 3)
    rows, columns = np.nonzero(warped[..., 0] > 128)
    assert columns.mean() == pytest.approx(x * MODEL_CAMERA.focal_x + MODEL_CAMERA.center_x, abs=1.0)
    assert rows.mean() == pytest.approx(y * MODEL_CAMERA.focal_y + MODEL_CAMERA.center_y, abs=1.0)


def test_narrow_camera_is_refused_with_the_cure() -> None:
    with pytest.raises(InvalidInputError, match="wider camera"):
        to_model_camera(gradient(), CameraIntrinsics.from_field_of_view(1024, 512, 90.0))


def test_frame_that_differs_from_its_camera_info_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="CameraInfo"):
        to_model_camera(gradient(800, 600), MODEL_CAMERA)
