"""The network against numbers that were worked out without it, and the shipped graphs against the shipped weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

import golden_network  # noqa: E402
from checkpoint_cases import pair_config  # noqa: E402

from simlingo.contracts import MODEL_CAMERA, Command, Navigation, Observation  # noqa: E402
from simlingo.model.checkpoint import load_network  # noqa: E402
from simlingo.model.checkpoints.build import network_of  # noqa: E402
from simlingo.model.checkpoints.reader import open_checkpoint  # noqa: E402
from simlingo.model.checkpoints.verify import run_case  # noqa: E402
from simlingo.model.driver import ModelPolicy  # noqa: E402
from simlingo.model.engine.torch_backend import TorchBackend  # noqa: E402
from simlingo.model.folder import SHIPPED  # noqa: E402
from simlingo.model.load import load_policy  # noqa: E402
from simlingo.model.network import SimLingoNetwork  # noqa: E402
from simlingo.model.prompt import RouteAs  # noqa: E402

CASE = golden_network.inputs()


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    return dict(np.load(golden_network.GOLDEN))


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> SimLingoNetwork:
    """From a file of the published layout, so that the key map is in the case."""
    folder = tmp_path_factory.mktemp("golden")
    state = {name: torch.from_numpy(value).float() for name, value in golden_network.weights().items()}
    torch.save(state, folder / "pytorch_model.pt")
    (folder / "config.json").write_text(json.dumps(pair_config()))
    return network_of(open_checkpoint(folder))


def assert_golden(name: str, found: Any, wanted: Any) -> None:
    """Within 1e-5 of the largest value."""
    difference = np.abs(np.asarray(found).reshape(wanted.shape) - wanted).max()
    assert difference <= 1e-5 * np.abs(wanted).max(), name


def test_every_part_of_the_network_gives_the_golden_numbers(network: SimLingoNetwork, golden: dict[str, Any]) -> None:
    with torch.inference_mode():
        found = run_case(network, CASE, golden_network.END)
    assert found["text_ids"].tolist() == golden.pop("text_ids").tolist()
    assert set(golden) == {"vision_features", "prompt_embeds", "query_hidden", "route", "speed_wps"}
    for name, wanted in golden.items():
        assert_golden(name, found[name], wanted)


@pytest.mark.parametrize(
    ("part", "damage"),
    [
        ("route", lambda network: network.route_head[4].weight.mul_(1.001)),
        ("speed_wps", lambda network: network.speed_queries.copy_(network.speed_queries.flip(1))),
        ("prompt_embeds", lambda network: network.point_encoder[4].bias.add_(1e-2)),
        ("query_hidden", lambda network: network.vlm.language_model.layers[1].self_attn.k_proj.weight.mul_(1.001)),
        ("vision_features", lambda network: network.vlm.multi_modal_projector.linear_1.bias.add_(1e-3)),
    ],
)
def test_the_golden_numbers_notice_small_changes(
    network: SimLingoNetwork, golden: dict[str, Any], part: str, damage: Callable[[SimLingoNetwork], Any]
) -> None:
    other = deepcopy(network)
    with torch.inference_mode():
        damage(other.requires_grad_(False))
        found = run_case(other, CASE, golden_network.END)
    with pytest.raises(AssertionError, match=part):
        assert_golden(part, found[part], golden[part])


def test_the_shipped_graphs_and_the_shipped_weights_give_one_plan() -> None:
    row, column, colour = np.indices((512, 1024, 3))
    frame = ((row // 3 + 40 * colour + (column * row) // 700) % 256).astype(np.uint8)
    navigation = Navigation(np.array([[12.0, 1.5], [40.0, 6.0]]), Command.FOLLOW_LANE, Command.RIGHT, 30.0)
    observation = Observation(0, frame, MODEL_CAMERA, 5.3, navigation)
    graphs = load_policy("simlingo-mini")
    network, tokenizer = load_network(SHIPPED / "simlingo-mini")
    weights = ModelPolicy(TorchBackend(network), tokenizer, RouteAs.TARGET_POINT)
    one, other = graphs.plan(observation), weights.plan(observation)
    graphs.close()
    weights.close()
    assert np.abs(one.path).max() > 1.0
    np.testing.assert_allclose(one.path, other.path, atol=1e-4)
    np.testing.assert_allclose(one.speed_waypoints, other.speed_waypoints, atol=1e-4)
