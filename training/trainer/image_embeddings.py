"""What frozen vision makes of every view: the language model's image embeddings, computed once and kept on disk.

Batches hold them in place of pictures, so that no gradient reaches vision: its weights stay as they are.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from rich.progress import track
from torch import nn

from simlingo.contracts import InvalidInputError
from simlingo.model.network import SimLingoNetwork
from training.trainer.batches import Frames
from training.trainer.files import write_whole

#: Views in one vision pass; a build that goes on makes the same passes, so that it gives the same numbers.
_VIEWS = 16
#: Passes between two notes of how far a build is.
_NOTED = 16


def vision_of(network: SimLingoNetwork) -> tuple[nn.Module, nn.Module]:
    """The parts that image embeddings follow from."""
    return network.vlm.vision_tower, network.vlm.multi_modal_projector


def image_embeddings(network: SimLingoNetwork, frames: Frames, fingerprint: str, path: Path) -> npt.NDArray[np.float32]:
    """Image embeddings (N, image_tokens, D) of all views, mapped into memory from ``path``, made where they are not there yet.

    Args:
        network: whose vision; it is not changed.
        frames: N views with pictures.
        fingerprint: stands for the pictures.
        path: of the array, whole or absent; a killed build beside it goes on after its last note.

    Raises:
        InvalidInputError: the file is damaged.
    """
    key = _key(network, len(frames), fingerprint)
    noted = path.with_suffix(".json")
    if not (path.is_file() and _note(noted) == {"key": key, "views": len(frames)}):
        _build(network, frames, key, path)
    try:
        found: npt.NDArray[np.float32] = np.load(path, mmap_mode="r")
    except ValueError as error:
        raise InvalidInputError(f"{path} is damaged: {error}; remove it, and it is made again") from error
    return found


def _key(network: SimLingoNetwork, views: int, fingerprint: str) -> str:
    """Stands for everything that the embeddings follow from."""
    digest = hashlib.sha256(json.dumps([fingerprint, views, torch.__version__, repr(network.config.image)]).encode())
    for part in vision_of(network):
        for name, tensor in part.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.detach().float().cpu().numpy().tobytes())
    return digest.hexdigest()


def _note(path: Path) -> object:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


@torch.no_grad()
def _build(network: SimLingoNetwork, frames: Frames, key: str, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial, noted = path.with_suffix(".partial.npy"), path.with_suffix(".json")
    shape = (len(frames), network.config.image_tokens, network.config.language.hidden_size)
    note, done = _note(noted), 0
    path.unlink(missing_ok=True)
    if partial.is_file() and isinstance(note, dict) and note["key"] == key:
        array, done = np.load(partial, mmap_mode="r+"), int(note["views"])
    else:
        noted.unlink(missing_ok=True)
        array = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float32, shape=shape)
    device = next(network.parameters()).device
    training = network.training
    network.eval()
    for number, first in enumerate(track(range(done, len(frames), _VIEWS), "reading the pictures once"), 1):
        pictures = torch.from_numpy(np.array(frames.frames[first : first + _VIEWS])).to(device)
        array[first : first + _VIEWS] = network.image_embeddings(network.vision_tokens(pictures)).float().cpu().numpy()
        if number % _NOTED == 0:
            array.flush()
            _write_note(noted, key, first + _VIEWS)
    network.train(training)
    array.flush()
    partial.rename(path)
    _write_note(noted, key, len(frames))


def _write_note(path: Path, key: str, views: int) -> None:
    text = json.dumps({"key": key, "views": views})
    write_whole(path, lambda to: to.write_text(text, encoding="utf-8"))
