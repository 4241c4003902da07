"""The torch network with a key-value cache: any size, on a CPU or a GPU; the reference for the other backends."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from simlingo.contracts import FloatArray, ImageArray
from simlingo.model.engine.backend import Outcome
from simlingo.model.engine.points import checked_points
from simlingo.model.graph_modules import queries_of, read_on
from simlingo.model.network import SimLingoNetwork


class TorchBackend:
    """Runs a network whose adapters are merged; a context is a cache tensor as in ``graph_modules``.

    Args:
        network: in evaluation mode, on its device and of its precision.
    """

    def __init__(self, network: SimLingoNetwork) -> None:
        self.config = network.config
        self._network = network
        self._device = network.route_queries.device

    @torch.inference_mode()
    def see(self, picture: ImageArray) -> Tensor:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        frames = torch.from_numpy(np.ascontiguousarray(picture))[None].to(self._device)
        features: Tensor = self._network.image_embeddings(self._network.vision_tokens(frames))
        self._wait()
        return features

    @torch.inference_mode()
    def plan(self, image: Tensor, ids: list[int], target_points: FloatArray) -> Outcome:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        timing: dict[str, float] = {}
        network = self._network
        points = torch.from_numpy(target_points[None]).to(self._device, image.dtype)
        with self._timed(timing, "prefill and queries"):
            prompt = network.prompt_embeddings(torch.tensor([ids], device=self._device), points, image)
            hidden, cache = read_on(network, torch.cat((prompt, queries_of(network)), dim=1), None)
        with self._timed(timing, "heads"):
            path, speed = network.heads(hidden)
        return Outcome(*checked_points(path.float().cpu(), speed.float().cpu()), self.cut(cache, len(ids)), timing)

    def cut(self, context: Tensor, tokens: int) -> Tensor:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        return context[..., :tokens, :]

    @torch.inference_mode()
    def read_on(self, context: Tensor, ids: list[int]) -> tuple[np.ndarray, Tensor]:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        embeddings = self._network.vlm.language_model.embed_tokens(torch.tensor([ids], device=self._device))
        hidden, cache = read_on(self._network, embeddings, context)
        return self._network.lm_head(hidden[0, -1]).float().cpu().numpy(), cache

    @torch.inference_mode()
    def drive(self, context: Tensor) -> tuple[FloatArray, FloatArray]:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        hidden, _ = read_on(self._network, queries_of(self._network), context)
        path, speed = self._network.heads(hidden)
        return checked_points(path.float().cpu(), speed.float().cpu())

    @contextmanager
    def _timed(self, timing: dict[str, float], phase: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self._wait()
        timing[phase] = time.perf_counter() - begin

    def _wait(self) -> Any:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
