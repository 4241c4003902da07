"""Items of the language suites written by hand: a straight road, and what is asked on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simlingo.contracts import Command, FloatArray, Navigation
from simlingo.requests import Reason, RequestKind, Verdict
from training.datasets.reader import Route
from training.evaluation.language.dream_items import Item
from training.evaluation.language.picture import Frame
from training.language.asked import Asked
from training.language.phrase import InstructionKind

SECONDS = 0.25 * np.arange(1, 11)
STRAIGHT = np.stack((np.arange(20.0), np.zeros(20)), axis=1)


def waypoints(speed_mps: float, end_mps: float | None = None) -> FloatArray:
    """Speed waypoints (10, 2) m straight on, the speed changing evenly to ``end_mps``."""
    end = speed_mps if end_mps is None else end_mps
    speeds = speed_mps + (end - speed_mps) * SECONDS / SECONDS[-1]
    return np.stack((np.cumsum(speeds) * 0.25, np.zeros(10)), axis=1)


def aside(metres: float) -> FloatArray:
    """A path (20, 2) m that goes over by ``metres`` to the right."""
    return np.stack((np.arange(20.0), metres * np.clip((np.arange(20.0) - 5.0) / 10.0, 0.0, 1.0)), axis=1)


def item(kind: InstructionKind = RequestKind.FASTER, reason: Reason | None = None, **changed: Any) -> Item:
    """An item at 8 m/s on a straight road; ``number`` is that of its frame."""
    navigation = Navigation(
        np.array([(20.0, 0.0), (40.0, 0.0)]), Command.FOLLOW_LANE, Command.FOLLOW_LANE, changed.pop("far_m", 60.0)
    )
    frame = Frame(Route("r", Path("r"), 1, 1, {}), 0, changed.pop("number", 0), 8.0, navigation)
    asked = changed.pop("asked", None) or Asked(kind)
    values: dict[str, Any] = {
        "verdict": Verdict.FOLLOW if reason is None else reason.verdict,
        "dreamt": True,
        "path": STRAIGHT,
        "waypoints": waypoints(8.0),
        "expert_path": STRAIGHT,
        "expert_waypoints": waypoints(8.0),
    } | changed
    return Item(frame, asked, values.pop("verdict"), reason, **values)
