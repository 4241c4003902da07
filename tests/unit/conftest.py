"""Fixtures that several files of this folder share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def tiny_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model folder of random weights; do not write to it."""
    pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")
    from tiny_model import TINY, tiny_model

    return tiny_model(TINY, request.config, tmp_path_factory)


@pytest.fixture(scope="session")
def judging_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for a model that speaks, at random and shortly, and judges instructions."""
    pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")
    from tiny_model import JUDGING, tiny_model

    return tiny_model(JUDGING, request.config, tmp_path_factory)
