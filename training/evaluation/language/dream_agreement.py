"""Do a plan's decision and the sentence that follows it agree: on some of the items of ``dream-val``."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from simlingo.model.language_prompt import FOLLOWING_ANSWER
from simlingo.model.prompt import DRIVING_ANSWER, RouteAs
from simlingo.requests import Reason, Verdict
from training.evaluation.language.dream_plans import FLAGS, Reply
from training.evaluation.language.listener import Listener, Request
from training.evaluation.language.rates import Rate, rate
from training.evaluation.language.suite import Context, Table
from training.language.hold_out import normalise
from training.language.languages import language

#: Sentences that are asked for.
SENTENCES, SENTENCES_QUICK = 240, 32


@dataclass(frozen=True)
class Heard:
    """A plan's decision beside the sentence that follows it."""

    verdict: Verdict
    reason: Reason | None
    sentence: str
    says: Reason | None  # that the sentence gives
    follows: bool  # the sentence says that the instruction is followed

    @property
    def agrees(self) -> bool:
        """Both follow, or both refuse."""
        return (self.verdict is Verdict.FOLLOW) is self.follows

    @property
    def same_reason(self) -> bool:
        """Both refuse, for one reason."""
        return self.agrees and self.says is self.reason


@dataclass(frozen=True)
class Agreement:
    """Of all that was asked for; nothing of a model that does not judge or does not speak."""

    heard: tuple[Heard, ...]

    @property
    def decision(self) -> Rate | None:
        """How often decision and sentence agree."""
        return rate(one.agrees for one in self.heard)

    def tables(self) -> tuple[Table, ...]:
        """Agreement, and some sentences."""
        if not self.heard:
            return ()
        refusals = [one for one in self.heard if one.verdict is not Verdict.FOLLOW]
        reasons = rate(one.same_reason for one in refusals)
        rows: list[tuple[str, float | int | None]] = [
            ("sentences", len(self.heard)),
            ("decision and sentence agree %", None if self.decision is None else self.decision.percent),
            ("refusals that give the decision's reason %", None if reasons is None else reasons.percent),
        ]
        said = Table(
            "Some sentences",
            ("decision", "reason", "sentence"),
            [(one.verdict.value, one.reason.value if one.reason else "", one.sentence) for one in self.heard[:12]],
        )
        return Table("A plan's decision and the sentence that follows it", ("figure", "value"), rows), said


def agreement(context: Context, prefix: str, listener: Listener, replies: Sequence[Reply]) -> Agreement:
    """Ask for the sentences that follow some of ``replies``, as many of refusals as of others."""
    heard = []
    chosen = _chosen(replies, SENTENCES_QUICK if context.quick else SENTENCES)
    if not chosen:
        return Agreement(())
    advance = context.progress.begin("sentences that follow", len(chosen))
    for reply in chosen:
        judged, told = reply.judgement, reply.told
        assert judged is not None  # only those are chosen
        key = f"{prefix}:sentence:{told.item.key}:{told.words.value}:{told.safety}"
        if key not in context.journal.kept:
            context.journal.keep(key, _sentence(listener, reply))
        sentence = context.journal.kept[key]
        heard.append(Heard(judged.verdict, judged.reason, sentence, reason_in(sentence), says_following(sentence)))
        advance(1)
    return Agreement(tuple(heard))


def _chosen(replies: Sequence[Reply], count: int) -> list[Reply]:
    judged = [reply for reply in replies if reply.judgement is not None and reply.told.safety]
    judged.sort(key=lambda reply: reply.told.item.rank)
    refused = [one for one in judged if one.judgement is not None and one.judgement.verdict is not Verdict.FOLLOW]
    followed = [one for one in judged if one.judgement is not None and one.judgement.verdict is Verdict.FOLLOW]
    half = min(len(refused), max(count // 2, count - len(followed)))
    return refused[:half] + followed[: count - half]


def _sentence(listener: Listener, reply: Reply) -> str:
    """Plan again, and let the model say what follows: as when driving."""
    told = reply.told
    frame, processor = told.item.frame, listener.processor
    here = processor.situation(frame.speed_mps, frame.navigation, RouteAs.TARGET_POINT)
    picture = listener.picture(frame.image())
    flag = FLAGS[told.safety]
    planned = listener.read(
        Request(picture, processor.instruction(here, told.sentence, flag), frame.navigation.target_points)
    )
    return listener.answer(processor.instruction(here, told.sentence, flag, answer=None), planned.judgement)


def says_following(sentence: str) -> bool:
    """Whether the sentence says that the instruction is followed."""
    return normalise(sentence).startswith(normalise(FOLLOWING_ANSWER.removesuffix(DRIVING_ANSWER)))


def reason_in(sentence: str) -> Reason | None:
    """The reason that a refusal gives in one of our wordings; None: it gives none that is known."""
    said = normalise(sentence.removesuffix(DRIVING_ANSWER))
    return next((reason for form, reason in _forms() if form.fullmatch(said)), None)


@functools.cache
def _forms() -> list[tuple[re.Pattern[str], Reason]]:
    """Each wording of a refusal, slots open; those without slots first."""
    found = []
    for reason, sentences in language().refusals.items():
        for text in sentences:
            form = re.sub(r"\\{\w+\\}", ".+", re.escape(normalise(text)))
            found.append(("{" in text, re.compile(form), reason))
    return [(form, reason) for _, form, reason in sorted(found, key=lambda each: each[0])]
