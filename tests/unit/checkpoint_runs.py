"""Training runs as they leave their folders: Hydra's configuration, the published file, DeepSpeed's directory; and traps."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from checkpoint_cases import LANGUAGE, LORA, TINY, published_state
from torch import Tensor

from simlingo.model.checkpoints import named
from simlingo.model.checkpoints.reader import Checkpoint
from simlingo.model.config import ModelConfig
from simlingo.model.network import SimLingoNetwork


def hydra(run: Path, monkeypatch: pytest.MonkeyPatch, config: ModelConfig = TINY) -> None:
    """The run's configuration, which names a hub id that the registry knows for this test."""
    monkeypatch.setitem(named.NAMED, "lab/Tiny-VL", replace(config, lora=None, token_ids=None, route_hidden=(1, 2)))
    part = "    variant: lab/Tiny-VL\n"
    (run / ".hydra").mkdir(parents=True)
    (run / ".hydra/config.yaml").write_text(
        f"model:\n  vision_model:\n{part}    freeze: false\n"
        f"  language_model:\n{part}    lora: true\n    lora_r: {LORA.rank}\n    lora_alpha: {LORA.alpha:g}\n"
        "data_module:\n  encoder: ${model.vision_model}\n"
    )


def published_run(
    run: Path, network: SimLingoNetwork, monkeypatch: pytest.MonkeyPatch, config: ModelConfig = TINY
) -> Path:
    """A run's folder as it is published; returns the weight file."""
    hydra(run, monkeypatch, config)
    folder = run / "checkpoints/epoch=013.ckpt"
    folder.mkdir(parents=True)
    torch.save(published_state(network), folder / "pytorch_model.pt")
    return folder / "pytorch_model.pt"


def write_zero2(
    folder: Path, network: SimLingoNetwork, processes: int = 2, without: tuple[str, ...] = ()
) -> dict[str, Tensor]:
    """A DeepSpeed ZeRO-2 checkpoint as Lightning saves it; returns the state dict it stands for.

    Two parameter groups, frozen weights, aliases, a prefix, and objects of the run's packages. ``without`` names parts
    of the model file that old versions do not write.
    """
    state = published_state(network)
    prefix = "_forward_module."
    aliases = {
        "adaptors.language.embed_tokens.weight": f"{LANGUAGE}model.embed_tokens.weight",
        f"{LANGUAGE}embed_tokens.weight": f"{LANGUAGE}model.embed_tokens.weight",
        "adaptors.language.lm_head.weight": f"{LANGUAGE}lm_head.weight",
    }
    language = [name for name in state if name.startswith(LANGUAGE) and ".lora_" not in name and name not in aliases]
    trained = [name for name in state if name not in language and name not in aliases]
    groups = [[name for name in trained if state[name].ndim > 1], [name for name in trained if state[name].ndim <= 1]]
    inside = folder / "checkpoint"
    inside.mkdir(parents=True)
    (folder / "latest").write_text("checkpoint")
    pieces: list[list[Tensor]] = []
    for group in groups:
        flat = torch.cat([state[name].flatten() for name in group])
        padding = -flat.numel() % (2 * processes)
        pieces.append(list(torch.cat((flat, torch.zeros(padding))).chunk(processes)))
    halves = {id(tensor): tensor.half() for tensor in state.values()}
    with run_objects() as extra:
        model = {
            "module": {prefix + name: halves[id(tensor)] for name, tensor in state.items()},
            "buffer_names": [],
            "param_shapes": [OrderedDict((prefix + name, state[name].shape) for name in group) for group in groups],
            "frozen_param_shapes": OrderedDict((prefix + name, state[name].shape) for name in language),
            "frozen_param_fragments": OrderedDict((prefix + name, state[name]) for name in language),
            "shared_params": {prefix + alias: prefix + name for alias, name in aliases.items()},
            "hyper_parameters": extra,
            "global_steps": 7,
        }
        model = {name: value for name, value in model.items() if name not in without}
        torch.save(model, inside / "mp_rank_00_model_states.pt")
        for rank in range(processes):
            optimiser = {
                "zero_stage": 2,
                "partition_count": [processes, processes],
                "single_partition_of_fp32_groups": [group[rank].clone() for group in pieces],
                "base_optimizer_state": {"state": {}, "param_groups": [{"lr": 3e-5}]},
                "loss_scaler": extra[0],
            }
            torch.save({"optimizer_state_dict": optimiser}, inside / f"zero_pp_rank_{rank}_mp_rank_00_optim_states.pt")
    return state


@contextmanager
def run_objects() -> Iterator[list[Any]]:
    """Objects of packages that are not installed here, which pickle all the same: with state, items and arguments."""
    deepspeed, omegaconf = ModuleType("deepspeed"), ModuleType("omegaconf")

    class LossScaler:
        """Keeps a state."""

    class ListConfig(list[int]):
        """A list with attributes."""

    class DictConfig(dict[str, int]):
        """A mapping made by a call."""

        def __reduce__(self) -> tuple[Any, ...]:
            return DictConfig, (), {"flags": 1}, None, iter({"rank": 4}.items())

    for module, kinds in ((deepspeed, [LossScaler]), (omegaconf, [ListConfig, DictConfig])):
        for kind in kinds:
            kind.__module__, kind.__qualname__ = module.__name__, kind.__name__
            setattr(module, kind.__name__, kind)
        sys.modules[module.__name__] = module
    scaler, listed = LossScaler(), ListConfig([1, 2])
    scaler.__dict__["scale"] = 32
    listed.__dict__["parent"] = scaler
    try:
        yield [scaler, listed, DictConfig(), Path("data"), np.float64(0.3), {"a", "b"}]
    finally:
        for module in (deepspeed, omegaconf):
            del sys.modules[module.__name__]


def with_ids(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint with the ids that its tokenizer would say."""
    return replace(checkpoint, config=replace(checkpoint.config, token_ids=TINY.token_ids))


def plan(network: SimLingoNetwork) -> torch.Tensor:
    """Path and speed waypoints (30, 2) for one fixed input."""
    generator = torch.Generator().manual_seed(0)
    frames = torch.randint(0, 256, (1, 28, 56, 3), generator=generator, dtype=torch.uint8)
    ids = torch.tensor([[1, 2, *[50] * TINY.image_tokens, 67, 67, 9]])
    with torch.no_grad():
        route, speed = network(frames, ids, torch.tensor([[[5.0, 1.0], [20.0, -3.0]]]))
    return torch.cat((route[0], speed[0]))


def assert_same_plan(one: SimLingoNetwork, other: SimLingoNetwork) -> None:
    wanted = plan(other)
    assert (plan(one) - wanted).abs().max() < 2e-5 * wanted.abs().max()


class Call:
    """Pickles as a call."""

    def __init__(self, function: Any, *args: Any) -> None:
        self.call = function, args

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return self.call


def calls(marker: Path) -> dict[str, Call]:
    """Ways to leave a mark while being unpickled."""
    code = f"open({str(marker)!r}, 'w')"
    return {
        "system": Call(os.system, f"touch {marker}"),
        "eval": Call(builtins.eval, code),
        "process": Call(subprocess.call, ["touch", str(marker)]),
        "exec": Call(builtins.exec, code),
    }
