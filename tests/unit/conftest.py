"""Fixtures that several files of this folder share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model folder of random weights; do not write to it."""
    pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")
    from tiny_model import write_tiny_model

    return write_tiny_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def speaking_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for a model that speaks, at random and shortly."""
    pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")
    from tiny_model import TINY, write_tiny_model

    config = replace(TINY, speaks=True, max_new_tokens=8)
    return write_tiny_model(tmp_path_factory.mktemp("speaking"), config)
