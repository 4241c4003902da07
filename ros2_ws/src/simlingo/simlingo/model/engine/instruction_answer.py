"""What the model says to an instruction: the plan has decided already, and the words go with it."""

from __future__ import annotations

from simlingo.model.engine.engine import Engine
from simlingo.model.engine.speech import Speech
from simlingo.model.judgement import Judgement
from simlingo.model.processor import Processor, PromptIds
from simlingo.requests import Verdict


def answer_to_instruction(
    engine: Engine, processor: Processor, prompt: PromptIds, judged: Judgement | None, stamp: int
) -> Speech:
    """The text about the newest frame that answers an instruction.

    A plan never waits for words, so its head decides first; the language model, asked afterwards, may waver where the head was sure of
    little. Of what is followed there is one answer (spec A.6), which is said as it is; what is refused does not begin like it.

    Args:
        engine: has read the frame.
        processor: of the same model.
        prompt: of the instruction, without an answer.
        judged: what the plan decided; None: the model decides nothing, and its words alone tell.
        stamp: ns, of the frame that the plan is about.
    """
    if judged is None:
        return engine.say(prompt.request)
    following = processor.following
    if judged.verdict is Verdict.FOLLOW:
        speech = Speech([], 0)
        speech.finish(following, stamp)
        return speech
    return engine.say(prompt.request, unlike=following[0])
