"""Words that a network has not met before begin like those that it knows: as large, and each its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from trainer_cases import MODEL  # noqa: E402

from simlingo.model.checkpoint import build_network  # noqa: E402
from simlingo.model.tokenizer import PromptTokenizer  # noqa: E402
from training.trainer.tokenizer import train_tokenizer  # noqa: E402
from training.trainer.vocabulary import adopt_vocabulary  # noqa: E402


def test_new_words_are_as_large_as_known_ones(tmp_path: Path) -> None:
    size = MODEL.language.vocab_size
    train_tokenizer(tmp_path / "few.json", size - 60)
    train_tokenizer(tmp_path / "many.json", size)
    few, many = (PromptTokenizer.load(tmp_path / name) for name in ("few.json", "many.json"))
    network = build_network(replace(MODEL), few)
    embedding, head = network.vlm.language_model.embed_tokens.weight, network.lm_head.weight
    with torch.no_grad():
        embedding.normal_(0.0, 0.05)
        head.normal_(0.0, 0.002)
    adopt_vocabulary(network, few, many)
    fresh = [number for token, number in many.vocabulary.items() if token not in few.vocabulary]
    assert len(fresh) > 20
    assert embedding[fresh].std().item() == pytest.approx(0.05, rel=0.2)
    assert head[fresh].std().item() == pytest.approx(0.002, rel=0.2)
    assert (network.image_context_id, network.target_point_id) == (many.image_context_id, many.target_point_id)
    assert network.vlm.config.image_token_id == many.image_context_id
