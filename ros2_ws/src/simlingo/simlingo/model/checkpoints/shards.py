"""Safetensors files: one ``model.safetensors``, or several with an index that says which holds which tensor."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.atomic_write import writing
from simlingo.model.checkpoints.foreign_config import read_json
from simlingo.model.checkpoints.torch_file import MAX_DESCRIPTION
from simlingo.model.folder import INDEX_FILE, WEIGHTS_FILE

#: Digests of the weight files, as ``sha256sum -c`` reads them.
SUMS_FILE = "SHA256SUMS"
_SHARD_BYTES = 1_000_000_000  # no shard is larger, but where a single tensor is
_CHUNK = 1 << 22  # bytes


def weight_files(folder: Path) -> list[Path]:
    """The weight files of a folder in the order of their names.

    Raises:
        InvalidInputError: there are none, or the index is damaged.
    """
    if not (folder / INDEX_FILE).is_file():
        return [folder / WEIGHTS_FILE]
    return [folder / name for name in sorted(set(_weight_map(folder).values()))]


def read_shards(folder: Path) -> dict[str, Tensor]:
    """All tensors of a folder by name, as views of the mapped files.

    Raises:
        InvalidInputError: a file is missing or damaged, or the index and the files disagree.
    """
    tensors: dict[str, Tensor] = {}
    for path in weight_files(folder):
        _check_header(path)
        try:
            with safe_open(str(path), framework="pt") as stream:
                here = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 - no mapping
        except (OSError, SafetensorError) as error:
            raise InvalidInputError(
                f"weights {path} cannot be read ({error}); copy the whole model folder again"
            ) from error
        twice = sorted(tensors.keys() & here.keys())
        if twice:
            raise InvalidInputError(f"weights {path} hold tensors of an earlier shard: {', '.join(twice)}")
        tensors.update(here)
    if (folder / INDEX_FILE).is_file():
        differing = sorted(_weight_map(folder).keys() ^ tensors.keys())
        if differing:
            raise InvalidInputError(
                f"{folder / INDEX_FILE} and its shards disagree about {', '.join(differing)}; copy the folder again"
            )
    return tensors


def _check_header(path: Path) -> None:
    """Only headers that are read within seconds; a thousand tensors take 0.1 MB.

    Raises:
        InvalidInputError: the header is longer.
    """
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
    except OSError:
        return  # what is not there is named by the reader
    if MAX_DESCRIPTION < length <= path.stat().st_size:
        raise InvalidInputError(
            f"weights {path} take {length / 1e6:.0f} MB to describe their tensors, which no checkpoint of ours needs; take the file"
            " from its publisher again"
        )


def write_shards(
    tensors: Mapping[str, Tensor], folder: Path, done: Callable[[int], None], shard_bytes: int = _SHARD_BYTES
) -> None:
    """Write tensors, one file at a time, with digests; ``done`` is told the bytes written.

    Raises:
        InvalidInputError: the disk is full or cannot be written.
    """
    shards = _split(tensors, shard_bytes)
    names = [WEIGHTS_FILE]
    if len(shards) > 1:
        stem = WEIGHTS_FILE.removesuffix(".safetensors")
        names = [f"{stem}-{i:05d}-of-{len(shards):05d}.safetensors" for i in range(1, len(shards) + 1)]
    digests = []
    for name, shard in zip(names, shards, strict=True):
        size = sum(tensor.nbytes for tensor in shard.values())
        with writing(folder / name, size):
            save_file(_apart(shard), folder / name, {"format": "pt"})
            (folder / name).chmod(0o644)  # safetensors writes for the owner alone
        digests.append(f"{_digest(folder / name)}  {name}\n")
        done(size)
    if len(shards) > 1:
        weight_map = {key: name for name, shard in zip(names, shards, strict=True) for key in shard}
        index = {"metadata": {"total_size": sum(t.nbytes for t in tensors.values())}, "weight_map": weight_map}
        with writing(folder / INDEX_FILE):
            (folder / INDEX_FILE).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    with writing(folder / SUMS_FILE):
        (folder / SUMS_FILE).write_text("".join(digests), encoding="utf-8")


def check_digests(folder: Path, done: Callable[[int], None]) -> None:
    """Compare the weight files with ``SHA256SUMS`` where the folder has it; ``done`` is told the bytes read.

    Raises:
        InvalidInputError: a file differs from what was written.
    """
    if not (folder / SUMS_FILE).is_file():
        return
    lines = (folder / SUMS_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    digests = {line[66:]: line[:64] for line in lines}
    for path in weight_files(folder):
        if path.name not in digests or _digest(path, done) != digests[path.name]:
            raise InvalidInputError(
                f"weights {path} are not those that were written: {SUMS_FILE} names another digest; import them again"
            )


def _split(tensors: Mapping[str, Tensor], limit: int) -> list[dict[str, Tensor]]:
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, tensor in tensors.items():
        if size + tensor.nbytes > limit and shards[-1]:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.nbytes
    return shards


def _apart(shard: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Tensors as safetensors takes them: contiguous, and none twice (embeddings may be tied to the output)."""
    seen: set[int] = set()
    result = {}
    for name, tensor in shard.items():
        result[name] = tensor.clone() if tensor.data_ptr() in seen else tensor.contiguous()
        seen.add(tensor.data_ptr())
    return result


def _digest(path: Path, done: Callable[[int], None] = lambda _: None) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                done(len(chunk))
    except OSError as error:
        raise InvalidInputError(
            f"weights {path} cannot be read ({error}); copy the whole model folder again"
        ) from error
    return digest.hexdigest()


def _weight_map(folder: Path) -> dict[str, str]:
    path = folder / INDEX_FILE
    weight_map = read_json(path).get("weight_map")
    if not isinstance(weight_map, dict) or not all(
        isinstance(name, str) and Path(name).name == name for name in weight_map.values()
    ):
        raise InvalidInputError(f"{path} has no weight_map of file names in its own folder; copy the folder again")
    return weight_map
