"""``./simlingo recipe run``: make weights, from collection to model card, in one command."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

DESCRIPTION = (
    "Make weights by a recipe: collect, train, export, evaluate, report. Started again it goes on at the first stage that is not "
    "whole; a stage that was changed, or whose inputs or code were, is made again with all that follows."
)
EXAMPLES = """examples:
  ./simlingo recipe run mini
  ./simlingo recipe run mini --profile smoke --run runs/recipe/smoke
  ./simlingo recipe run mini --until language
  ./simlingo recipe run mini --from joint --run runs/recipe/mini
  ./simlingo recipe run path/to/own.yaml --profile two-cores
  python -m training.recipe run mini                 # the same in an environment that has what it needs

Each stage has a folder RUN/<stage>-<fingerprint> with stage.yaml (what it was made of), log.txt and its outcome; remove it to
make the stage anew. A model goes on elsewhere with its folder's stage.yaml and model/ alone. More: docs/recipe.md.
"""
#: Where runs lie that name no folder.
RUNS = Path("runs/recipe")


def add_common(parser: argparse.ArgumentParser) -> None:
    """Options of all recipe commands."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("recipe", metavar="NAME|FILE", help="of training/recipe/recipes, or a YAML file")
    parser.add_argument("--profile", help="size of the stages (default: the first in the YAML)")
    parser.add_argument(
        "--run", type=Path, dest="folder", metavar="RUN", help="folder of the run (default runs/recipe/NAME)"
    )
    parser.add_argument("--until", metavar="STAGE", help="the last stage")
    parser.add_argument(
        "--accept-code",
        action="store_true",
        help="whole stages of other code will do; the card names the commits",
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    add_common(parser)
    parser.add_argument(
        "--from", dest="start", metavar="STAGE", help="the first stage: all that is needed before it is whole"
    )


def run(args: argparse.Namespace) -> int:
    """Make all stages; 0 when they are whole."""
    from simlingo.contracts import SimlingoError
    from training.recipe.process import endings_as_ctrl_c
    from training.recipe.reading import read_recipe
    from training.recipe.runner import run_recipe

    try:
        with endings_as_ctrl_c():
            recipe = read_recipe(args.recipe, args.profile)
            planned = run_recipe(
                recipe,
                run_folder(args, recipe.name),
                say,
                until=args.until,
                start=args.start,
                accept_code=args.accept_code,
            )
    except SimlingoError as error:
        print(f"recipe run: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nrecipe run: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    say(f"whole: {planned[-1].stage.name} in {planned[-1].place.folder}")
    return 0


def say(line: str) -> None:
    """A line at once, also into a pipe."""
    print(line, flush=True)


def run_folder(args: argparse.Namespace, name: str) -> Path:
    """Absolute: what stages write down must not depend on where a command was started."""
    return (args.folder or RUNS / name).absolute()
