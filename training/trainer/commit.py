"""Which code a figure is of."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

#: Names the commit of a copy that has no git, such as an image.
COMMIT_VARIABLE = "SIMLINGO_COMMIT"
#: What may differ from one start of a run to the next where ``--accept`` names it; the run's record keeps that it did.
ACCEPTABLE = ("commit", "versions.python", "versions.torch", "versions.numpy")


def commit_of(root: Path) -> str:
    """The commit that is checked out at ``root``, with ``-dirty`` where files differ from it.

    The environment variable ``SIMLINGO_COMMIT`` names it for copies without git; without both it is ``unknown``.
    """
    if named := os.environ.get(COMMIT_VARIABLE):
        return named

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    try:
        inside = git("rev-parse", "--show-toplevel")
        if not inside or Path(inside).resolve() != root.resolve():
            return "unknown"
        return git("describe", "--always", "--dirty", "--exclude=*", "--abbrev=12") or "unknown"
    except OSError:  # no git
        return "unknown"
