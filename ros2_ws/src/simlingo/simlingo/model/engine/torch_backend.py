"""The torch network with a key-value cache that grows in place: any size, on a CPU or a GPU."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from simlingo.contracts import FloatArray, ImageArray, InvalidInputError
from simlingo.model.engine.backend import BatchPlans, Outcome, Prefill, checked_judgement, checked_points
from simlingo.model.engine.batch import plan_batch
from simlingo.model.engine.decoder import Decoder
from simlingo.model.engine.memory import inferring
from simlingo.model.graph_modules import queries_of
from simlingo.model.network import SimLingoNetwork

#: Rows that a new cache has beyond those needed at once: a text of usual length grows without a copy.
_ROOM = 128


@dataclass(eq=False)
class _Rows:
    """A cache that several contexts share; each sees its own first rows of it."""

    cache: Tensor  # (layers, 2, 1, H, capacity, W)
    filled: int  # rows that a context refers to: only what lies behind them may be written


class Context(NamedTuple):
    """The first ``length`` rows of a cache.

    Reading on writes behind them where nobody has done so yet, and else into a copy of them: so the newest branch grows
    without copies, and no context ever changes.
    """

    rows: _Rows
    length: int  # tokens


class TorchBackend:
    """Runs a network whose adapters are merged.

    Args:
        network: in evaluation mode, on its device and of its precision (see :func:`precision.prepare`).
    """

    def __init__(self, network: SimLingoNetwork) -> None:
        self.config = network.config
        self._network = network
        self._device = network.route_queries.device
        self._decoder = Decoder(network)

    @inferring
    def see(self, picture: ImageArray) -> Tensor:
        """See :class:`simlingo.model.engine.backend.Backend`; normalised on the device."""
        frames = torch.tensor(picture)[None].to(self._device)
        features: Tensor = self._network.image_embeddings(self._network.vision_tokens(frames))
        self._wait()
        return features

    @inferring
    def plan(self, image: Tensor, ids: list[int], target_points: FloatArray) -> Outcome:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        timing: dict[str, float] = {}
        with self._timed(timing, "prefill and queries"):
            prompt = self._prompt(image, ids, target_points)
            sequence = torch.cat((prompt, queries_of(self._network)), dim=1)
            hidden, context = self._read_after(self._nothing(sequence.shape[1]), sequence, kept=len(ids))
        return self._outcome(hidden, context, timing)

    @inferring
    def read(self, image: Tensor, ids: list[int], target_points: FloatArray) -> Prefill:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        timing: dict[str, float] = {}
        with self._timed(timing, "prefill"):
            prompt = self._prompt(image, ids, target_points)
            hidden, context = self._read_after(self._nothing(len(ids)), prompt, kept=len(ids))
            scores = self._scores(hidden)
        return Prefill(scores, context, timing)

    def cut(self, context: Context, tokens: int) -> Context:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        return Context(context.rows, min(tokens, context.length))

    @inferring
    def read_on(self, context: Context, ids: list[int]) -> tuple[np.ndarray, Context]:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        embeddings = self._network.vlm.language_model.embed_tokens(torch.tensor([ids], device=self._device))
        hidden, longer = self._read_after(context, embeddings, kept=len(ids))
        return self._scores(hidden), longer

    @inferring
    def drive(self, context: Context) -> Outcome:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        timing: dict[str, float] = {}
        with self._timed(timing, "queries"):
            hidden, _ = self._read_after(context, queries_of(self._network), kept=0)
        return self._outcome(hidden, context, timing)

    def plan_batch(
        self, pictures: Sequence[ImageArray], ids: Sequence[list[int]], target_points: FloatArray
    ) -> BatchPlans:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        return plan_batch(self._network, pictures, ids, target_points)

    def _prompt(self, image: Tensor, ids: list[int], target_points: FloatArray) -> Tensor:
        points = torch.from_numpy(target_points[None]).to(self._device, torch.float32)
        return self._network.prompt_embeddings(torch.tensor([ids], device=self._device), points, image)

    def _nothing(self, rows: int) -> Context:
        """The empty context, in a cache with room for ``rows`` and a text."""
        return Context(_Rows(self._decoder.new_cache(rows + _ROOM), 0), 0)

    def _read_after(self, context: Context, embeddings: Tensor, kept: int) -> tuple[Tensor, Context]:
        """Hidden states of ``embeddings`` (1, n, D) after ``context``, and the context with the first ``kept`` of them."""
        (rows, past), count = context, embeddings.shape[1]
        if past + count > self._decoder.longest:
            raise InvalidInputError(
                f"prompt, text and queries come to {past + count} positions, the model has {self._decoder.longest}; ask for "
                "a shorter text"
            )
        if rows.filled != past or rows.cache.shape[4] < past + count:
            longer = self._decoder.new_cache(past + count + _ROOM)
            longer[..., :past, :] = rows.cache[..., :past, :]
            rows = _Rows(longer, past)
        positions = torch.arange(past, past + count, device=self._device)
        mask = None
        if past and count > 1:
            mask = torch.arange(past + count, device=self._device) <= positions[:, None]
        hidden = self._decoder(embeddings, rows.cache, positions, past + count, mask, causal=past == 0)
        rows.filled = past + kept
        return hidden, Context(rows, past + kept)

    def _scores(self, hidden: Tensor) -> np.ndarray:
        return np.asarray(self._network.lm_head(hidden[:, -1])[0].float().cpu().numpy())

    def _outcome(self, hidden: Tensor, context: Context, timing: dict[str, float]) -> Outcome:
        with self._timed(timing, "heads"):
            path, speed = self._network.heads(hidden)
            points = checked_points(path.float().cpu(), speed.float().cpu())
            scores = self._network.judgement(hidden)
            judgement = checked_judgement(None if scores is None else scores.float().cpu())
        return Outcome(*points, context, timing, judgement)

    @contextmanager
    def _timed(self, timing: dict[str, float], phase: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self._wait()
        timing[phase] = time.perf_counter() - begin

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
