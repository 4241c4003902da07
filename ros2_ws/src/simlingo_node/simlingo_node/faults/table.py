"""The campaign's outcomes as a page for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_HEAD = """# What faults do to the stack

Made by `{command}` on {date}, {machine}, weights {model}, in {mode}, in the embedded world: no figure is one of CARLA or of a real vehicle.
Every fault comes to a car that has driven faster than 5 m/s for a second. Safe: nothing hit, no more than half a metre outside the lane after the verdict, lateral
acceleration below 7 m/s², steering slower than 11/s, and said by the node that should. What each does: `config/faults.yaml`. Times in seconds of
simulation since the fault began; for nodes that are killed or stopped the verdict is the steady clock's. [safety.md](safety.md) tells the rules behind it.

{kinds} kinds, {count} faults; {safe} ended safely; {recovered} of {asked} drove again within 5 s after the fault.

| fault | safe | verdict | brake | standing | drives again | fastest, m/s | aside, m | lateral, m/s² | steering, 1/s | said |
|---|---|---|---|---|---|---|---|---|---|---|
"""


def page(outcomes: Sequence[dict[str, Any]], **said: str) -> str:
    """Markdown; ``said``: command, date, machine, model and mode."""
    asked = [each for each in outcomes if each["recovered"] is not None]
    head = _HEAD.format(
        kinds=len({each["kind"] for each in outcomes}),
        count=len(outcomes),
        safe=sum(each["safe"] for each in outcomes),
        recovered=sum(each["recovered"] for each in asked),
        asked=len(asked),
        **said,
    )
    return head + "".join(_row(each) for each in outcomes)


def _row(each: dict[str, Any]) -> str:
    safe = "yes" if each["safe"] else f"**no**: {'; '.join(each['unsafe'])}"
    again = {None: "–", True: "yes", False: "no"}[each["recovered"]]
    times = " | ".join(
        "–" if each[name] is None else f"{each[name]:.2f}" for name in ("verdict_s", "brake_s", "stop_s")
    )
    figures = " | ".join(f"{each[name]:.2f}" for name in ("peak_mps", "aside_m", "lateral_mps2", "steering_rate"))
    words = each["said"].replace("|", "/")
    return f"| {each['name']} | {safe} | {times} | {again} | {figures} | {words} |\n"
