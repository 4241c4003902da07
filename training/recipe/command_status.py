"""``./simlingo recipe status``: which stages of a run are whole."""

from __future__ import annotations

import argparse
import sys

from training.recipe.command_run import add_common, run_folder

EXAMPLES = """examples:
  ./simlingo recipe status mini
  ./simlingo recipe status mini --profile smoke --run runs/recipe/smoke
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = "Show which stages of a run are whole, how long they took, and what is left to do."
    parser.epilog = EXAMPLES
    add_common(parser)


def run(args: argparse.Namespace) -> int:
    """Show the table; 0 where every stage that is needed is whole, else 3."""
    from rich.console import Console
    from rich.table import Table

    from simlingo.contracts import SimlingoError
    from training.recipe.plan import plan
    from training.recipe.reading import read_recipe
    from training.recipe.times import about

    try:
        recipe = read_recipe(args.recipe, args.profile)
        folder = run_folder(args, recipe.name)
        planned = plan(recipe, folder, until=args.until, accept_code=args.accept_code)
    except SimlingoError as error:
        print(f"recipe status: {error}", file=sys.stderr)
        return 1
    expected = recipe.expected_s()
    shown = Table(title=f"{recipe.name}, profile {recipe.profile_name}, in {folder}")
    for name in ("stage", "kind", "state", "took", "expected", "outcome"):
        shown.add_column(name, no_wrap=name != "state")
    for each in planned:
        took = about(each.record.seconds) if each.record is not None else ""
        state = f"{each.state.value}: {each.note}" if each.note else each.state.value
        shown.add_row(
            each.stage.name, each.stage.kind, state, took, about(expected[each.stage.name]), each.place.folder.name
        )
    Console().print(shown)
    left = sum(expected[each.stage.name] for each in planned if each.due)
    print(f"left: about {about(left)}" if left else "all is whole")
    others = sorted({path.name for path in folder.glob("*-????????")} - {each.place.folder.name for each in planned})
    if others:
        print(f"of other settings, inputs or code, to be removed by hand: {', '.join(others)}")
    return 3 if any(each.due for each in planned) else 0
