"""A text that the model is asked for: it grows token by token and can be called off."""

from __future__ import annotations

import threading
from concurrent.futures import Future

from simlingo.contracts import SimlingoError


class SpeechCancelledError(SimlingoError):
    """The text was called off before it was whole."""


class Speech:
    """A text in the making; made by :meth:`Engine.say`, safe to use from any thread."""

    def __init__(self, suffix: list[int], longest: int, unlike: int | None = None) -> None:
        self.suffix = suffix  # ids that follow the shared prefix
        self.longest = longest  # tokens
        self.unlike = unlike  # id that it does not begin with
        self._done: Future[tuple[list[int], int]] = Future()
        self._called_off = threading.Event()

    def cancel(self) -> None:
        """Call it off; the engine stops after the token in hand."""
        self._called_off.set()

    @property
    def cancelled(self) -> bool:
        """Whether it was called off."""
        return self._called_off.is_set()

    def done(self) -> bool:
        """Whether :meth:`result` would answer at once."""
        return self._done.done()

    def result(self, timeout_s: float | None = None) -> tuple[list[int], int]:
        """Token ids of the text without the end of turn, and the stamp (ns) of the frame that it speaks of.

        Raises:
            SpeechCancelledError: it was called off.
            TimeoutError: not whole within ``timeout_s``.
            SimlingoError: what went wrong.
        """
        return self._done.result(timeout_s)

    def finish(self, ids: list[int], stamp: int) -> None:
        """The engine's: the text is whole."""
        self._done.set_result((ids, stamp))

    def fail(self, error: BaseException) -> None:
        """The engine's: there will be no text."""
        self._done.set_exception(error)
