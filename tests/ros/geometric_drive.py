"""``./simlingo drive`` with the geometric driver in the planner: arguments as there."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from stack_harness import geometric

from simlingo.contracts import SimlingoError
from simlingo_node import drive
from simlingo_node.stack import stack

if __name__ == "__main__":
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)
    drive.stack = lambda options: geometric(stack(options))
    parser = argparse.ArgumentParser()
    drive.add_arguments(parser)
    try:
        sys.exit(drive.run(parser.parse_args()))
    except SimlingoError as error:
        sys.exit(f"simlingo: {error}")
