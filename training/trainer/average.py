"""Exponential moving average of a network's weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


class WeightAverage:
    """The weights that validate and are shipped."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Follow the network after its update number ``step``, 1 the first; early steps count more."""
        decay = min(self.decay, (1.0 + step) / (10.0 + step))
        for name, tensor in network.state_dict().items():
            self.weights[name].lerp_(tensor, 1.0 - decay)

    @contextmanager
    def in_place_of(self, network: nn.Module) -> Iterator[None]:
        """While it lasts, ``network`` has the averaged weights; afterwards its own again, bit for bit."""
        own = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
        network.load_state_dict(self.weights)
        try:
            yield
        finally:
            network.load_state_dict(own)
