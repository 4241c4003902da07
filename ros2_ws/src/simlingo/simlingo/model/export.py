"""Export of the network to ONNX graphs that share one file of weights, each checked against the torch network."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from simlingo.contracts import Command, Navigation, SimlingoError
from simlingo.model.checkpoint import load_network
from simlingo.model.folder import GRAPHS, fingerprint
from simlingo.model.graph_files import share_weights
from simlingo.model.graph_modules import PLANNED, PlanGraph, QueryGraph, TextGraph, VisionGraph
from simlingo.model.network import SimLingoNetwork
from simlingo.model.prompt import DRIVING_ANSWER, RouteAs, chat, driving_prompt
from simlingo.model.quantise import quantise_products
from simlingo.model.tokenizer import PromptTokenizer

#: Largest difference between a graph's outputs and the network's, in m for points.
TOLERANCE = 2e-3
#: Largest change of a plan by a quantised vision, m.
QUANTISED_TOLERANCE = 0.2
#: Longest prompt and cache that the graphs are declared for, tokens.
_LONGEST = 4096


class _Part(NamedTuple):
    """One graph to export, with the inputs that trace it and those that check it."""

    module: nn.Module
    inputs: dict[str, dict[int, torch.export.Dim]]  # by name: which axes vary
    outputs: tuple[str, ...]
    examples: list[tuple[Tensor, ...]]


def export_graphs(folder: Path) -> float:
    """Write the graphs of the model of ``folder`` and check them.

    Where the configuration has a quantised vision, its graph is checked before that, and afterwards by what becomes of
    plans.

    Returns:
        Largest difference to the torch network over the check inputs, quantisation left out.

    Raises:
        SimlingoError: a graph's outputs differ by more than ``TOLERANCE``, or plans by more than ``QUANTISED_TOLERANCE``.
    """
    network, tokenizer = load_network(folder)
    temporary = folder / "graphs.tmp"
    temporary.mkdir(exist_ok=True)
    worst = 0.0
    with torch.no_grad():
        parts = _parts(network, tokenizer)
        for name, part in parts.items():
            torch.onnx.export(
                part.module.eval(),
                part.examples[0],
                str(temporary / GRAPHS[name]),
                input_names=list(part.inputs),
                output_names=list(part.outputs),
                dynamic_shapes=tuple(part.inputs.values()),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        quantised = network.config.vision_graph == "int8"
        if quantised:
            vision = parts.pop("vision")
            worst = _difference(temporary / GRAPHS["vision"], vision)
            # The projector's own weights take no time, and half of the error would be theirs.
            quantise_products(temporary / GRAPHS["vision"], but="multi_modal_projector")
        share_weights(temporary, {"fingerprint": fingerprint(folder), "name": network.config.name})
        for name, part in parts.items():
            worst = max(worst, _difference(temporary / GRAPHS[name], part))
    if worst > TOLERANCE:
        raise SimlingoError(f"the exported graphs differ from the network by {worst:.4f} (at most {TOLERANCE})")
    if quantised and (moved := _moved(temporary, vision, parts["plan"])) > QUANTISED_TOLERANCE:
        raise SimlingoError(
            f"vision in int8 moves points of plans by {moved:.2f} m (at most {QUANTISED_TOLERANCE}); "
            'set vision_graph of the configuration to "fp32"'
        )
    for path in sorted(temporary.iterdir()):
        path.replace(folder / path.name)
    temporary.rmdir()
    return worst


def _parts(network: SimLingoNetwork, tokenizer: PromptTokenizer) -> dict[str, _Part]:
    """All graphs with example inputs from the driving prompts."""
    config = network.config
    navigation = Navigation(np.zeros((2, 2)), Command.LEFT, Command.FOLLOW_LANE, 25.0)
    prompts = [driving_prompt(speed, navigation, route_as) for speed in (0.0, 12.3) for route_as in RouteAs]
    ids = [torch.tensor([tokenizer.encode(chat(text, DRIVING_ANSWER, config.image_tokens))]) for text in prompts]
    generator = torch.Generator().manual_seed(0)
    shape = (1, config.image.tile, 2 * config.image.tile, 3)
    frames = [torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8) for _ in ids]
    points = [20.0 * torch.randn(1, 2, 2, generator=generator) for _ in ids]
    vision, plan = VisionGraph(network), PlanGraph(network)
    images = [vision(frame) for frame in frames]
    caches = [plan(*inputs)[-1] for inputs in zip(images, ids, points, strict=True)]
    outputs = PLANNED if config.judgement_hidden else PLANNED[:2]
    words = [torch.tensor([tokenizer.encode(text)]) for text in ("go on", "stop", "follow the road then turn left")]
    one = [torch.tensor([[number]]) for number in (3, 50)]
    tokens = torch.export.Dim("tokens", min=config.image_tokens + 8, max=_LONGEST)
    added, past = torch.export.Dim("added", min=1, max=_LONGEST), torch.export.Dim("past", min=2, max=_LONGEST)
    return {
        "vision": _Part(vision, {"frame": {}}, ("image",), [(frame,) for frame in frames]),
        "plan": _Part(
            plan,
            {"image": {}, "input_ids": {1: tokens}, "target_points": {}},
            (*outputs, "cache"),
            list(zip(images, ids, points, strict=True)),
        ),
        "text": _Part(
            TextGraph(network),
            {"input_ids": {1: added}, "past": {4: past}},
            ("scores", "cache"),
            list(zip([words[2], *words[:2], *one], [*caches, caches[0]], strict=True)),
        ),
        "queries": _Part(
            QueryGraph(network),
            {"past": {4: past}},
            outputs,
            [(cache[..., : cache.shape[4] - 30, :],) for cache in caches],
        ),
    }


def _difference(path: Path, part: _Part) -> float:
    """Largest difference of a graph's outputs to what it was made of."""
    worst = 0.0
    for example, got in zip(part.examples, _outputs(path, part), strict=True):
        wanted = part.module(*example)
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        for reference, value in zip(wanted, got, strict=True):
            worst = max(worst, float(np.abs(reference.numpy() - value).max()))
    return worst


def _moved(folder: Path, vision: _Part, plan: _Part) -> float:
    """How far the vision graph of ``folder`` moves a point of path or speed waypoints, m; ``plan`` holds exact embeddings."""
    seen = [(torch.from_numpy(image),) for (image,) in _outputs(folder / GRAPHS["vision"], vision)]
    examples = [(*image, *rest) for image, (_, *rest) in zip(seen, plan.examples, strict=True)]
    wanted = _outputs(folder / GRAPHS["plan"], plan)
    got = _outputs(folder / GRAPHS["plan"], plan._replace(examples=examples))
    return max(
        float(np.linalg.norm(value - reference, axis=-1).max())
        for before, after in zip(wanted, got, strict=True)
        for reference, value in zip(before[:2], after[:2], strict=True)
    )


def _outputs(path: Path, part: _Part) -> list[list[np.ndarray]]:
    """What a graph gives for each example of a part."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    inputs = [{name: value.numpy() for name, value in zip(part.inputs, each, strict=True)} for each in part.examples]
    return [session.run(None, each) for each in inputs]
