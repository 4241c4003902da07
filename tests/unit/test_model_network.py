"""The network, its files and its graph; needs torch (./simlingo test installs it)."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from tiny_model import TINY  # noqa: E402

from simlingo.contracts import (  # noqa: E402
    MODEL_CAMERA,
    Command,
    InvalidInputError,
    Navigation,
    Observation,
)  # fmt: skip
from simlingo.model.checkpoint import load_network  # noqa: E402
from simlingo.model.config import ModelConfig  # noqa: E402
from simlingo.model.load import load_policy  # noqa: E402
from simlingo.model.network import SimLingoNetwork  # noqa: E402
from simlingo.model.preprocess import tile_pixels  # noqa: E402


@pytest.fixture
def folder(tiny_folder: Path) -> Path:
    return tiny_folder


def observation(stamp: int = 7, seed: int = 0) -> Observation:
    frame = np.random.default_rng(seed).integers(0, 256, (512, 1024, 3), dtype=np.uint8)
    navigation = Navigation(np.array([[10.0, 1.0], [30.0, -2.0]]), Command.LEFT, Command.FOLLOW_LANE, 20.0)
    return Observation(stamp, frame, MODEL_CAMERA, 4.2, navigation)


def test_configuration_survives_json(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(TINY.to_json())
    assert ModelConfig.load(tmp_path / "config.json") == TINY


def test_left_padding_changes_nothing(folder: Path) -> None:
    network, _ = load_network(folder)
    ids = torch.randint(10, 90, (1, 40))
    embeddings = network.vlm.language_model.embed_tokens(ids)
    padded = torch.cat((torch.zeros(1, 5, TINY.language.hidden_size), embeddings), dim=1)
    mask = torch.cat((torch.zeros(1, 5, dtype=torch.long), torch.ones(1, 40, dtype=torch.long)), dim=1)
    with torch.no_grad():
        plain = network.heads(network.sequence_hidden(embeddings))
        shifted = network.heads(network.sequence_hidden(padded, mask))
    for one, other in zip(plain, shifted, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


@pytest.mark.parametrize("shared", [0, 1, 17, 29])
def test_what_the_prompts_of_a_frame_share_may_be_computed_once(folder: Path, shared: int) -> None:
    """Three prompts of two frames: states and gradients are those of six sequences on their own."""
    network, _ = load_network(folder)
    torch.manual_seed(4)
    frames, prompts, width = 2, 3, TINY.language.hidden_size
    common = torch.randn(frames, shared, width).repeat_interleave(prompts, dim=0)
    embeddings = torch.cat((common, torch.randn(frames * prompts, 30 - shared, width)), dim=1)
    mask = torch.ones(frames * prompts, 30, dtype=torch.long)
    for row, padding in enumerate((0, 4, 1, 0, 7, 2)):
        mask[row, shared : min(shared + padding, 29)] = 0
    weight = torch.randn(frames * prompts, 60, width) * torch.cat((mask, torch.ones(6, 30)), dim=1)[..., None]
    found = []
    for states in (
        lambda given: network.sequence_hidden(given, mask),
        lambda given: network.shared_hidden(given, mask, prompts, shared),
    ):
        network.zero_grad()
        given = embeddings.clone().requires_grad_()
        hidden = states(given)
        (hidden * weight).sum().backward()
        first = (
            given.grad[:, :shared].view(frames, prompts, shared, width).sum(1)
        )  # of what is shared: the sum of its copies
        grads = [each.grad.clone() for each in network.parameters() if each.grad is not None]
        found.append([hidden.detach() * (weight != 0), first, given.grad[:, shared:], *grads])
    assert len(found[0]) == len(found[1]) > 20
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=2e-4, rtol=1e-4)


def test_pixel_unshuffle_order_is_row_then_column(folder: Path) -> None:
    network, _ = load_network(folder)
    grid = torch.arange(16.0).view(1, 4, 4, 1)
    assert network.vlm.pixel_shuffle(grid, scale_factor=0.5)[0, 0, 0].tolist() == [0.0, 1.0, 4.0, 5.0]


def test_ids_beyond_the_vocabulary_are_clamped_and_the_target_points_written_over() -> None:
    """Vocabulary of 40 with 8 placeholders behind it, of which 47 is the target point, as published (spec A.6)."""
    torch.manual_seed(0)
    language = replace(TINY.language, vocab_size=40)
    network = build_small(replace(TINY, language=language, added_tokens=8), context=35, target=47)
    image = torch.randn(2, 3, language.hidden_size)
    points = 10.0 * torch.randn(2, 2, 2)
    ids = torch.tensor([[3, 35, 35, 35, 39, 47, 47, 4], [40, 43, 47, 47, 35, 35, 35, 0]])
    with torch.no_grad():
        got = network.prompt_embeddings(ids, points, image)
        table, told = network.vlm.language_model.embed_tokens.weight, network.point_encoder(points)
        wanted = torch.stack(
            [
                torch.stack((table[3], *image[0], table[39], *told[0], table[4])),
                torch.stack((table[39], table[39], *told[1], *image[1], table[0])),  # 40 and 43 have the last row's
            ]
        )
    assert torch.equal(got, wanted)
    assert len(table) == 40
    with pytest.raises(IndexError):
        build_small(replace(TINY, language=language), context=35, target=39).prompt_embeddings(ids, points, image)


def build_small(config: ModelConfig, context: int, target: int) -> SimLingoNetwork:
    return SimLingoNetwork(config, context, target).eval()


def test_pixels_without_torch_are_the_networks() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 192, 384, 3), dtype=np.uint8)
    network = build_small(TINY, context=5, target=6)
    assert np.array_equal(
        network.tile_pixels(torch.from_numpy(pictures)).numpy(),
        np.concatenate([tile_pixels(each) for each in pictures]),
    )


def test_speed_queries_do_not_reach_the_path(folder: Path) -> None:
    network, _ = load_network(folder)
    embeddings = torch.randn(1, 12, TINY.language.hidden_size)
    with torch.no_grad():
        before, _ = network.heads(network.sequence_hidden(embeddings))
        network.speed_queries += 1.0
        after, _ = network.heads(network.sequence_hidden(embeddings))
    assert torch.equal(before, after)


def test_policy_gives_the_networks_plan(folder: Path) -> None:
    policy = load_policy(str(folder))
    plan = policy.plan(observation())
    assert plan.stamp == 7
    assert plan.path.shape == (20, 2)
    assert plan.speed_waypoints.shape == (10, 2)
    assert not np.array_equal(plan.path, policy.plan(observation(seed=1)).path)
    assert set(plan.timing) == {"preprocess", "vision", "prefill, queries and heads"}
    assert (plan.text, plan.text_stamp) == ("", 0)


def test_target_points_steer_the_plan(folder: Path) -> None:
    policy = load_policy(str(folder))
    seen = observation()
    moved = replace(seen, navigation=replace(seen.navigation, target_points=np.array([[10.0, 8.0], [20.0, 25.0]])))
    assert not np.allclose(policy.plan(seen).path, policy.plan(moved).path)


def test_nan_is_refused(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match="not finite"):
        load_policy(str(folder)).plan(replace(observation(), speed=float("nan")))


def copy_of(folder: Path, target: Path) -> Path:
    return Path(shutil.copytree(folder, target, dirs_exist_ok=True))


@pytest.mark.parametrize("name", ["plan.onnx", "vision.onnx", "graphs.bin", "tokenizer.json"])
def test_missing_and_cut_files_are_named(folder: Path, tmp_path: Path, name: str) -> None:
    broken = copy_of(folder, tmp_path)
    data = (broken / name).read_bytes()
    (broken / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(InvalidInputError, match=name):
        load_policy(str(broken))
    (broken / name).unlink()
    with pytest.raises(InvalidInputError, match=name):
        load_policy(str(broken))


def test_weights_of_another_export_are_refused(folder: Path, tmp_path: Path) -> None:
    broken = copy_of(folder, tmp_path)
    data = bytearray((broken / "graphs.bin").read_bytes())
    data[-1] ^= 1
    (broken / "graphs.bin").write_bytes(data)
    with pytest.raises(InvalidInputError, match="other weights"):
        load_policy(str(broken))


def test_graph_of_another_configuration_is_refused(folder: Path, tmp_path: Path) -> None:
    broken = copy_of(folder, tmp_path)
    (broken / "config.json").write_text(replace(TINY, name="other").to_json())
    with pytest.raises(InvalidInputError, match="another configuration"):
        load_policy(str(broken))


def test_weights_of_another_size_are_listed(folder: Path, tmp_path: Path) -> None:
    broken = copy_of(folder, tmp_path)
    (broken / "config.json").write_text(replace(TINY, speed_hidden=16).to_json())
    with pytest.raises(InvalidInputError, match=r"speed_head\.0\.weight"):
        load_network(broken)
    data = (folder / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(data[:1000])
    with pytest.raises(InvalidInputError, match="cannot be read"):
        load_network(broken)


def test_unknown_model_suggests_the_nearest() -> None:
    with pytest.raises(InvalidInputError, match="simlingo-mani"):
        load_policy("simlingo-mani")
