"""Which stacks run on this machine: each ``./simlingo drive`` leaves a note as long as it lives."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Running:
    """One running stack."""

    domain: int  # ROS domain
    title: str  # what it drives, for people


def _note(domain: int) -> Path:
    return Path(tempfile.gettempdir()) / f"simlingo-{os.getuid()}-stack-{domain}.json"


@contextmanager
def announced(stack: Running) -> Iterator[None]:
    """``stack`` can be found meanwhile; the note is locked, so that one whose writer was killed tells so."""
    path = _note(stack.domain)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        json.dump({"domain": stack.domain, "title": stack.title}, file)
        file.flush()
        temporary.replace(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)


def running_stacks() -> list[Running]:
    """All stacks of this user that run now, by domain; notes of dead ones are removed."""
    found = []
    for path in Path(tempfile.gettempdir()).glob(_note(0).name.replace("-0.json", "-*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError), path.open(encoding="utf-8") as file:
            if _is_locked(file.fileno()):
                note = json.load(file)
                found.append(Running(int(note["domain"]), str(note["title"])))
            else:
                path.unlink(missing_ok=True)
    return sorted(found, key=lambda stack: stack.domain)


def find_stack(wanted: int | None) -> int:
    """The domain of the one stack that runs; of the one ``wanted``, which may be of another start than ours.

    Raises:
        SimlingoError: none runs, or several do and none is wanted.
    """
    if wanted is not None:
        return wanted
    from simlingo.contracts import SimlingoError  # numpy comes with it, which the help of a command does without

    stacks = running_stacks()
    if len(stacks) == 1:
        return stacks[0].domain
    if stacks:
        listed = "; ".join(f"--domain {stack.domain}: {stack.title}" for stack in stacks)
        raise SimlingoError(f"{len(stacks)} stacks run; say which one: {listed}")
    variable = os.environ.get("ROS_DOMAIN_ID", "")
    if variable.isdigit():
        return int(variable)
    raise SimlingoError(
        "no stack runs here; start one with ./simlingo drive, or name the ROS domain of another with --domain"
    )


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    return False
