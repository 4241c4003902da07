"""Launch arguments, which are text, as options of the stack. Knows no ``launch``, so it is tested without."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from simlingo.contracts import InvalidInputError
from simlingo_node.stack import StackOptions

_DEFAULTS = StackOptions()
_TRUTH = {"true": True, "1": True, "false": False, "0": False}


def launch_default(name: str) -> str:
    """Default of the argument ``name`` as text."""
    value = getattr(_DEFAULTS, name)
    if isinstance(value, bool):
        return str(value).lower()
    return ";".join(value) if isinstance(value, tuple) else str(value)


def options_from_launch(given: Mapping[str, str]) -> StackOptions:
    """Options from the text of every argument.

    Raises:
        InvalidInputError: a text is no value of its argument's kind.
    """
    return StackOptions(**{field.name: _value(field.name, given[field.name]) for field in fields(StackOptions)})


def _value(name: str, text: str) -> Any:
    default = getattr(_DEFAULTS, name)
    try:
        if name == "page_port":
            return int(text) if int(text) >= 0 else None
        if isinstance(default, bool):
            return _TRUTH[text.strip().lower()]
        if isinstance(default, tuple):
            return tuple(part.strip() for part in text.split(";") if part.strip())
        return type(default)(text)
    except (ValueError, KeyError) as error:
        kind = "true or false" if isinstance(default, bool) else type(default).__name__
        raise InvalidInputError(f"launch argument {name}:='{text}' must be {kind}") from error
