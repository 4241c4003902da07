"""The order of a parallel run: files side by side in two workers, then what needs a quiet machine in one of them."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

#: Folders whose tests run one after the other: real ROS 2 stacks with deadlines, and processes that are interrupted.
QUIET = ("tests/ros/", "tests/system/")


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

    def _only_quiet(self) -> bool:
        return bool(self.workqueue) and next(iter(self.workqueue)).startswith(QUIET)


def put_in_order(items: list[Any]) -> None:
    """Long files first, quiet ones last; within a file as they are."""
    long_files = {item.path for item in items if item.get_closest_marker("medium") or item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.nodeid.startswith(QUIET), item.path not in long_files))
