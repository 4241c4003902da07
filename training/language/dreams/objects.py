"""Requests about a thing in sight: drive to it, drive around it; and about things that are not there."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from simlingo.contracts import TICK_S
from simlingo.geometry import ego_to_map
from simlingo.requests import Reason, RequestKind
from training.language.dreams.attempt import Attempt, dream_of, impossible
from training.language.dreams.dream import Dream, Slots
from training.language.dreams.gentle import shortest_m
from training.language.dreams.lawful import lawful
from training.language.dreams.line import Line, blend
from training.language.dreams.record import X, Y
from training.language.dreams.roll_out import Pace
from training.language.dreams.scene import Scene
from training.language.dreams.things import LIGHT, SIGN, Thing, absent, describe
from training.language.naming import PEDESTRIAN, VEHICLES

#: Things this near to the way are driven to or around, m; farther along it than this they are out of the path's reach.
BESIDE_M, ALONG_M = 7.0, (4.0, 20.0)
#: Driving to a thing: at the present speed, and at least so fast, m/s.
TO_LEAST_MPS = 3.0
#: The path to a thing passes within this of it, else it cannot be reached, m (the rule that dreams are scored by).
REACHED_M = 1.0
#: Air that driving around a thing leaves, m, and a little for the steering.
CLEAR_M, CLEAR_MARGIN_M = 0.5, 0.25
#: Room before and behind a thing that is driven around, m.
BEFORE_M, BEHIND_M = 1.5, 4.0
#: Somebody slower stands, m/s.
STANDING_MPS = 0.5
#: What is asked for where it is not.
ABSENT_NAMES = (
    "car", "van", "truck", "bus", "motorcycle", "bicycle", PEDESTRIAN, "cone", "barrier", "warning sign", "bench", "bin",
    "ambulance", "police car", LIGHT, SIGN,
)  # fmt: skip
ABSENT_COLOURS = ("red", "blue", "white", "black", "grey", "green", "yellow", "orange")


def object_dreams(scene: Scene, rng: np.random.Generator) -> list[Dream]:
    """To one thing and around one, and both for a thing that is not there."""
    found = []
    for make, kind in ((drive_to, RequestKind.DRIVE_TO), (avoid, RequestKind.AVOID)):
        options = [thing for thing in scene.things if thing.solid or kind is RequestKind.DRIVE_TO]
        if options:
            thing = options[int(rng.integers(len(options)))]
            found.append(make(scene, thing, Slots(object=describe(thing, scene.things, rng))))
        missing = absent(scene.things, ABSENT_NAMES, ABSENT_COLOURS, rng, scene.unsure)
        found.append(impossible(scene, kind, Slots(object=missing), Reason.NO_OBJECT))
    return found


def drive_to(scene: Scene, thing: Thing, slots: Slots) -> Dream:
    """Head for a thing as if it could be driven through; up to the stop line of a light or sign, and stop there."""
    kind = RequestKind.DRIVE_TO
    if not ALONG_M[0] < thing.along_m < ALONG_M[1] or abs(thing.right_m) > BESIDE_M:
        return impossible(scene, kind, slots, Reason.OUT_OF_REACH)
    if not thing.solid:
        pace = replace(lawful(scene, scene.line, scene.place_m), up_mps2=2.0)
        stop = scene.place_m + thing.along_m - 0.5
        return dream_of(
            scene, Attempt(kind, slots, scene.line, replace(pace, stops_m=(*pace.stops_m, stop)))
        )  # fmt: skip
    speed = max(scene.vehicle.speed_mps, TO_LEAST_MPS)
    line = _towards(scene, thing, speed)
    wrong: tuple[Reason, ...] = ()
    if thing.speed_mps < STANDING_MPS:
        wrong = (_reason(thing),)
    dream = dream_of(scene, Attempt(kind, slots, line, Pace(speed, up_mps2=2.6, down_mps2=4.0), wrong=wrong))
    if wrong:
        if np.min(np.hypot(*(dream.path - (thing.x_m, thing.y_m)).T)) > REACHED_M:
            return impossible(scene, kind, slots, Reason.OUT_OF_REACH)
        dream = replace(dream, by=thing.actor_id)
    return dream


def _towards(scene: Scene, thing: Thing, speed_mps: float) -> Line:
    """From the way over to where the thing is, or will be when the ego comes there, and on beside the way."""
    spot = ego_to_map(np.array([(thing.x_m, thing.y_m)]), scene.ego)
    row = next((row for row, actor in enumerate(scene.others.actors) if actor.id == thing.actor_id), None)
    if row is not None and thing.speed_mps >= STANDING_MPS:
        ticks = min(round(thing.along_m / speed_mps / TICK_S), scene.others.states.shape[1] - 1)
        spot = scene.others.states[row, ticks][None, (X, Y)]
    along, right = scene.line.locate(spot)
    begin = scene.place_m + 0.5
    length = max(float(along[0]) - begin, shortest_m(float(right[0]), speed_mps))
    return scene.line.beside(float(right[0]) * blend(scene.line.places, begin, length))


def avoid(scene: Scene, thing: Thing, slots: Slots) -> Dream:
    """Around a thing with half a metre of air; where the way clears it already, along the way."""
    kind = RequestKind.AVOID
    pace = lawful(scene, scene.line, scene.place_m, without=thing.actor_id)
    turned = thing.yaw_rad - _yaw_at(scene, thing.along_m)
    wide = abs(math.cos(turned)) * thing.half_width_m + abs(math.sin(turned)) * thing.half_length_m
    long = abs(math.cos(turned)) * thing.half_length_m + abs(math.sin(turned)) * thing.half_width_m
    needed = wide + scene.vehicle.half_width_m + CLEAR_M + CLEAR_MARGIN_M
    if abs(thing.right_m) >= needed or thing.along_m < 0.0:
        return dream_of(scene, Attempt(kind, slots, scene.line, lawful(scene, scene.line, scene.place_m)))
    side = -1.0 if thing.right_m >= 0.0 else 1.0
    offset = thing.right_m + side * needed
    reach = long + scene.vehicle.half_length_m
    full = scene.place_m + thing.along_m - reach - BEFORE_M
    begin = max(full - max(3.0 * scene.vehicle.speed_mps, 9.0), scene.place_m)
    full = max(full, begin + shortest_m(offset, scene.vehicle.speed_mps))
    places = scene.line.places
    back = max(scene.place_m + thing.along_m + reach + BEHIND_M, full)
    share = blend(places, begin, full - begin) - blend(places, back, max(2.0 * scene.vehicle.speed_mps, 9.0))
    line = scene.line.beside(offset * share)
    return dream_of(scene, Attempt(kind, slots, line, pace))


def _yaw_at(scene: Scene, along_m: float) -> float:
    """Heading of the way, rad in the ego's frame, ``along_m`` ahead."""
    return float(np.interp(scene.place_m + along_m, scene.line.places, scene.line.yaw)) - scene.ego.yaw


def _reason(thing: Thing) -> Reason:
    if thing.name == PEDESTRIAN:
        return Reason.WALKER
    return Reason.VEHICLE if thing.name in VEHICLES else Reason.OBSTACLE
