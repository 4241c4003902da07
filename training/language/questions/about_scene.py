"""Questions about the scene as a whole: what matters, how many there are, the limit, the weather, what drives ahead."""

from __future__ import annotations

from collections.abc import Callable

from simlingo_drive.expert.causes import Cause
from training.language.naming import PEDESTRIAN
from training.language.questions.names import name_of
from training.language.questions.question import Question, listed
from training.language.questions.scene import Scene, Thing, Where

#: Pedestrians, and vehicles, are counted so near, m ahead of the ego's middle (spec C.1).
COUNTED_M = 1.0, 40.0
#: More than these are too many to count at a glance.
MOST_COUNTED = 9
#: Pedestrians matter so near, m.
_PEDESTRIAN_MATTERS_M = 20.0
#: In a junction, close before one up to the first of these, and away from any beyond the second, m.
_AT_M, _AWAY_M = 12.0, 25.0
#: Gaps to the vehicle ahead, m, and what they are called.
_GAPS = ((5.0, "less than 5 m"), (10.0, "5 to 10 m"), (20.0, "10 to 20 m"), (40.0, "20 to 40 m"))


def important_objects(scene: Scene) -> list[Question]:
    """What the driver must heed; asked where everything that the expert heeds is seen."""
    if not scene.plan.cause_seen or not scene.lead_known:
        return []
    found, light, sign = [], scene.light, scene.stop_sign
    if light is not None and light.distance_m < 45.0:
        if not light.seen:
            return []
        found.append(f"{light.state} traffic light")
    if sign is not None and sign.holds and sign.distance_m < 40.0:
        if not sign.seen:
            return []
        found.append("stop sign")
    if scene.lead is not None:
        found.append("vehicle ahead")
    if scene.plan.cause in (Cause.VEHICLE, Cause.JUNCTION):
        found.append("crossing traffic")
    walking = [t for t in scene.seen() if t.kind == PEDESTRIAN and t.where in (Where.CROSSING, Where.CARRIAGEWAY)]
    if scene.plan.cause is Cause.WALKER or any(t.distance_m < _PEDESTRIAN_MATTERS_M for t in walking):
        found.append("pedestrian")
    if any(thing.is_object and thing.where is Where.OWN_LANE for thing in scene.seen()):
        found.append("obstacle")
    said = listed([f"the {name}" for name in found])
    sentence = f"We have to heed {said}." if found else "Nothing here needs special care."
    return [Question("important_objects", listed(found), sentence)]


def pedestrian_count(scene: Scene) -> list[Question]:
    """How many pedestrians are seen."""
    number = _count(scene, lambda thing: thing.kind == PEDESTRIAN)
    return [] if number is None else [_counted("pedestrian_count", number, "pedestrian")]


def vehicle_count(scene: Scene) -> list[Question]:
    """How many vehicles are seen, parked ones too."""
    number = _count(scene, lambda thing: thing.is_vehicle)
    return [] if number is None else [_counted("vehicle_count", number, "vehicle")]


def _count(scene: Scene, wanted: Callable[[Thing], bool]) -> int | None:
    """None where one is half seen, stands at the edge of what counts, or shows a corner from beside us."""
    low, high = COUNTED_M
    if any(wanted(thing) and thing.samples > 0 and thing.position_m[0] <= low for thing in scene.things):
        return None
    near = [thing for thing in scene.things if wanted(thing) and low < thing.position_m[0] < high + 3.0]
    if any(thing.half_seen or (thing.seen and thing.position_m[0] > high - 3.0) for thing in near):
        return None
    number = sum(thing.seen for thing in near)
    return number if number <= MOST_COUNTED else None


def _counted(kind: str, number: int, noun: str) -> Question:
    if number == 1:
        return Question(kind, "1", f"There is one {noun} within 40 m.")
    return Question(kind, str(number), f"There are {number or 'no'} {noun}s within 40 m.")


