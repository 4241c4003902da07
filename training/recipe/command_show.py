"""``./simlingo recipe show``: the stages of a recipe, how large and how long they are."""

from __future__ import annotations

import argparse
import sys

from training.recipe.command_run import add_common

EXAMPLES = """examples:
  ./simlingo recipe show mini
  ./simlingo recipe show mini --profile h100
  ./simlingo recipe show mini --commands          # what each stage calls
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description = "Show the stages of a recipe at a profile: what they need, their settings and expected time."
    parser.epilog = EXAMPLES
    add_common(parser)
    parser.add_argument("--commands", action="store_true", help="also the command lines")


def run(args: argparse.Namespace) -> int:
    """Show them; 1 where the recipe cannot be run."""
    import shlex

    from simlingo.contracts import SimlingoError
    from training.recipe.command_run import run_folder
    from training.recipe.plan import plan
    from training.recipe.reading import read_recipe
    from training.recipe.times import about

    try:
        recipe = read_recipe(args.recipe, args.profile)
        planned = plan(recipe, run_folder(args, recipe.name), until=args.until, accept_code=args.accept_code)
    except SimlingoError as error:
        print(f"recipe show: {error}", file=sys.stderr)
        return 1
    expected = recipe.expected_s()
    profile = recipe.profile
    print(f"{recipe.name}: {recipe.about}\n")
    print(f"profile {recipe.profile_name}: {profile.about}\n")
    for number, each in enumerate(planned, 1):
        settings, name = each.stage.settings, each.stage.name
        print(f"{number:2}. {name} ({each.stage.kind}), about {about(expected[name])}")
        if settings.about:
            print(f"      {settings.about}")
        for key, value in settings.told().items():
            print(f"      {key}: {', '.join(map(str, value)) if isinstance(value, tuple) else value}")
        if args.commands:
            for command in settings.commands(each.place):
                print(f"      $ {shlex.join(command)}")
    print(f"\ntogether about {about(sum(expected.values()))}, expected from the profile's rates")
    return 0
