"""From a model's name or path to a driver: the graphs where a folder has them, torch for every other checkpoint."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from simlingo.contracts import MODEL_CAMERA, InvalidInputError
from simlingo.model.checkpoints.provenance import Kind, provenance_of
from simlingo.model.config import ModelConfig
from simlingo.model.driver import ModelPolicy, TextOptions
from simlingo.model.folder import GRAPHS, TOKENIZER_FILE, find_model
from simlingo.model.language_prompt import InstructionFlag
from simlingo.model.prompt import RouteAs
from simlingo.model.tokenizer import PromptTokenizer

if TYPE_CHECKING:
    from simlingo.model.engine.precision import Precision

#: The values of the parameter ``instruction_mode``.
FLAGS = {"safety": InstructionFlag.SAFETY, "follow": InstructionFlag.INSTRUCTION_FOLLOWING}


def load_policy(
    name_or_path: str = "simlingo-mini",
    threads: int = 2,
    route_as: str = "target_point",
    text: TextOptions | None = None,
    device: str = "cpu",
    precision: Precision = "fp32",
    instruction_mode: str = "safety",
) -> ModelPolicy:
    """The driver of a shipped model's name, a model folder or any checkpoint that ``./simlingo checkpoint`` reads.

    Args:
        name_or_path: see above.
        threads: CPU threads of the network.
        route_as: a value of ``RouteAs``.
        text: when the model speaks; None: never.
        device: ``cpu`` or ``cuda``.
        precision: ``fp32``, ``bf16`` or, on a CPU, ``int8``.
        instruction_mode: ``safety``: the model may refuse instructions; ``follow``: it is told to obey whatever comes.

    Raises:
        InvalidInputError: no such model, it was never trained to drive, its files are missing, damaged or do not belong
            together, or the device or torch is not there.
        SimlingoError: too little memory; names the cure.
    """
    told, flag = RouteAs(route_as), FLAGS[instruction_mode]
    if device == "cpu" and precision == "fp32" and (folder := _with_graphs(name_or_path)) is not None:
        from simlingo.model.engine.onnx_backend import OnnxBackend

        provenance = provenance_of(Kind.OURS, str(folder), folder)
        tokenizer = PromptTokenizer.load(folder / TOKENIZER_FILE)
        backend = OnnxBackend(folder, threads)
        _require_driver(backend.config, name_or_path)
        return ModelPolicy(backend, tokenizer, told, text, provenance.licence, provenance.simulation_only, flag)
    if find_spec("torch") is None or find_spec("transformers") is None:
        raise InvalidInputError(
            f"{name_or_path} on {device} in {precision} runs on torch, which is not installed: ./simlingo setup train"
        )
    return _with_torch(name_or_path, threads, told, text, device, precision, flag)


def _with_graphs(name_or_path: str) -> Path | None:
    """The model folder with exported graphs, if it is one; a name that is nothing at all is an error."""
    path = Path(name_or_path)
    if path.exists() and not any((path / name).exists() for name in GRAPHS.values()):
        return None  # a checkpoint without graphs
    folder = find_model(name_or_path)
    return folder if any((folder / name).exists() for name in GRAPHS.values()) else None


def _with_torch(
    name_or_path: str,
    threads: int,
    route_as: RouteAs,
    text: TextOptions | None,
    device: str,
    precision: Precision,
    flag: InstructionFlag,
) -> ModelPolicy:
    import torch

    from simlingo.model.checkpoints.build import network_of
    from simlingo.model.checkpoints.integrity import check_before_use
    from simlingo.model.checkpoints.reader import open_checkpoint
    from simlingo.model.checkpoints.tokenizers_of import open_tokenizer
    from simlingo.model.engine.memory import memory_told, require_memory_to_load
    from simlingo.model.engine.precision import check, prepare
    from simlingo.model.engine.static_backend import StaticBackend
    from simlingo.model.engine.torch_backend import TorchBackend

    torch.set_num_threads(threads)
    target = check(precision, device)
    path = Path(name_or_path)
    checkpoint = open_checkpoint(path if path.exists() else find_model(name_or_path))
    if checkpoint.source.tokenizer is None:
        raise InvalidInputError(
            f"{name_or_path} comes without a tokenizer; import it with one: "
            f"./simlingo checkpoint import {name_or_path} --tokenizer PATH --out FOLDER"
        )
    tokenizer = PromptTokenizer(open_tokenizer(checkpoint.source.tokenizer, checkpoint.config))
    _require_driver(checkpoint.config, name_or_path)
    check_before_use(checkpoint)
    require_memory_to_load(checkpoint, precision, device)
    with memory_told():
        network = prepare(network_of(checkpoint), precision, device)
        backend = StaticBackend(network) if target.type == "cuda" else TorchBackend(network)
    provenance = checkpoint.provenance
    return ModelPolicy(backend, tokenizer, route_as, text, provenance.licence, provenance.simulation_only, flag)


def _require_driver(config: ModelConfig, name_or_path: str) -> None:
    """Refuse what cannot steer: fresh heads, and weights for other pictures than those that drive (spec A.2)."""
    if not config.drives:
        raise InvalidInputError(
            f"{name_or_path} is no driver: its heads are fresh and would steer at random; train it first "
            "(docs/checkpoints.md, In code)"
        )
    image = config.image
    if (image.raw_width, image.raw_height) != (MODEL_CAMERA.width, MODEL_CAMERA.height):
        raise InvalidInputError(
            f"{name_or_path} was made for pictures of {image.raw_width}x{image.raw_height}; models drive here on "
            f"{MODEL_CAMERA.width}x{MODEL_CAMERA.height} only, so it can be verified, imported and exported, but not driven"
        )
