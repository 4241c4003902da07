"""``./simlingo train`` of a tiny network as a command of its own: ``python train_tiny.py FOLDER OPTION ...``."""

from __future__ import annotations

import sys
from pathlib import Path

from trainer_cases import train_command

if __name__ == "__main__":
    sys.exit(train_command(Path(sys.argv[1]), "tiny-command", lambda folder: 0.0)(*sys.argv[2:]))
