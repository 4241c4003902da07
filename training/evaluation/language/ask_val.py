"""``ask-val``: are questions about the scene answered truly."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from simlingo.model.prompt import RouteAs
from training.evaluation.language.answers import bleu, exact, number_right, rouge_l
from training.evaluation.language.ask_items import (
    EVERY,
    EVERY_QUICK,
    OF_A_TYPE,
    OF_A_TYPE_QUICK,
    Asking,
    askings_of,
    choose,
)
from training.evaluation.language.frames import FrameList, open_frames
from training.evaluation.language.listener import Listener, Request, identity
from training.evaluation.language.rates import Rate, mean_rate, rate
from training.evaluation.language.suite import Context, Figure, Subject, SuiteResult, Table
from training.language.hold_out import Split
from training.language.questions.question import TYPES


@dataclass(frozen=True)
class Answered:
    """A question with what was answered."""

    asking: Asking
    split: Split
    said: str

    @property
    def true(self) -> str:
        """The true answer."""
        return self.asking.question.answer

    @property
    def right(self) -> bool:
        """Exactly the true answer."""
        return exact(self.said, self.true)


def ask_val(context: Context) -> SuiteResult:
    """The suite.

    Raises:
        InvalidInputError: the model does not speak, or what the frames or the model lack.
    """
    frames = open_frames(FrameList.load("val"), context.data, context.quick, context.jobs, context.progress.begin)
    every = EVERY_QUICK if context.quick else EVERY
    count = sum(-(-route.frames // every) for route in frames.routes)
    advance = context.progress.begin("questions about frames", count)
    askings = choose(
        (asking for route in frames.routes for asking in askings_of(route, every, advance)),
        OF_A_TYPE_QUICK if context.quick else OF_A_TYPE,
    )
    answered = answers(context, context.subject, askings, tuple(Split))
    figures, intervals = figures_of(answered)
    baselines: dict[str, dict[str, Figure]] = {}
    by_type = {"exact %": by_types([one for one in answered if one.split is Split.SEEN])}
    for subject in context.baselines if context.baselines is not None else default_baselines(context.subject):
        theirs = answers(context, subject, askings, (Split.SEEN,))
        baselines[subject.label] = figures_of(theirs)[0]
        by_type[f"{subject.label} %"] = by_types(theirs)
    majority = majority_answers(askings)
    baselines["majority answer"] = figures_of(majority)[0]
    by_type["majority answer %"] = by_types(majority)
    return SuiteResult(
        figures,
        intervals,
        baselines,
        (_table(askings, by_type),),
        {
            "frames": frames.note(),
            "items_sha256": hashlib.sha256("\n".join(asking.key for asking in askings).encode()).hexdigest(),
            "cider": None,
            "answers": [
                {
                    "type": one.asking.question.type,
                    "asked": one.asking.words(one.split),
                    "said": one.said,
                    "true": one.true,
                }
                for one in answered
            ],
        },
    )


def default_baselines(subject: Subject) -> tuple[Subject, ...]:
    """The same weights before a grey picture, and asked something else."""
    return (
        replace(subject, label="grey picture", grey=True),
        replace(subject, label="other words", random_words=True),
    )


def answers(context: Context, subject: Subject, askings: Sequence[Asking], splits: Sequence[Split]) -> list[Answered]:
    """What a subject answers to each question, in a wording of each split."""
    advance = context.progress.begin(f"ask-val, {subject.label}: questions", len(askings) * len(splits))
    found = []
    with Listener(subject, context.jobs) as listener:
        listener.require_speech()
        prefix = f"ask-val:{subject.label}:{identity(subject)}"
        ordered = sorted(enumerate(askings), key=lambda each: each[1].frame.key)
        for _, group in groupby(ordered, key=lambda each: each[1].frame.key):
            here = [(number, asking, split) for number, asking in group for split in splits]
            asked = [_words(askings, number, split, subject.random_words) for number, _, split in here]
            digest = hashlib.sha256("\n".join(asked).encode()).hexdigest()[:16]
            key = f"{prefix}:{here[0][1].frame.key}:{digest}"
            if key not in context.journal.kept:
                context.journal.keep(key, _said(listener, here[0][1], asked))
            said = context.journal.kept[key]
            found += [Answered(asking, split, text) for (_, asking, split), text in zip(here, said, strict=True)]
            advance(len(here))
    return found


def _words(askings: Sequence[Asking], number: int, split: Split, shuffled: bool) -> str:
    """The question, or one of another type as if by lot."""
    asking = askings[number]
    if shuffled:
        start = int(asking.rank[:8], 16) % len(askings)
        order = (*askings[start:], *askings[:start])
        asking = next((other for other in order if other.question.type != asking.question.type), asking)
    return asking.words(split)


def _said(listener: Listener, first: Asking, asked: Sequence[str]) -> list[str]:
    """The answers to all questions about one frame, which is read once, as when driving."""
    frame, processor = first.frame, listener.processor
    here = processor.situation(frame.speed_mps, frame.navigation, RouteAs.TARGET_POINT)
    picture = listener.picture(frame.image())
    listener.read(Request(picture, processor.plan(here), frame.navigation.target_points))
    return [listener.say(processor.question(question, here)) for question in asked]


def by_types(answered: Sequence[Answered]) -> dict[str, Rate | None]:
    """How often the answers of each type are right."""
    marks: dict[str, list[bool]] = defaultdict(list)
    for one in answered:
        marks[one.asking.question.type].append(one.right)
    return {name: rate(marks[name]) for name in TYPES if name in marks}


def figures_of(answered: Sequence[Answered]) -> tuple[dict[str, Figure], dict[str, tuple[float, float]]]:
    """Figures and intervals; all but ``held_out`` are of wordings that training says."""
    seen = [one for one in answered if one.split is Split.SEEN]
    held = [one for one in answered if one.split is Split.HELD_OUT]
    numbers = [number_right(one.said, one.true) for one in seen]
    rates = {
        "exact": mean_rate(list(by_types(seen).values())),
        "held_out": mean_rate(list(by_types(held).values())),
        "numbers": rate(mark for mark in numbers if mark is not None),
    }
    pairs = [(one.said, one.true) for one in seen]
    figures: dict[str, Figure] = {"n": len(seen)}
    figures |= {key: None if one is None else one.percent for key, one in rates.items()}
    figures |= {"bleu": bleu(pairs), "rouge_l": rouge_l(pairs)} if pairs else {"bleu": None, "rouge_l": None}
    return figures, {key: one.interval for key, one in rates.items() if one is not None}


def majority_answers(askings: Sequence[Asking]) -> list[Answered]:
    """The one answer to each type that is right most often on these very questions."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for asking in askings:
        counts[asking.question.type][asking.question.answer] += 1
    best = {name: max(sorted(answers), key=lambda answer: answers[answer]) for name, answers in counts.items()}
    return [Answered(asking, Split.SEEN, best[asking.question.type]) for asking in askings]


def _table(askings: Sequence[Asking], by_type: dict[str, dict[str, Rate | None]]) -> Table:
    counts = Counter(asking.question.type for asking in askings)
    different: dict[str, set[str]] = defaultdict(set)
    for asking in askings:
        different[asking.question.type].add(asking.question.answer)
    rows = []
    for name in TYPES:
        if counts[name]:
            rates = (rates[name] for rates in by_type.values())
            rows.append(
                (name, counts[name], len(different[name]), *(None if one is None else one.percent for one in rates))
            )
    return Table("By type of question", ("type", "n", "answers", *by_type), rows)
