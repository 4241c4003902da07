"""The one error of the embedded world, and the words for a name that nobody knows."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SimulatorError(RuntimeError):
    """Something asked of the embedded world cannot be done; the text names the cause and the cure."""


def unknown_name(what: str, name: str, valid: Iterable[str], *, shown: int = 40) -> SimulatorError:
    """Error for ``name`` that is no ``what``: lists the valid names and the nearest match."""
    names = list(valid)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    listed = ", ".join(names[:shown]) + (f", ... ({len(names)} in all)" if len(names) > shown else "")
    return SimulatorError(f"unknown {what} '{name}'.{hint} Valid: {listed or 'none'}.")
