"""DeepSpeed ZeRO-2 directories: the fp32 weights lie flat and in pieces in the optimiser files, one a process.

A run's folder holds ``latest``, which names the folder of the files, as Lightning writes it: ``checkpoint``. The model
file ``mp_rank_00_model_states.pt`` gives names and shapes in the order in which the pieces hold them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.torch_file import read_training_file

MODEL_FILE = "mp_rank_00_model_states.pt"
_OPTIMISER_FILE = re.compile(r"(?:bf16_|fp16_)?zero_pp_rank_(\d+)_mp_rank_00_optim_states\.pt")
#: A key of every SimLingo; what stands before it is the training framework's prefix.
_MARKER = "wp_encoder.mlp.0.weight"


def zero_folder(folder: Path) -> Path | None:
    """The folder with the ZeRO files of a checkpoint, None where there are none."""
    latest = folder / "latest"
    tag = latest.read_text(encoding="utf-8", errors="replace").strip() if latest.is_file() else ""
    # The tag is a plain name; anything else in that file is no reason to leave the folder.
    if re.fullmatch(r"[\w=-][\w=.-]*", tag) and (folder / tag / MODEL_FILE).is_file():
        return folder / tag
    if (folder / MODEL_FILE).is_file():
        return folder
    inside = [file.parent for file in folder.glob(f"*/{MODEL_FILE}")]
    return inside[0] if len(inside) == 1 else None


def zero_files(folder: Path) -> list[Path]:
    """The optimiser files in the order of their processes.

    Raises:
        InvalidInputError: there are none, or one is missing in the row.
    """
    ranks = {int(match[1]): file for file in folder.iterdir() if (match := _OPTIMISER_FILE.fullmatch(file.name))}
    gaps = [str(rank) for rank in range(max(ranks, default=0) + 1) if rank not in ranks]
    if gaps:
        raise InvalidInputError(
            f"{folder} lacks the optimiser file of process {', '.join(gaps)} (zero_pp_rank_*_optim_states.pt); "
            "copy the whole checkpoint again"
        )
    return [ranks[rank] for rank in sorted(ranks)]


def read_zero2(folder: Path) -> dict[str, Tensor]:
    """The fp32 state dict of a ZeRO-2 checkpoint, frozen weights and aliases included.

    Trained weights are views of the mapped pieces, but for those that two processes share.

    Raises:
        InvalidInputError: files are missing, damaged, of another stage, or would execute code.
    """
    model = read_training_file(folder / MODEL_FILE)
    files = zero_files(folder)
    states = [_optimiser_state(file) for file in files]
    counts = states[0].get("partition_count")  # one number, or one a parameter group
    if {count for count in (counts if isinstance(counts, list) else [counts]) if isinstance(count, int)} - {len(files)}:
        raise InvalidInputError(f"{folder} was written by {counts} processes but holds {len(files)} optimiser files")
    shapes = _expect(model, "param_shapes", list, folder / MODEL_FILE)
    module = _expect(model, "module", Mapping, folder / MODEL_FILE)
    exact: dict[str, Tensor] = {}
    for number, group in enumerate(shapes):
        if not isinstance(group, Mapping):
            raise InvalidInputError(
                f"{folder / MODEL_FILE} names no shapes for parameter group {number}; copy it again"
            )
        pieces = [_piece(state, number, file) for state, file in zip(states, files, strict=True)]
        exact.update(_cut(pieces, group, folder))
    exact.update(_mapping(model, "frozen_param_fragments"))
    merged = _with_aliases(module, exact, _mapping(model, "shared_params"))
    others = [name for name, value in merged.items() if not isinstance(value, Tensor)]
    if others:
        raise InvalidInputError(f"{folder / MODEL_FILE} holds no tensor for {', '.join(others)}; copy it again")
    return _without_prefix(merged)


def _with_aliases(module: Mapping[str, Any], exact: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """All of the module, in half precision where nothing better is there: buffers, and frozen weights of old versions.

    A name that shares its storage with a trained weight, by DeepSpeed's own list or in the module, is that weight.
    """
    by_storage = {
        module[name].data_ptr(): value for name, value in exact.items() if isinstance(module.get(name), Tensor)
    }
    merged: dict[str, Any] = {**module, **exact}
    for name, half in module.items():
        if name not in exact and isinstance(half, Tensor):
            merged[name] = exact.get(shared.get(name, name), by_storage.get(half.data_ptr(), half))
    return merged


def _optimiser_state(file: Path) -> Mapping[str, Any]:
    state: Mapping[str, Any] = _expect(read_training_file(file), "optimizer_state_dict", Mapping, file)
    stage = state.get("zero_stage")
    if isinstance(stage, int) and stage > 2:
        raise InvalidInputError(f"{file} is of ZeRO stage {stage}, this reads stage 2; gather it with DeepSpeed first")
    return state


def _piece(state: Mapping[str, Any], group: int, file: Path) -> Tensor:
    groups = _expect(state, "single_partition_of_fp32_groups", list, file)
    if group >= len(groups) or not isinstance(groups[group], Tensor):
        raise InvalidInputError(f"{file} has no fp32 weights of parameter group {group}; copy the checkpoint again")
    piece: Tensor = groups[group].detach().flatten()
    return piece


def _cut(pieces: list[Tensor], group: Mapping[str, Any], folder: Path) -> dict[str, Tensor]:
    """Names and tensors of a parameter group from its flat pieces, which end in padding."""
    sizes = {name: math.prod(shape) for name, shape in group.items()}
    wanted, there = sum(sizes.values()), sum(piece.numel() for piece in pieces)
    align = 2 * len(pieces)  # DeepSpeed pads a group to twice the number of processes
    if there < wanted or math.ceil(wanted / align) != math.ceil(there / align):
        raise InvalidInputError(
            f"the optimiser files of {folder} hold {there} weights where {MODEL_FILE} names {wanted}; "
            "they are of two checkpoints or cut short: copy the whole checkpoint again"
        )
    result: dict[str, Tensor] = {}
    position = 0
    for name, shape in group.items():
        result[name] = _take(pieces, position, sizes[name]).view(*shape)
        position += sizes[name]
    return result


def _take(pieces: list[Tensor], position: int, count: int) -> Tensor:
    parts: list[Tensor] = []
    for piece in pieces:
        if position >= piece.numel():
            position -= piece.numel()
            continue
        parts.append(piece[position : position + count])
        count -= parts[-1].numel()
        position = 0
        if count == 0:
            break
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _expect(content: Any, key: str, kind: type, file: Path) -> Any:
    value = content.get(key) if isinstance(content, Mapping) else None
    if not isinstance(value, kind):
        raise InvalidInputError(f"{file} has no {key!r} as DeepSpeed writes it; is this a ZeRO-2 checkpoint?")
    return value


def _mapping(model: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """An optional part of the model file."""
    value = model.get(key)
    return value if isinstance(value, Mapping) else {}


def _without_prefix(merged: dict[str, Tensor]) -> dict[str, Tensor]:
    prefix = next((name.removesuffix(_MARKER) for name in merged if name.endswith(_MARKER)), "")
    return {name.removeprefix(prefix): tensor for name, tensor in merged.items()}
