"""Blueprints: what can be spawned, with which attributes. Own classes with the attributes of carla's."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass, replace

import carla

from simlingo_sim.errors import SimulatorError, unknown_name
from simlingo_sim.object_models import MESH_BLUEPRINT, OBJECT_MODELS, PARKED_VEHICLES, ObjectModel
from simlingo_sim.vehicle_models import VEHICLE_MODELS, VehicleModel

_PAINTS = ("20,20,22", "235,236,238", "120,124,128", "170,20,25", "24,52,120", "30,80,52", "198,176,120", "72,76,84")
#: Size of a walker's body: length, width, height in m.
WALKER_SIZE = (0.5, 0.5, 1.76)
WALKER_COUNT = 12


@dataclass(frozen=True)
class ActorAttribute:
    """One attribute of a blueprint; the value is kept as text, as carla does."""

    id: str
    value: str
    kind: str = "str"  # str, int, float, bool
    recommended_values: tuple[str, ...] = ()
    is_modifiable: bool = True

    def as_str(self) -> str:
        return self.value

    def as_int(self) -> int:
        return int(self.value)

    def as_float(self) -> float:
        return float(self.value)

    def as_bool(self) -> bool:
        return self.value.lower() in ("true", "1")

    def __str__(self) -> str:
        return self.value

    def __eq__(self, other: object) -> bool:
        return self.value == (other.value if isinstance(other, ActorAttribute) else str(other))

    def __hash__(self) -> int:
        return hash(self.value)


class ActorBlueprint:
    """A kind of actor and the attributes it will be spawned with."""

    def __init__(self, type_id: str, attributes: tuple[ActorAttribute, ...]) -> None:
        self.id = type_id
        self._attributes = {attribute.id: attribute for attribute in attributes}

    @property
    def tags(self) -> list[str]:
        return self.id.split(".")

    def has_tag(self, tag: str) -> bool:
        return tag in self.tags

    def match_tags(self, wildcard: str) -> bool:
        return fnmatch.fnmatchcase(self.id, wildcard) or any(fnmatch.fnmatchcase(tag, wildcard) for tag in self.tags)

    def has_attribute(self, name: str) -> bool:
        return name in self._attributes

    def get_attribute(self, name: str) -> ActorAttribute:
        """The attribute called ``name``; :class:`SimulatorError` where this blueprint has none such."""
        if name not in self._attributes:
            raise unknown_name(f"attribute of {self.id}", name, self._attributes)
        return self._attributes[name]

    def set_attribute(self, name: str, value: str) -> None:
        """Set an attribute from text; :class:`SimulatorError` for an unknown name, a fixed one or a value of another kind."""
        attribute = self.get_attribute(name)
        if not attribute.is_modifiable:
            raise SimulatorError(f"attribute '{name}' of {self.id} cannot be changed (it is {attribute.value})")
        text = str(value)
        try:
            {"int": int, "float": float}.get(attribute.kind, str)(text)
        except ValueError:
            raise SimulatorError(f"attribute '{name}' of {self.id} needs {attribute.kind}, not '{text}'") from None
        self._attributes[name] = replace(attribute, value=text)

    def values(self) -> dict[str, str]:
        """All attributes as text, as ``Actor.attributes`` shows them."""
        return {name: attribute.value for name, attribute in self._attributes.items()}

    def copy(self) -> ActorBlueprint:
        return ActorBlueprint(self.id, tuple(self._attributes.values()))

    def __iter__(self) -> Iterator[ActorAttribute]:
        return iter(self._attributes.values())

    def __len__(self) -> int:
        return len(self._attributes)

    def __repr__(self) -> str:
        return f"ActorBlueprint(id={self.id})"


class BlueprintLibrary:
    """All blueprints in a fixed order."""

    def __init__(self, blueprints: list[ActorBlueprint]) -> None:
        self._blueprints = blueprints

    def filter(self, wildcard: str) -> BlueprintLibrary:
        """The blueprints whose id or a tag of it matches ``wildcard`` (``vehicle.*``); may be empty."""
        return BlueprintLibrary([blueprint for blueprint in self._blueprints if blueprint.match_tags(wildcard)])

    def find(self, type_id: str) -> ActorBlueprint:
        """A fresh copy of one blueprint; :class:`SimulatorError` naming the nearest where it does not exist."""
        for blueprint in self._blueprints:
            if blueprint.id == type_id:
                return blueprint.copy()
        raise unknown_name("blueprint", type_id, (blueprint.id for blueprint in self._blueprints))

    def __iter__(self) -> Iterator[ActorBlueprint]:
        return (blueprint.copy() for blueprint in self._blueprints)

    def __len__(self) -> int:
        return len(self._blueprints)

    def __getitem__(self, index: int) -> ActorBlueprint:
        return self._blueprints[index].copy()


def make_library() -> BlueprintLibrary:
    """Every blueprint of the embedded world."""
    found = [_vehicle(model) for model in VEHICLE_MODELS.values()]
    for number in range(1, WALKER_COUNT + 1):
        found.append(
            ActorBlueprint(
                f"walker.pedestrian.{number:04d}",
                (
                    ActorAttribute("role_name", "pedestrian"),
                    ActorAttribute("is_invincible", "false", "bool"),
                    ActorAttribute("speed", "1.4", "float", ("0.0", "1.4", "2.8")),
                ),
            )
        )
    found.append(ActorBlueprint("controller.ai.walker", (ActorAttribute("role_name", "default"),)))
    found += [_camera(kind) for kind in ("rgb", "semantic_segmentation", "depth")]
    found.append(_sensor("imu", *(f"noise_{kind}_stddev_{axis}" for kind in ("accel", "gyro") for axis in "xyz")))
    found.append(_sensor("gnss", "noise_alt_stddev", "noise_lat_stddev", "noise_lon_stddev"))
    found.append(_sensor("collision"))
    found.append(_sensor("lane_invasion"))
    found += [_prop(model) for model in OBJECT_MODELS.values()]
    found.append(_parked_vehicle())
    return BlueprintLibrary(found)


def paint_of(attributes: dict[str, str]) -> tuple[int, int, int]:
    """RGB (0-255) of the ``color`` attribute; :class:`SimulatorError` where it is not three numbers."""
    try:
        red, green, blue = (min(max(int(part), 0), 255) for part in attributes["color"].split(","))
    except ValueError:
        raise SimulatorError(f"color '{attributes['color']}' is not three numbers like '170,20,25'") from None
    return red, green, blue


def object_box(attributes: dict[str, str]) -> carla.BoundingBox:
    """Bounding box of a thing or a parked vehicle, about the middle of its footprint on the ground."""
    if "mesh_path" in attributes:
        model = parked_model(attributes)
        length, width, height = model.length, model.width, model.height
    else:
        length, width, height = (float(part) for part in attributes["size_m"].split(","))
    return carla.BoundingBox(carla.Location(0.0, 0.0, height / 2), carla.Vector3D(length / 2, width / 2, height / 2))


def parked_model(attributes: dict[str, str]) -> VehicleModel:
    """The vehicle that ``mesh_path`` stands for; :class:`SimulatorError` where this world has no such mesh."""
    mesh = attributes["mesh_path"]
    if mesh not in PARKED_VEHICLES:
        raise unknown_name("mesh_path", mesh, PARKED_VEHICLES)
    return VEHICLE_MODELS[PARKED_VEHICLES[mesh]]


def _vehicle(model: VehicleModel) -> ActorBlueprint:
    paints = model.paints or _PAINTS
    return ActorBlueprint(
        model.type_id,
        (
            ActorAttribute("role_name", "autopilot", recommended_values=("autopilot", "hero", "ego_vehicle")),
            ActorAttribute("color", paints[0], recommended_values=paints),
            ActorAttribute("base_type", model.base_type, is_modifiable=False),
            ActorAttribute("number_of_wheels", str(model.wheels), "int", is_modifiable=False),
            ActorAttribute("generation", "2", "int", is_modifiable=False),
        ),
    )


def _camera(kind: str) -> ActorBlueprint:
    return ActorBlueprint(
        f"sensor.camera.{kind}",
        (
            ActorAttribute("role_name", kind),
            ActorAttribute("image_size_x", "800", "int"),
            ActorAttribute("image_size_y", "600", "int"),
            ActorAttribute("fov", "90.0", "float"),
            ActorAttribute("sensor_tick", "0.0", "float"),
        ),
    )


def _sensor(kind: str, *noises: str) -> ActorBlueprint:
    return ActorBlueprint(
        f"sensor.other.{kind}",
        (
            ActorAttribute("role_name", kind),
            ActorAttribute("sensor_tick", "0.0", "float"),
            *(ActorAttribute(noise, "0.0", "float") for noise in noises),
        ),
    )


def _prop(model: ObjectModel) -> ActorBlueprint:
    size = ",".join(str(part) for part in (model.length, model.width, model.height))
    return ActorBlueprint(
        model.type_id,
        (ActorAttribute("role_name", "prop"), ActorAttribute("size_m", size, is_modifiable=False)),
    )


def _parked_vehicle() -> ActorBlueprint:
    meshes = tuple(PARKED_VEHICLES)
    return ActorBlueprint(
        MESH_BLUEPRINT,
        (
            ActorAttribute("role_name", "prop"),
            ActorAttribute("mesh_path", meshes[0], recommended_values=meshes),
            ActorAttribute("color", _PAINTS[0], recommended_values=_PAINTS),
        ),
    )
