"""Questions about which lanes to watch in a manoeuvre, whether or not the route asks for it."""

from __future__ import annotations

from collections.abc import Callable

from simlingo.contracts import Command
from training.language.questions.question import Question, listed
from training.language.questions.scene import SOON_M, Lanes, Scene

_AT_JUNCTION = {
    "watch_left": (Command.LEFT, "turn left"),
    "watch_right": (Command.RIGHT, "turn right"),
    "watch_straight": (Command.STRAIGHT, "go straight"),
}
#: Order in which sides are named.
_SIDES = ("left", "ahead", "right")
_TRAFFIC = {
    "left": "the traffic from the left",
    "ahead": "the oncoming traffic",
    "right": "the traffic from the right",
}


def junction_questions(scene: Scene) -> list[Question]:
    """Turning and crossing at the next junction, before it: whose lanes cross or join that way."""
    junction = scene.junction
    if junction is None or junction.inside:
        return []
    found = []
    for kind, (command, verb) in _AT_JUNCTION.items():
        if command not in junction.offered:
            found.append(Question(kind, "not possible", f"We cannot {verb} at this junction."))
            continue
        sides = [side for side in _SIDES if side in junction.ways[command].watch]
        said = listed([_TRAFFIC[side] for side in sides], "no other lane")
        found.append(Question(kind, listed(sides), f"To {verb} we must watch {said}."))
    return found


def watch_follow(scene: Scene) -> list[Question]:
    """Following the road, away from junctions: the own lane, and those from which others may come over."""
    if scene.lanes is None or scene.junction is not None or scene.lanes.marks_end:
        return []
    lanes = ["our lane"]
    lanes += ["the left lane"] if scene.lanes.from_left else []
    lanes += ["the right lane"] if scene.lanes.from_right else []
    return [Question("watch_follow", listed(lanes), f"Following the road we must watch {listed(lanes)}.")]


def watch_changes(scene: Scene) -> list[Question]:
    """Changing lanes now."""
    if scene.lanes is None or scene.lanes.marks_end:
        return []
    return [_change(scene.lanes, side, "", "now", {}) for side in ("left", "right")]


def watch_changes_soon(scene: Scene) -> list[Question]:
    """Changing lanes 20 m ahead."""
    if scene.lanes_soon is None or scene.lanes_soon.marks_end:
        return []
    when = f"in {SOON_M:.0f} m"
    slots = {"distance": f"{SOON_M:.0f} m"}
    return [_change(scene.lanes_soon, side, "_soon", when, slots) for side in ("left", "right")]


def _change(lanes: Lanes, side: str, ending: str, when: str, slots: dict[str, str]) -> Question:
    kind = f"watch_change_{side}{ending}"
    allowed = lanes.may_left if side == "left" else lanes.may_right
    if allowed:
        return Question(kind, f"the {side} lane", f"To change lanes {when} we must watch the {side} lane.", slots)
    return Question(kind, "not possible", f"No lane on the {side} may be changed to {when}.", slots)


ASKED: tuple[Callable[[Scene], list[Question]], ...] = (
    junction_questions, watch_follow, watch_changes, watch_changes_soon,
)  # fmt: skip
