"""What came of a fault, and whether it ended safely."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from simlingo_node.bridge.command_gate import MAX_STEER_RATE
from simlingo_node.faults.entry import Fault
from simlingo_node.faults.witness import (
    Facts,
    braked_at,
    first_said,
    lateral_acceleration,
    peak_speed,
    steering_rate,
    stood_at,
)

#: The middle of a car of 1.8 m in a lane of 3.5 m is so far aside when half a metre of it is over the line, m.
ASIDE_M = 0.5 * (3.5 - 1.8) + 0.5
#: Measured over two tenths of a second, noise included, m/s^2; the gate bounds steering by 6.
LATERAL_BOUND = 7.0


@dataclass
class Outcome:
    """What came of one fault; times are seconds of simulation since it began, of the steady clock where a node was stopped."""

    name: str
    kind: str
    detectable: bool
    safe: bool = False
    verdict_s: float | None = None
    brake_s: float | None = None
    stop_s: float | None = None
    recovered: bool | None = None
    data_kept: bool | None = None
    peak_mps: float = 0.0
    aside_m: float = 0.0
    lateral_mps2: float = 0.0
    steering_rate: float = 0.0
    said: str = ""
    unsafe: list[str] = field(default_factory=list)  # why


def judge(outcome: Outcome, fault: Fault, facts: Facts, since: float) -> None:
    """Fill in what the facts since a fault's begin say: nothing hit, the lane kept after the verdict, no bound broken, and said."""
    if outcome.verdict_s is None and fault.says:
        outcome.verdict_s, outcome.said = first_said(facts, since, fault.node, fault.says) or (None, "")
    known = since + (outcome.verdict_s or 0.0)
    outcome.brake_s, outcome.stop_s = braked_at(facts, since), stood_at(facts, since)
    outcome.aside_m = max((aside for at, aside in facts.aside if at >= known), default=0.0)
    outcome.peak_mps = peak_speed(facts)
    outcome.lateral_mps2, outcome.steering_rate = lateral_acceleration(facts), steering_rate(facts)
    if facts.collisions:
        outcome.unsafe.append(f"{facts.collisions} collisions: {'; '.join(facts.infractions)}")
    if outcome.aside_m > ASIDE_M:
        outcome.unsafe.append(f"{outcome.aside_m:.2f} m aside of the lane's middle")
    if outcome.lateral_mps2 > LATERAL_BOUND:
        outcome.unsafe.append(f"lateral acceleration of {outcome.lateral_mps2:.1f} m/s^2")
    if outcome.steering_rate > MAX_STEER_RATE + 1e-3:
        outcome.unsafe.append(f"steering of {outcome.steering_rate:.1f}/s")
    if fault.says and outcome.verdict_s is None and outcome.detectable:
        outcome.unsafe.append("nothing was said of it")
    outcome.safe = not outcome.unsafe


@contextmanager
def kept(path: Path) -> Iterator[list[dict[str, Any]]]:
    """Outcomes as JSON values, written whole at the end, also where it comes early."""
    found: list[dict[str, Any]] = []
    try:
        yield found
    finally:
        temporary = path.with_suffix(path.suffix + ".tmp")
        temporary.write_text(json.dumps({"faults": found}, indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Plain values, figures rounded to milliseconds and millimetres."""
    plain = asdict(outcome)
    return {
        name: (None if math.isnan(value) else round(value, 3)) if isinstance(value, float) else value
        for name, value in plain.items()
    }
