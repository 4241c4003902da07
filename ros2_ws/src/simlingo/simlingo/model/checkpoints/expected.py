"""Which tensors a checkpoint must hold, with their shapes, and the one error that lists every difference."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

import torch
from torch import Tensor

from simlingo.contracts import InvalidInputError
from simlingo.model.checkpoints.keymap import LINEARS, Entry, stacked_shape
from simlingo.model.config import ModelConfig
from simlingo.model.network import SimLingoNetwork

Shape = tuple[int, ...]

_LAYER = re.compile(r"\.(layers?)\.(\d+)\.")
_TYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16)


@lru_cache(maxsize=4)
def own_shapes(config: ModelConfig) -> dict[str, Shape]:
    """Names and shapes of our tensors of this size: the network's own, and its adapters' where there are any."""
    with torch.device("meta"):
        network = SimLingoNetwork(config, 0, 0)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    if config.lora is not None:
        for i in range(config.language.layers):
            for linear in LINEARS:
                name = f"vlm.language_model.layers.{i}.{linear}"
                rows, columns = shapes[f"{name}.weight"]
                shapes[f"{name}.lora_A.weight"] = (config.lora.rank, columns)
                shapes[f"{name}.lora_B.weight"] = (rows, config.lora.rank)
    return shapes


def foreign_shapes(config: ModelConfig, table: list[Entry]) -> dict[str, Shape]:
    """Names and shapes of a foreign state dict of this size."""
    shapes = own_shapes(config)
    return {entry.theirs: stacked_shape(entry, shapes) for entry in table}


def with_head_widths(config: ModelConfig, found: Mapping[str, Tensor]) -> ModelConfig:
    """The configuration with the heads' widths of a published state dict; no configuration names them.

    Missing or misshapen heads leave a width as it is: the comparison that follows lists them.
    """

    def rows(name: str, default: int) -> int:
        return found[name].shape[0] if name in found and found[name].ndim == 2 else default

    route, point = config.route_hidden, config.point_hidden
    return replace(
        config,
        route_hidden=(
            rows("adaptors.driving.route_head.0.weight", route[0]),
            rows("adaptors.driving.route_head.2.weight", route[1]),
        ),
        speed_hidden=rows("adaptors.driving.speed_wps_head.0.weight", config.speed_hidden),
        point_hidden=(rows("wp_encoder.mlp.0.weight", point[0]), rows("wp_encoder.mlp.2.weight", point[1])),
    )


def check_tensors(found: Mapping[str, Tensor], expected: Mapping[str, Shape], weights: str, sizes: str) -> None:
    """Account for every key.

    Args:
        found: the tensors by name.
        expected: the shape of each.
        weights: the file or folder, for the error.
        sizes: where the expected sizes come from, for the error.

    Raises:
        InvalidInputError: missing, unexpected or misshapen keys; all are listed.
    """
    problems = [f"missing {name}" for name in _collapse(name for name in expected if name not in found)]
    problems += [f"unexpected {name}" for name in _collapse(name for name in found if name not in expected)]
    for name, shape in expected.items():
        if name in found and tuple(found[name].shape) != shape:
            problems.append(f"{name}: {tuple(found[name].shape)} instead of {shape}")
        elif name in found and (fault := _unusable(found[name])):
            problems.append(f"{name}: {fault}")
    if not problems:
        return
    known = sum(name in found for name in expected)
    what = (
        f"{weights} is a checkpoint of another architecture: it shares no key with"
        if known == 0
        else f"weights {weights} do not fit the sizes of"
    )
    raise InvalidInputError(f"{what} {sizes}:\n  " + "\n  ".join(problems))


def check_aliases(found: Mapping[str, Tensor], table: list[Entry], weights: str) -> None:
    """Check that tensors which a published state dict holds twice are equal, bit for bit.

    Raises:
        InvalidInputError: they differ; all are listed.
    """
    first = {entry.ours: entry.theirs for entry in table if not entry.alias}
    differing = [
        f"{entry.theirs} and {first[entry.ours]}"
        for entry in table
        if entry.alias and not _same(found[entry.theirs], found[first[entry.ours]])
    ]
    if differing:
        raise InvalidInputError(
            f"{weights} holds tensors twice that must be equal and are not: {'; '.join(differing)}. "
            "It was changed after training; take the original file"
        )


def _unusable(tensor: Tensor) -> str:
    """Why a network cannot be made of a tensor; empty where it can."""
    if tensor.layout is not torch.strided:
        return f"{str(tensor.layout).removeprefix('torch.')} instead of dense"
    if tensor.device.type != "cpu":
        return f"holds no values (device {tensor.device.type})"
    if tensor.dtype not in _TYPES:
        return f"{tensor.dtype} instead of float64, float32, float16 or bfloat16"
    return ""


def _same(one: Tensor, other: Tensor) -> bool:
    if one.data_ptr() == other.data_ptr() and one.stride() == other.stride() and one.dtype == other.dtype:
        return True
    return one.dtype == other.dtype and torch.equal(one, other)


def _collapse(names: Iterable[str]) -> list[str]:
    """Names that differ by their layer only, as one line with the layers."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_LAYER.sub(r".\1.{}.", name, count=1), []).append(name)
    lines = []
    for pattern, members in groups.items():
        if len(members) == 1:
            lines.append(members[0])
        else:
            layers = _ranges([int(match[2]) for member in members if (match := _LAYER.search(member))])
            lines.append(f"{pattern.format('{' + layers + '}')} ({len(members)} keys)")
    return lines


def _ranges(numbers: list[int]) -> str:
    """Whole numbers in few words: ``0-3,7``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1][1:] = [number]
        else:
            runs.append([number])
    return ",".join("-".join(map(str, run)) for run in runs)
