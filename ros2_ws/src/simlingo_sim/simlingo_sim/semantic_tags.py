"""Which semantic tag CARLA 0.9.15 gives to a vehicle; things have theirs in their model."""

from __future__ import annotations

from simlingo_sim.render.materials import Tag
from simlingo_sim.vehicle_models import VehicleModel

_BY_BASE_TYPE: dict[str, Tag] = {
    "car": Tag.CAR,
    "van": Tag.CAR,
    "truck": Tag.TRUCK,
    "bus": Tag.BUS,
    "motorcycle": Tag.MOTORCYCLE,
    "bicycle": Tag.BICYCLE,
}


def vehicle_tag(model: VehicleModel) -> Tag:
    """The tag of the vehicle itself; who rides it is a ``RIDER``."""
    return Tag.TRUCK if model.tagged_truck else _BY_BASE_TYPE[model.base_type]
