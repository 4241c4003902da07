"""From YAML and ``--set`` to a :class:`training.trainer.config.TrainConfig`; what does not fit is named by its dotted key."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from simlingo.arguments import nearest
from simlingo.contracts import InvalidInputError
from training.trainer.config import TrainConfig

#: Where the configurations that come with the repository lie.
CONFIGS = Path(__file__).resolve().parents[1] / "configs"


def read_config(name_or_file: str, changes: Sequence[str] = ()) -> TrainConfig:
    """The configuration of a name in ``training/configs`` or of a YAML file, with ``changes`` such as ``a.b=c``.

    Raises:
        InvalidInputError: no such configuration, a key that there is not, or a value of another type or out of bounds;
            names the key and the nearest one.
    """
    file = _find(name_or_file)
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InvalidInputError(f"the configuration {file} cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise InvalidInputError(f"the configuration {file} holds no keys; see {CONFIGS / 'simlingo-mini.yaml'}")
    for change in changes:
        _change(values, change)
    return config_of(values, str(file))


def config_of(values: Mapping[str, Any], origin: str) -> TrainConfig:
    """A configuration of nested plain ``values``; keys that are not given have their defaults.

    Raises:
        InvalidInputError: see :func:`read_config`; names ``origin``.
    """
    config: TrainConfig = _section(TrainConfig, values, "", origin)
    return config


def _find(name_or_file: str) -> Path:
    for file in (CONFIGS / f"{name_or_file}.yaml", Path(name_or_file)):
        if file.is_file():
            return file
    names = sorted(file.stem for file in CONFIGS.glob("*.yaml"))
    raise InvalidInputError(
        f"no configuration {name_or_file!r}: it is neither a YAML file nor one of {names}{nearest(name_or_file, names)}"
    )


def _change(values: dict[str, Any], change: str) -> None:
    """Put ``a.b=c`` into nested ``values``."""
    key, equals, text = change.partition("=")
    if not equals or not key.strip():
        raise InvalidInputError(f"--set {change!r} is no key=value; write for example --set schedule.peak_rate=5e-4")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InvalidInputError(f"--set {change!r}: {text!r} is no value that YAML reads") from error
    *sections, last = key.strip().split(".")
    for name in sections:
        inner = values.setdefault(name, {})
        if not isinstance(inner, dict):
            raise InvalidInputError(f"--set {change!r}: {name} is a value, not a section")
        values = inner
    values[last] = value


def _section(kind: type[Any], values: Any, key: str, origin: str) -> Any:
    """A dataclass of plain values."""
    if not isinstance(values, Mapping):
        raise InvalidInputError(f"{origin}: {key} is a section with keys of its own, not {values!r}")
    fields = {each.name: each for each in dataclasses.fields(kind)}
    for name in values:
        if name not in fields:
            place = f"{key}.{name}" if key else str(name)
            raise InvalidInputError(
                f"{origin}: there is no key {place}{nearest(str(name), list(fields))} (keys here: {', '.join(fields)})"
            )
    types_of = typing.get_type_hints(kind)
    made = {}
    for name, value in values.items():
        place = f"{key}.{name}" if key else name
        if dataclasses.is_dataclass(types_of[name]):
            made[name] = _section(types_of[name], value, place, origin)
        else:
            made[name] = _typed(types_of[name], value, place, origin)
            _check_bounds(made[name], fields[name].metadata, place, origin)
    return kind(**made)


_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def _typed(kind: Any, value: Any, key: str, origin: str) -> Any:
    """``value`` as ``kind``: a plain type, or a tuple of them."""
    if isinstance(kind, types.GenericAlias):
        inner = typing.get_args(kind)
        endless = inner[-1] is Ellipsis
        if not isinstance(value, list) or not (endless or len(value) == len(inner)):
            count = "a list" if endless else f"a list of {len(inner)} values"
            raise InvalidInputError(f"{origin}: {key} must be {count}, not {value!r}")
        return tuple(_typed(inner[0], each, key, origin) for each in value)
    if kind is float and isinstance(value, str):
        value = _number_in(value)  # YAML takes 1e-3, without a point, for text
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not kind:
        raise InvalidInputError(f"{origin}: {key} must be {_WORDS[kind]}, not {value!r}")
    return value


def _number_in(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _check_bounds(value: Any, bounds: Mapping[str, Any], key: str, origin: str) -> None:
    if not bounds:
        return
    least, most, above = bounds["least"], bounds["most"], bounds["above"]
    for each in value if isinstance(value, tuple) else (value,):
        if not math.isfinite(each) or not least <= each <= most or (above and each == least):
            wanted = f"above {least:g}" if above else f"{least:g} or more"
            wanted += f" and at most {most:g}" if math.isfinite(most) else ""
            raise InvalidInputError(f"{origin}: {key} must be {wanted}, not {each:g}")
