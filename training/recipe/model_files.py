"""The files of a model folder that a stage hands on: a few megabytes, without checkpoints, curves and caches."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.provenance import SOURCE_FOLDER, Kind, Provenance, provenance_of
from simlingo.model.folder import CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE

_ENDINGS = (".json", ".safetensors", ".onnx", ".bin")
_NEEDED = (CONFIG_FILE, TOKENIZER_FILE, WEIGHTS_FILE)


def model_files(folder: Path) -> list[Path]:
    """The files of the model in ``folder``, relative to it, in order.

    Raises:
        InvalidInputError: one that every model has is missing.
    """
    for name in _NEEDED:
        if not (folder / name).is_file():
            raise InvalidInputError(f"{folder} is no whole model folder: it has no {name}")
    top = [path for path in folder.iterdir() if path.is_file() and path.suffix in _ENDINGS]
    source = [path for path in (folder / SOURCE_FOLDER).rglob("*") if path.is_file() and path.suffix != ".tmp"]
    return sorted(path.relative_to(folder) for path in (*top, *source))


def copy_model(folder: Path, to: Path) -> None:
    """Copy a model, whole or not at all, with where it comes from; what was at ``to`` goes."""
    partial = to.with_name(f"{to.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    for name in model_files(folder):
        (partial / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, partial / name)
    _provenance(folder).write(partial)
    shutil.rmtree(to, ignore_errors=True)
    partial.rename(to)


def _provenance(folder: Path) -> Provenance:
    """Where the model comes from, without places of this machine; a shipped folder has no file of it, as its place tells."""
    found = provenance_of(Kind.OURS, str(folder), folder)
    return replace(found, origin=Path(found.origin).name) if Path(found.origin).is_absolute() else found


def model_digest(folder: Path) -> str:
    """SHA-256 of the model's files and their names.

    Raises:
        InvalidInputError: see :func:`model_files`.
    """
    return files_digest(folder, model_files(folder))


def weights_digest(folder: Path) -> str:
    """SHA-256 of what a model is, whatever was exported from it: configuration, tokenizer, weights.

    Raises:
        InvalidInputError: see :func:`model_files`.
    """
    model_files(folder)
    return files_digest(folder, [Path(name) for name in _NEEDED])


def files_digest(folder: Path, names: list[Path]) -> str:
    """SHA-256 of the files ``names`` in ``folder`` with their names."""
    found = hashlib.sha256()
    for name in names:
        found.update(f"{name.as_posix()} {(folder / name).stat().st_size}\n".encode())
        found.update((folder / name).read_bytes())
    return found.hexdigest()
