"""The order of a parallel run: files side by side in two workers, then what needs a quiet machine in one of them."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

#: What runs one after the other: real ROS 2 stacks with deadlines, and processes that are interrupted.
QUIET = ("tests/ros/", "tests/system/test_interrupts")


class QuietLast(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Shares out files, in the order of collection, until only quiet ones are left; those go to the last worker.

    A worker that is not needed any more is told so when two of its tests are left, so that these may still run
    beside the first quiet test.
    """

    def _reschedule(self, node: WorkerController) -> None:
        if node.shutting_down:
            return
        others = [other for other in self.nodes if other is not node and not other.shutting_down]
        if self._only_quiet() and others and self._pending_of(self.assigned_work[node]) <= 2:
            node.shutdown()
            return
        if self._only_quiet() and others:
            return
        super()._reschedule(node)

    def _assign_work_unit(self, node: WorkerController) -> None:
        # At the start every worker is given a file; where all are quiet, only the first is.
        if self._only_quiet() and any(work for other, work in self.assigned_work.items() if other is not node):
            busy = [other for other, work in self.assigned_work.items() if work and not other.shutting_down]
            if busy and busy != [node]:
                return
        super()._assign_work_unit(node)

    def remove_node(self, node: WorkerController) -> str | None:
        """What a worker that crashed has not begun goes back to the head of the queue; returns the test it died of.

        The base class would put back what is done, too, and a worker that is given such a unit waits for ever.
        """
        units = self.assigned_work.pop(node)
        left = [(scope, name) for scope, unit in units.items() for name, done in unit.items() if not done]
        if not left:
            return None
        back: dict[str, dict[str, bool]] = {}
        for scope, name in left[1:]:
            back.setdefault(scope, {})[name] = False
        for scope in reversed(back):
            self.workqueue[scope] = back[scope]
            self.workqueue.move_to_end(scope, last=False)
        for other in self.assigned_work:
            self._reschedule(other)
        return left[0][1]

    def schedule(self) -> None:
        """The base class gives a worker that takes the place of another one unit; it begins with the second test."""
        super().schedule()
        for node in self.nodes:
            while self.workqueue and not node.shutting_down and self._pending_of(self.assigned_work[node]) < 2:
                waiting = len(self.workqueue)
                self._reschedule(node)
                if len(self.workqueue) == waiting:
                    break

    def _only_quiet(self) -> bool:
        return bool(self.workqueue) and next(iter(self.workqueue)).startswith(QUIET)


def put_in_order(items: list[Any]) -> None:
    """Long files first, quiet ones last; within a file as they are."""
    long_files = {item.path for item in items if item.get_closest_marker("medium") or item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.nodeid.startswith(QUIET), item.path not in long_files))
