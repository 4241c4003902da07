"""Questions about the road that the ego stands on: its lanes, their marks, and who may change where."""

from __future__ import annotations

from collections.abc import Callable

from training.language.questions.question import Question
from training.language.questions.scene import Lanes, Scene

_NUMBERS = ("no", "one", "two", "three", "four", "five")


def lane_questions(scene: Scene) -> list[Question]:
    """All of them; none in a junction, where lanes are not marked, nor where the view stands astride."""
    if scene.lanes is None:
        return []
    marks = [] if scene.lanes.marks_end else [question for ask in _OF_MARKS for question in ask(scene.lanes)]
    return [question for ask in _OF_LANES for question in ask(scene.lanes)] + marks


def ego_lane_index(lanes: Lanes) -> list[Question]:
    """Which of the lanes of its direction the ego is in, counted from the left."""
    answer = f"{lanes.index + 1} of {lanes.same}"
    if lanes.same == 1:
        return [Question("ego_lane_index", answer, "We are in the only lane of our direction.")]
    side = {0: "leftmost", lanes.same - 1: "rightmost"}.get(lanes.index, f"number {lanes.index + 1} from the left")
    return [Question("ego_lane_index", answer, f"Of {_number(lanes.same)} lanes we are in the {side} one.")]


def lanes_same_direction(lanes: Lanes) -> list[Question]:
    """How many lanes lead the ego's way."""
    return [Question("lanes_same_direction", str(lanes.same), f"{_lanes(lanes.same)} our way.")]


def lanes_opposite_direction(lanes: Lanes) -> list[Question]:
    """How many lanes lead the other way."""
    return [Question("lanes_opposite_direction", str(lanes.opposite), f"{_lanes(lanes.opposite)} the other way.")]


def marking_left(lanes: Lanes) -> list[Question]:
    """The line on the left of the own lane."""
    return [Question("marking_left", lanes.left_marking, _line(lanes.left_marking, "left"))]


def marking_right(lanes: Lanes) -> list[Question]:
    """The line on the right of the own lane."""
    return [Question("marking_right", lanes.right_marking, _line(lanes.right_marking, "right"))]


def allowed_lane_change(lanes: Lanes) -> list[Question]:
    """To which sides the marks let the ego change to a lane of its own direction."""
    answer = _sides(lanes.may_left, lanes.may_right)
    said = {"none": "to no side", "both": "to both sides"}.get(answer, f"to the {answer}")
    return [Question("allowed_lane_change", answer, f"A lane change is allowed {said}.")]


def entering_sides(lanes: Lanes) -> list[Question]:
    """From which sides the marks let others of the own direction change to the ego's lane."""
    answer = _sides(lanes.from_left, lanes.from_right)
    said = {"none": "from no side", "both": "from both sides"}.get(answer, f"from the {answer}")
    return [Question("entering_sides", answer, f"Others may change to our lane {said}.")]


def overtake_allowed(lanes: Lanes) -> list[Question]:
    """Whether the line on the left may be crossed to pass somebody."""
    marking = lanes.left_marking
    if marking == "none" or marking.startswith("double"):
        return []
    broken = marking.startswith(("broken", "brokensolid"))
    reason = f"the line on our left is {'broken' if broken else 'solid'}"
    return [Question("overtake_allowed", "yes" if broken else "no", f"{'Yes' if broken else 'No'}, {reason}.")]


def _sides(left: bool, right: bool) -> str:
    if left and right:
        return "both"
    return "left" if left else "right" if right else "none"


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def _lanes(count: int) -> str:
    return f"{_number(count).capitalize()} lane{'' if count == 1 else 's'} lead{'s' if count == 1 else ''}"


def _line(marking: str, side: str) -> str:
    if marking == "none":
        return f"There is no line on the {side} of our lane."
    return f"On the {side} of our lane is a {marking} line."


_OF_LANES = (ego_lane_index, lanes_same_direction, lanes_opposite_direction)
#: These speak of painted marks, which end before a junction.
_OF_MARKS = (marking_left, marking_right, allowed_lane_change, entering_sides, overtake_allowed)
ASKED: tuple[Callable[[Scene], list[Question]], ...] = (lane_questions,)
