"""``python -m training.recipe run|show|status …``, from the repository's root, where there is no ./simlingo."""

import argparse
import importlib
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
# Before the first import of ours, and first on the path: the stages' commands import these, too.
sys.path[:0] = [str(_ROOT / f"ros2_ws/src/{name}") for name in ("simlingo", "simlingo_sim", "simlingo_drive")]
COMMANDS = ("run", "show", "status")


def main(argv: list[str]) -> int:
    """Carry out one command; its exit status."""
    parser = argparse.ArgumentParser(prog="python -m training.recipe", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    modules = {name: importlib.import_module(f"training.recipe.command_{name}") for name in COMMANDS}
    for name, module in modules.items():
        module.add_arguments(commands.add_parser(name))
    args = parser.parse_args(argv)
    return int(modules[args.command].run(args))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
