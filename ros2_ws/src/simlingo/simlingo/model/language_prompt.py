"""Prompts and answers with text: commentary, questions and instructions (spec A.6).

``here`` is a :func:`simlingo.model.prompt.situation`. Texts are Unicode or UTF-8 bytes of people and of data; they are
read as words whatever they spell, see :mod:`simlingo.model.user_text`, and refused with ``InvalidInputError`` where they
are no text.
"""

from __future__ import annotations

import re
from enum import Enum

from simlingo.model.prompt import DRIVING_ANSWER, PREDICT, single_stops, situation
from simlingo.model.user_text import GUARD, guarded

#: The answer to an instruction that is obeyed.
FOLLOWING_ANSWER = "Following the given instruction. Waypoints:"
#: How every answer to a question begins; the model goes on with a space.
QUESTION_ANSWER_START = "A:"

_STOP_AFTER_MARK = re.compile(rf"([!?]{GUARD}*)\.")


class InstructionFlag(Enum):
    """Whether an instruction may be refused; both are plain text, no special tokens."""

    SAFETY = "<SAFETY>"  # an unsafe instruction is refused
    INSTRUCTION_FOLLOWING = "<INSTRUCTION_FOLLOWING>"  # always obeyed


def commentary_prompt(here: str) -> str:
    """Asks for words and then a plan, the published order. Answered by :func:`answer_with_plan`."""
    return f"{here} What should the ego do next?"


def commentary_given_prompt(here: str, commentary: str | bytes) -> str:
    """Asks for the plan that fits a commentary. Answered by ``DRIVING_ANSWER``."""
    return here + single_stops(f" {guarded(commentary, 'commentary')}{PREDICT}")


def commentary_as_command_prompt(speed: float, commentary: str | bytes) -> str:
    """Asks for a plan with a commentary in the route's place; ``speed`` in m/s. Answered by ``DRIVING_ANSWER``."""
    return situation(speed) + single_stops(f" Command: {guarded(commentary, 'commentary')}{PREDICT}")


def question_prompt(here: str, question: str | bytes) -> str:
    """Asks about the scene. The answer begins with ``QUESTION_ANSWER_START``, see :func:`question_answer`."""
    return here + single_stops(f" Q: {guarded(question, 'question')}")


def instruction_prompt(here: str, instruction: str | bytes, flag: InstructionFlag | None = None) -> str:
    """Gives an instruction, with or without a route in ``here``.

    Answered by ``FOLLOWING_ANSWER`` or, refused, by :func:`answer_with_plan`.
    """
    # One pass of each, as published; what comes before is clean.
    told = single_stops(f" {guarded(instruction, 'instruction')}").replace("  ", " ")
    text = here + _STOP_AFTER_MARK.sub(r"\1", told)
    return text if flag is None else f"{flag.value} {text}"


def answer_with_plan(words: str | bytes) -> str:
    """The answer of a commentary or a refusal: the words, then the plan."""
    return single_stops(f"{guarded(words, 'answer')} {DRIVING_ANSWER}")


def question_answer(answer: str | bytes) -> str:
    """The whole answer to a question."""
    return single_stops(f"{QUESTION_ANSWER_START} {guarded(answer, 'answer')}")
