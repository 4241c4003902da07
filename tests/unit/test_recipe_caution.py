"""How sure a model must be to follow: what its judgement becomes, and that nothing else changes."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from tiny_model import TINY, write_tiny_model  # noqa: E402

from simlingo.contracts import InvalidInputError  # noqa: E402
from simlingo.model.checkpoint import load_network  # noqa: E402
from simlingo.model.judgement import KINDS, OUTCOMES, judgement_of  # noqa: E402
from simlingo.requests import Reason, Verdict  # noqa: E402
from training.recipe.caution import NEUTRAL, set_caution  # noqa: E402


def scores_after(folder: Path, states: torch.Tensor) -> np.ndarray:
    network, _ = load_network(folder)
    assert network.judgement_head is not None
    with torch.no_grad():
        return network.judgement_head(states).numpy()


def test_following_has_to_be_so_many_times_as_likely(judging_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(judging_folder, folder)
    before = load_network(folder)[0].state_dict()
    states = torch.randn(50, before["judgement_head.0.weight"].shape[1], generator=torch.Generator().manual_seed(0))
    old = scores_after(folder, states)
    set_caution(folder, 0.8)
    new = scores_after(folder, states)
    follow = len(KINDS) + OUTCOMES.index(None)
    np.testing.assert_allclose(new[:, follow], old[:, follow] - math.log(4.0), atol=2e-3)
    np.testing.assert_array_equal(np.delete(new, follow, 1), np.delete(old, follow, 1))
    after = load_network(folder)[0].state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"judgement_head.2.bias"}


def test_the_odds_decide_the_verdict() -> None:
    """At a caution of 0.8 one is followed that is likelier than four to one, and no other."""
    for likely, verdict in ((0.79, Verdict.UNSAFE), (0.81, Verdict.FOLLOW)):
        scores = np.full(len(KINDS) + len(OUTCOMES), -30.0)
        scores[len(KINDS) + OUTCOMES.index(Reason.VEHICLE)] = math.log(1.0 - likely)
        scores[len(KINDS) + OUTCOMES.index(None)] = math.log(likely) - math.log(0.8 / 0.2)
        assert judgement_of(scores).verdict is verdict


def test_as_trained_nothing_is_written(judging_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(judging_folder, tmp_path / "model")
    weights = tmp_path / "model/model.safetensors"
    stamp = weights.stat().st_mtime_ns
    set_caution(tmp_path / "model", NEUTRAL)
    assert weights.stat().st_mtime_ns == stamp


def test_a_model_that_judges_nothing_has_no_caution(tmp_path: Path) -> None:
    write_tiny_model(tmp_path, TINY, graphs=False)
    with pytest.raises(InvalidInputError, match="judges no instructions, so it has no caution; leave caution out"):
        set_caution(tmp_path, 0.7)
