"""Who publishes what a car is driven by.

rclpy tells no publisher of a message, so a second one on such a topic cannot be told from the first: while there is one, the
car stops. Nodes go by their names, since one that was started again is not a second one; that names are true is for SROS 2.
"""

from __future__ import annotations

from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from simlingo_node.parameters import Parameter

#: Discovery is looked at this often, s of the steady clock.
PERIOD_S = 0.2

ALLOWED = Parameter(
    "allowed_publishers",
    [""],
    "Full names of the nodes that may publish what this node obeys, such as /controller. Empty: one node, whichever it is.",
    fixed=True,
)


class Publishers:
    """Watches one topic of ``node``.

    Args:
        node: whose graph it is.
        topic: what only those may publish who drive.
        allowed: full node names; empty: any one node.
    """

    def __init__(self, node: Node, topic: str, allowed: list[str]) -> None:
        self._node, self._topic = node, topic
        self._allowed = {name for name in allowed if name}
        self.fault = ""  # why nothing on the topic may be obeyed now
        self._timer = node.create_timer(PERIOD_S, self.look, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def look(self) -> None:
        """Find out who publishes now."""
        found = self._node.get_publishers_info_by_topic(self._topic)
        names = sorted({f"{each.node_namespace.rstrip('/')}/{each.node_name}" for each in found})
        if self._allowed:
            strangers = [name for name in names if name not in self._allowed]
            self.fault = f"{' and '.join(strangers)} may not publish {self._topic}; end it" if strangers else ""
        elif len(names) > 1:
            self.fault = f"{' and '.join(names)} publish {self._topic}, and one alone may; end the others"
        else:
            self.fault = ""

    def close(self) -> None:
        """Look no more."""
        self._node.destroy_timer(self._timer)
