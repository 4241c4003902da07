"""The faults of a campaign, each a few lines of YAML."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from simlingo.arguments import nearest
from simlingo.contracts import InvalidInputError
from simlingo_node.faults.changes import CHANGES, Change

#: What is done to a whole node.
PROCESS = ("kill", "stop")
#: What others do beside the stack.
OTHERS = ("publisher", "flood", "transition", "parameter", "take-over")


@dataclass(frozen=True)
class Fault:
    """One fault: what, where, how long, and what must be said of it."""

    name: str
    kind: str  # one kind with other numbers is one kind
    where: str  # a topic of the relay, "node" or "other"
    what: str  # the change's name, or what is done
    numbers: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 3.0  # of simulation
    node: str = ""  # whose state names it, and what is stopped, killed or asked
    says: str = ""  # regular expression that the state's detail or mode must match; empty: nothing is expected
    undetectable: str = ""  # why nobody can notice it
    confirmed: bool = False  # the node drives again only when a person activates it, which the campaign then does

    def change(self) -> Change:
        """A new change for the relay."""
        return CHANGES[self.where][self.what](**self.numbers)


def read_faults(path: Path) -> list[Fault]:
    """The faults of a file in their order.

    Raises:
        InvalidInputError: it cannot be read, or an entry names what there is not.
    """
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InvalidInputError(f"the faults {path} cannot be read: {error}") from error
    if not isinstance(entries, list):
        raise InvalidInputError(f"{path} is no list of faults")
    faults = [_fault(entry, path) for entry in entries]
    names = [fault.name for fault in faults]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidInputError(f"{path} names {', '.join(twice)} twice")
    return faults


def chosen(faults: list[Fault], names: list[str]) -> list[Fault]:
    """Those with these names, all without any.

    Raises:
        InvalidInputError: there is no such fault; names the nearest.
    """
    known = {fault.name: fault for fault in faults}
    for name in names:
        if name not in known:
            raise InvalidInputError(
                f"there is no fault {name!r}{nearest(name, list(known))}; known are: {', '.join(known)}"
            )
    return [fault for fault in faults if not names or fault.name in names]


def _fault(entry: object, path: Path) -> Fault:
    if not isinstance(entry, dict):
        raise InvalidInputError(f"{path}: {entry!r} is no fault; write name, kind, where and what")
    fields = list(inspect.signature(Fault).parameters)
    for key in entry:
        if key not in fields:
            raise InvalidInputError(f"{path}: {entry.get('name')} has no key {key!r}{nearest(str(key), fields)}")
    try:
        fault = Fault(**entry)
    except TypeError as error:
        raise InvalidInputError(f"{path}: {entry.get('name')} lacks name, kind, where or what ({error})") from error
    known = {
        **{topic: list(changes) for topic, changes in CHANGES.items()},
        "node": list(PROCESS),
        "other": list(OTHERS),
    }
    if fault.where not in known:
        raise InvalidInputError(f"{path}: {fault.name} is nowhere: {fault.where!r}{nearest(fault.where, list(known))}")
    if fault.what not in known[fault.where]:
        raise InvalidInputError(
            f"{path}: {fault.name}: nothing called {fault.what!r} can be done to {fault.where}"
            f"{nearest(fault.what, known[fault.where])}; known are: {', '.join(known[fault.where])}"
        )
    if fault.where in CHANGES:
        try:
            fault.change()
        except TypeError as error:
            raise InvalidInputError(f"{path}: {fault.name} has wrong numbers ({error})") from error
    return fault
