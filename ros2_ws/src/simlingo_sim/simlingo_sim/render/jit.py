"""One decorator for every compiled function of the renderer.

Frames must be byte-identical between processes and machines, so there is no ``fastmath`` (it lets the
compiler reorder sums by CPU type) and no ``parallel`` (one core is the budget).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., object])


def _is_writable(folder: Path) -> bool:
    """Whether a file can be made in ``folder`` (which is made where it is missing)."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def choose_cache_folder(source_folder: Path, user_cache: Path, temporary: Path) -> Path | None:
    """Folder for compiled code where numba's own choices fail; None where they work.

    numba writes beside the source, or else under the user's cache folder. In a container with a read-only
    tree and home both fail, and without a cache every start would compile for seconds.
    """
    if _is_writable(source_folder / "__pycache__") or _is_writable(user_cache):
        return None
    return temporary / f"simlingo-numba-{os.getuid()}"


def _prepare_cache() -> None:
    if getattr(numba.config, "CACHE_DIR", ""):
        return
    user_cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "numba"
    folder = choose_cache_folder(Path(__file__).parent, user_cache, Path(tempfile.gettempdir()))
    if folder is not None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        setattr(numba.config, "CACHE_DIR", str(folder))  # noqa: B010  numba makes the attribute at run time


_prepare_cache()


def kernel(function: _Function) -> _Function:
    """Compile ``function`` on its first call; the result is cached on disk and runs without the GIL."""
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=False, boundscheck=False)(function)
    return cast(_Function, compiled)
