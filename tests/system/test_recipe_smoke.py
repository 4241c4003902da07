"""The recipe of the shipped weights at its smallest, from collection to model card, as ``python -m training.recipe``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


def recipe(*words: str) -> subprocess.CompletedProcess[str]:
    """The command, without the paths that ./simlingo sets."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-m", "training.recipe", *words]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_smoke_recipe_makes_a_model_with_its_card(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")
    options = ("mini", "--profile", "smoke", "--run", str(tmp_path))
    done = recipe("run", *options)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
    assert recipe("status", *options).returncode == 0
    (report,) = tmp_path.glob("report-*")
    card = (report / "MODEL_CARD.md").read_text()
    stages = [
        stage["name"] for stage in yaml.safe_load((ROOT / "training/recipe/recipes/mini.yaml").read_text())["stages"]
    ]
    assert all(f"\n| {name} | " in card for name in stages[:-1])
    assert "All figures are those of the embedded world" in card
    assert (report / "model/README.md").is_file()
    again = recipe("run", *options)
    assert again.returncode == 0
    assert again.stdout.count(": whole\n") == len(stages), "nothing is made twice"
