"""Tell a running stack what to do, and see what becomes of it.

Each step is printed as it comes: accepted, obeying, and then obeyed, refused, impossible, expired, replaced, cleared or
not understood, with the reason. The exit status is 0 where the instruction was obeyed (or withdrawn, with --clear).
"""

from __future__ import annotations

import argparse
import sys

from simlingo.arguments import real, whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of ``./simlingo say``."""
    parser.add_argument("text", nargs="*", help="the sentence")
    parser.add_argument("--clear", action="store_true", help="withdraw what was said, and drive as the route says")
    parser.add_argument("--no-wait", action="store_true", help="end after the first step")
    parser.add_argument(
        "--within", type=real(0.0), default=120.0, help="seconds to wait for the end (default: %(default)g)"
    )
    parser.add_argument(
        "--domain", type=whole(0, 232), help="ROS domain of the stack (default: the one that runs here)"
    )


def run(args: argparse.Namespace) -> int:
    """Say it; 0: obeyed, accepted with --no-wait, or withdrawn with --clear; 1: anything else."""
    from simlingo.contracts import InvalidInputError

    text = " ".join(args.text).strip()
    if bool(text) == args.clear:
        raise InvalidInputError(
            'say something, such as: ./simlingo say "turn left", or withdraw it: ./simlingo say --clear'
        )

    from simlingo_msgs.msg import InstructionStatus

    from simlingo_node.instruction_status import is_final, word_of
    from simlingo_node.talk import talker

    good = {InstructionStatus.CLEARED} if args.clear else {InstructionStatus.OBEYED}
    last = ""
    with talker(args.domain) as voice:
        for step in voice.say(text, args.within):
            last = word_of(step.status)
            print(f"{last}: {step.reason}" if step.reason else last, flush=True)
            if is_final(step.status):
                return 0 if step.status in good else 1
            if args.no_wait:
                return 0
    if not last:
        print(f"nothing heard within {args.within:g} s: the stack takes instructions once it drives", file=sys.stderr)
    else:
        print(f"still {last} after {args.within:g} s; it goes on", file=sys.stderr)
    return 1
