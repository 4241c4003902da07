"""A node that never comes to its end: it hangs in its shutdown transition, for longer than any test waits."""

from __future__ import annotations

import ctypes
import os
import sys
import time
from typing import Any

from simlingo_node.process import run_node
from simlingo_node.route import RouteNode


class HangingNode(RouteNode):
    """Hangs as the variable ``HANGS`` says."""

    def on_shutdown(self, state: Any) -> Any:
        """Hang."""
        if os.environ["HANGS"] == "in Python":
            time.sleep(300.0)
        ctypes.PyDLL(None).sleep(300)  # PyDLL keeps the interpreter's lock
        return super().on_shutdown(state)


def make() -> HangingNode:
    """The node, once it can be told to end."""
    node = HangingNode()
    print("ready", flush=True)
    return node


if __name__ == "__main__":
    sys.exit(run_node(make))
