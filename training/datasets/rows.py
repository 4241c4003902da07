"""Rows as a program has them (numpy values, pictures as arrays) and as a file stores them; checked on the way in."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from simlingo.contracts import InvalidInputError
from training.datasets import pictures
from training.datasets.files import plain
from training.datasets.schema import BY_NAME, COLUMNS, EGO, EGO_ONLY, PICTURE, Column

_ENCODERS: dict[str, Callable[[Any], bytes]] = {
    "image": pictures.encode_image,
    "semantic": pictures.encode_semantic,
    "depth": pictures.encode_depth,
}
_DECODERS: dict[str, Callable[[bytes], Any]] = {
    "image": pictures.decode_image,
    "semantic": pictures.decode_semantic,
    "depth": pictures.decode_depth,
}
_ENDINGS = {"image": "jpg", "semantic": "png", "depth": "png"}
#: Text columns that hold JSON; values that are no text are written as such.
_JSON = ("boxes", "counterfactual_detail")


def stored(row: Mapping[str, Any]) -> dict[str, Any]:
    """``row`` as Arrow takes it.

    Args:
        row: a value for each column, numpy values welcome; pictures as arrays, ``depth`` (H, W) in m in full size. Nullable
            columns may be missing.

    Raises:
        InvalidInputError: names the column that is unknown, missing, not finite, or of another shape or value than it may have.
    """
    unknown = sorted(set(row) - set(BY_NAME))
    if unknown:
        raise InvalidInputError(f"the schema has no column {', '.join(unknown)}; see training/datasets/schema.py")
    where = f"{row.get('view')} of frame {row.get('frame')}"
    result = {column.name: _stored_value(column, row.get(column.name), where) for column in COLUMNS}
    for name, ending in _ENDINGS.items():
        path = f"{int(result['frame']):05d}_{result['view']}.{ending}"
        result[name] = {"bytes": _ENCODERS[name](np.asarray(row[name])), "path": path}
    if result["view"] != EGO and any(result[name] is not None for name in EGO_ONLY):
        raise InvalidInputError(f"{where}: {', '.join(EGO_ONLY)} belong to the ego's view only; leave them out")
    return result


def loaded(record: Mapping[str, Any]) -> dict[str, Any]:
    """A row, or some of its columns, as a program wants it: pictures decoded, points as float32 arrays (N, 2) in m."""
    result: dict[str, Any] = {}
    for name, value in record.items():
        column = BY_NAME[name]
        if column.type == PICTURE:
            result[name] = _DECODERS[name](value["bytes"])
        elif column.shape and value is not None:
            result[name] = np.asarray(value, dtype=np.float32).reshape(column.shape)
        else:
            result[name] = value
    return result


def _stored_value(column: Column, value: Any, where: str) -> Any:
    if value is None:
        if not column.nullable:
            raise InvalidInputError(f"{where}: column {column.name} is missing")
        return None
    if column.type == PICTURE:
        return value
    if column.name in _JSON and not isinstance(value, str):
        return json.dumps(value, default=plain)
    if column.shape:
        array = np.asarray(value, dtype=np.float32)
        if array.shape != column.shape or not np.isfinite(array).all():
            raise InvalidInputError(
                f"{where}: {column.name} must be finite and of shape {column.shape}, got shape {array.shape}: {value}"
            )
        return array.reshape(-1)
    if isinstance(value, np.generic):
        value = value.item()
    if pa.types.is_floating(column.type) and not math.isfinite(value):
        cure = "leave it out where there is none" if column.nullable else "it must be finite"
        raise InvalidInputError(f"{where}: {column.name} is {value}; {cure}")
    if pa.types.is_integer(column.type) and not isinstance(value, int):
        raise InvalidInputError(f"{where}: {column.name} is {value!r}; it must be a whole number")
    if column.values and value not in column.values:
        raise InvalidInputError(f"{where}: {column.name} is {value!r}; it must be one of {column.values}")
    return value
