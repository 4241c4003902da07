"""Progress bars of the suites."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class Bars:
    """Bars in a terminal, a line at the end of each elsewhere; a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        self._bars = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console)

    def __enter__(self) -> Bars:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def begin(self, what: str, total: int) -> Callable[[int], None]:
        """See :class:`training.evaluation.language.suite.Progress`."""
        task = self._bars.add_task(what, total=total)

        def advance(steps: int) -> None:
            self._bars.advance(task, steps)
            if self._bars.tasks[self._bars.task_ids.index(task)].finished and not self._console.is_terminal:
                self._console.print(f"{what}: {total} done", highlight=False, markup=False)

        return advance
