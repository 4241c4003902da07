"""The exported graphs on ONNX Runtime: no torch, the fastest exact way for the small model on a CPU."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from simlingo.contracts import FloatArray, ImageArray, InvalidInputError
from simlingo.model.config import ModelConfig
from simlingo.model.engine.backend import (
    BatchPlans,
    Outcome,
    Prefill,
    check_batch,
    checked_judgement,
    checked_points,
)
from simlingo.model.folder import CONFIG_FILE, GRAPH_WEIGHTS_FILE, GRAPHS, digest, fingerprint

#: (layers, keys and values, 1, heads, tokens, width).
Cache = npt.NDArray[np.float32]


class OnnxBackend:
    """Runs the graphs of a model folder; a context is the cache of its tokens, cut by slicing.

    Args:
        folder: the model folder.
        threads: CPU threads of the network.

    Raises:
        InvalidInputError: a file is missing, damaged or of another model.
    """

    def __init__(self, folder: Path, threads: int = 2) -> None:
        self.config = ModelConfig.load(folder / CONFIG_FILE)
        expected = {"fingerprint": fingerprint(folder), "weights": digest(folder / GRAPH_WEIGHTS_FILE)}
        self._vision, self._plan, self._text, self._queries = (
            _open_graph(folder / GRAPHS[name], threads, expected) for name in ("vision", "plan", "text", "queries")
        )

    def see(self, picture: ImageArray) -> Cache:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        (image,) = self._vision.run(None, {"frame": picture[None]})
        return np.asarray(image)

    def plan(self, image: Cache, ids: list[int], target_points: FloatArray) -> Outcome:
        """See :class:`simlingo.model.engine.backend.Backend`; prefill, queries and heads are one graph."""
        begin = time.perf_counter()
        inputs = {
            "image": image,
            "input_ids": np.asarray([ids], dtype=np.int64),
            "target_points": target_points[None].astype(np.float32),
        }
        *found, cache = self._plan.run(None, inputs)
        timing = {"prefill, queries and heads": time.perf_counter() - begin}
        return _outcome(found, self.cut(np.asarray(cache), len(ids)), timing)

    def read(self, image: Cache, ids: list[int], target_points: FloatArray) -> Prefill:
        """See :class:`simlingo.model.engine.backend.Backend`; the graph makes a plan too, whose time is in here."""
        planned = self.plan(image, ids, target_points)
        begin = time.perf_counter()
        scores, context = self.read_on(self.cut(planned.context, len(ids) - 1), ids[-1:])
        return Prefill(scores, context, {**planned.timing, "first scores": time.perf_counter() - begin})

    def cut(self, context: Cache, tokens: int) -> Cache:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        return context[..., :tokens, :]

    def read_on(self, context: Cache, ids: list[int]) -> tuple[np.ndarray, Cache]:
        """See :class:`simlingo.model.engine.backend.Backend`."""
        inputs = {"input_ids": np.asarray([ids], dtype=np.int64), "past": context}
        scores, cache = self._text.run(None, inputs)
        return np.asarray(scores)[0], np.asarray(cache)

    def drive(self, context: Cache) -> Outcome:
        """See :class:`simlingo.model.engine.backend.Backend`; queries and heads are one graph."""
        begin = time.perf_counter()
        found = self._queries.run(None, {"past": context})
        return _outcome(found, context, {"queries and heads": time.perf_counter() - begin})

    def plan_batch(
        self, pictures: Sequence[ImageArray], ids: Sequence[list[int]], target_points: FloatArray
    ) -> BatchPlans:
        """See :class:`simlingo.model.engine.backend.Backend`; the graphs take one frame at a time, each picture object once."""
        check_batch(pictures, ids, target_points)
        seen = {number: self.see(picture) for number, picture in {id(each): each for each in pictures}.items()}
        frames = zip(pictures, ids, target_points, strict=True)
        found = [self.plan(seen[id(picture)], prompt, points) for picture, prompt, points in frames]
        return BatchPlans(
            np.stack([each.path for each in found]),
            np.stack([each.speed_waypoints for each in found]),
            [each.judgement for each in found],
        )


def _outcome(found: Sequence[object], context: Cache, timing: dict[str, float]) -> Outcome:
    """Of a graph's outputs: path, speed waypoints and, where the network has them, the scores of its judgement."""
    path, speed, *scores = found
    judgement = checked_judgement(scores[0] if scores else None)
    return Outcome(*checked_points(path, speed), context, timing, judgement)


def _open_graph(path: Path, threads: int, expected: dict[str, str]) -> onnxruntime.InferenceSession:
    if not path.is_file():
        raise InvalidInputError(f"model file {path} is missing; copy the whole model folder again")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin between two plans take the cores from camera and controller.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's errors share no base class
        raise InvalidInputError(
            f"model file {path} or its {GRAPH_WEIGHTS_FILE} is damaged ({error}); copy the whole model folder again"
        ) from error
    carried = session.get_modelmeta().custom_metadata_map
    if carried.get("fingerprint") != expected["fingerprint"]:
        raise InvalidInputError(f"{path} was exported for another configuration or tokenizer; export the model again")
    if carried.get("weights") != expected["weights"]:
        raise InvalidInputError(
            f"{path} was exported with other weights than {GRAPH_WEIGHTS_FILE}; copy the folder again"
        )
    return session
