"""A model folder of random weights, small enough for tests, with everything that the shipped one has."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

import simlingo
from simlingo.model.checkpoint import build_network, save_weights
from simlingo.model.checkpoints.provenance import own
from simlingo.model.config import MINI, LanguageConfig, ModelConfig, VisionConfig
from simlingo.model.export import export_graphs
from simlingo.model.tokenizer import PromptTokenizer
from training.trainer.tokenizer import train_tokenizer

TINY = replace(
    MINI,
    name="tiny",
    vision=VisionConfig(hidden_size=32, layers=1, heads=2, intermediate_size=64),
    language=LanguageConfig(hidden_size=32, layers=2, heads=2, key_value_heads=1, intermediate_size=64, vocab_size=512),
)
JUDGING = replace(TINY, name="judging", speaks=True, max_new_tokens=8, instructions=True, judgement_hidden=16)
ROOT = Path(__file__).resolve().parents[2]


def tiny_model(config: ModelConfig, pytest_config: pytest.Config, folders: pytest.TempPathFactory) -> Path:
    """A model folder, made once for all processes and runs that have the same sources: its export takes long.

    Without pytest's cache (a mutation run has none, since it changes sources in memory only) it is made anew.
    """
    if not hasattr(pytest_config, "cache"):
        return write_tiny_model(folders.mktemp(config.name), config)
    kept = pytest_config.cache.mkdir("tiny-models") / f"{config.name}-{_fingerprint(config)}"
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            for old in kept.parent.glob(f"{config.name}-*/"):
                shutil.rmtree(old)
            making = kept.with_suffix(".making")
            shutil.rmtree(making, ignore_errors=True)
            making.mkdir()
            write_tiny_model(making, config).rename(kept)
    return kept


def _fingerprint(config: ModelConfig) -> str:
    """Of all that the folder is made by."""
    core, trainer = Path(simlingo.__file__).parent, ROOT / "training/trainer"
    sources = [Path(__file__), *core.rglob("*.py"), *trainer.glob("*.py"), *(ROOT / "training/language").rglob("*.*")]
    digest = hashlib.sha256(f"{config} {sys.version}".encode())
    for package in ("torch", "onnx", "onnxscript", "tokenizers", "numpy"):
        digest.update(version(package).encode())
    for source in sorted(source for source in sources if source.suffix != ".pyc"):
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def write_tiny_model(folder: Path, config: ModelConfig = TINY, graphs: bool = True) -> Path:
    """``folder`` with configuration, tokenizer, weights and, where they are wanted, graphs."""
    torch.manual_seed(0)
    (folder / "config.json").write_text(config.to_json())
    train_tokenizer(folder / "tokenizer.json", config.language.vocab_size)
    network = build_network(config, PromptTokenizer.load(folder / "tokenizer.json"))
    save_weights(network, folder)
    own("a test").write(folder)
    if graphs:
        export_graphs(folder)
    return folder
