"""Compilation of the simulator's kernels, kept on disk until any of their sources changes.

numba looks only at the file of the function itself: a kernel that calls one of another file would stay compiled with
the old callee after an update. So the compiled code lies in a folder named after all sources that hold kernels.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., object])
_SOURCES = ("*.py", "render/*.py", "roads/*.py", "sensors/*.py", "traffic/*.py")
_KEPT = 3  # folders of compiled code that are kept, for other checkouts that share a cache


def source_fingerprint(package: Path) -> str:
    """Digest of every source file below ``package`` that may hold a kernel."""
    digest = hashlib.sha256()
    for path in sorted(path for pattern in _SOURCES for path in package.glob(pattern)):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def prepare_cache(places: tuple[Path, ...], fingerprint: str) -> Path:
    """Folder for the compiled code in the first of ``places`` that can be written; removes the oldest others there."""
    for place in places:
        folder = place / f"kernels-{fingerprint}"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
            os.utime(folder)
        except OSError:
            continue
        others = sorted(place.glob("kernels-*"), key=lambda path: path.stat().st_mtime, reverse=True)
        for old in others[_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)
        return folder
    return Path(tempfile.mkdtemp(prefix="simlingo-kernels-"))


@lru_cache(maxsize=1)
def _cache_folder() -> Path:
    package = Path(__file__).parent
    user_cache = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "simlingo"
    places = (package / "__pycache__", user_cache, Path(tempfile.gettempdir()) / f"simlingo-{os.getuid()}")
    return prepare_cache(places, source_fingerprint(package))


def kernel(function: _Function) -> _Function:
    """Compile ``function`` on its first call and keep the machine code on disk.

    ``fastmath`` stays off: equal seeds must give equal bytes on every CPU type.
    """
    before = getattr(numba.config, "CACHE_DIR", "")
    setattr(numba.config, "CACHE_DIR", before or str(_cache_folder()))  # noqa: B010  made by numba at run time
    try:
        compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    finally:
        setattr(numba.config, "CACHE_DIR", before)  # noqa: B010
    return cast(_Function, compiled)
