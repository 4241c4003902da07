"""Which kind of checkpoint lies at a path, and which of its files are weights, configuration and tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.foreign_config import read_json
from simlingo.model.checkpoints.provenance import Kind
from simlingo.model.checkpoints.zero import MODEL_FILE, zero_folder
from simlingo.model.folder import CONFIG_FILE, INDEX_FILE, TOKENIZER_FILE, WEIGHTS_FILE

FLAT_FILE = "pytorch_model.pt"
HYDRA_FILE = ".hydra/config.yaml"
_NAMES = (FLAT_FILE, MODEL_FILE, WEIGHTS_FILE, INDEX_FILE, CONFIG_FILE)


@dataclass(frozen=True)
class Source:
    """The files of one checkpoint."""

    kind: Kind
    folder: Path  # where the weights lie
    config: Path  # the file that sizes come from
    tokenizer: Path | None  # folder with the tokenizer's files


def find_source(path: Path) -> Source:
    """What lies at ``path``: a checkpoint's folder, its weight file, or a run's folder with one checkpoint.

    Raises:
        InvalidInputError: nothing is there, no layout that is read, no configuration, or several checkpoints.
    """
    if not path.exists():
        raise InvalidInputError(f"no checkpoint {path}: there is no such file or folder")
    if path.is_file() and path.name not in _NAMES:
        raise InvalidInputError(f"{path} is no file of a checkpoint by its name; expected one of {', '.join(_NAMES)}")
    folder = path if path.is_dir() else path.parent
    kind = _kind(folder)
    if kind is None and path.is_dir():
        folder = _only_checkpoint(path)
        kind = _kind(folder)
    if kind is None:
        raise InvalidInputError(
            f"no checkpoint in {path}: expected {FLAT_FILE}, a DeepSpeed ZeRO-2 directory, or {CONFIG_FILE} "
            "with *.safetensors"
        )
    config = folder / CONFIG_FILE
    if kind in (Kind.PUBLISHED, Kind.ZERO):
        config = _run_config(folder)
    places = _run_places(folder) if kind in (Kind.PUBLISHED, Kind.ZERO) else [folder]
    tokenizer = next((place for place in places if has_tokenizer(place)), None)
    return Source(kind, folder, config, tokenizer)


def has_tokenizer(folder: Path) -> bool:
    """Whether a folder holds a tokenizer, ours or a Qwen2 one in its separate files."""
    names = (TOKENIZER_FILE,), ("vocab.json", "merges.txt")
    return any(all((folder / name).is_file() for name in group) for group in names)


def _kind(folder: Path) -> Kind | None:
    config = folder / CONFIG_FILE
    if config.is_file():
        if "format_version" in read_json(config):
            return Kind.OURS
        if (folder / FLAT_FILE).is_file():
            return Kind.PAIR
        if (folder / WEIGHTS_FILE).is_file() or (folder / INDEX_FILE).is_file():
            return Kind.INTERNVL
    if (folder / FLAT_FILE).is_file():
        return Kind.PUBLISHED
    return Kind.ZERO if zero_folder(folder) else None


def _only_checkpoint(run: Path) -> Path:
    """The checkpoint of a run's folder or of a snapshot of a hub repository."""
    found = sorted(run.glob("checkpoints/*.ckpt")) or sorted(run.glob("*/checkpoints/*.ckpt"))
    found = [folder for folder in found if folder.is_dir() and _kind(folder) is not None]
    if len(found) > 1:
        names = ", ".join(str(folder) for folder in found)
        raise InvalidInputError(f"{run} holds several checkpoints, name one of them: {names}")
    return found[0] if found else run


def _run_config(folder: Path) -> Path:
    """``.hydra/config.yaml`` of the run: three levels above the weight file, or nearer."""
    places = _run_places(folder)
    for place in places:
        if (place / HYDRA_FILE).is_file():
            return place / HYDRA_FILE
    raise InvalidInputError(
        f"{folder} comes without sizes: neither {CONFIG_FILE} beside the weights nor {HYDRA_FILE} of its run "
        f"(expected {places[2] / HYDRA_FILE}); copy it from where the weights came from"
    )


def _run_places(folder: Path) -> list[Path]:
    """From a run's checkpoint, or the ZeRO files within it, up to the run's folder."""
    folder = folder.resolve()
    return [folder, *list(folder.parents)[:3]]
