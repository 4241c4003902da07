"""The one owner of a model: a thread that runs plans at once and text in the time between them."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from simlingo.contracts import FloatArray, ImageArray, SimlingoError
from simlingo.model.engine.backend import Backend, BatchPlans, Outcome
from simlingo.model.engine.speech import Speech, SpeechCancelledError


@dataclass(frozen=True)
class Reading:
    """One frame with what is asked about it."""

    stamp: int  # ns
    picture: ImageArray  # (tile, 2 * tile, 3) uint8
    target_points: FloatArray  # (2, 2) m, ego frame
    ids: list[int]  # the prompt; for a plan without text its fixed answer too
    shared: int  # how many leading ids the prompts of texts about this frame have in common with it
    #: The prompt without the instruction that ``ids`` hold: the plan's, where that is not followed.
    uninstructed: list[int] | None = None


class Engine:
    """Plans and text from one model; a frame is read once, and every text about it goes on from that reading.

    Methods can be called from any thread. A plan never waits for a text, only for the token in hand.

    Args:
        backend: runs the network.
        end_of_turn: id of the token that ends a text.
    """

    def __init__(self, backend: Backend, end_of_turn: int) -> None:
        self.config = backend.config
        self._backend = backend
        self._end_of_turn = end_of_turn
        self._wake = threading.Condition()
        self._plans: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._speeches: deque[Speech] = deque()
        self._newest: tuple[int, Any] | None = None  # stamp and context of the newest reading's shared ids
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._thread.start()

    def plan(self, reading: Reading) -> Outcome:
        """A plan without text: prompt, fixed answer and queries in one pass.

        An instruction that is not followed changes nothing: the plan is then made anew without it, on the same look at the
        picture, and comes with the judgement of the first pass.

        Raises:
            SimlingoError: the network's answer is not finite, or the engine is closed.
        """
        outcome: Outcome = self._plan_job(lambda: self._plan(reading))
        return outcome

    def plan_after_text(
        self, reading: Reading, longest: int | None = None, called_off: threading.Event | None = None
    ) -> tuple[Outcome, list[int]]:
        """The published order (spec A.10): text first, then the queries after it; the plan waits for the text.

        Args:
            reading: ``ids`` end where the answer begins.
            longest: most tokens of text; default: the configuration's.
            called_off: once set, text and plan are given up after the token in hand.

        Raises:
            SpeechCancelledError: called off, or the engine was closed meanwhile.
        """
        stop = called_off or threading.Event()
        result: tuple[Outcome, list[int]] = self._plan_job(lambda: self._after_text(reading, self._most(longest), stop))
        return result

    def plan_batch(
        self, pictures: Sequence[ImageArray], ids: Sequence[list[int]], target_points: FloatArray
    ) -> BatchPlans:
        """Plans without text of B frames, for evaluation offline; texts go on from the newest frame as before.

        Args:
            pictures: B of (tile, 2 * tile, 3) uint8.
            ids: B prompts with their answers, of any lengths.
            target_points: (B, 2, 2) m, ego frame.

        Raises:
            SimlingoError: the counts differ, a plan is not finite, memory ran out, or the engine is closed.
        """
        found: BatchPlans = self._plan_job(lambda: self._backend.plan_batch(pictures, ids, target_points))
        return found

    def say(self, suffix: list[int], longest: int | None = None, unlike: int | None = None) -> Speech:
        """Ask for a text about the newest frame; it begins when all texts before it are whole.

        Args:
            suffix: ids after the shared ones of the newest reading, up to where the answer begins; at least one.
            longest: most tokens; default: the configuration's.
            unlike: an id that the text does not begin with.
        """
        speech = Speech(list(suffix), self._most(longest), unlike)
        with self._wake:
            if self._closed:
                raise SimlingoError("the engine is closed")
            self._speeches.append(speech)
            self._wake.notify()
        return speech

    def close(self) -> None:
        """End the thread; texts in the making are called off, with them a plan that waits for one."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _most(self, longest: int | None) -> int:
        return self.config.max_new_tokens if longest is None else longest

    def _plan_job(self, job: Callable[[], Any]) -> Any:
        done: Future[Any] = Future()
        with self._wake:
            if self._closed:
                raise SimlingoError("the engine is closed")
            self._plans.append((job, done))
            self._wake.notify()
        return done.result()

    def _run(self) -> None:
        """Plans first; then one token of the text in hand; then sleep."""
        text: Iterator[None] | None = None
        while True:
            with self._wake:
                while not (self._plans or text or self._speeches or self._closed):
                    self._wake.wait()
                if self._closed:
                    break
                planned = self._plans.popleft() if self._plans else None
                if planned is None and text is None:
                    text = self._text(self._speeches.popleft())
            if planned is not None:
                job, done = planned
                try:
                    done.set_result(job())
                except BaseException as error:
                    done.set_exception(error)
            elif text is not None and next(text, _END) is _END:
                text = None
        self._refuse_the_rest(text)

    def _refuse_the_rest(self, text: Iterator[None] | None) -> None:
        closed = SimlingoError("the engine is closed")
        for _, done in self._plans:
            done.set_exception(closed)
        for speech in self._speeches:
            speech.fail(SpeechCancelledError("the engine is closed"))
        if text is not None:
            text.close()  # type: ignore[attr-defined]

    def _plan(self, reading: Reading) -> Outcome:
        begin = time.perf_counter()
        image = self._backend.see(reading.picture)
        seen = time.perf_counter()
        outcome = self._backend.plan(image, reading.ids, reading.target_points)
        if reading.uninstructed is not None and outcome.judgement is not None and outcome.judgement.reason is not None:
            anew = time.perf_counter()
            plain = self._backend.plan(image, reading.uninstructed, reading.target_points)
            timing = {**outcome.timing, "without_instruction": time.perf_counter() - anew}
            outcome = plain._replace(judgement=outcome.judgement, timing=timing)
        self._newest = (reading.stamp, self._backend.cut(outcome.context, reading.shared))
        return outcome._replace(timing={"vision": seen - begin, **outcome.timing})

    def _after_text(self, reading: Reading, longest: int, called_off: threading.Event) -> tuple[Outcome, list[int]]:
        backend, begin = self._backend, time.perf_counter()
        image = backend.see(reading.picture)
        seen = time.perf_counter()
        scores, context, timing = backend.read(image, reading.ids, reading.target_points)
        self._newest = (reading.stamp, backend.cut(context, reading.shared))
        read, text = time.perf_counter(), list[int]()
        for token, before in self._tokens(context, [], longest, scores):
            if called_off.is_set() or self._closed:
                raise SpeechCancelledError("the text that the plan waits for was called off, and the plan with it")
            text.append(token)
            context = before
        if text:
            _, context = backend.read_on(context, text[-1:])  # the queries see the end of turn too
        spoken = {"vision": seen - begin, **timing, "text": time.perf_counter() - read}
        outcome = backend.drive(context)
        outcome = outcome._replace(timing={**spoken, **outcome.timing})
        return outcome, text[:-1] if text[-1:] == [self._end_of_turn] else text

    def _text(self, speech: Speech) -> Iterator[None]:
        """Generates the text of ``speech``; pauses after each token."""
        if self._newest is None:
            speech.fail(SimlingoError("no frame has been read yet, so there is nothing to speak of; plan first"))
            return
        stamp, context = self._newest
        ids: list[int] = []
        try:
            if speech.cancelled:
                raise SpeechCancelledError("the text was called off")
            for token, _ in self._tokens(context, speech.suffix, speech.longest, unlike=speech.unlike):
                if speech.cancelled:
                    raise SpeechCancelledError("the text was called off")
                if token != self._end_of_turn:
                    ids.append(token)
                yield
        except GeneratorExit:
            speech.fail(SpeechCancelledError("the engine is closed"))
            raise
        except Exception as error:
            speech.fail(error)
        else:
            speech.finish(ids, stamp)

    def _tokens(
        self,
        context: Any,
        ids: list[int],
        longest: int,
        scores: np.ndarray | None = None,
        unlike: int | None = None,
    ) -> Iterator[tuple[int, Any]]:
        """The likeliest tokens after ``context`` and ``ids``, up to and with the end of turn, each with the context
        before it; ``scores`` are those of the first where they are known, which is not ``unlike``."""
        for _ in range(longest):
            if scores is None:
                scores, context = self._backend.read_on(context, ids)
            if unlike is not None:
                scores = np.array(scores, dtype=np.float32)
                scores.reshape(-1)[unlike] = -np.inf
            ids, scores, unlike = [int(np.argmax(scores))], None, None
            yield ids[0], context
            if ids[0] == self._end_of_turn:
                return


#: What ``next`` gives when a text is whole.
_END = object()
