"""A question with its true answer, and the types there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Question types by family: those of the published system (spec K.4) but ``watch_exit``, and ours.
FAMILIES: dict[str, tuple[str, ...]] = {
    "scene": (
        "important_objects", "pedestrian_count", "obstacle_ahead", "speed_limit", "at_junction",
        "weather", "daylight", "vehicle_count", "lead_vehicle", "lead_distance",
    ),
    "lane": (
        "ego_lane_index", "lanes_same_direction", "lanes_opposite_direction", "marking_left", "marking_right",
        "allowed_lane_change", "entering_sides", "overtake_allowed",
    ),
    "signals": ("light_affects", "light_state", "light_action", "stop_sign_affects", "stop_sign_action"),
    "plan": ("brake_reason", "leave_lane", "own_speed", "next_manoeuvre", "next_action"),
    "watch": (
        "watch_left", "watch_right", "watch_straight", "watch_follow", "watch_change_left", "watch_change_right",
        "watch_change_left_soon", "watch_change_right_soon",
    ),
    "objects": ("object_motion", "object_heading", "object_place", "object_colour"),
    "crossing": (
        "crosses_follow", "crosses_left_next", "crosses_right_next", "crosses_straight_next", "crosses_left_now",
        "crosses_right_now", "crosses_straight_now", "crosses_change_left", "crosses_change_right",
    ),
}  # fmt: skip
#: Every question type, in a fixed order.
TYPES: tuple[str, ...] = tuple(name for names in FAMILIES.values() for name in names)
#: Answers that say little, as most frames have them; the others are kept (spec B.9).
LOW_INFORMATION: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(
        ("obstacle_ahead", "at_junction", "light_affects", "stop_sign_affects", "brake_reason", "leave_lane"),
        frozenset({"no"}),
    ),
    **{name: frozenset({"no"}) for name in FAMILIES["crossing"]},
    **{name: frozenset({"not possible"}) for name in FAMILIES["watch"]},
    **dict.fromkeys(("allowed_lane_change", "entering_sides"), frozenset({"none"})),
    **dict.fromkeys(("light_action", "stop_sign_action"), frozenset({"nothing"})),
    **dict.fromkeys(("pedestrian_count", "vehicle_count"), frozenset({"0"})),
    **dict.fromkeys(("important_objects", "lead_vehicle", "lead_distance", "light_state"), frozenset({"none"})),
    "watch_follow": frozenset({"our lane"}),
    "ego_lane_index": frozenset({"1 of 1"}),
    "lanes_same_direction": frozenset({"1"}),
    "next_manoeuvre": frozenset({"follow the road"}),
}


@dataclass(frozen=True)
class Question:
    """One question about one scene."""

    type: str  # one of TYPES
    answer: str  # of a small vocabulary, so that a reply can be judged exactly
    sentence: str  # the same in a whole sentence
    slots: Mapping[str, str] = field(default_factory=dict)  # what its wording fills in: object, place, distance

    @property
    def low_information(self) -> bool:
        """The answer is what nearly every frame would give."""
        return self.answer in LOW_INFORMATION.get(self.type, frozenset())


def listed(parts: list[str], nothing: str = "none") -> str:
    """``parts`` with commas and a last "and"; ``nothing`` where there are none."""
    if not parts:
        return nothing
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
