"""ROS 2 message definitions as bags hold them: a type's own text, then that of every type it uses."""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from simlingo.contracts import SimlingoError

_SEPARATOR = "\n" + "=" * 80 + "\n"
_BUILT_IN = re.compile(r"^(bool|byte|char|u?int(8|16|32|64)|float(32|64)|w?string)(<=\d+)?$")
_FIELD = re.compile(r"^\s*(?P<type>[A-Za-z]\w*(?:/\w+){0,2}(?:<=\d+)?)(?:\[[^\]]*\])?\s+[A-Za-z]\w*")


def _share(package: str) -> Path:
    """The share directory of ``package``: of the installation that its Python module was imported from.

    Raises:
        SimlingoError: the package is not installed, or without its definitions.
    """
    module = find_spec(package)
    if module is not None and module.origin is not None:
        for prefix in Path(module.origin).parents:
            if (prefix / "share" / package / "msg").is_dir():
                return prefix / "share" / package
    raise SimlingoError(f"the message definitions of {package} are not installed; build them: ./simlingo doctor")


@cache
def _text(type_name: str) -> str:
    package, _, name = type_name.partition("/msg/")
    return (_share(package) / "msg" / f"{name}.msg").read_text(encoding="utf-8")


def _used_types(type_name: str) -> list[str]:
    """Types of the fields of ``type_name`` that are messages themselves, in order, each once."""
    package = type_name.split("/")[0]
    used: list[str] = []
    for line in _text(type_name).splitlines():
        field = _FIELD.match(line.split("#")[0])
        if field is None or _BUILT_IN.match(field["type"]):
            continue
        parts = field["type"].split("/")
        full = f"{parts[0] if len(parts) > 1 else package}/msg/{parts[-1]}"
        if full not in used:
            used.append(full)
    return used


def message_definition(type_name: str) -> str:
    """The whole definition of ``type_name`` ("package/msg/Name") as MCAP's ``ros2msg`` encoding wants it.

    Raises:
        SimlingoError: the type, or one that it uses, is not installed.
    """
    known = [type_name]
    for name in known:
        known.extend(used for used in _used_types(name) if used not in known)
    parts = [_text(type_name)]
    parts += [f"MSG: {name.replace('/msg/', '/')}\n{_text(name)}" for name in known[1:]]
    return _SEPARATOR.join(parts)
