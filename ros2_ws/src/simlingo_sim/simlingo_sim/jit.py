"""Compilation of the numeric kernels, with types that mypy understands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(function: Kernel) -> Kernel:
    """Compile ``function`` with numba and keep the machine code on disk.

    ``fastmath`` stays off: equal seeds must give equal bytes on every CPU type.
    """
    return cast(Kernel, numba.njit(cache=True, error_model="numpy")(function))
