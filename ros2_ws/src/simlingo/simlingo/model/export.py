"""Export of the driving pass to ONNX, checked against the torch network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from simlingo.contracts import Command, Navigation, SimlingoError
from simlingo.model.checkpoint import load_network
from simlingo.model.folder import GRAPH_FILE, fingerprint
from simlingo.model.prompt import DRIVING_ANSWER, RouteAs, chat, driving_prompt

#: Largest difference (m) between graph and network that an export may have.
TOLERANCE_M = 2e-3
#: Weights smaller than this stay fp32.
_SMALL = 256


def export_plan(folder: Path) -> float:
    """Write ``plan.onnx`` for the model of ``folder`` and check it.

    Returns:
        Largest difference to the torch network over the check frames, metres.

    Raises:
        SimlingoError: the graph's plans differ by more than ``TOLERANCE_M``.
    """
    network, tokenizer = load_network(folder)
    config = network.config
    navigation = Navigation(np.zeros((2, 2)), Command.LEFT, Command.FOLLOW_LANE, 25.0)
    prompts = [driving_prompt(speed, navigation, route_as) for speed in (0.0, 12.3) for route_as in RouteAs]
    ids = [torch.tensor([tokenizer.encode(chat(text, DRIVING_ANSWER, config.image_tokens))]) for text in prompts]
    generator = torch.Generator().manual_seed(0)
    shape = (1, config.image.tile, 2 * config.image.tile, 3)
    frames = [torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8) for _ in ids]
    points = [20.0 * torch.randn(1, 2, 2, generator=generator) for _ in ids]
    temporary = folder / f"{GRAPH_FILE}.tmp"
    with torch.no_grad():
        torch.onnx.export(
            network,
            (frames[0], ids[0], points[0]),
            str(temporary),
            input_names=["frame", "input_ids", "target_points"],
            output_names=["path", "speed_waypoints"],
            dynamic_shapes=({}, {1: torch.export.Dim("tokens", min=config.image_tokens + 8, max=2048)}, {}),
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    _store_half(temporary, {"fingerprint": fingerprint(folder), "name": config.name})
    worst = _largest_difference(temporary, network, frames, ids, points)
    if worst > TOLERANCE_M:
        raise SimlingoError(f"the exported graph differs from the network by {worst:.4f} m (at most {TOLERANCE_M} m)")
    temporary.replace(folder / GRAPH_FILE)
    return worst


def _store_half(path: Path, metadata: dict[str, str]) -> None:
    """Keep the weights as fp16 (which they are) with a cast behind each: the file halves, the numbers stay."""
    model = onnx.load(str(path))
    graph = model.graph
    casts = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < _SMALL:
            continue
        half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            continue
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(half, f"{tensor.name}_half"))
        casts.append(helper.make_node("Cast", [f"{tensor.name}_half"], [tensor.name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend(casts + nodes)
    for node in graph.node:  # the exporter's notes name files of the machine it ran on
        del node.metadata_props[:]
        node.doc_string = ""
    del graph.value_info[:]
    del graph.metadata_props[:]
    for key, value in metadata.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, str(path))


def _largest_difference(
    path: Path,
    network: torch.nn.Module,
    frames: list[torch.Tensor],
    ids: list[torch.Tensor],
    points: list[torch.Tensor],
) -> float:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    worst = 0.0
    for frame, tokens, point in zip(frames, ids, points, strict=True):
        with torch.no_grad():
            wanted = network(frame, tokens, point)
        got = session.run(None, {"frame": frame.numpy(), "input_ids": tokens.numpy(), "target_points": point.numpy()})
        for reference, value in zip(wanted, got, strict=True):
            worst = max(worst, float(np.abs(reference.numpy() - value).max()))
    return worst
