"""A privileged expert on CARLA's API: it reads the world's state, the camera models learn from it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simlingo_drive.expert.constants import CONSTANTS, ExpertConstants
    from simlingo_drive.expert.expert import Expert, ExpertInfo

__all__ = ["CONSTANTS", "Expert", "ExpertConstants", "ExpertInfo"]
_HOME = {"CONSTANTS": "constants", "ExpertConstants": "constants", "Expert": "expert", "ExpertInfo": "expert"}


def __getattr__(name: str) -> Any:
    """Import on first use: who reads causes out of a data set needs no expert."""
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
