"""Pictures go in and come out as they should: colours, lenses, centimetres."""

from __future__ import annotations

import io

import dataset_cases
import numpy as np
import pytest
from PIL import Image

from simlingo.contracts import InvalidInputError
from training.datasets import pictures


@pytest.mark.parametrize(
    ("colour", "code"),
    [
        ((255, 40, 30), pictures.LENS_RED),
        ((151, 50, 30), pictures.LENS_RED),
        ((151, 51, 62), 7),  # red exceeds green by 100 only, and blue by too little for yellow
        ((255, 200, 60), pictures.LENS_YELLOW),
        ((200, 180, 109), pictures.LENS_YELLOW),
        ((200, 180, 110), 7),
        ((255, 155, 164), pictures.LENS_YELLOW),
        ((40, 255, 120), pictures.LENS_GREEN),
        ((60, 151, 200), pictures.LENS_GREEN),
        ((61, 151, 200), 7),  # green exceeds red by 90 only
        ((100, 195, 0), pictures.LENS_GREEN),  # by 95: green, though yellow's rule holds as well
        ((150, 20, 20), 7),  # too dark
        ((20, 150, 20), 7),
        ((30, 40, 255), 7),  # blue
        ((255, 255, 255), 7),
    ],
)
def test_a_lit_lens_is_told_by_its_colour(colour: tuple[int, int, int], code: int) -> None:
    semantic = np.array([[7, 3], [7, 7]], np.uint8)
    rgb = np.zeros((2, 2, 3), np.uint8)
    rgb[0] = colour  # the light's pixel, and a building's of the same colour
    before = semantic.copy()
    assert pictures.with_lenses(semantic, rgb).tolist() == [[code, 3], [7, 7]]
    assert (semantic == before).all()


def test_semantic_comes_back_as_it_was() -> None:
    semantic = np.arange(128 * 256, dtype=np.uint32).reshape(128, 256).astype(np.uint8)
    assert (pictures.decode_semantic(pictures.encode_semantic(semantic)) == semantic).all()


def test_depth_is_kept_every_fourth_row_and_column_in_centimetres() -> None:
    depth = np.add.outer(10.0 * np.arange(12), 0.01 * np.arange(16)).astype(np.float32)
    data = pictures.encode_depth(depth)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (4, 3)
        assert np.asarray(picture)[1].tolist() == [4000, 4004, 4008, 4012]
    assert pictures.decode_depth(data) == pytest.approx(depth[::4, ::4], abs=1e-4)
    assert pictures.decode_depth(data).dtype == np.float32


def test_depth_is_rounded_and_cut_at_what_sixteen_bits_hold() -> None:
    depth = np.zeros((4, 16), np.float32)
    depth[0, ::4] = (1.006, 655.34, 1000.0, np.inf)
    assert pictures.decode_depth(pictures.encode_depth(depth))[0] == pytest.approx(
        [1.01, 655.34, 655.35, 655.35], abs=1e-4
    )


def test_an_image_is_a_jpeg_of_quality_95_with_its_channels_in_order() -> None:
    rgb = dataset_cases.picture(2)
    data = pictures.encode_image(rgb)
    assert data[:2] == b"\xff\xd8"
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.layer[0][1:3] == (2, 2)  # 4:2:0: brightness at twice the rows and columns
        own = picture.quantization
    reference = io.BytesIO()
    Image.new("RGB", (8, 8)).save(reference, "JPEG", quality=95)
    with Image.open(reference) as picture:
        assert picture.quantization == own
    decoded = pictures.decode_image(data)
    assert decoded.shape == rgb.shape
    assert np.abs(decoded.astype(int) - rgb).mean(axis=(0, 1)).max() < 2.0


@pytest.mark.parametrize(
    ("encode", "wrong"),
    [
        (pictures.encode_image, np.zeros((4, 4), np.uint8)),
        (pictures.encode_image, np.zeros((4, 4, 4), np.uint8)),
        (pictures.encode_image, np.zeros((4, 4, 3), np.float32)),
        (pictures.encode_semantic, np.zeros((4, 4, 1), np.uint8)),
        (pictures.encode_semantic, np.zeros((4, 4), np.int32)),
        (pictures.encode_depth, np.zeros((4, 4), np.uint16)),
        (pictures.encode_depth, np.zeros((4, 4, 1), np.float32)),
    ],
)
def test_another_shape_or_type_is_refused(encode: object, wrong: np.ndarray) -> None:
    with pytest.raises(InvalidInputError, match="of shape"):
        encode(wrong)  # type: ignore[operator]


def test_bytes_that_are_no_picture_are_named() -> None:
    with pytest.raises(InvalidInputError, match="cannot be decoded"):
        pictures.decode_image(pictures.encode_image(dataset_cases.picture(0))[:200])
