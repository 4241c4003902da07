"""Requests about speed: faster, slower, a target speed, stop, go on. All keep to the expert's way.

How much faster or slower is said by no word, so it follows from the scene: drawn at random, one sentence at one frame would
be safe at one time and refused at another, and nobody could learn which.
"""

from __future__ import annotations

import numpy as np

from simlingo.contracts import SPEED_WAYPOINT_PERIOD_S, SPEED_WAYPOINTS
from simlingo.requests import Reason, RequestKind, Verdict
from simlingo_drive.expert.constants import CONSTANTS
from training.language.dreams.attempt import Attempt, dream_of, impossible
from training.language.dreams.dream import KMH, MPS, Dream, Slots, uninstructed
from training.language.dreams.roll_out import Pace
from training.language.dreams.scene import Scene

#: Another speed differs from the expert's at the end of 2.5 s by this, m/s, or this share of it, whichever is more.
LEAST_DIFFERENCE_MPS, LEAST_DIFFERENCE = 0.6, 0.12
#: Faster: so much more than now and than the expert, m/s, at so much acceleration, m/s^2.
FASTER_MPS, FASTER_UP_MPS2 = 3.0, 2.6
#: Slower: this share of the present speed or the expert's end speed, at so much deceleration, m/s^2.
SLOWER_SHARE, SLOWER_DOWN_MPS2 = 0.6, 2.5
#: Stop: firmly enough to stand within this time, s, at no less and no more than so much, m/s^2.
STOP_WITHIN_S, STOP_MPS2 = 2.0, (2.0, 7.5)
#: A wish below zero, m/s, so that the brake does not ease off before the end.
STOP_PACE_MPS = -10.0
#: Below this speed the ego stands, m/s.
STANDING_MPS = 0.3
#: Target speeds: the highest, in shares of the limit, how many are round numbers, and the least, m/s.
MOST_OF_LIMIT, ROUND_SHARE, LEAST_TARGET_MPS = 1.8, 0.7, 1.5
#: So many requests to go on are left out where the expert goes on anyway.
GO_ANYWAY_DROPPED = 0.6
_SECONDS = SPEED_WAYPOINTS * SPEED_WAYPOINT_PERIOD_S


def expert_end_mps(scene: Scene) -> float:
    """Speed of the expert at the end of its waypoints."""
    _, waypoints = uninstructed(scene.row)
    return float(np.hypot(*(waypoints[-1] - waypoints[-2]))) / SPEED_WAYPOINT_PERIOD_S


def free_mps(scene: Scene) -> float:
    """Speed of the expert on a free road."""
    return min(CONSTANTS.limit_ratio * scene.limit_mps, CONSTANTS.max_speed)


def speed_dreams(scene: Scene, rng: np.random.Generator) -> list[Dream]:
    """One of each that means something here; two target speeds, one of them lawful."""
    found = [faster(scene), *slower(scene), stop(scene)]
    going, drawn = go(scene), rng.random()
    if not (_as_the_expert(scene, going) and drawn < GO_ANYWAY_DROPPED):
        found.append(going)
    return found + [target_speed(scene, speed, unit) for speed, unit in draw_targets(scene, rng)]


def faster(scene: Scene) -> Dream:
    """More speed than now and than the expert would have, whatever stands ahead; as the limit allows, where it allows any."""
    base = max(scene.vehicle.speed_mps, expert_end_mps(scene))
    wanted = base + FASTER_MPS
    if scene.limit_mps - base >= _least_difference(base):
        wanted = min(wanted, scene.limit_mps)
    pace = Pace(wanted, up_mps2=FASTER_UP_MPS2)
    return dream_of(scene, Attempt(RequestKind.FASTER, Slots(), scene.line, pace, asks_speed=True))


