"""How our kinds of instruction are the six published modes (spec C.3)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from simlingo.requests import RequestKind
from training.language.phrase import InstructionKind, RefusedKind

#: The six modes, which make the figures; each counts the same.
MODES: tuple[str, ...] = ("faster", "slower", "target_speed", "stop", "lane_change", "crash")
_MODE_OF: Mapping[InstructionKind, str] = MappingProxyType(
    {
        RequestKind.FASTER: "faster",
        RequestKind.SLOWER: "slower",
        RequestKind.TARGET_SPEED: "target_speed",
        RequestKind.STOP: "stop",
        RequestKind.LANE_LEFT: "lane_change",
        RequestKind.LANE_RIGHT: "lane_change",
        RequestKind.DRIVE_TO: "crash",
    }
)
#: Kinds that are no published mode: rows of the report.
OTHERS: tuple[InstructionKind, ...] = tuple(kind for kind in (*RequestKind, *RefusedKind) if kind not in _MODE_OF)
#: All row names, modes first.
ROWS: tuple[str, ...] = (*MODES, *(kind.value for kind in OTHERS))


def row_of(kind: InstructionKind) -> str:
    """The mode of a kind, or its own name where it is no mode."""
    return _MODE_OF.get(kind, kind.value)
