"""A vision graph in integers: which of its layers, what becomes of plans, and what is said where that is too much."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

import onnx
from onnx import numpy_helper

from simlingo.contracts import InvalidInputError, SimlingoError
from simlingo.model import export
from simlingo.model.checkpoint import load_network
from simlingo.model.config import ModelConfig
from simlingo.model.engine.onnx_backend import OnnxBackend
from simlingo.model.engine.torch_backend import TorchBackend
from simlingo.model.folder import GRAPHS, TOKENIZER_FILE
from simlingo.model.tokenizer import PromptTokenizer
from tests.unit.tiny_model import TINY, write_tiny_model

#: Two exports take long.
pytestmark = pytest.mark.medium

QUANTISED = replace(TINY, name="quantised", vision_graph="int8", vision=replace(TINY.vision, layers=2))
#: query, key, value and projection of attention, and two of the MLP.
LINEAR_LAYERS = 6
PROJECTOR_LAYERS = 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_model(tmp_path_factory.mktemp("quantised"), QUANTISED)


def graph(folder: Path, name: str) -> onnx.GraphProto:
    return onnx.load(str(folder / GRAPHS[name])).graph


def test_the_layers_of_the_tower_alone_compute_with_integers(folder: Path) -> None:
    vision = Counter(node.op_type for node in graph(folder, "vision").node)
    assert vision["MatMulInteger"] == QUANTISED.vision.layers * LINEAR_LAYERS
    attention = 2 * QUANTISED.vision.layers
    assert vision["MatMul"] + vision["Gemm"] == PROJECTOR_LAYERS + attention
    for name in ("plan", "text", "queries"):
        assert not any(node.op_type == "MatMulInteger" for node in graph(folder, name).node)


def test_weights_leave_room_for_the_sum_of_two_products_in_16_bit(folder: Path) -> None:
    weights = [numpy_helper.to_array(each, str(folder)) for each in graph(folder, "vision").initializer]
    whole = [each for each in weights if each.dtype == np.int8 and each.size > 1 and each.any()]
    assert len(whole) == QUANTISED.vision.layers * LINEAR_LAYERS
    assert max(int(np.abs(each.astype(int)).max()) for each in whole) in (63, 64)
    assert 2 * 255 * 64 < 2**15  # signed, of activations from 0 to 255


def test_plans_are_moved_by_little_but_moved(folder: Path) -> None:
    rng = np.random.default_rng(0)
    exact, quick = TorchBackend(load_network(folder)[0]), OnnxBackend(folder)
    context = PromptTokenizer.load(folder / TOKENIZER_FILE).image_context_id
    ids = [105, 106, *[context] * QUANTISED.image_tokens, *range(107, 115)]
    points = np.array([[10.0, 0.0], [20.0, 1.0]])
    for _ in range(3):
        edge = QUANTISED.image.tile
        picture = rng.integers(0, 256, (edge, 2 * edge, 3), np.uint8)
        wanted, found = exact.see(picture), quick.see(picture)
        size = float(np.abs(np.asarray(wanted)).max())
        assert 0.0 < float(np.abs(np.asarray(wanted) - found).max()) < 0.05 * size
        assert np.abs(exact.plan(wanted, ids, points).path - quick.plan(found, ids, points).path).max() < 0.02


def test_a_vision_that_quantising_spoils_is_not_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_tiny_model(tmp_path, QUANTISED, graphs=False)
    monkeypatch.setattr(export, "QUANTISED_TOLERANCE", 0.0)
    with pytest.raises(SimlingoError, match=r'moves points of plans by 0\.\d\d m .* set vision_graph .* to "fp32"'):
        export.export_graphs(tmp_path)
    assert not list(tmp_path.glob("*.onnx"))


def test_another_type_of_vision_is_refused_with_those_there_are(tmp_path: Path) -> None:
    values = json.loads(QUANTISED.to_json()) | {"vision_graph": "int4"}
    path = tmp_path / "config.json"
    path.write_text(json.dumps(values))
    with pytest.raises(InvalidInputError, match=re.escape("vision_graph is 'int4', it must be one of fp32, int8")):
        ModelConfig.load(path)
