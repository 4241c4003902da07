"""Every layout that is read gives the same network."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from checkpoint_cases import (  # noqa: E402
    LANGUAGE,
    LORA,
    PAIR,
    TINY,
    pair_config,
    plain_state,
    published_state,
    random_network,
    write_pair,
)
from checkpoint_runs import assert_same_plan, published_run, with_ids  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from simlingo.contracts import InvalidInputError  # noqa: E402
from simlingo.model.checkpoint import load_network  # noqa: E402
from simlingo.model.checkpoints import named  # noqa: E402
from simlingo.model.checkpoints.build import checkpoint_of, network_of  # noqa: E402
from simlingo.model.checkpoints.lora import add_adapters  # noqa: E402
from simlingo.model.checkpoints.provenance import own  # noqa: E402
from simlingo.model.checkpoints.publish import write_published  # noqa: E402
from simlingo.model.checkpoints.reader import Checkpoint, open_checkpoint  # noqa: E402
from simlingo.model.checkpoints.store import merge_adapters, write_folder  # noqa: E402
from simlingo.model.checkpoints.tokenizers_of import open_tokenizer  # noqa: E402
from simlingo.model.config import LoraConfig, ModelConfig  # noqa: E402
from simlingo.model.network import SimLingoNetwork  # noqa: E402
from simlingo.model.preprocess import model_image  # noqa: E402
from simlingo.model.prompt import SPECIAL_TOKENS  # noqa: E402
from simlingo.model.tokenizer import PromptTokenizer  # noqa: E402
from training.trainer.tokenizer import train_tokenizer  # noqa: E402

#: Where weights of this test's own come from.
OWN = own("test")


@pytest.fixture(scope="module")
def network() -> SimLingoNetwork:
    return random_network()


@pytest.fixture(scope="module")
def pair(network: SimLingoNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pair(tmp_path_factory.mktemp("read") / "tiny", network)


def test_a_pair_gives_the_networks_plan(network: SimLingoNetwork, pair: Path) -> None:
    checkpoint = open_checkpoint(pair)
    assert checkpoint.config == PAIR
    assert checkpoint.stored_keys - checkpoint.aliases == len(set(map(id, published_state(network).values())))
    assert_same_plan(network_of(checkpoint), network)


@pytest.mark.medium
def test_adapters_apart_give_the_same_plan_and_train_alone(network: SimLingoNetwork, pair: Path) -> None:
    apart = network_of(open_checkpoint(pair), adapters="apart")
    assert_same_plan(apart, network)
    language = apart.vlm.language_model
    assert {name for name, value in language.named_parameters() if value.requires_grad} == {
        name for name, _ in language.named_parameters() if ".lora_" in name
    }
    assert apart.vlm.vision_tower.embeddings.cls_token.requires_grad
    assert not apart.lm_head.weight.requires_grad


@pytest.mark.medium
def test_a_trained_network_is_written_and_read_with_its_adapters(pair: Path, tmp_path: Path) -> None:
    opened = open_checkpoint(pair)
    apart = network_of(opened, adapters="apart")
    language = apart.vlm.language_model
    with torch.no_grad():
        language.layers[1].mlp.up_proj.lora_B.default.weight += 1.0
    trained = checkpoint_of(apart, pair, opened.provenance)
    write_folder(trained, tmp_path / "trained", None)
    again = open_checkpoint(tmp_path / "trained")
    assert again.config.lora == LORA
    assert_same_plan(network_of(again), apart)


def test_adapters_of_a_backbone_without_any_begin_as_nothing(network: SimLingoNetwork, tmp_path: Path) -> None:
    grown = random_network()
    add_adapters(grown, LORA)
    grown.eval()
    assert_same_plan(grown, network)
    config = checkpoint_of(grown, tmp_path, OWN).config
    assert config.lora == LORA


def test_merging_for_good_keeps_the_plan(network: SimLingoNetwork, pair: Path, tmp_path: Path) -> None:
    write_folder(merge_adapters(open_checkpoint(pair)), tmp_path / "merged", None)
    again = open_checkpoint(tmp_path / "merged")
    assert again.config.lora is None
    assert not [name for name in again.tensors if "lora" in name]
    assert_same_plan(network_of(again), network)
    with pytest.raises(InvalidInputError, match="no LoRA factors to keep apart"):
        network_of(again, adapters="apart")


def test_merging_into_half_precision_rounds_nothing(network: SimLingoNetwork, tmp_path: Path) -> None:
    folder = write_pair(tmp_path / "tiny", network)
    state = torch.load(folder / "pytorch_model.pt", weights_only=True)
    name = f"{LANGUAGE}model.layers.0.mlp.up_proj"
    state[f"{name}.base_layer.weight"] = base = state[f"{name}.base_layer.weight"].half()
    torch.save(state, folder / "pytorch_model.pt")
    up, down = (state[f"{name}.lora_{factor}.default.weight"].double() for factor in "BA")
    merged = network_of(open_checkpoint(folder)).vlm.language_model.layers[0].mlp.up_proj.weight
    assert (merged - (base.double() + 1.5 * up @ down)).abs().max() < 1e-5


def test_qwen2s_own_tokenizer_files_are_completed_by_the_placeholders(tmp_path: Path) -> None:
    trained = train_tokenizer(tmp_path / "trained.json", 512)
    plain = [token for token in SPECIAL_TOKENS if token != "<TARGET_POINT>"]
    vocabulary = {token: i for token, i in trained.get_vocab().items() if token not in SPECIAL_TOKENS}
    order = {token: i for i, token in enumerate(sorted(vocabulary, key=vocabulary.__getitem__))}
    (tmp_path / "vocab.json").write_text(json.dumps(order))
    merges = json.loads(trained.to_str())["model"]["merges"]
    (tmp_path / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{' '.join(pair)}\n" for pair in merges))
    added = {str(len(order) + i): {"content": token, "special": True} for i, token in enumerate(plain)}
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "Qwen2Tokenizer", "added_tokens_decoder": added})
    )
    size = len(order) + len(plain)
    config = replace(TINY, token_ids=None, language=replace(TINY.language, vocab_size=size))
    tokenizer = PromptTokenizer(open_tokenizer(tmp_path, config))
    assert tokenizer.image_context_id == len(order) + plain.index("<IMG_CONTEXT>")
    assert tokenizer.target_point_id == size + 7
    text = "Current speed: 4.2 m/s."
    assert tokenizer.decode(tokenizer.encode(f"{text}<TARGET_POINT>")) == text
    with pytest.raises(InvalidInputError, match="take the tokenizer of these weights"):
        open_tokenizer(tmp_path, replace(config, language=replace(TINY.language, vocab_size=size - 9)))


def test_a_tokenizer_whose_placeholders_sit_elsewhere_is_refused(tmp_path: Path) -> None:
    """Fewer tokens than the model has fit by their number alone, but mean other words."""
    size = train_tokenizer(tmp_path / "tokenizer.json", 512).get_vocab_size()

    def config(vocabulary: int, added: int) -> ModelConfig:
        language = replace(TINY.language, vocab_size=vocabulary)
        return replace(TINY, token_ids=None, added_tokens=added, language=language)

    with pytest.raises(InvalidInputError, match=r"<TARGET_POINT> 6, the weights .* belongs to another model"):
        open_tokenizer(tmp_path, config(size - 1, 1))
    text = (tmp_path / "tokenizer.json").read_text()
    (tmp_path / "tokenizer.json").write_text(text.replace("<TARGET_POINT>", "<UNUSED>"))
    fitting = open_tokenizer(tmp_path, config(size, 8))
    assert [fitting.token_to_id(name) for name in named.PLACEHOLDERS] == list(range(size, size + 8))
    with pytest.raises(InvalidInputError, match=rf"<WAYPOINTS> {size}, the weights {size + 1}: .*take the tokenizer"):
        open_tokenizer(tmp_path, config(size + 1, 8))
    swapped = fitting.to_str().replace("<WAYPOINTS>", "<SWAP>").replace("<ROUTE>", "<WAYPOINTS>")
    (tmp_path / "tokenizer.json").write_text(swapped.replace("<SWAP>", "<ROUTE>"))
    with pytest.raises(InvalidInputError, match="numbers the placeholder <WAYPOINTS>"):
        open_tokenizer(tmp_path, config(size, 8))


def test_the_published_file_takes_its_sizes_from_the_run(
    network: SimLingoNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = published_run(tmp_path, network, monkeypatch)
    for path in (file, file.parent, tmp_path):
        checkpoint = open_checkpoint(path)
        assert checkpoint.source.kind.value == "published"
        assert checkpoint.config.image.jpeg_round_trip
        assert checkpoint.config.route_hidden == (12, 10)  # no configuration names it
        assert "non-commercial" in checkpoint.provenance.licence
    assert_same_plan(network_of(with_ids(checkpoint)), network)


def test_a_published_file_without_its_run_says_where_the_configuration_belongs(
    network: SimLingoNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = published_run(tmp_path, network, monkeypatch)
    shutil.rmtree(tmp_path / ".hydra")
    with pytest.raises(InvalidInputError, match=r"expected .*\.hydra/config\.yaml"):
        open_checkpoint(file)


@pytest.mark.parametrize("files", [1, 3])
def test_a_plain_backbone_gets_fresh_heads(network: SimLingoNetwork, tmp_path: Path, files: int) -> None:
    state = plain_state(network)
    names = [f"part-{i}.safetensors" for i in range(files)] if files > 1 else ["model.safetensors"]
    weight_map = {name: names[i % files] for i, name in enumerate(state)}
    for file in names:
        save_file({name: state[name] for name in state if weight_map[name] == file}, tmp_path / file)
    if files > 1:
        (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    config = {key: value for key, value in pair_config().items() if key not in ("lora", "image", "max_new_tokens")}
    (tmp_path / "config.json").write_text(json.dumps(config))
    one, two = open_checkpoint(tmp_path), open_checkpoint(tmp_path)
    assert one.config.lora is None
    assert one.config.route_hidden == named.INTERNVL2_1B.route_hidden
    assert torch.equal(one.tensors["route_queries"], two.tensors["route_queries"])
    assert "untrained" in one.provenance.notes[0]
    built = network_of(one)
    frames = torch.zeros(1, 28, 56, 3, dtype=torch.uint8)
    assert torch.equal(built.vision_tokens(frames), network.vision_tokens(frames))
    if files > 1:
        (tmp_path / names[1]).unlink()
        with pytest.raises(InvalidInputError, match=names[1]):
            open_checkpoint(tmp_path)


def test_a_tied_backbone_needs_no_output_layer(network: SimLingoNetwork, tmp_path: Path) -> None:
    state = plain_state(network)
    del state["language_model.lm_head.weight"]
    config = pair_config()
    save_file(state, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InvalidInputError, match=r"missing language_model\.lm_head\.weight"):
        open_checkpoint(tmp_path)
    config["llm_config"]["tie_word_embeddings"] = True
    (tmp_path / "config.json").write_text(json.dumps(config))
    backbone = open_checkpoint(tmp_path)
    assert torch.equal(backbone.tensors["lm_head.weight"], backbone.tensors["vlm.language_model.embed_tokens.weight"])
    write_folder(backbone, tmp_path / "ours", None)
    assert_equal_tensors(open_checkpoint(tmp_path / "ours"), backbone)


def test_a_pair_with_tied_embeddings_is_written_and_given_back(network: SimLingoNetwork, tmp_path: Path) -> None:
    folder = write_pair(tmp_path / "tied", network)
    state = torch.load(folder / "pytorch_model.pt", weights_only=True)
    for name in (f"{LANGUAGE}lm_head.weight", "adaptors.language.lm_head.weight"):
        state[name] = state[f"{LANGUAGE}model.embed_tokens.weight"]
    torch.save(state, folder / "pytorch_model.pt")
    write_folder(open_checkpoint(folder), tmp_path / "ours", None)
    ours = open_checkpoint(tmp_path / "ours")
    assert_equal_tensors(ours, open_checkpoint(folder))
    write_published(ours, tmp_path / "back")
    assert_equal_tensors(open_checkpoint(tmp_path / "back"), ours)


def assert_equal_tensors(one: Checkpoint, other: Checkpoint) -> None:
    assert one.tensors.keys() == other.tensors.keys()
    assert all(torch.equal(tensor, other.tensors[name]) for name, tensor in one.tensors.items())


def test_a_plain_backbone_is_not_given_out_as_a_driver(network: SimLingoNetwork, tmp_path: Path) -> None:
    """Its adapters may be new, but its heads are: the published layout could not say so."""
    save_file(plain_state(network), tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(pair_config()))
    backbone = open_checkpoint(tmp_path)
    assert not backbone.config.drives
    learner = network_of(backbone)
    add_adapters(learner, LORA)
    fresh = checkpoint_of(learner, tmp_path, backbone.provenance)
    with pytest.raises(InvalidInputError, match="train it first"):
        write_published(fresh, tmp_path / "out")
    learner.config = replace(learner.config, drives=True)  # what training says once it is done
    write_published(checkpoint_of(learner, tmp_path, backbone.provenance), tmp_path / "out")


def test_our_folder_drives_with_its_tokenizer(network: SimLingoNetwork, pair: Path, tmp_path: Path) -> None:
    """Tokens, picture and weights of one folder; the placeholders follow the vocabulary without an embedding."""
    trained = train_tokenizer(tmp_path / "tokenizer.json", 512)
    vocabulary = trained.get_vocab_size()
    config = replace(
        TINY, token_ids=None, added_tokens=0, language=replace(TINY.language, vocab_size=vocabulary), lora=None
    )
    checkpoint = checkpoint_of(SimLingoNetwork(config, 0, 1), tmp_path, OWN)
    write_folder(checkpoint, tmp_path / "model", tmp_path)
    loaded, tokenizer = load_network(tmp_path / "model")
    assert isinstance(tokenizer, PromptTokenizer)
    assert loaded.image_context_id == tokenizer.image_context_id == SPECIAL_TOKENS.index("<IMG_CONTEXT>")
    with pytest.raises(InvalidInputError, match="take the tokenizer of these weights"):
        write_folder(open_checkpoint(pair), tmp_path / "other", tmp_path)


def test_sizes_read_back_from_an_exported_configuration(pair: Path, tmp_path: Path) -> None:
    opened = open_checkpoint(pair)
    trained = checkpoint_of(network_of(opened, adapters="apart"), tmp_path, opened.provenance)
    write_published(trained, tmp_path / "out")
    assert open_checkpoint(tmp_path / "out").config == replace(PAIR, name="out")


@pytest.mark.parametrize("hydra", [False, True])
def test_other_adapters_than_it_came_with_are_exported_as_what_they_are(
    network: SimLingoNetwork, pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hydra: bool
) -> None:
    """The configuration that it came with would read them with another scale, or not at all."""
    original = published_run(tmp_path / "run", network, monkeypatch) if hydra else pair
    write_folder(open_checkpoint(original), tmp_path / "ours", None)
    opened = open_checkpoint(tmp_path / "ours")
    learner = network_of(with_ids(opened))
    add_adapters(learner, LoraConfig(rank=LORA.rank, alpha=4 * LORA.alpha))
    with torch.no_grad():
        for name, weight in learner.named_parameters():
            if "lora_B" in name:
                weight.normal_(0.0, 0.1)
    trained = replace(checkpoint_of(learner, tmp_path, opened.provenance), source=opened.source)
    write_published(trained, tmp_path / "back")
    back = open_checkpoint(tmp_path / "back")
    assert back.config.lora == LoraConfig(rank=LORA.rank, alpha=4 * LORA.alpha)
    assert_same_plan(network_of(with_ids(back)), network_of(with_ids(trained)))


def test_patches_are_put_together_in_threes_too(tmp_path: Path) -> None:
    """A ratio that no float holds exactly."""
    config = replace(TINY, downsample_ratio=1 / 3, image=replace(TINY.image, tile=42), lora=None)
    assert config.tokens_per_tile == 4
    network = random_network(config=config)
    grid = torch.randn(1, 2, 36, config.vision.hidden_size)
    seen: list[torch.Tensor] = []
    network.vlm.multi_modal_projector.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    assert network.image_embeddings(grid).shape == (1, 8, config.language.hidden_size)
    patches = grid[0, 1].view(6, 6, -1)
    wanted = torch.cat([patches[y, x] for y in (0, 1, 2) for x in (3, 4, 5)])  # the upper right token of the right tile
    assert torch.equal(seen[0][1, 1], wanted)


def test_frames_are_cropped_at_the_bottom_only(pair: Path) -> None:
    frame = np.zeros((48, 96, 3), dtype=np.uint8)
    frame[34:] = 255  # the bonnet
    image = open_checkpoint(pair).config.image
    assert model_image(frame, replace(image, jpeg_round_trip=False)).max() == 0


def test_a_pair_may_say_that_its_weights_saw_no_jpegs(network: SimLingoNetwork, tmp_path: Path) -> None:
    folder = write_pair(tmp_path / "tiny", network)
    config = pair_config()
    config["image"]["jpeg_round_trip"] = False
    (folder / "config.json").write_text(json.dumps(config))
    assert open_checkpoint(folder).config == replace(PAIR, image=TINY.image)
    del config["image"]  # the picture of the published code
    (folder / "config.json").write_text(json.dumps(config))
    assert open_checkpoint(folder).config.image == replace(named.PUBLISHED_IMAGE, tile=28, jpeg_round_trip=True)
