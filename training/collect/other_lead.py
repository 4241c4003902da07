"""A vehicle that stands ahead in the picture, and not in the world.

Drives rarely show a standing vehicle near ahead, and never one half a metre ahead. Here the renderer draws one into a view,
and the labels are what the expert would mean behind it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import carla
import numpy as np

from simlingo_drive.backends.base import Backend
from simlingo_drive.expert import Expert, ExpertInfo
from simlingo_drive.expert.situation import Lead
from simlingo_drive.views import DrawnVehicle
from training.collect.counterfactual import at_speed, other_speed
from training.collect.nearer import room_ahead

#: Gap between the bumpers, m; small ones are drawn more often.
GAP_M = 0.3, 20.0
#: Free road between the vehicle and the next thing to stop for, m, and around its middle, m.
BEHIND_M, AROUND_M = 1.0, 6.0
#: Standard deviations of its place in the lane, m, and of its heading, rad.
SIDEWAYS_M, TURNED_RAD = 0.25, math.radians(3.0)
#: Share with brake lamps on.
BRAKING_SHARE = 0.8


def other_lead(
    info: ExpertInfo, expert: Expert, backend: Backend, world: Any, rng: np.random.Generator
) -> tuple[ExpertInfo, DrawnVehicle] | None:
    """``info`` behind a vehicle that stands somewhere ahead on the route, and the vehicle to draw.

    None where the road is not free for it.
    """
    models = backend.drawable_vehicles()
    model = models[int(rng.integers(len(models)))]
    length = model.length_m
    gap = GAP_M[0] + (GAP_M[1] - GAP_M[0]) * float(rng.uniform()) ** 2
    if room_ahead(info) < gap + length + BEHIND_M:
        return None
    rear = info.place.s + info.situation.front + gap
    middle = rear + 0.5 * length
    if middle > expert.route.length:
        return None
    yaw = expert.route.yaw_at(middle)
    place = expert.route.at(middle) + rng.normal(0.0, SIDEWAYS_M) * np.array((-math.sin(yaw), math.cos(yaw)))
    actors = world.get_actors()
    kinds = ("vehicle.*", "walker.*", "static.prop*")
    bodies = [actor.get_location() for kind in kinds for actor in actors.filter(kind)]
    others = [(body.x, body.y) for body in bodies]
    ahead_of_ego = [other for other in others if math.dist(other, (info.ego.x, info.ego.y)) > 1.0]
    if any(math.dist(other, tuple(place)) < AROUND_M for other in ahead_of_ego):
        return None
    turned = yaw + rng.normal(0.0, TURNED_RAD)
    red, green, blue = (int(value) for value in rng.integers(20, 236, 3))
    vehicle = DrawnVehicle(
        model.type_id,
        float(place[0]),
        float(place[1]),
        float(world.get_map().get_waypoint(carla.Location(*place, 0.0)).transform.location.z),
        yaw=float(turned),
        color=(red, green, blue),
        brake=bool(rng.random() < BRAKING_SHARE),
        seed=int(rng.integers(1 << 30)),
    )
    situation = replace(info.situation, leads=[Lead(rear, 0.0, -1), *info.situation.leads])
    changed = replace(info, situation=situation, lead_distance=gap, lead_id=-1, lead_speed=0.0)
    return at_speed(changed, expert, other_speed(changed, expert, rng)), vehicle
