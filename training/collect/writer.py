"""Route folders on disk, each written whole: under a temporary name first, renamed when complete."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from simlingo.contracts import ImageArray

#: JPEG quality of the pictures (spec B.1: OpenCV's default).
JPEG_QUALITY = 95
CACHE_FILE, RESULTS_FILE = "cache.npz", "results.json.gz"


class RouteWriter:
    """Collects the frames of one route; ``close`` makes the folder appear, ``discard`` leaves nothing behind."""

    def __init__(self, folder: Path, rgb: bool) -> None:
        """``folder`` must not exist; remains of a killed run beside it are removed."""
        self._folder, self._rgb = folder, rgb
        self._partial = folder.with_name(folder.name + ".partial")
        shutil.rmtree(self._partial, ignore_errors=True)
        for name in ("measurements", *(("boxes", "rgb", "rgb_augmented") if rgb else ())):
            (self._partial / name).mkdir(parents=True)
        self._cache: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self._cache)

    def add_picture(self, number: int, rgb: ImageArray, augmented: ImageArray) -> None:
        """Full pictures (512, 1024, 3) of frame ``number``; dropped where only the cache is wanted."""
        if self._rgb:
            for name, picture in (("rgb", rgb), ("rgb_augmented", augmented)):
                Image.fromarray(picture).save(self._partial / name / f"{number:04d}.jpg", quality=JPEG_QUALITY)

    def add_records(self, number: int, measurement: dict[str, Any], boxes: list[dict[str, Any]] | None) -> None:
        """The measurement (spec B.2) and, if given, the boxes (spec K.1) of frame ``number``."""
        write_json(self._partial / "measurements" / f"{number:04d}.json.gz", measurement)
        if boxes is not None:
            write_json(self._partial / "boxes" / f"{number:04d}.json.gz", boxes)

    def add_cache(self, entry: dict[str, Any]) -> None:
        """One frame of the cache: name -> array of the same shape in every frame."""
        self._cache.append(entry)

    def cut(self, first_dropped: int) -> None:
        """Forget the cached frames from number ``first_dropped`` on."""
        self._cache = [entry for entry in self._cache if entry["frame"] < first_dropped]

    def close(self, results: dict[str, Any]) -> Path:
        """Write cache and results, and give the folder its name."""
        arrays: dict[str, Any] = {name: np.stack([entry[name] for entry in self._cache]) for name in self._cache[0]}
        np.savez(self._partial / CACHE_FILE, **arrays)
        write_json(self._partial / RESULTS_FILE, results)
        self._partial.rename(self._folder)
        return self._folder

    def close_empty(self, results: dict[str, Any]) -> Path:
        """A route that gave no frame: only its results, so that a resumed run does not drive it again."""
        shutil.rmtree(self._partial, ignore_errors=True)
        self._partial.mkdir(parents=True)
        write_json(self._partial / RESULTS_FILE, results)
        self._partial.rename(self._folder)
        return self._folder

    def discard(self) -> None:
        """Remove what was written."""
        shutil.rmtree(self._partial, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """``value`` as gzipped JSON; equal values give equal bytes."""
    with path.open("wb") as raw, gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=3, mtime=0, filename="") as file:
        file.write(json.dumps(value, default=_plain).encode())


def read_json(path: Path) -> Any:
    """The value in a gzipped JSON file."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)


def _plain(value: Any) -> Any:
    """numpy scalars and arrays as Python values."""
    return value.tolist()
