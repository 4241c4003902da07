"""From a wordings file to plain lists of texts; what does not fit is named with file, key and cure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from simlingo.arguments import nearest
from simlingo.contracts import InvalidInputError

_SLOT = re.compile(r"\{(\w+)\}")


#: The reader in C, where PyYAML has it, reads the same many times as fast.
_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BASE):  # type: ignore[misc]
    """Refuses a key that stands twice in one mapping; plain YAML keeps the last and drops the words of the first."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    for key in keys:
        if keys.count(key) > 1:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", node.start_mark)
    values: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return values


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_file(file: Path) -> dict[str, Any]:
    """The top-level keys of a YAML file.

    Raises:
        InvalidInputError: no such file, no YAML, a key twice, or no keys at all; names the file.
    """
    try:
        values = yaml.load(file.read_text(encoding="utf-8"), Loader=_Loader)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"the wordings file {file} cannot be read: {error}; write it as UTF-8") from error
    except yaml.YAMLError as error:
        raise InvalidInputError(f"the wordings file {file} is no valid YAML: {error}") from error
    return section(values, str(file))


def section(values: Any, where: str) -> dict[str, Any]:
    """``values`` as a mapping with text keys; ``where`` is file and key for the error."""
    if not isinstance(values, dict) or not values or not all(isinstance(key, str) for key in values):
        raise InvalidInputError(f"{where} must hold keys of its own that are texts, not {values!r:.80}")
    return values


def texts(values: Any, where: str, least: int = 1) -> tuple[str, ...]:
    """``values`` as a list of texts, none empty, none twice, at least ``least`` of them.

    Raises:
        InvalidInputError: otherwise; names ``where`` and the place in the list.
    """
    if not isinstance(values, list):
        raise InvalidInputError(f"{where} must be a list of texts, a line each with a dash, not {values!r:.80}")
    for number, value in enumerate(values, 1):
        if not isinstance(value, str):
            raise InvalidInputError(f"{where}, entry {number}: {value!r:.80} is no text; put it in quotes")
        if not value.strip() or value != value.strip():
            raise InvalidInputError(
                f"{where}, entry {number}: {value!r} is empty or has spaces at its ends; remove them"
            )
        if values.index(value) != number - 1:
            raise InvalidInputError(f"{where}, entry {number}: {value!r} stands there twice; remove one")
    if len(values) < least:
        raise InvalidInputError(
            f"{where} has {len(values)} entries and needs {least}; write {least - len(values)} more"
        )
    return tuple(values)


def slots_in(text: str, allowed: Collection[str], where: str) -> frozenset[str]:
    """The names of the slots in ``text``.

    Raises:
        InvalidInputError: a brace without its partner, an empty or odd slot, one twice, or one that is not ``allowed``.
    """
    names = _SLOT.findall(text)
    if set(_SLOT.sub("", text)) & set("{}"):
        raise InvalidInputError(f"{where}: {text!r} has a broken slot; a slot is a name in braces, such as {{speed}}")
    for name in names:
        if name not in allowed:
            known = ", ".join(f"{{{each}}}" for each in sorted(allowed)) or "none"
            raise InvalidInputError(
                f"{where}: {text!r} has the unknown slot {{{name}}}{nearest(name, allowed)} (slots here: {known})"
            )
    if len(set(names)) < len(names):
        raise InvalidInputError(f"{where}: {text!r} has a slot twice; write it once")
    return frozenset(names)


def known_keys(values: Mapping[str, Any], wanted: Collection[str], where: str) -> None:
    """Refuse keys that are not ``wanted``, and missing ones."""
    for key in values:
        if key not in wanted:
            raise InvalidInputError(
                f"{where}: there is no key {key}{nearest(key, wanted)} (keys here: {', '.join(wanted)})"
            )
    missing = [key for key in wanted if key not in values]
    if missing:
        raise InvalidInputError(f"{where}: the keys {', '.join(missing)} are missing; add them with their wordings")