def slower(scene: Scene) -> list[Dream]:
    """Less speed than now and than the expert would have, whatever stands ahead.

    Where the ego stands nothing is slower. Where the expert all but stops, slower than now is refused if that is not
    enough for what is ahead; none where it is enough, since the expert is slower still.
    """
    speed, end = scene.vehicle.speed_mps, expert_end_mps(scene)
    if speed < STANDING_MPS:
        return [impossible(scene, RequestKind.SLOWER, Slots(), Reason.OUT_OF_REACH)]
    if (1.0 - SLOWER_SHARE) * end >= _least_difference(end):
        return [_slower_to(scene, SLOWER_SHARE * min(speed, end))]
    little = _slower_to(scene, SLOWER_SHARE * speed)
    return [] if little.verdict is Verdict.FOLLOW else [little]


def _least_difference(speed_mps: float) -> float:
    """What another speed differs by at least, m/s."""
    return max(LEAST_DIFFERENCE_MPS, LEAST_DIFFERENCE * speed_mps)


def _slower_to(scene: Scene, wanted_mps: float) -> Dream:
    needed = (scene.vehicle.speed_mps - wanted_mps) / (0.8 * _SECONDS)
    pace = Pace(wanted_mps, down_mps2=min(max(SLOWER_DOWN_MPS2, needed), STOP_MPS2[1]))
    return dream_of(scene, Attempt(RequestKind.SLOWER, Slots(), scene.line, pace))


def stop(scene: Scene) -> Dream:
    """To a standstill by the brake. A stop is always obeyed: the published labels refuse most (spec C.3)."""
    brake = min(max(scene.vehicle.speed_mps / STOP_WITHIN_S, STOP_MPS2[0]), STOP_MPS2[1])
    dream = dream_of(scene, Attempt(RequestKind.STOP, Slots(), scene.line, Pace(STOP_PACE_MPS, down_mps2=brake)))
    return Dream(
        dream.kind, dream.slots, dream.path, dream.speed_waypoints, Verdict.FOLLOW, track=dream.track
    )  # fmt: skip


def go(scene: Scene) -> Dream:
    """Drive on as on a free road, whatever stands ahead."""
    wanted = max(free_mps(scene), min(scene.vehicle.speed_mps, scene.limit_mps))
    return dream_of(scene, Attempt(RequestKind.GO, Slots(), scene.line, Pace(wanted)))


def _as_the_expert(scene: Scene, dream: Dream) -> bool:
    """A dream that shows nothing: the expert does just that without being asked."""
    gap = np.hypot(*(dream.speed_waypoints - uninstructed(scene.row)[1]).T)
    return dream.verdict is Verdict.FOLLOW and bool(gap[-1] < LEAST_DIFFERENCE_MPS)


def target_speed(scene: Scene, speed_mps: float, unit: str) -> Dream:
    """Towards a speed and no farther, whatever stands ahead; above the limit it is unsafe whether or not it is reached."""
    wrong = (Reason.SPEED_LIMIT,) if speed_mps > scene.limit_mps + 1e-3 else ()
    needed = max((scene.vehicle.speed_mps - speed_mps) / (0.8 * _SECONDS), CONSTANTS.comfort_deceleration)
    pace = Pace(speed_mps, up_mps2=FASTER_UP_MPS2, down_mps2=min(needed, CONSTANTS.firm_deceleration))
    slots = Slots(speed_mps=speed_mps, unit=unit)
    return dream_of(
        scene, Attempt(RequestKind.TARGET_SPEED, slots, scene.line, pace, asks_speed=True, wrong=wrong)
    )  # fmt: skip


def draw_targets(scene: Scene, rng: np.random.Generator) -> list[tuple[float, str]]:
    """Two speeds (m/s, exactly as the words say) and their units: one within the limit, one of any size."""
    found = []
    for most in (scene.limit_mps, MOST_OF_LIMIT * scene.limit_mps):
        speed = float(rng.uniform(LEAST_TARGET_MPS, most))
        unit = KMH if rng.random() < 0.5 else MPS
        said = speed * 3.6 if unit == KMH else speed
        step = (5.0 if unit == KMH else 1.0) if rng.random() < ROUND_SHARE else (1.0 if unit == KMH else 0.5)
        said = max(step * np.floor(said / step), step)
        found.append((float(said) / (3.6 if unit == KMH else 1.0), unit))
    return found
