"""Parses the command line and calls the command's module, which is imported only then."""

from __future__ import annotations

import argparse
import difflib
import importlib
import sys
from collections.abc import Sequence
from typing import Any

from simlingo_cli import __version__
from simlingo_cli.commands import BOOTSTRAP, COMMANDS, Command

_INTERRUPTED = 130
_USAGE_ERROR = 2


def main(argv: Sequence[str]) -> int:
    """Run one command; returns its exit status."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(overview())
        return 0 if argv else _USAGE_ERROR
    if argv[0] in ("-V", "--version", "version"):
        print(f"simlingo {__version__}")
        return 0
    if (argv[0],) in BOOTSTRAP:  # bootstrap/ carries them out, but for their help
        command = BOOTSTRAP[(argv[0],)]
        print(f"usage: ./simlingo {argv[0]}\n\n{command.summary}\n\n{_examples(command)}")
        return 0 if argv[1:] in (["-h"], ["--help"]) else _USAGE_ERROR
    words = find_command(argv)
    if words is None:
        return _explain_unknown(argv)
    parser, module = build_parser(words, COMMANDS[words])
    own, passed_on = list(argv[len(words) :]), None
    if hasattr(module, "split_arguments"):  # a command that hands arguments to another program
        own, passed_on = module.split_arguments(own)
    args = parser.parse_args(own)
    if passed_on is not None:
        args.pytest_args = passed_on
    try:
        return int(module.run(args))
    except KeyboardInterrupt:
        print("\nsimlingo: interrupted", file=sys.stderr)
        return _INTERRUPTED
    except Exception as error:
        # Errors raised on purpose say cause and cure in one sentence; all others keep their traceback.
        if not is_on_purpose(error):
            raise
        print(f"simlingo: {error}", file=sys.stderr)
        return 1


def find_command(argv: Sequence[str]) -> tuple[str, ...] | None:
    """The words at the front of the command line that name a command."""
    for length in (1, 2):
        if tuple(argv[:length]) in COMMANDS:
            return tuple(argv[:length])
    return None


def is_on_purpose(error: BaseException) -> bool:
    """Whether the error is one of the project's own, told by name: the command line imports no core for that."""
    return any(kind.__name__ in ("SimlingoError", "SimulatorError") for kind in type(error).__mro__)


def build_parser(words: tuple[str, ...], command: Command) -> tuple[argparse.ArgumentParser, Any]:
    """The parser of a command, filled by its module, and the module."""
    module = importlib.import_module(command.module)
    parser = argparse.ArgumentParser(
        prog=f"./simlingo {' '.join(words)}",
        description=(module.__doc__ or command.summary).strip(),
        epilog=_examples(command),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    return parser, module


def _examples(command: Command) -> str:
    lines = (example if "./simlingo" in example else f"./simlingo {example}" for example in command.examples)
    return "examples:\n" + "\n".join(f"  {line}" for line in lines)


def overview() -> str:
    """The text of ``./simlingo --help``."""
    rows = [(" ".join(words), command.summary) for words, command in (COMMANDS | BOOTSTRAP).items()]
    width = max(len(name) for name, _ in rows)
    lines = "\n".join(f"  {name:<{width}}  {summary}" for name, summary in rows)
    return (
        "usage: ./simlingo <command> [options]\n\n"
        "A language-following driving stack on ROS 2, with a world to drive in.\n\n"
        f"commands:\n{lines}\n\n"
        "examples:\n  ./simlingo drive\n  ./simlingo drive --help\n  ./simlingo doctor\n\n"
        "The first command makes the environment (.venv, or SIMLINGO_ENV) and says so."
    )


def _explain_unknown(argv: Sequence[str]) -> int:
    """Name the nearest command; a word in front of sub-commands lists those."""
    subcommands = [" ".join(words) for words in COMMANDS if len(words) > 1 and words[0] == argv[0]]
    asked_help = len(argv) > 1 and argv[1] in ("-h", "--help")
    if subcommands:
        listing = "".join(
            f"\n  ./simlingo {words:<14} {COMMANDS[tuple(words.split())].summary}" for words in subcommands
        )
        usage = (
            f"usage: ./simlingo {argv[0]} <what> [options]{listing}\n\nexample:\n  ./simlingo {subcommands[0]} --help"
        )
        print(usage, file=sys.stdout if asked_help else sys.stderr)
        return 0 if asked_help else _USAGE_ERROR
    names = [words[0] for words in COMMANDS | BOOTSTRAP]
    nearest = difflib.get_close_matches(argv[0], names, n=1, cutoff=0.5)
    hint = f" Did you mean: ./simlingo {nearest[0]}" if nearest else ""
    print(f"simlingo: no command {argv[0]!r}.{hint}\nAll commands: ./simlingo --help", file=sys.stderr)
    return _USAGE_ERROR
