"""The torch network on fixed shapes and addresses, so that each kind of pass is one captured CUDA graph.

A prompt is padded to a fixed length *behind* the queries, which follow its last token: no token sees the padding, so the
pass needs no mask and no shift of positions, and gives the plain numbers. On a CPU the same passes run uncaptured.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from simlingo.contracts import PATH_POINTS, SPEED_WAYPOINTS, FloatArray, ImageArray, InvalidInputError
from simlingo.model.engine.backend import BatchPlans, Outcome, Prefill, checked_judgement, checked_points
from simlingo.model.engine.batch import plan_batch
from simlingo.model.engine.decoder import Decoder
from simlingo.model.engine.kv_slot import Branch, KvSlot, SlotContext
from simlingo.model.engine.memory import inferring
from simlingo.model.engine.replay import Inlet, Replayed
from simlingo.model.graph_modules import planned, queries_of
from simlingo.model.network import SimLingoNetwork
from simlingo.model.user_text import MAX_TEXT_TOKENS

_QUERIES = PATH_POINTS + SPEED_WAYPOINTS
#: Words of a prompt beside its picture: the template's and a usual instruction.
_PROMPT_WORDS = 128
#: What may follow the part of a prompt that texts share: the longest question and the template's words around it.
_SUFFIX = MAX_TEXT_TOKENS + 64
#: Tokens that one pass reads after a context: one of a growing text, or up to this many of a question at once.
_CHUNK = 32
_NETWORK = "prefill, queries and heads"


class StaticBackend:
    """Runs a network whose adapters are merged; fastest on a GPU, where it is captured when it is made.

    Args:
        network: in evaluation mode, on its device and of its precision (see :func:`precision.prepare`).
        prompt_tokens: longest prompt; default: the picture and 128 tokens.

    Raises:
        SimlingoError: too little memory.
    """

    @inferring
    def __init__(self, network: SimLingoNetwork, prompt_tokens: int | None = None) -> None:
        self.config = config = network.config
        self._network = network
        self._device = device = network.route_queries.device
        self._decoder = Decoder(network)
        self._longest = config.image_tokens + _PROMPT_WORDS if prompt_tokens is None else prompt_tokens
        self._capacity = self._longest + _SUFFIX + config.max_new_tokens + max(_CHUNK, _QUERIES)
        tile = config.image.tile
        self._frame = Inlet((1, tile, 2 * tile, 3), torch.uint8, device)
        self._ids = Inlet((1, self._longest), torch.int64, device)
        self._points = Inlet((1, 2, 2), torch.float32, device)
        self._words = {count: Inlet((1, count), torch.int64, device) for count in (1, _CHUNK)}
        self._at = torch.ones(1, dtype=torch.int64, device=device)  # tokens that stand before those read now
        self._last = torch.zeros(1, dtype=torch.int64, device=device)  # which of those read now is the last
        self._image = torch.zeros(
            (1, config.image_tokens, config.language.hidden_size), dtype=network.route_queries.dtype, device=device
        )
        self._prompt = self._decoder.new_cache(self._longest + _QUERIES)
        self._slot = KvSlot(self._decoder.new_cache(self._capacity))
        capture = device.type == "cuda"
        self._see = Replayed(self._see_work, capture)
        self._plan = Replayed(self._plan_work, capture)
        self._step = {count: Replayed(partial(self._step_work, count), capture) for count in self._words}
        self._ask = Replayed(self._ask_work, capture)

    @inferring
    def see(self, picture: ImageArray) -> Tensor:
        """See :class:`simlingo.model.engine.backend.Backend`; normalised on the device."""
        self._frame.put(picture[None])
        (image,) = self._see()
        image = image.clone()
        self._wait()
        return image

    @inferring
    def plan(self, image: Tensor, ids: list[int], target_points: FloatArray) -> Outcome:
        """See :class:`simlingo.model.engine.backend.Backend`.

        Raises:
            InvalidInputError: a prompt longer than the graphs, or an answer that is not finite.
        """
        begin = time.perf_counter()
        _, *found = self._pass(image, ids, target_points)
        return self._outcome(found, self._read_prompt(len(ids)), {_NETWORK: time.perf_counter() - begin})

    @inferring
    def read(self, image: Tensor, ids: list[int], target_points: FloatArray) -> Prefill:
        """See :class:`simlingo.model.engine.backend.Backend`; the pass makes a plan too, whose time is in here."""
        begin = time.perf_counter()
        scores = self._pass(image, ids, target_points)[0].cpu().numpy()
        return Prefill(scores, self._read_prompt(len(ids)), {_NETWORK: time.perf_counter() - begin})

    def cut(self, context: SlotContext, tokens: int) -> SlotContext:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        return SlotContext(context.branch, min(tokens, context.length))

    @inferring
    def read_on(self, context: SlotContext, ids: list[int]) -> tuple[np.ndarray, SlotContext]:
        """See :class:`simlingo.model.engine.backend.Backend`.

        Raises:
            InvalidInputError: more tokens than the fixed cache holds.
        """
        if context.length + len(ids) + max(_CHUNK, _QUERIES) > self._capacity:
            raise InvalidInputError(
                f"prompt and text have more than the {self._capacity} tokens that this backend was made for; "
                "shorten them, or give it a longer prompt_tokens"
            )
        for begin in range(0, len(ids), _CHUNK):
            words = ids[begin : begin + _CHUNK]
            count = 1 if len(words) == 1 else _CHUNK
            branch = self._slot.load(context)
            self._words[count].put(np.array([words + [0] * (count - len(words))]))
            self._at.fill_(context.length)
            self._last.fill_(len(words) - 1)
            (scores,) = self._step[count]()
            self._wait()  # the inlet may be filled again
            context = self._slot.context(branch, context.length + len(words))
        return scores.cpu().numpy(), context

    @inferring
    def drive(self, context: SlotContext) -> Outcome:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        begin = time.perf_counter()
        branch = self._slot.load(context)
        self._at.fill_(context.length)
        found = self._ask()
        kept = self._slot.context(branch, context.length)
        return self._outcome(found, kept, {"queries and heads": time.perf_counter() - begin})

    def plan_batch(
        self, pictures: Sequence[ImageArray], ids: Sequence[list[int]], target_points: FloatArray
    ) -> BatchPlans:
        """See :class:`simlingo.model.engine.backend.Backend`; of any size, so never captured."""
        return plan_batch(self._network, pictures, ids, target_points)

    def _pass(self, image: Tensor, ids: list[int], target_points: FloatArray) -> tuple[Tensor, ...]:
        if len(ids) > self._longest:
            raise InvalidInputError(
                f"the prompt has {len(ids)} tokens, this backend was made for {self._longest}; "
                "shorten the instruction, or give it a longer prompt_tokens"
            )
        self._image.copy_(image)
        self._ids.put(np.array([ids + [self._padding] * (self._longest - len(ids))]))
        self._points.put(target_points[None].astype(np.float32))
        self._at.fill_(len(ids))
        return self._plan()

    @property
    def _padding(self) -> int:
        """An id that is no placeholder."""
        taken = (self._network.image_context_id, self._network.target_point_id)
        return next(number for number in range(3) if number not in taken)

    def _read_prompt(self, tokens: int) -> SlotContext:
        """The prompt's rows, out of the way of the next plan."""
        return SlotContext(Branch(self._prompt[..., :tokens, :].clone()), tokens)

    def _see_work(self) -> tuple[Tensor, ...]:
        return (self._network.image_embeddings(self._network.vision_tokens(self._frame.tensor)),)

    def _plan_work(self) -> tuple[Tensor, ...]:
        """Scores of the token after the prompt, and what :func:`planned` gives."""
        network = self._network
        prompt = network.prompt_embeddings(self._ids.tensor, self._points.tensor, self._image)
        queries = queries_of(network)
        places = self._at + torch.arange(_QUERIES, device=self._device)
        sequence = torch.cat((prompt, torch.zeros_like(queries)), dim=1).index_copy(1, places, queries)
        rows = torch.arange(sequence.shape[1], device=self._device)
        hidden = self._decoder(sequence, self._prompt, rows, sequence.shape[1], None, causal=True)
        return self._scores(hidden.index_select(1, self._at - 1)), *planned(network, hidden.index_select(1, places))

    def _step_work(self, count: int) -> tuple[Tensor, ...]:
        """Scores after ``count`` tokens, of which those behind the last are padding that the next will overwrite."""
        embeddings = self._network.vlm.language_model.embed_tokens(self._words[count].tensor)
        return (self._scores(self._in_slot(embeddings).index_select(1, self._last)),)

    def _ask_work(self) -> tuple[Tensor, ...]:
        return planned(self._network, self._in_slot(queries_of(self._network)))

    def _outcome(self, found: Sequence[Tensor], context: SlotContext, timing: dict[str, float]) -> Outcome:
        path, speed, *scores = (values.float().cpu() for values in found)
        judgement = checked_judgement(scores[0] if scores else None)
        return Outcome(*checked_points(path, speed), context, timing, judgement)

    def _in_slot(self, embeddings: Tensor) -> Tensor:
        rows = self._at + torch.arange(embeddings.shape[1], device=self._device)
        mask = torch.arange(self._capacity, device=self._device) <= rows[:, None]
        return self._decoder(embeddings, self._slot.cache, rows, self._capacity, mask)

    def _scores(self, hidden: Tensor) -> Tensor:
        scores: Tensor = self._network.lm_head(hidden)[0, 0].float()
        return scores

    def _wait(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
