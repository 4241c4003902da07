"""The key map and the registry against the list of the published keys."""

from __future__ import annotations

import ast

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from checkpoint_cases import REFERENCE, TINY, published_state, random_network  # noqa: E402

from simlingo.contracts import InvalidInputError  # noqa: E402
from simlingo.model.checkpoints.build import empty_network  # noqa: E402
from simlingo.model.checkpoints.expected import foreign_shapes  # noqa: E402
from simlingo.model.checkpoints.keymap import INTERNVL, PUBLISHED, entries, to_ours, to_theirs  # noqa: E402
from simlingo.model.checkpoints.named import PUBLISHED_LORA, named_config, published_config  # noqa: E402

FULL = published_config("OpenGVLab/InternVL2-1B", PUBLISHED_LORA, "test")
KEYS = REFERENCE / "checkpoint-keys.txt"


@pytest.mark.skipif(not KEYS.is_file(), reason=f"no list of the published keys beside this checkout ({KEYS.name})")
def test_the_full_size_has_the_published_keys_in_their_order() -> None:
    listed = KEYS.read_text().split("# ---- SimLingo-BASE")[0]
    wanted = dict(line.split("\t") for line in listed.splitlines() if "\t" in line and not line.startswith("#"))
    shapes = foreign_shapes(FULL, entries(FULL, PUBLISHED))
    assert shapes == {name: ast.literal_eval(shape) for name, shape in wanted.items()}
    assert list(shapes) == list(wanted)


def test_the_full_size_counts() -> None:
    table = entries(FULL, PUBLISHED)
    shapes = foreign_shapes(FULL, table)
    different = [entry for entry in table if not entry.alias]
    assert (len(table), len(different)) == (992, 989)
    assert sum(torch.Size(shapes[entry.theirs]).numel() for entry in different) == 957_195_520
    plain = foreign_shapes(FULL, entries(FULL, INTERNVL))
    assert sum(torch.Size(shape).numel() for shape in plain.values()) == 304_012_288 + 4_482_816 + 629_663_872


@pytest.mark.medium
def test_what_trains_is_what_the_published_training_trained() -> None:
    network = empty_network(FULL)
    trained = sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
    assert trained == 327_531_648
    factors = [name for name, _ in network.named_parameters() if ".lora_" in name]
    assert len(factors) == 336
    assert not [name for name in factors if "vision" in name]


def test_there_and_back_is_the_same_tensors_in_the_same_order() -> None:
    state = published_state(random_network())
    table = entries(TINY, PUBLISHED)
    back = to_theirs(to_ours(state, table), table)
    assert set(back) == set(state)
    assert all(torch.equal(back[name], state[name]) for name in state)
    names = list(back)
    assert names[0].endswith("class_embedding")
    assert names[-1] == "wp_encoder.mlp.4.bias"
    assert back["adaptors.language.lm_head.weight"] is back["language_model.model.base_model.model.lm_head.weight"]


def test_a_cached_copy_of_a_known_model_is_known_and_others_are_not() -> None:
    assert named_config("pretrained/InternVL2-1B", "x").language.vocab_size == 151655
    with pytest.raises(InvalidInputError, match=r"InternVL2-2B.*did it mean OpenGVLab/InternVL2-1B"):
        named_config("OpenGVLab/InternVL2-2B", "x")
