"""Exports a model's graphs anew, as a process of its own: ``python -m training.recipe.export_model --model … --out …``."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from simlingo.contracts import SimlingoError
from training.recipe.caution import NEUTRAL, set_caution
from training.recipe.model_files import copy_model


def main(argv: Sequence[str]) -> int:
    """Export; 1 where it could not be done."""
    parser = argparse.ArgumentParser(prog="python -m training.recipe.export_model", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="model folder to begin with")
    parser.add_argument("--out", type=Path, required=True, help="model folder to write")
    parser.add_argument("--caution", type=float, default=NEUTRAL, help="how sure it must be to follow an instruction")
    args = parser.parse_args(argv)
    try:
        print(f"graphs and network differ by {export(args.model, args.out, args.caution):.1e}")
    except SimlingoError as error:
        print(f"recipe: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def export(folder: Path, out: Path, caution: float = NEUTRAL) -> float:
    """Copy a model to ``out`` and export its graphs anew; the largest difference between them and the network.

    ``caution``: see :func:`training.recipe.caution.set_caution`.

    Raises:
        SimlingoError: the folder is no whole model, or the graphs differ by more than they may.
    """
    from simlingo.model.export import export_graphs

    work = out.with_name(f"{out.name}.work")
    copy_model(folder, work)
    set_caution(work, caution)
    difference = export_graphs(work)
    copy_model(work, out)
    shutil.rmtree(work)
    return difference


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
