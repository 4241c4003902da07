"""``comment-val``: does a commentary say what is so, and does the plan do what it says."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simlingo.model.prompt import RouteAs
from training.datasets.labels import labels_of
from training.datasets.reader import Route, read
from training.datasets.schema import BY_NAME, EGO_ONLY, PICTURES
from training.evaluation.language.dream_choice import in_turn
from training.evaluation.language.fixed import Plan
from training.evaluation.language.frames import FrameList, open_frames
from training.evaluation.language.listener import Listener, Request, identity
from training.evaluation.language.motion import agrees
from training.evaluation.language.picture import Frame, frames_of
from training.evaluation.language.rates import Rate, rate
from training.evaluation.language.spoken_plans import plans_after_words
from training.evaluation.language.suite import Context, Figure, Subject, SuiteResult, Table
from training.language.commentary import FrameFacts, told
from training.language.commentary_reading import Heard, reader
from training.language.frame_facts import facts_of
from training.language.told import Told

#: Frames that are commented on: the whole list, and the quick one.
FRAMES, FRAMES_QUICK = 400, 64
_DECIMALS = 4


@dataclass(frozen=True)
class Comment:
    """A frame, what there is to tell of it, and what was said."""

    frame: Frame
    true: Told
    said: str
    plan: Plan  # of the same reading, made without words

    @property
    def heard(self) -> Heard:
        """The facts in what was said."""
        return reader().read(self.said)

    @property
    def parts(self) -> tuple[bool, bool, bool]:
        """Whether way, pace and reason are right."""
        heard = self.heard
        return heard.way is self.true.way, heard.pace is self.true.pace, heard.why is self.true.why


def comment_val(context: Context) -> SuiteResult:
    """The suite.

    Raises:
        InvalidInputError: the model does not speak, or what the frames or the model lack.
    """
    frames = open_frames(FrameList.load("val"), context.data, context.quick, context.jobs, context.progress.begin)
    every = [pair for route in frames.routes for pair in facts_in(route)]
    chosen = choose(every, FRAMES_QUICK if context.quick else FRAMES)
    comments = said(context, context.subject, chosen)
    figures, intervals = figures_of(comments)
    baselines: dict[str, dict[str, Figure]] = {}
    for subject in context.baselines if context.baselines is not None else default_baselines(context.subject):
        baselines[subject.label] = figures_of(said(context, subject, chosen))[0]
    baselines["majority facts"] = majority(chosen)
    return SuiteResult(
        figures,
        intervals,
        baselines,
        (_by_reason(comments), plans_after_words(context, chosen), _some(comments)),
        {
            "frames": frames.note(),
            "items_sha256": hashlib.sha256("\n".join(frame.key for frame, _ in chosen).encode()).hexdigest(),
            "comments": [{"said": one.said, "true": _facts(one.true)} for one in comments],
        },
    )


def default_baselines(subject: Subject) -> tuple[Subject, ...]:
    """The same weights before a grey picture; there are no words to replace."""
    return (replace(subject, label="grey picture", grey=True),)


def facts_in(route: Route) -> Iterator[tuple[Frame, FrameFacts]]:
    """Every frame of a route with what there is to tell of it."""
    labels = labels_of(read(route, [name for name in BY_NAME if name not in (*PICTURES, *EGO_ONLY)]), 0)
    for frame in frames_of(route):
        row = frame.row
        yield (
            frame,
            facts_of(
                labels, row, float(labels["speed"][row]), labels["speed_waypoints"][row], int(labels["cause"][row])
            ),
        )


def choose(every: Sequence[tuple[Frame, FrameFacts]], count: int) -> list[tuple[Frame, FrameFacts]]:
    """At most ``count`` frames, each combination of way, pace and reason in turn."""
    groups: dict[str, list[tuple[Frame, FrameFacts]]] = defaultdict(list)
    for frame, facts in sorted(every, key=lambda pair: hashlib.sha256(pair[0].key.encode()).hexdigest()):
        groups[_facts(told(facts))].append((frame, facts))
    return in_turn([groups[name] for name in sorted(groups)])[:count]


def said(context: Context, subject: Subject, chosen: Sequence[tuple[Frame, FrameFacts]]) -> list[Comment]:
    """What a subject says of each frame; a grey picture hides all but speed and route."""
    advance = context.progress.begin(f"comment-val, {subject.label}: frames", len(chosen))
    found = []
    with Listener(subject, context.jobs) as listener:
        listener.require_speech()
        prefix = f"comment-val:{subject.label}:{identity(subject)}"
        for frame, facts in chosen:
            key = f"{prefix}:{frame.key}"
            if key not in context.journal.kept:
                context.journal.keep(key, _commented(listener, frame))
            kept = context.journal.kept[key]
            found.append(
                Comment(frame, told(facts), kept["said"], Plan(np.array(kept["path"]), np.array(kept["waypoints"])))
            )
            advance(1)
    return found


def _commented(listener: Listener, frame: Frame) -> dict[str, Any]:
    processor = listener.processor
    here = processor.situation(frame.speed_mps, frame.navigation, RouteAs.TARGET_POINT)
    picture = listener.picture(frame.image())
    planned = listener.read(Request(picture, processor.plan(here), frame.navigation.target_points))
    return {
        "said": listener.say(processor.commentary(here)),
        "path": np.round(planned.path, _DECIMALS).tolist(),
        "waypoints": np.round(planned.speed_waypoints, _DECIMALS).tolist(),
    }


def figures_of(comments: Sequence[Comment]) -> tuple[dict[str, Figure], dict[str, tuple[float, float]]]:
    """The figures and their intervals; ``reason`` is of frames that have one, ``no_reason`` of those that have none."""
    parts = [one.parts for one in comments]
    with_reason = [one.true.why is not None for one in comments]
    rates: dict[str, Rate | None] = {
        "whole": rate(all(each) for each in parts),
        "way": rate(way for way, _, _ in parts),
        "pace": rate(pace for _, pace, _ in parts),
        "reason": rate(why for (_, _, why), has in zip(parts, with_reason, strict=True) if has),
        "no_reason": rate(why for (_, _, why), has in zip(parts, with_reason, strict=True) if not has),
        "agreement": rate(agrees(one.heard, one.plan, one.frame.speed_mps) for one in comments),
    }
    figures: dict[str, Figure] = {"n": len(comments)}
    figures |= {key: None if one is None else one.percent for key, one in rates.items()}
    return figures, {key: one.interval for key, one in rates.items() if one is not None}


def majority(chosen: Sequence[tuple[Frame, FrameFacts]]) -> dict[str, Figure]:
    """What is right most often where nothing is looked at: the commonest facts of these very frames."""

    def best(facts: Sequence[object]) -> float:
        return 100.0 * Counter(facts).most_common(1)[0][1] / len(facts)

    every = [told(facts) for _, facts in chosen]
    whys = [facts.why for facts in every if facts.why is not None]
    return {
        "n": len(chosen),
        "whole": best([(facts.way, facts.pace, facts.why) for facts in every]),
        "way": best([facts.way for facts in every]),
        "pace": best([facts.pace for facts in every]),
        "reason": best(whys) if whys else None,
    }


def _by_reason(comments: Sequence[Comment]) -> Table:
    rows = []
    for name in sorted({one.true.why.value if one.true.why else "none" for one in comments}):
        mine = [one for one in comments if (one.true.why.value if one.true.why else "none") == name]
        shares = (rate(one.parts[part] for one in mine) for part in (1, 2))
        rows.append((name, len(mine), *(None if share is None else share.percent for share in shares)))
    return Table("By true reason", ("reason", "n", "pace right %", "reason right %"), rows)


def _some(comments: Sequence[Comment]) -> Table:
    return Table("Some commentaries", ("true", "said"), [(_facts(one.true), one.said) for one in comments[:12]])


def _facts(facts: Told) -> str:
    return f"{facts.way.value}, {facts.pace.value}, {facts.why.value if facts.why else 'no reason'}"
