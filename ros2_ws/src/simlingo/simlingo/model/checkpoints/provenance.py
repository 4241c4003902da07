"""Layouts of checkpoints, where weights come from and what may be done with them: ``source/provenance.json`` of a folder."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from simlingo.contracts import InvalidInputError
from simlingo.model.folder import SHIPPED

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
UNKNOWN_LICENCE = (
    f"unknown: the model folder has no {PROVENANCE_FILE}, so it is taken for restricted weights; copy the whole folder, "
    "or import the checkpoint again"
)


class Kind(Enum):
    """Layout of a checkpoint."""

    PUBLISHED = "published"  # pytorch_model.pt of a run, with .hydra/config.yaml three levels up
    ZERO = "zero2"  # DeepSpeed ZeRO-2 directory of a run
    PAIR = "pair"  # config.json and pytorch_model.pt
    INTERNVL = "internvl"  # plain InternVL2: config.json and safetensors, no heads
    OURS = "simlingo"  # config.json, safetensors and tokenizer of this project


@dataclass(frozen=True)
class Provenance:
    """Origin of a checkpoint's weights."""

    layout: str  # a value of Kind
    origin: str  # path or hub id, as it was given
    licence: str
    simulation_only: bool = True  # the licence forbids driving anything real
    revision: str = ""  # commit of the hub repository
    notes: tuple[str, ...] = field(default=())  # what was done to the weights since

    def with_note(self, note: str) -> Provenance:
        """The same origin, with one more thing done."""
        return dataclasses.replace(self, notes=(*self.notes, note))

    def to_json(self) -> str:
        """As indented JSON."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    def write(self, folder: Path) -> None:
        """Put it into a model folder."""
        path = folder / PROVENANCE_FILE
        path.parent.mkdir(exist_ok=True)
        temporary = path.with_name(f"{path.name}.tmp")
        temporary.write_text(self.to_json(), encoding="utf-8")
        temporary.replace(path)


def own(origin: str) -> Provenance:
    """Weights that were trained here, from nothing."""
    return Provenance(Kind.OURS.value, origin, OWN_LICENCE, simulation_only=False)


def provenance_of(kind: Kind, origin: str, folder: Path) -> Provenance:
    """What a checkpoint says about its origin, or what its layout implies.

    A model folder that says nothing may hold anybody's weights, so it is restricted, unless this package ships it.

    Raises:
        InvalidInputError: ``source/provenance.json`` is there and damaged.
    """
    path = folder / PROVENANCE_FILE
    if kind is Kind.OURS:
        if path.is_file():
            return _read(path)
        return own(origin) if _is_shipped(folder) else Provenance(kind.value, origin, UNKNOWN_LICENCE)
    if kind is Kind.INTERNVL:
        return Provenance(kind.value, origin, INTERNVL_LICENCE, simulation_only=False)
    return Provenance(kind.value, origin, SIMLINGO_LICENCE)


def _is_shipped(folder: Path) -> bool:
    """Whether a folder is one of this package's models, also through links of an installation."""
    return SHIPPED.resolve() in (folder.absolute().parent.resolve(), folder.resolve().parent)


def _read(path: Path) -> Provenance:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        # A file without the flag is free only where its licence is known to be.
        restricted = values.get("simulation_only", values["licence"] not in (OWN_LICENCE, INTERNVL_LICENCE))
        if not isinstance(restricted, bool):
            raise TypeError(f"simulation_only is {restricted!r}, it must be true or false")
        return Provenance(**{**values, "simulation_only": restricted, "notes": tuple(values["notes"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidInputError(f"provenance {path} is damaged ({error}); import the checkpoint again") from error
