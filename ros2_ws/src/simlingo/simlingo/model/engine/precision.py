"""A network made ready to run: its device, and how its weights are held."""

from __future__ import annotations

import warnings
from typing import Literal

import torch
from torch import nn

from simlingo.contracts import InvalidInputError
from simlingo.model.engine.memory import memory_told, require_memory
from simlingo.model.network import SimLingoNetwork

Precision = Literal["fp32", "bf16", "int8"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "int8")
_BYTES = {"fp32": 4, "bf16": 2, "int8": 1}
#: Handle metres, of which bf16 keeps three digits.
_PRECISE = ("route_head", "speed_head", "point_encoder")


def prepare(network: SimLingoNetwork, precision: Precision, device: str = "cpu") -> SimLingoNetwork:
    """Convert a network in place, tensor by tensor, so that no second copy of it exists.

    * ``fp32``: as it is.
    * ``bf16``: all but the heads and the target-point encoder, which handle metres: their sums would lose decimetres.
    * ``int8``: weights of the linear layers of vision, projector and language model as int8, one scale for each output;
      their inputs are quantised as they come. On a CPU only.

    Args:
        network: of fp32 weights, adapters merged.
        precision: see above.
        device: ``cpu`` or ``cuda``.

    Raises:
        InvalidInputError: the device is not there or cannot run this precision.
        SimlingoError: too little memory; names the cure.
    """
    target = check(precision, device)
    weights = sum(parameter.numel() for parameter in network.parameters())
    if target.type == "cuda":
        require_memory(weights * _BYTES[precision], target)
    network = network.eval().requires_grad_(False)
    if precision == "int8":
        return _quantised(network)
    loose = torch.bfloat16 if precision == "bf16" else torch.float32
    with memory_told():
        for name, parameter in network.named_parameters():
            parameter.data = parameter.data.to(target, torch.float32 if name.startswith(_PRECISE) else loose)
        # Buffers keep their type: rotary frequencies of bf16 would turn the end of a long prompt by a radian too far or too
        # little, and a picture normalised in bf16 would be rounded at each step.
        for buffer in network.buffers():
            buffer.data = buffer.data.to(target)
    return network


def check(precision: str, device: str) -> torch.device:
    """The torch device of a precision and a device's name.

    Raises:
        InvalidInputError: unknown, not there, or not to be had together.
    """
    if precision not in PRECISIONS:
        raise InvalidInputError(f"precision {precision!r} is unknown; take one of {', '.join(PRECISIONS)}")
    try:
        target = torch.device(device)
    except RuntimeError as error:
        raise InvalidInputError(f"device {device!r} is unknown; take cpu or cuda") from error
    if target.type not in ("cpu", "cuda"):
        raise InvalidInputError(f"device {device!r} is not supported; take cpu or cuda")
    if target.type == "cuda" and not torch.cuda.is_available():
        raise InvalidInputError(
            "device cuda: torch sees no NVIDIA GPU here; take --device cpu, or install a driver and a torch with CUDA"
        )
    if target.type == "cuda" and precision == "int8":
        raise InvalidInputError("precision int8 runs on a CPU only; take bf16 on a GPU")
    return target


def _quantised(network: SimLingoNetwork) -> SimLingoNetwork:
    """The linear layers replaced, one after the other, by torch's dynamically quantised ones."""
    with warnings.catch_warnings():
        # torch announces their move to the package torchao; the release pinned in requirements/torch.txt has them.
        warnings.simplefilter("ignore")
        from torch.ao.nn.quantized.dynamic import Linear
        from torch.ao.quantization import per_channel_dynamic_qconfig, quantize_dynamic

        parts = dict.fromkeys(("vlm", "lm_head"), per_channel_dynamic_qconfig)
        quantize_dynamic(network, parts, mapping={nn.Linear: Linear}, inplace=True)  # type: ignore[no-untyped-call]
    return network
