"""A model as the stack's driver: observation to prompt, engine to plan, text beside it."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import numpy as np

from simlingo.contracts import (
    Answer,
    DrivingPlan,
    Instruction,
    InvalidInputError,
    Observation,
    SimlingoError,
)
from simlingo.model.engine import Engine, Reading, Speech, SpeechCancelledError
from simlingo.model.engine.backend import Backend
from simlingo.model.engine.commentary_trigger import CommentaryMode, CommentaryTrigger, Intent, intent_of
from simlingo.model.engine.instruction_answer import answer_to_instruction
from simlingo.model.judgement import Judgement
from simlingo.model.language_prompt import InstructionFlag
from simlingo.model.processor import Processor
from simlingo.model.prompt import RouteAs
from simlingo.model.tokenizer import PromptTokenizer
from simlingo.policy import ANSWER_WITHIN_S
from simlingo.requests import Reason


@dataclass(frozen=True)
class TextOptions:
    """When and how the model speaks."""

    when: CommentaryMode = CommentaryMode.ON_CHANGE
    every: int = 20  # plans between two texts under ``every_n``
    before_plan: bool = False  # the published order: the plan waits for the text and reads it


@dataclass(frozen=True)
class _Told:
    """What an instruction means for the plans from now on."""

    id: str = ""
    words: str = ""  # what the network reads; empty: nothing
    reason: Reason | None = None  # why it is refused whatever is seen


class ModelPolicy:
    """Drives with one model; see :class:`simlingo.policy.Policy`.

    Args:
        backend: runs the network.
        tokenizer: of the same model.
        route_as: whether target points or the command's words tell the route.
        text: when it speaks; a model that was not trained to speak never does.
        flag: whether the network may refuse instructions; one that was not trained on instructions refuses all words.
        licence: of the weights.
        simulation_only: whether that licence forbids driving anything real.
    """

    def __init__(
        self,
        backend: Backend,
        tokenizer: PromptTokenizer,
        route_as: RouteAs = RouteAs.TARGET_POINT,
        text: TextOptions | None = None,
        licence: str = "",
        simulation_only: bool = False,
        flag: InstructionFlag = InstructionFlag.SAFETY,
    ) -> None:
        self.config = backend.config
        self.name = self.config.name
        self.licence, self.simulation_only = licence, simulation_only
        self.text = text if text is not None and self.config.speaks else TextOptions(CommentaryMode.NEVER)
        self._processor = Processor(self.config, tokenizer)
        self._engine = Engine(backend, self._processor.end_of_turn)
        self._route_as, self._flag = route_as, flag
        self._trigger = CommentaryTrigger(self.text.when, self.text.every)
        self._lock = threading.Lock()
        self._instruction: Instruction | None = None
        self._told = _Told()
        self._speech: Speech | None = None
        self._due = False
        self._answered = ""  # id of the instruction that the model has spoken to
        self._intent: Intent | None = None  # of the newest plan
        self._called_off = threading.Event()  # ends the text that a plan is waiting for

    def reset(self) -> None:
        """A new route clears the instruction and calls off the text in the making, with it a plan that waits for one."""
        self.set_instruction(None)
        self._called_off.set()
        self._trigger.reset()
        if self._speech is not None:
            self._speech.cancel()
        self._speech = None
        self._due = False
        self._intent = None

    def close(self) -> None:
        """Let the model go."""
        self._engine.close()

    def plan(self, observation: Observation) -> DrivingPlan:
        """One plan; a text about an earlier frame comes with it once it is whole.

        With ``before_plan`` a text that is due is about this frame, and the plan reads it; the newest plan before tells
        whether one is. Where none is due, the plan has the fixed answer.

        Raises:
            InvalidInputError: speed or target points are not finite.
            SpeechCancelledError: reset or closed while the plan waited for its text.
        """
        begin = time.perf_counter()
        self._called_off = called_off = threading.Event()
        navigation = observation.navigation
        if not (np.isfinite(observation.speed) and np.isfinite(navigation.target_points).all()):
            raise InvalidInputError("speed or target points are not finite; check odometry and route")
        processor = self._processor
        picture = processor.picture(observation.image, observation.intrinsics)
        here = processor.situation(observation.speed, navigation, self._route_as)
        with self._lock:
            told = self._told
        # A prompt holds an instruction or asks for a commentary (spec A.6): what a person says comes first.
        text_first = (
            self.text.before_plan and not told.words and self._trigger.due(self._intent, navigation.command, told.id)
        )
        if told.words:
            prompt = processor.instruction(here, told.words, self._flag)
        else:
            prompt = processor.commentary(here) if text_first else processor.plan(here)
        plain = processor.plan(here).ids if told.words else None
        reading = Reading(observation.stamp, picture, navigation.target_points, prompt.ids, prompt.shared, plain)
        prepared = time.perf_counter()
        if text_first:
            outcome, words = self._engine.plan_after_text(reading, called_off=called_off)
            said, said_stamp, fault = processor.commentary_text(words), observation.stamp, ""
        else:
            outcome = self._engine.plan(reading)
            said, said_stamp, fault = self._said()
        self._intent = intent_of(outcome.path, outcome.speed_waypoints, observation.speed)
        # Words that are refused unread never reach the network: it judges only what it was told.
        judged = outcome.judgement if told.words else None
        if not self.text.before_plan:
            self._speak_when_due(here, observation, told, judged)
        reason = judged.reason if judged is not None else told.reason
        return DrivingPlan(
            stamp=observation.stamp,
            path=outcome.path,
            speed_waypoints=outcome.speed_waypoints,
            instruction_id=told.id,
            refused=reason is not None,
            reason=reason,
            request=judged.kind if judged is not None else None,
            text=said,
            text_stamp=said_stamp,
            text_fault=fault,
            timing={"preprocess": prepared - begin, **outcome.timing},
        )

    def set_instruction(self, instruction: Instruction | None) -> None:
        """See :meth:`simlingo.policy.Policy.set_instruction`; words that no prompt can hold are not understood either."""
        with self._lock:
            before = self._instruction
            if instruction and before and (instruction.id, instruction.text) == (before.id, before.text):
                return
            self._instruction = instruction
            self._told = self._read(instruction) if instruction is not None else _Told()

    def _read(self, instruction: Instruction) -> _Told:
        if not instruction.text:
            return _Told(instruction.id)
        if not self.config.instructions:
            return _Told(instruction.id, reason=Reason.NOT_UNDERSTOOD)
        try:
            self._processor.instruction("", instruction.text, self._flag)
        except InvalidInputError:
            return _Told(instruction.id, reason=Reason.NOT_UNDERSTOOD)
        return _Told(instruction.id, instruction.text)

    def ask(self, question: str, within_s: float = ANSWER_WITHIN_S) -> Answer:
        """Answer about the newest planned frame; plans go on meanwhile."""
        if not self.config.answers:
            return Answer(error=f"{self.name} was not trained to answer questions")
        try:
            speech = self._engine.say(self._processor.question(question).request)
        except SimlingoError as error:
            return Answer(error=str(error))
        try:
            ids, stamp = speech.result(within_s)
        except TimeoutError:
            speech.cancel()
            return Answer(error=f"no answer within {within_s:g} s: the model is too slow, or busy planning")
        except Exception as error:  # whatever it is, whoever asked is told, and driving goes on
            return Answer(error=str(error) or type(error).__name__)
        return Answer(text=self._processor.text(ids), stamp=stamp)

    def _speak_when_due(self, here: str, observation: Observation, told: _Told, judged: Judgement | None) -> None:
        """Ask for a text about the newest plan where one is due and none is in the making.

        The first one after an instruction is the answer to it, that it is followed or why not; all others are commentaries.
        """
        if self._trigger.due(self._intent, observation.navigation.command, told.id):
            self._due = True  # until the text in the making is whole
        if not self._due or self._speech is not None:
            return
        self._due = False
        if told.words and told.id != self._answered:
            self._answered = told.id
            prompt = self._processor.instruction(here, told.words, self._flag, answer=None)
            self._speech = answer_to_instruction(self._engine, self._processor, prompt, judged, observation.stamp)
        else:
            self._speech = self._engine.say(self._processor.commentary(here).request)

    def _said(self) -> tuple[str, int, str]:
        """The commentary that has become whole since the last plan, the stamp of its frame, and why one failed."""
        speech = self._speech
        if speech is None or not speech.done():
            return "", 0, ""
        self._speech = None
        try:
            ids, stamp = speech.result(0.0)
        except SpeechCancelledError:
            return "", 0, ""
        except Exception as error:  # whatever it is, the plan is made, and worth more than its text
            return "", 0, f"a text has failed and is dropped: {str(error) or type(error).__name__}"
        return self._processor.commentary_text(ids), stamp, ""
