"""Stages that are no command of ./simlingo, as processes of their own: ``python -m training.recipe.steps export …``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from simlingo.contracts import SimlingoError
from training.recipe.model_files import copy_model


def main(argv: Sequence[str]) -> int:
    """Carry out one step; 1 where it could not be done."""
    parser = argparse.ArgumentParser(prog="python -m training.recipe.steps", description=__doc__)
    steps = parser.add_subparsers(dest="step", required=True)
    for name in ("export", "grow"):
        step = steps.add_parser(name)
        step.add_argument("--model", type=Path, required=True, help="model folder to begin with")
        step.add_argument("--out", type=Path, required=True, help="model folder to write")
        if name == "grow":
            step.add_argument("--name", required=True, help="of the larger network")
    args = parser.parse_args(argv)
    try:
        if args.step == "grow":
            from training.trainer.grow import grow_model

            grow_model(args.model, args.out, args.name)
        else:
            print(f"graphs and network differ by {export(args.model, args.out):.1e}")
    except SimlingoError as error:
        print(f"recipe: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def export(folder: Path, out: Path) -> float:
    """Copy a model to ``out`` and export its graphs anew; the largest difference between them and the network.

    Raises:
        SimlingoError: the folder is no whole model, or the graphs differ by more than they may.
    """
    from simlingo.model.export import export_graphs

    work = out.with_name(f"{out.name}.work")
    copy_model(folder, work)
    difference = export_graphs(work)
    copy_model(work, out)
    return difference


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
