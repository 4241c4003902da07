"""Files of a run are written whole: under a temporary name, to the disk, then renamed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

#: What a run is made of, see :mod:`training.trainer.run_record`.
RECORD_FILE = "run.yaml"
#: The folder of what frozen vision makes of all pictures, see :mod:`training.trainer.image_embeddings`: 25 kB a view.
EMBEDDINGS = "embeddings"


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """``write`` a file under a temporary name; ``path`` is the old file until it is the new one, also after a power cut."""
    temporary = path.with_name(f"{path.name}.tmp")
    write(temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
