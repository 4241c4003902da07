"""Where weights come from and what may be done with them; travels with a folder as ``source/provenance.json``."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.kinds import Kind

#: Files of the checkpoint that a folder was made from, kept as they were.
SOURCE_FOLDER = "source"
PROVENANCE_FILE = f"{SOURCE_FOLDER}/provenance.json"

SIMLINGO_LICENCE = (
    "SimLingo Dataset Licence, non-commercial (Wayve): research only, with attribution; models trained under it may not "
    "operate or assist any real vehicle or robot. The full text comes with the published code."
)
INTERNVL_LICENCE = (
    "InternVL: MIT. The language model Qwen2-0.5B has a licence of its own; see the hub page of the weights."
)
OWN_LICENCE = "Apache-2.0"


@dataclass(frozen=True)
class Provenance:
    """Origin of a checkpoint's weights."""

    layout: str  # a value of Kind
    origin: str  # path or hub id, as it was given
    licence: str
    revision: str = ""  # commit of the hub repository
    notes: tuple[str, ...] = field(default=())  # what was done to the weights since

    @property
    def simulation_only(self) -> bool:
        """Whether the licence forbids driving anything real."""
        return self.licence == SIMLINGO_LICENCE

    def with_note(self, note: str) -> Provenance:
        """The same origin, with one more thing done."""
        return dataclasses.replace(self, notes=(*self.notes, note))

    def to_json(self) -> str:
        """As indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"


def provenance_of(kind: Kind, origin: str, folder: Path) -> Provenance:
    """What a checkpoint says about its origin, or what its layout implies.

    Raises:
        InvalidInputError: ``source/provenance.json`` is there and damaged.
    """
    path = folder / PROVENANCE_FILE
    if kind is Kind.OURS:
        return _read(path) if path.is_file() else Provenance(kind.value, origin, OWN_LICENCE)
    licence = INTERNVL_LICENCE if kind is Kind.INTERNVL else SIMLINGO_LICENCE
    return Provenance(kind.value, origin, licence)


def _read(path: Path) -> Provenance:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return Provenance(**{**values, "notes": tuple(values["notes"])})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInputError(f"provenance {path} is damaged ({error}); import the checkpoint again") from error
