"""One command as a process of its own: its lines are shown and kept, and Ctrl-C reaches it once, whoever sent it."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from training.recipe.stage import ROOT

#: Source trees that the commands import from, for an environment that ./simlingo has not made.
SOURCE_TREES = (
    ".",
    "cli",
    *(f"ros2_ws/src/{name}" for name in ("simlingo", "simlingo_sim", "simlingo_drive", "simlingo_node")),
)
#: Seconds without a line after which ``idle`` is called.
IDLE_S = 30.0
#: Columns of tables, as the commands see no terminal.
_COLUMNS = "140"


def environment() -> dict[str, str]:
    """Of the commands."""
    trees = [str(ROOT / tree) for tree in SOURCE_TREES]
    path = os.pathsep.join([*trees, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {"COLUMNS": _COLUMNS, **os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def run_command(
    command: Sequence[str],
    log: Path,
    show: Callable[[str], None],
    idle: Callable[[], None],
    *,
    keep: Sequence[int] = (),
    idle_s: float = IDLE_S,
) -> int:
    """Run ``command`` to its end; its exit status.

    The process has a session of its own, so that a terminal's Ctrl-C comes to us alone, and we hand it on. A second one ends
    the process and all that it started, at once.

    Args:
        command: program and arguments.
        log: file that its output is added to.
        show: hears each line.
        idle: called where ``idle_s`` seconds bring no line.
        keep: open files that it inherits.

    Raises:
        KeyboardInterrupt: it was interrupted, and has ended.
    """
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        env=environment(),
        start_new_session=True,
        pass_fds=keep,
    )
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    interrupts = 0
    with log.open("a", encoding="utf-8") as file:
        last = time.monotonic()
        while True:
            try:
                line = lines.get(timeout=min(idle_s, 1.0))
                if line is None:
                    break
                last = time.monotonic()
                file.write(line)
                file.flush()
                show(line.rstrip())
            except queue.Empty:
                if time.monotonic() - last >= idle_s:
                    last = time.monotonic()
                    idle()
            except KeyboardInterrupt:
                interrupts += 1
                _interrupt(process, interrupts)
    status = process.wait()
    if interrupts:
        raise KeyboardInterrupt
    return status


def _read(process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    """Hand on what it says, then None."""
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line)
    lines.put(None)


def _interrupt(process: subprocess.Popen[str], times: int) -> None:
    """Ask it to end; the second time end it."""
    if times == 1 and process.poll() is None:
        process.send_signal(signal.SIGINT)
    elif times > 1:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            return  # all of them have ended by themselves


@contextmanager
def endings_as_ctrl_c() -> Iterator[None]:
    """SIGTERM and a closed terminal end as Ctrl-C does, which also a job in the background of a shell hears here."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    earlier = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, earlier, strict=True):
            signal.signal(number, handler)
