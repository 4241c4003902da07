"""The plans of a model for the items of ``dream-val``, and the sentences that follow some of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from simlingo.model.judgement import Judgement
from simlingo.model.language_prompt import InstructionFlag
from simlingo.model.prompt import RouteAs
from simlingo.requests import Reason, RequestKind, Verdict
from training.evaluation.journal import LineJournal
from training.evaluation.language.dream_items import Item
from training.evaluation.language.fixed import Plan, flags_of
from training.evaluation.language.listener import Listener, Request
from training.evaluation.language.picture import Frame
from training.evaluation.language.wording import Speaker, Words

#: Points are kept to this many decimals of a metre.
_DECIMALS = 4
FLAGS = {True: InstructionFlag.SAFETY, False: InstructionFlag.INSTRUCTION_FOLLOWING}


@dataclass(frozen=True)
class Told:
    """An item as it is told to a model."""

    item: Item
    words: Words
    safety: bool
    sentence: str


@dataclass(frozen=True)
class Reply:
    """What a model makes of it."""

    told: Told
    plan: Plan
    plain: Plan  # without instruction
    judgement: Judgement | None


def told_of(items: Sequence[Item], speaker: Speaker, ways: Sequence[Words], shuffled: bool) -> list[Told]:
    """Every item in every way and with its flags; ``shuffled``: said in the words of an item of another mode."""
    found = []
    for item in items:
        for words in ways:
            sentence = speaker.say(_other(item, items) if shuffled else item, words)
            found += [Told(item, words, safety, sentence) for safety in flags_of(item)]
    return found


def _other(item: Item, items: Sequence[Item]) -> Item:
    """One of another mode, as if by lot."""
    start = int(item.rank[:8], 16) % len(items)
    order = (*range(start, len(items)), *range(start))
    return next((items[number] for number in order if items[number].row != item.row), item)


def replies(
    told: Sequence[Told], listener: Listener, journal: LineJournal, prefix: str, advance: Callable[[int], None]
) -> Iterator[Reply]:
    """What the model of ``listener`` makes of each; frames that the journal holds are not planned again."""
    ordered = sorted(told, key=lambda one: one.item.frame.key)
    for _, group in groupby(ordered, key=lambda one: one.item.frame.key):
        here = list(group)
        frame = here[0].item.frame
        asked = "\n".join(f"{one.safety} {one.sentence}" for one in here)
        key = f"{prefix}:{frame.key}:{hashlib.sha256(asked.encode()).hexdigest()[:16]}"
        if key not in journal.kept:
            journal.keep(key, _planned(frame, here, listener))
        found = journal.kept[key]
        plain = _plan(found[0])
        for one, answer in zip(here, found[1:], strict=True):
            yield Reply(one, _plan(answer), plain, judgement_of(answer["judgement"]))
        advance(len(here))


def _planned(frame: Frame, here: Sequence[Told], listener: Listener) -> list[dict[str, Any]]:
    """Plans without instruction and of each of ``here``, as plain data."""
    picture = listener.picture(frame.image())
    situation = listener.processor.situation(frame.speed_mps, frame.navigation, RouteAs.TARGET_POINT)
    prompts = [listener.processor.plan(situation)]
    prompts += [listener.processor.instruction(situation, one.sentence, FLAGS[one.safety]) for one in here]
    points = frame.navigation.target_points
    plans = listener.plans([Request(picture, prompt, points) for prompt in prompts])
    found = []
    for plan in plans:
        # As when driving: an instruction that is not followed changes nothing.
        driven = plan if plan.judgement is None or plan.judgement.reason is None else plans[0]
        found.append(
            {
                "path": np.round(driven.path, _DECIMALS).tolist(),
                "waypoints": np.round(driven.speed_waypoints, _DECIMALS).tolist(),
                "judgement": plain_judgement(plan.judgement),
            }
        )
    return found


def _plan(data: Mapping[str, Any]) -> Plan:
    return Plan(np.array(data["path"]), np.array(data["waypoints"]))


def plain_judgement(judgement: Judgement | None) -> list[str | None] | None:
    """A judgement as JSON holds it."""
    if judgement is None:
        return None
    kind, verdict, reason = judgement
    return [kind and kind.value, verdict.value, reason and reason.value]


def judgement_of(data: Sequence[str] | None) -> Judgement | None:
    """The judgement that :func:`plain_judgement` made ``data`` of."""
    if data is None:
        return None
    kind, verdict, reason = data
    return Judgement(
        None if kind is None else RequestKind(kind), Verdict(verdict), None if reason is None else Reason(reason)
    )
