"""The image path of spec A.2 against straightforward code of this test's own and against recorded numbers."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simlingo.contracts import MODEL_CAMERA, InvalidInputError
from simlingo.model.checkpoints.named import PUBLISHED_IMAGE
from simlingo.model.config import MINI, ImageConfig
from simlingo.model.preprocess import jpeg_round_trip, model_image, tile_pixels

PARITY = Path(__file__).resolve().parents[3] / "shared" / "reference" / "parity" / "case.npz"
SEES_JPEGS = replace(PUBLISHED_IMAGE, jpeg_round_trip=True)


def pattern() -> np.ndarray:
    """Slopes in red and green, a fine grain in blue; whole numbers only, so that it is the same everywhere."""
    rows, columns = np.mgrid[:512, :1024]
    return np.stack((columns // 4, rows // 2, (columns * 7 + rows * 13) % 256), axis=-1).astype(np.uint8)


def bicubic(pixels: np.ndarray, size: int) -> np.ndarray:
    """``pixels`` (N, C) uint8 to (size, C): cubic kernel with a = -0.5, widened where it shrinks, 22-bit weights."""
    scale = len(pixels) / size
    widening = max(scale, 1.0)
    result = np.empty((size, pixels.shape[1]), np.uint8)
    for place in range(size):
        centre = (place + 0.5) * scale
        first = max(int(centre - 2 * widening + 0.5), 0)
        last = min(int(centre + 2 * widening + 0.5), len(pixels))
        distance = np.abs((np.arange(first, last) + 0.5 - centre) / widening)
        near = (1.5 * distance - 2.5) * distance**2 + 1
        far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
        weight = np.where(distance < 1, near, np.where(distance < 2, far, 0))
        fixed = np.floor(weight / weight.sum() * 2**22 + 0.5).astype(np.int64)
        total = (fixed[:, None] * pixels[first:last].astype(np.int64)).sum(0)
        result[place] = np.clip((total + 2**21) >> 22, 0, 255)
    return result


def resized(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """Columns first, then rows, rounded to whole levels in between."""
    rows, columns, _ = picture.shape
    wide = bicubic(picture.transpose(1, 0, 2).reshape(columns, -1), width).reshape(width, rows, 3).transpose(1, 0, 2)
    return bicubic(wide.reshape(rows, -1), height).reshape(height, width, 3)


@pytest.mark.parametrize("config", [PUBLISHED_IMAGE, MINI.image])
def test_picture_is_the_cropped_frame_resized_bicubically(config: ImageConfig) -> None:
    frame = pattern()
    frame[config.crop_bottom :] = 255  # the bonnet
    frame[: config.crop_top] = 255
    kept = pattern()[config.crop_top : config.crop_bottom]
    assert np.array_equal(model_image(frame, config), resized(kept, 2 * config.tile, config.tile))


def test_published_picture_is_rows_0_to_358_as_two_tiles_of_448() -> None:
    frame = np.zeros((512, 1024, 3), np.uint8)
    frame[359:] = 255
    assert model_image(frame, PUBLISHED_IMAGE).max() == 0
    frame[358] = 255
    picture = model_image(frame, PUBLISHED_IMAGE)
    assert picture.shape == (448, 896, 3)
    assert picture[-1].min() == 255
    aspect = 1024 / 359
    grids = [(columns, rows) for columns in (1, 2) for rows in (1, 2) if columns * rows <= 2]
    assert min(grids, key=lambda grid: abs(aspect - grid[0] / grid[1])) == (2, 1)


def test_recorded_picture_of_the_pattern() -> None:
    picture = model_image(pattern(), PUBLISHED_IMAGE)
    assert (
        hashlib.sha256(picture.tobytes()).hexdigest()
        == "bf95d0558a8fa795f8f9e116cedb7b3b95c8a37b00e40ad0752c19e35da966fd"
    )
    seen = model_image(pattern(), SEES_JPEGS)
    assert (
        hashlib.sha256(seen.tobytes()).hexdigest() == "0d3f86c27a64a3a6a9a9fd2b451841a7e7b7179a2bcd80da95b4caa7e577fccc"
    )


def test_tiles_part_at_raw_column_512() -> None:
    frame = np.zeros((512, 1024, 3), np.uint8)
    frame[:, :512] = 255
    tiles = model_image(frame, PUBLISHED_IMAGE).reshape(448, 2, 448, 3)
    assert tiles[:, 0, :-3].min() == 255
    assert tiles[:, 1, 3:].max() == 0
    assert tiles[0, 0, -1, 0] > 128 > tiles[0, 1, 0, 0]


def test_a_point_10_m_ahead_lies_at_row_397_on_the_seam() -> None:
    column = MODEL_CAMERA.center_x
    row = MODEL_CAMERA.center_y + MODEL_CAMERA.focal_y * 2.0 / 11.5  # the camera is 2 m up and 1.5 m behind
    assert (column, row) == (512.0, pytest.approx(318.34891, abs=1e-5))
    assert MODEL_CAMERA.focal_x == pytest.approx(358.50625956, abs=1e-8)
    weight = np.clip(4 - np.abs(np.arange(512) + 0.5 - row), 0, None)[:, None, None]
    frame = np.broadcast_to(np.rint(weight * 60), (512, 1024, 3)).astype(np.uint8)
    picture = model_image(frame, PUBLISHED_IMAGE)[:, 0, 0].astype(float)
    centre = (picture * (np.arange(448) + 0.5)).sum() / picture.sum()
    assert centre == pytest.approx(397.27107, abs=0.05)


def test_jpeg_is_that_of_opencv() -> None:
    """Recorded from OpenCV 4.11.0 and 5.0.0: imencode(".jpg") with its defaults, imdecode."""
    back = jpeg_round_trip(pattern())
    assert back[[0, 300, 511], [0, 511, 1023]].tolist() == [[0, 0, 11], [127, 151, 53], [255, 255, 221]]
    wanted = "7d5930e72e14e88fbd500824f93ebfbc9414823920d01ea500523d94de950021"
    assert hashlib.sha256(np.ascontiguousarray(back).tobytes()).hexdigest() == wanted


def test_the_whole_frame_is_made_a_jpeg_before_it_is_cropped() -> None:
    frame = pattern()
    seen = model_image(frame, SEES_JPEGS)
    assert np.array_equal(seen, model_image(jpeg_round_trip(frame), PUBLISHED_IMAGE))
    assert not np.array_equal(seen, model_image(frame, PUBLISHED_IMAGE))
    cropped_first = np.concatenate((jpeg_round_trip(frame[:359]), frame[359:]))
    assert not np.array_equal(seen, model_image(cropped_first, PUBLISHED_IMAGE))


def test_pixels_are_normalised_by_imagenet_statistics_left_tile_first() -> None:
    picture = np.zeros((4, 8, 3), np.uint8)
    picture[:, 4:] = 255
    picture[1, 2] = (51, 102, 204)
    pixels = tile_pixels(picture)
    assert pixels.shape == (2, 3, 4, 4)
    assert pixels.dtype == np.float32
    assert pixels[0, :, 0, 0] == pytest.approx([-2.117904, -2.035714, -1.804444], abs=1e-6)
    assert pixels[1, :, 3, 3] == pytest.approx([2.248908, 2.428571, 2.64], abs=1e-6)
    assert pixels[0, :, 1, 2] == pytest.approx([(0.2 - 0.485) / 0.229, (0.4 - 0.456) / 0.224, (0.8 - 0.406) / 0.225])


@pytest.mark.skipif(not PARITY.is_file(), reason="no parity case beside this checkout (shared/reference/parity)")
def test_pixels_are_those_of_the_published_code() -> None:
    with np.load(PARITY) as case:
        frame, wanted = case["frame"], case["pixel_values"]
    picture = model_image(frame, replace(PUBLISHED_IMAGE, tile=wanted.shape[-1]))
    assert np.array_equal(tile_pixels(picture), wanted.reshape(2, 3, *wanted.shape[-2:]))


def test_an_alpha_channel_is_refused_with_the_cure() -> None:
    with pytest.raises(InvalidInputError, match="alpha channel; convert it to RGB"):
        model_image(np.zeros((512, 1024, 4), np.uint8))


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((512, 1000, 3), np.uint8),
        np.zeros((1024, 512, 3), np.uint8),
        np.zeros((512, 1024, 3), np.float32),
        np.zeros((512, 1024), np.uint8),
    ],
)
def test_a_frame_of_another_shape_or_type_is_refused_with_the_size_it_needs(frame: np.ndarray) -> None:
    with pytest.raises(InvalidInputError, match="uint8 RGB frame of 1024x512"):
        model_image(frame, SEES_JPEGS)
