"""What may stand about besides vehicles: names as in CARLA 0.9.15's catalogue of props, sizes of such things.

CARLA's semantic tag of a mesh is the name of its folder: what is used to build roads lies in Static/Dynamic/Construction
and is "Dynamic", a bench lies in Static/Static and is "Static", rubble in Static/Other.
"""

from __future__ import annotations

from dataclasses import dataclass

from simlingo_sim.render.materials import Tag
from simlingo_sim.vehicle_models import VehicleModel, traffic_models


@dataclass(frozen=True)
class ObjectModel:
    """One kind of thing. Its front looks along x; lengths in m."""

    type_id: str
    length: float  # along x
    width: float  # along y
    height: float
    tag: Tag


_DYNAMIC: dict[str, tuple[float, float, float]] = {
    "trafficcone01": (0.40, 0.40, 0.70),
    "trafficcone02": (0.46, 0.46, 0.92),
    "constructioncone": (0.34, 0.34, 0.58),
    "streetbarrier": (1.20, 0.40, 1.00),
    "trafficwarning": (2.20, 2.40, 3.40),
    "warningconstruction": (0.60, 1.00, 1.35),
    "warningaccident": (0.60, 1.00, 1.35),
    "ironplank": (2.40, 0.50, 0.30),
    "barrel": (0.60, 0.60, 0.90),
    "bin": (0.74, 0.60, 1.08),
    "container": (1.10, 1.90, 1.40),
    "clothcontainer": (1.10, 1.20, 1.90),
    "glasscontainer": (1.40, 1.40, 1.70),
    "trashcan01": (0.50, 0.50, 0.95),
    "trashcan03": (0.46, 0.60, 1.00),
    "trashbag": (0.60, 0.60, 0.55),
    "box01": (0.60, 0.60, 0.60),
    "box02": (0.50, 0.40, 0.36),
    "box03": (0.90, 0.60, 0.50),
    "creasedbox01": (0.70, 0.56, 0.36),
    "advertisement": (0.60, 0.70, 1.05),
    "table": (1.00, 1.60, 0.78),
    "shoppingcart": (0.90, 0.56, 1.00),
    "haybale": (1.30, 1.20, 1.20),
    "trailer": (3.40, 1.70, 1.50),  # CARLA has none: the name is ours
}
_STATIC: dict[str, tuple[float, float, float]] = {
    "trashcan02": (0.56, 0.56, 1.05),
    "trashcan04": (0.40, 0.70, 1.10),
    "trashcan05": (0.50, 0.50, 1.20),
    "bench01": (0.62, 1.80, 0.86),
    "bench02": (0.50, 1.60, 0.46),
    "bench03": (0.66, 1.60, 0.90),
    "busstop": (1.50, 3.60, 2.60),
    "mailbox": (0.50, 0.50, 1.25),
    "vendingmachine": (0.80, 0.95, 1.85),
    "kiosk_01": (2.20, 2.40, 2.80),
    "plantpot01": (0.90, 0.90, 1.10),
    "plantpot04": (0.60, 1.40, 0.90),
}
_OTHER: dict[str, tuple[float, float, float]] = {"dirtdebris01": (1.60, 1.30, 0.42), "dirtdebris02": (1.10, 0.90, 0.28)}

#: Every thing that is no vehicle, by blueprint id.
OBJECT_MODELS: dict[str, ObjectModel] = {
    f"static.prop.{name}": ObjectModel(f"static.prop.{name}", *size, tag)
    for sizes, tag in ((_DYNAMIC, Tag.DYNAMIC), (_STATIC, Tag.STATIC), (_OTHER, Tag.OTHER))
    for name, size in sizes.items()
}

#: A vehicle that nobody drives: CARLA's blueprint for any mesh, with the mesh and, ours, the paint as attributes.
MESH_BLUEPRINT = "static.prop.mesh"
_FOLDER = "/Game/Carla/Static/Car/4Wheeled/ParkedVehicles"
#: Parked vehicles that CARLA has a mesh of, by the kind they look like here.
_CARLA_MESHES = {
    "vehicle.lincoln.mkz_2020": "Lincoln/SM_LincolnParked",
    "vehicle.tesla.model3": "TeslaM3/SM_TeslaM3_parked",
    "vehicle.mercedes.coupe": "MercedesCCC/SM_MercedesCCC_Parked",
    "vehicle.mini.cooper_s": "Mini2021/SM_Mini2021_parked",
    "vehicle.nissan.patrol": "NissanPatrol2021/SM_NissanPatrol2021_parked",
    "vehicle.volkswagen.t2": "VolkswagenT2/SM_VolkswagenT2_2021_Parked",
    "vehicle.ford.crown": "FordCrown/SM_FordCrown_parked",
}
_ALSO_PARKED = ("vehicle.dodge.charger_police", "vehicle.ford.ambulance", "vehicle.jeep.wrangler_rubicon")


def mesh_path_of(type_id: str) -> str:
    """The attribute ``mesh_path`` of a parked vehicle that looks like ``type_id``."""
    name = "".join(part.capitalize() for part in type_id.split(".")[1:])
    mesh = _CARLA_MESHES.get(type_id, f"{name}/SM_{name}_parked")
    return f"{_FOLDER}/{mesh}.{mesh.split('/')[1]}"


def _parked(model: VehicleModel) -> bool:
    return model.base_type in ("car", "van")


#: Kind of vehicle by the mesh of one that is parked.
PARKED_VEHICLES: dict[str, str] = {
    mesh_path_of(type_id): type_id
    for type_id in (
        *(model.type_id for model in traffic_models() if _parked(model)),
        "vehicle.ford.crown",
        *_ALSO_PARKED,
    )
}
