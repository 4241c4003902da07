"""Import of the full size: random weights in the published layout, every key, in bounded memory and time."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; ./simlingo test installs it")

from simlingo.model.checkpoints.expected import foreign_shapes  # noqa: E402
from simlingo.model.checkpoints.keymap import PUBLISHED, entries  # noqa: E402
from simlingo.model.checkpoints.named import PUBLISHED_LORA, published_config  # noqa: E402

_IMPORT = """
import sys
from pathlib import Path
from simlingo_cli.main import main
status = main(["checkpoint", "import", sys.argv[1], "--out", sys.argv[2], "--no-tokenizer"])
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print("peak kB", peak.split()[1])
sys.exit(status)
"""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_published_size_is_imported_within_memory_and_time(tmp_path: Path) -> None:
    if shutil.disk_usage(tmp_path).free < 9e9:
        pytest.skip("needs 9 GB of disk")
    file = tmp_path / "run/checkpoints/epoch=013.ckpt/pytorch_model.pt"
    file.parent.mkdir(parents=True)
    write_random(file)
    (tmp_path / "run/.hydra").mkdir()
    part = "variant: OpenGVLab/InternVL2-1B"
    (tmp_path / "run/.hydra/config.yaml").write_text(
        f"model: {{vision_model: {{{part}}}, language_model: {{{part}, lora: true, lora_r: 32, lora_alpha: 64}}}}"
    )
    result = subprocess.run(
        [sys.executable, "-c", _IMPORT, str(tmp_path / "run"), str(tmp_path / "ours")], capture_output=True, text=True
    )
    print(result.stdout, result.stderr)
    assert result.returncode == 0, result.stderr
    summary, peak = result.stdout.splitlines()
    assert "957,195,520 weights" in summary
    assert int(peak.split()[-1]) / 2**20 < 5.0  # GiB
    assert float(summary.split(" weights in ")[1].split()[0]) < 120.0  # s


def write_random(file: Path) -> None:
    """Random weights with aliases that share their storage, as the published file has them."""
    config = published_config("OpenGVLab/InternVL2-1B", PUBLISHED_LORA, "test")
    table = entries(config, PUBLISHED)
    shapes = foreign_shapes(config, table)
    assert len(shapes) == 992
    generator = torch.Generator().manual_seed(0)
    made: dict[tuple[str, ...], torch.Tensor] = {}
    state = {}
    for entry in table:
        if entry.ours not in made:
            made[entry.ours] = torch.randn(shapes[entry.theirs], generator=generator)
        state[entry.theirs] = made[entry.ours]
    torch.save(state, file)