def obstacle_ahead(scene: Scene) -> list[Question]:
    """Whether something that stands for good is in the own lane; not asked where only a vehicle stands there."""
    if scene.lanes is None or not scene.lead_known:
        return []
    ahead = [t for t in scene.things if 0.0 < t.position_m[0] < 40.0 and t.where is Where.OWN_LANE]
    blocking = [thing for thing in ahead if thing.is_object or thing.parked]
    if any(thing.seen for thing in blocking):
        nearest = min((thing for thing in blocking if thing.seen), key=lambda thing: thing.distance_m)
        return [Question("obstacle_ahead", "yes", f"Yes, there is a {name_of(nearest)} in our lane.")]
    waits = scene.lead is not None and scene.lead.thing.speed_mps < 0.5
    if blocking or waits:
        return []  # half seen, or a vehicle of which nobody knows why it stands
    return [Question("obstacle_ahead", "no", "No, nothing blocks our lane.")]


def speed_limit(scene: Scene) -> list[Question]:
    """The limit of the road."""
    limit = round(scene.speed_limit_mps * 3.6)
    return [Question("speed_limit", f"{limit} km/h", f"The speed limit here is {limit} km/h.")]


def at_junction(scene: Scene) -> list[Question]:
    """Whether the ego is in a junction or close before one."""
    if not scene.at_junction_known:
        return []
    if scene.junction is not None and scene.junction.inside:
        return [Question("at_junction", "in the junction", "Yes, we are in the junction.")]
    distance = scene.junction.distance_m if scene.junction is not None else float("inf")
    if distance < _AT_M:
        return [Question("at_junction", "just before it", "Yes, the junction is right ahead of us.")]
    return [Question("at_junction", "no", "No, we are not at a junction.")] if distance > _AWAY_M else []


def weather(scene: Scene) -> list[Question]:
    """What falls from the sky, or what it looks like."""
    sky = scene.weather
    if sky.fog_density >= 30.0:
        return [Question("weather", "foggy", "It is foggy.")]
    if sky.precipitation >= 20.0:
        return [Question("weather", "rainy", "It is raining.")]
    if sky.fog_density > 12.0 or sky.precipitation > 0.0 or 40.0 < sky.cloudiness < 60.0:
        return []
    clouds = "cloudy" if sky.cloudiness >= 60.0 else "clear"
    if sky.wetness >= 40.0:
        return [Question("weather", f"{clouds}, wet road", f"The sky is {clouds} and the road is wet.")]
    return [Question("weather", clouds, f"The sky is {clouds}.")] if sky.wetness < 10.0 else []


def daylight(scene: Scene) -> list[Question]:
    """How high the sun stands."""
    altitude = scene.weather.sun_altitude_deg
    if altitude < -6.0:
        return [Question("daylight", "night", "It is night.")]
    if -1.0 < altitude < 6.0:
        return [Question("daylight", "dusk", "It is dusk, the light is fading.")]
    if 9.0 < altitude < 18.0:
        return [Question("daylight", "low sun", "It is day, but the sun stands low.")]
    return [Question("daylight", "full daylight", "It is full daylight.")] if altitude > 25.0 else []


def lead_vehicle(scene: Scene) -> list[Question]:
    """What drives or stands ahead on the ego's way."""
    if not scene.lead_known:
        return []
    if scene.lead is None:
        return [Question("lead_vehicle", "none", "There is no vehicle ahead of us on our way.")]
    kind = scene.lead.thing.kind
    return [Question("lead_vehicle", kind, f"A {name_of(scene.lead.thing)} is ahead of us.")]


def lead_distance(scene: Scene) -> list[Question]:
    """The gap to it."""
    if not scene.lead_known:
        return []
    if scene.lead is None:
        return [Question("lead_distance", "none", "There is no vehicle ahead of us to keep a distance to.")]
    gap = scene.lead.gap_m
    name = next((name for bound, name in _GAPS if gap < bound), "")
    if not name:
        return []
    about = max(round(gap), 1)
    return [Question("lead_distance", name, f"The vehicle ahead is about {about} m away.")]


ASKED: tuple[Callable[[Scene], list[Question]], ...] = (
    important_objects, pedestrian_count, obstacle_ahead, speed_limit, at_junction, weather, daylight, vehicle_count,
    lead_vehicle, lead_distance,
)  # fmt: skip
