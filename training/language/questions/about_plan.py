"""Questions about what the ego does next, and why."""

from __future__ import annotations

from collections.abc import Callable

from simlingo.contracts import Command
from simlingo_drive.expert.causes import Cause
from training.language.questions.names import name_of
from training.language.questions.question import Question
from training.language.questions.scene import Scene

#: The ego brakes where the expert wants more than the first of these, m/s^2; it does not where it wants less than the second.
_BRAKES_MPS2, _ROLLS_MPS2 = -0.6, -0.2
#: Slower is standing, m/s; end speeds that differ by less are the same, by more another, m/s.
_STANDING_MPS, _SAME_MPS, _OTHER_MPS = 0.3, 0.6, 1.2
#: A manoeuvre is carried out now when it begins so near, and not yet from the second figure on, m.
_NOW_M, _LATER_M = 12.0, 25.0

_REASONS: dict[Cause, tuple[str, str]] = {
    Cause.TRAFFIC_LIGHT: ("traffic light", "for the traffic light"),
    Cause.STOP_SIGN: ("stop sign", "for the stop sign"),
    Cause.JUNCTION: ("traffic at the junction", "to give way at the junction"),
    Cause.WALKER: ("pedestrian", "for a pedestrian"),
    Cause.VEHICLE: ("crossing vehicle", "to let a vehicle pass"),
    Cause.LEAD: ("vehicle ahead", "for the vehicle ahead"),
    Cause.OBSTACLE: ("obstacle", "for what stands in the way"),
}
MANOEUVRES: dict[Command, tuple[str, str]] = {
    Command.LEFT: ("turn left", "We turn left at the junction"),
    Command.RIGHT: ("turn right", "We turn right at the junction"),
    Command.STRAIGHT: ("go straight across", "We go straight across the junction"),
    Command.FOLLOW_LANE: ("follow the road", "We follow the road"),
    Command.CHANGE_LANE_LEFT: ("change to the left lane", "We change to the left lane"),
    Command.CHANGE_LANE_RIGHT: ("change to the right lane", "We change to the right lane"),
}


def brake_reason(scene: Scene) -> list[Question]:
    """Whether the ego must brake, or stay where it stands, and why; asked where the reason is seen."""
    plan = scene.plan
    if not plan.cause_seen:
        return []
    stays = plan.speed_mps < _STANDING_MPS and plan.target_speed_mps < _STANDING_MPS
    if not stays and plan.acceleration_mps2 > _ROLLS_MPS2:
        return [Question("brake_reason", "no", "No, there is no reason to brake.")]
    if not stays and plan.acceleration_mps2 > _BRAKES_MPS2:
        return []
    if plan.cause is Cause.ROAD:
        if stays:
            return []
        name, said = ("bend", "for the bend") if plan.bends else ("speed", "since we are too fast for this road")
    else:
        name, said = _REASONS[plan.cause]
    verb = "stay where we are" if stays else "brake"
    return [Question("brake_reason", name, f"Yes, we must {verb} {said}.")]


def leave_lane(scene: Scene) -> list[Question]:
    """Whether the path leaves the lane's middle for something that stands there, and to which side."""
    plan = scene.plan
    if scene.lanes is None or plan.manoeuvre in (Command.CHANGE_LANE_LEFT, Command.CHANGE_LANE_RIGHT):
        return []
    blocking = [thing for thing in scene.seen() if thing.id == plan.blocked_by]
    if plan.offset_m == 0.0:
        return [] if blocking else [Question("leave_lane", "no", "No, we can keep to the middle of our lane.")]
    if not blocking:
        return []  # it comes back from a disturbance
    side = "right" if plan.offset_m > 0.0 else "left"
    sentence = f"Yes, we pass the {name_of(blocking[0])} on its {side} side."
    return [Question("leave_lane", side, sentence)]


def own_speed(scene: Scene) -> list[Question]:
    """How fast the ego drives."""
    speed = round(scene.plan.speed_mps * 3.6)
    said = "We are standing." if speed == 0 else f"We are driving at {speed} km/h."
    return [Question("own_speed", f"{speed} km/h", said)]


def next_manoeuvre(scene: Scene) -> list[Question]:
    """What the route asks for within the next 50 m."""
    answer, said = MANOEUVRES[scene.plan.manoeuvre]
    if scene.plan.manoeuvre is Command.FOLLOW_LANE:
        return [Question("next_manoeuvre", answer, f"{said}.")]
    distance = 5 * round(scene.plan.manoeuvre_m / 5.0)
    return [Question("next_manoeuvre", answer, f"{said}{f' in about {distance} m' if distance else ' now'}.")]


def next_action(scene: Scene) -> list[Question]:
    """Manoeuvre and pace of the next two and a half seconds, as one of 6 x 4."""
    plan = scene.plan
    if plan.manoeuvre is not Command.FOLLOW_LANE and _NOW_M < plan.manoeuvre_m < _LATER_M:
        return []
    now = plan.manoeuvre if plan.manoeuvre_m <= _NOW_M else Command.FOLLOW_LANE
    pace = _pace(plan.speed_mps, plan.end_speed_mps)
    if pace is None:
        return []
    way, said = MANOEUVRES[now]
    return [Question("next_action", f"{way}, {pace}", f"{said} and {_SAID[pace]}.")]


_SAID = {"stop": "come to a stand", "accelerate": "speed up", "decelerate": "slow down", "keep": "keep our speed"}


def _pace(speed: float, end_speed: float) -> str | None:
    """None between two answers."""
    if end_speed < _STANDING_MPS:
        return "stop"
    if end_speed < 2.0 * _STANDING_MPS:
        return None
    change = end_speed - speed
    if abs(change) < _SAME_MPS:
        return "keep"
    if abs(change) < _OTHER_MPS:
        return None
    return "accelerate" if change > 0.0 else "decelerate"


ASKED: tuple[Callable[[Scene], list[Question]], ...] = (
    brake_reason, leave_lane, own_speed, next_manoeuvre, next_action,
)  # fmt: skip
