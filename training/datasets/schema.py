"""The columns of a route file: one row is one view of one frame, with everything known about it.

Frames are CARLA's (x forward, y right, left-handed, yaw in rad and clockwise seen from above). The *view frame* is the frame of
the ego as the camera of that row saw it: the driven ego for ``view`` "ego", a pose beside it for "second".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from simlingo.contracts import PATH_POINTS, SPEED_WAYPOINTS, Command
from simlingo_drive.expert.causes import Cause

#: Changes when a column changes its name, type or meaning.
SCHEMA_VERSION = 1
#: Key of our JSON in a file's metadata.
METADATA_KEY = "simlingo"
EGO, SECOND = "ego", "second"
VIEWS = (EGO, SECOND)
LIGHT_STATES = ("none", "red", "yellow", "green")
#: What a second view shows that is not so: a vehicle more, a place nearer to what the expert stops for, another light.
COUNTERFACTUALS = ("", "lead", "nearer", "light")
CAUSES = tuple(cause.name.lower() for cause in Cause)
#: Points of ``route_m``.
ROUTE_POINTS = 40
#: Rows and columns of the picture between two stored depths.
DEPTH_STEP = 4

#: How Hugging Face ``datasets`` stores a picture.
PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_STOP = pa.struct([("reason", pa.string()), ("distance_m", pa.float32()), ("actor_id", pa.int64())])
_ACTOR_STATE = pa.struct(
    [
        ("tick", pa.int32()), ("id", pa.int64()),
        *((name, pa.float32()) for name in ("x_m", "y_m", "z_m", "yaw_rad", "vx_mps", "vy_mps", "yaw_rate_rps")),
    ]
)  # fmt: skip
_LIGHT_STATE = pa.struct([("tick", pa.int32()), ("id", pa.int64()), ("state", pa.int8())])


@dataclass(frozen=True)
class Column:
    """One column: its type, what its values are, and in which unit and frame they stand."""

    name: str
    type: pa.DataType
    meaning: str
    unit: str = ""
    frame: str = ""
    nullable: bool = False
    values: tuple[Any, ...] = ()  # the only ones it may hold; empty: any
    shape: tuple[int, ...] = ()  # of a row's value, of number lists only

    def field(self) -> pa.Field:
        """The Arrow field, with its documentation.

        Arrow takes null everywhere: Hugging Face ``datasets`` follows our metadata only where fields equal its own, which do.
        """
        notes = {"description": self.meaning, "unit": self.unit, "frame": self.frame}
        return pa.field(self.name, self.type, metadata={key: text for key, text in notes.items() if text})


def _points(count: int) -> tuple[pa.DataType, tuple[int, ...]]:
    return pa.list_(pa.float32(), 2 * count), (count, 2)


def _point_column(name: str, count: int, meaning: str, frame: str = "view", nullable: bool = False) -> Column:
    kind, shape = _points(count)
    return Column(name, kind, f"{meaning} (x0, y0, x1, y1, ...)", "m", frame, nullable, shape=shape)


_COMMANDS = tuple(int(command) for command in Command)
_COMMAND_NAMES = ", ".join(f"{int(command)} {command.name.lower()}" for command in Command)
_I8, _I32, _I64, _F32, _F64, _TEXT, _BOOL = (
    pa.int8(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.string(), pa.bool_(),
)  # fmt: skip

COLUMNS: tuple[Column, ...] = (
    Column("frame", _I32, "number of the frame in its route; four a second"),
    Column("tick", _I32, "tick of the route at which the picture was taken; twenty a second"),
    Column("stamp_ns", _I64, "simulation time", "ns"),
    Column("view", _TEXT, "ego: what the camera saw; second: shifted and turned, often counterfactual", values=VIEWS),
    Column("image", PICTURE, "JPEG of quality 95, 4:2:0, RGB, as large as the camera"),
    Column("semantic", PICTURE, "PNG of the picture's size: CARLA 0.9.15 tags; lit lenses 101 red, 102 yellow, 103 green"),
    Column("depth", PICTURE, "PNG of 16 bits: depth along the camera's axis, every 4th row and column", "cm", "camera"),
    Column("view_x_m", _F64, "place of the view's ego", "m", "map"),
    Column("view_y_m", _F64, "place of the view's ego", "m", "map"),
    Column("view_yaw_rad", _F64, "heading of the view's ego", "rad", "map"),
    Column("ego_x_m", _F64, "place of the driven ego", "m", "map"),
    Column("ego_y_m", _F64, "place of the driven ego", "m", "map"),
    Column("ego_z_m", _F64, "height of the driven ego", "m", "map"),
    Column("ego_yaw_rad", _F64, "heading of the driven ego", "rad", "map"),
    Column("ego_speed_mps", _F32, "speed of the driven ego", "m/s"),
    Column("ahead_m", _F32, "the view stands so far ahead of the ego along the route, before shift and turn", "m", "route"),
    Column("shift_m", _F32, "the view is shifted so far to the right", "m", "ego"),
    Column("turn_rad", _F32, "the view is turned so far clockwise, after the shift", "rad", "ego"),
    Column("counterfactual", _TEXT, "what the view shows that is not so: empty, lead, nearer, light", values=COUNTERFACTUALS),
    Column("counterfactual_detail", _TEXT, "JSON: what was drawn or changed; empty without"),
    Column("speed_mps", _F32, "speed that the labels of this view hold for", "m/s"),
    _point_column("target_points_m", 2, "next two sparse points of the route"),
    Column("command", _I8, f"command at the next target: {_COMMAND_NAMES}", values=_COMMANDS),
    Column("next_command", _I8, "the command after it", values=_COMMANDS),
    Column("distance_to_command_m", _F32, "distance to where the command is to be carried out", "m"),
    _point_column("path_m", PATH_POINTS, "path of the expert, a point a metre, the first at the car"),
    _point_column("speed_waypoints_m", SPEED_WAYPOINTS, "where the expert would be in 0.25 s, 0.5 s, ... 2.5 s"),
    Column("target_speed_mps", _F32, "speed that the expert wants half a second from now", "m/s"),
    Column("other_speed_mps", _F32, "a speed that the ego did not have there", "m/s"),
    _point_column("other_speed_waypoints_m", SPEED_WAYPOINTS, "speed waypoints of an expert at the other speed"),
    Column("cause", _TEXT, f"what bounds the expert's speed: {', '.join(CAUSES)}", values=CAUSES),
    Column("other_cause", _TEXT, "what bounds it at the other speed", values=CAUSES),
    Column("hazard", _BOOL, "a vehicle or pedestrian makes the expert slow down"),
    Column("light_state", _TEXT, "the light that holds for the ego: none, red, yellow, green", values=LIGHT_STATES),
    Column("light_distance_m", _F32, "bumper to the light's stop line along the route; null without", "m", "route", True),
    Column("lead_distance_m", _F32, "bumper to bumper of the vehicle ahead; null without", "m", "route", True),
    Column("lead_speed_mps", _F32, "speed of the vehicle ahead; null without", "m/s", "", True),
    Column("speed_limit_mps", _F32, "speed limit", "m/s"),
    Column("acceleration_mps2", _F32, "acceleration that the expert wants now", "m/s^2"),
    Column("junction", _BOOL, "the ego is in a junction"),
    Column("cause_actor_id", _I64, "actor that bounds the expert's speed; null without", nullable=True),
    Column("cause_distance_m", _F32, "distance to what bounds it; null without", "m", "route", True),
    Column("stops", pa.list_(_STOP), "places where the expert must stand: reason, distance, actor", "m", "route"),
    _point_column("route_m", ROUTE_POINTS, "route ahead, a point a metre from 2.5 m on; null in second views", "ego", True),
    Column("steer", _F32, "control that was applied, right positive", "-1..1"),
    Column("throttle", _F32, "control that was applied", "0..1"),
    Column("brake", _F32, "control that was applied", "0..1"),
    Column("model_drives", _BOOL, "a model drove, not the expert"),
    Column("disturbed", _BOOL, "the control was disturbed on purpose"),
    Column("boxes", _TEXT, "JSON list: actors, lights, signs, weather and lane around the ego; null in second views", "m, rad", "ego", True),
    Column("actor_states", pa.list_(_ACTOR_STATE), "all vehicles and walkers at each tick since the frame before; null in second views", "m, rad, m/s, rad/s", "map", True),
    Column("light_states", pa.list_(_LIGHT_STATE), "all lights at each tick since the frame before (carla.TrafficLightState); null in second views", nullable=True),
)  # fmt: skip
BY_NAME = {column.name: column for column in COLUMNS}
#: Columns with a picture, and those that second views leave null.
PICTURES = tuple(column.name for column in COLUMNS if column.type == PICTURE)
EGO_ONLY = ("route_m", "boxes", "actor_states", "light_states")


def _feature(kind: pa.DataType) -> Any:
    """The type in the words of Hugging Face ``datasets``."""
    if kind == PICTURE:
        return {"_type": "Image"}
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    if pa.types.is_fixed_size_list(kind):
        return {"feature": _feature(kind.value_type), "length": kind.list_size, "_type": "Sequence"}
    if pa.types.is_list(kind):
        return [_feature(kind.value_type)]
    name = {"double": "float64", "float": "float32"}.get(str(kind), str(kind))
    return {"dtype": name, "_type": "Value"}


#: What makes Hugging Face ``datasets`` show the pictures as pictures.
HUGGINGFACE = json.dumps({"info": {"features": {column.name: _feature(column.type) for column in COLUMNS}}})
SCHEMA = pa.schema([column.field() for column in COLUMNS], metadata={"huggingface": HUGGINGFACE})


def leaves(kind: pa.DataType, path: str) -> list[tuple[str, pa.DataType]]:
    """The Parquet columns below the Arrow column ``path``, each with its type."""
    if pa.types.is_struct(kind):
        return [leaf for field in kind for leaf in leaves(field.type, f"{path}.{field.name}")]
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return leaves(kind.value_type, f"{path}.list.element")
    return [(path, kind)]


def describe() -> str:
    """All columns as a Markdown table."""
    lines = ["| column | type | unit | frame | meaning |", "|---|---|---|---|---|"]
    for column in COLUMNS:
        kind = "picture" if column.type == PICTURE else _short(column.type)
        lines.append(
            f"| `{column.name}` | {kind}{' or null' if column.nullable else ''} | {column.unit} | {column.frame} | {column.meaning} |"
        )
    return "\n".join(lines) + "\n"


def _short(kind: pa.DataType) -> str:
    if pa.types.is_fixed_size_list(kind):
        return f"{kind.list_size} x {_short(kind.value_type)}"
    if pa.types.is_list(kind):
        fields = kind.value_type
        return "list of (" + ", ".join(f"{field.name} {_short(field.type)}" for field in fields) + ")"
    return {"double": "float64", "float": "float32"}.get(str(kind), str(kind))
