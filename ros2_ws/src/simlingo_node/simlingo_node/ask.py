"""Ask a running stack about what it sees now, and print the answer."""

from __future__ import annotations

import argparse

from simlingo.arguments import real, whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``./simlingo ask``."""
    parser.add_argument("question", nargs="*", help="the question")
    parser.add_argument(
        "--within", type=real(0.1), default=20.0, help="seconds to wait for the answer (default: %(default)g)"
    )
    parser.add_argument(
        "--domain", type=whole(0, 232), help="ROS domain of the stack (default: the one that runs here)"
    )


def run(args: argparse.Namespace) -> int:
    """Ask; 0: answered.

    Raises:
        SimlingoError: no stack runs, or it gives no answer, and why.
    """
    from simlingo.contracts import InvalidInputError, SimlingoError

    question = " ".join(args.question).strip()
    if not question:
        raise InvalidInputError('ask something, such as: ./simlingo ask "is there a car ahead?"')

    from simlingo_node.conversions import stamp_to_ns
    from simlingo_node.talk import talker

    with talker(args.domain) as voice:
        answer = voice.ask(question, args.within)
    if answer.error:
        raise SimlingoError(answer.error)
    print(f"{answer.answer}\n  ({answer.model}, of what it saw at {stamp_to_ns(answer.stamp) / 1e9:.1f} s)")
    return 0
