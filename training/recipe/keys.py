"""The keys of a recipe's YAML as fields of dataclasses: each says what it takes, and is refused with the reason."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, TypeVar

from simlingo.arguments import nearest
from simlingo.contracts import InvalidInputError

Read = Callable[[Any], Any]
Keyed = TypeVar("Keyed")


class Product(Enum):
    """What a stage hands on."""

    MODEL = "model"  # a model folder
    DATA = "data"  # a data set's folder
    FIGURES = "figures"  # a JSON file of an evaluation
    REPORT = "report"  # a model folder with its card


def key(read: Read, default: Any = dataclasses.MISSING, *, decides: bool = True, of: Product | None = None) -> Any:
    """A key of the YAML.

    Args:
        read: takes the YAML's value and returns it, or raises ValueError with what it must be.
        default: where the key is not given; without one the key is needed.
        decides: whether another value makes another outcome.
        of: the key names earlier stages, and these hand on such a thing.
    """
    return dataclasses.field(default=default, metadata={"read": read, "decides": decides, "of": of})


def read_keys(kind: type[Keyed], values: Mapping[str, Any], where: str) -> Keyed:
    """A dataclass of the YAML's ``values``; ``where`` names them in errors.

    Raises:
        InvalidInputError: a key that there is not, one that is missing, or a value that it does not take.
    """
    fields = {each.name: each for each in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for name in values:
        if name not in fields:
            raise InvalidInputError(
                f"{where}: there is no key {name}{nearest(str(name), fields)} (keys here: {', '.join(fields)})"
            )
    made = {}
    for name, each in fields.items():
        if name not in values:
            if each.default is dataclasses.MISSING:
                raise InvalidInputError(f"{where}: the key {name} is missing; add it")
            continue
        try:
            made[name] = each.metadata["read"](values[name])
        except ValueError as error:
            raise InvalidInputError(f"{where}: {name} must be {error}, not {values[name]!r}") from error
    return kind(**made)


def whole(least: int = 0) -> Read:
    """Takes a whole number from ``least`` on."""

    def read(value: Any) -> int:
        if type(value) is not int or value < least:
            raise ValueError(f"a whole number, {least} or more")
        return value

    return read


def number(least: float = 0.0, most: float = math.inf, *, above: bool = False) -> Read:
    """Takes a number from ``least`` (``above``: greater than it) to ``most``."""

    def read(value: Any) -> float:
        right = type(value) in (int, float) and least <= value <= most and not (above and value == least)
        if not right or not math.isfinite(value):
            wanted = f"a number above {least:g}" if above else f"a number from {least:g} on"
            raise ValueError(wanted + (f", at most {most:g}" if math.isfinite(most) else ""))
        return float(value)

    return read


def text(value: Any) -> str:
    """Takes a text that is not empty."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text")
    return value.strip()


def flag(value: Any) -> bool:
    """Takes true or false."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def one_of(*names: str) -> Read:
    """Takes one of ``names``."""

    def read(value: Any) -> str:
        if value not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return str(value)

    return read


def texts(value: Any) -> tuple[str, ...]:
    """Takes a text or a list of them."""
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not listed:
        raise ValueError("a name or a list of names")
    return tuple(text(each) for each in listed)


def wholes(value: Any) -> tuple[int, ...]:
    """Takes a whole number or a list of different ones."""
    listed = [value] if type(value) is int else value
    if not isinstance(listed, list) or not listed or len(set(listed)) < len(listed):
        raise ValueError("a whole number or a list of different ones")
    return tuple(whole()(each) for each in listed)


def settings(value: Any) -> dict[str, Any]:
    """Takes plain values by dotted names."""
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise ValueError("dotted names with a value each")
    return dict(value)
