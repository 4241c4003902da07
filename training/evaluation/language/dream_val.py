"""``dream-val`` and ``dream-dev``: does the plan do what is asked, and refuse what must not or cannot be done."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from simlingo.contracts import InvalidInputError
from training.evaluation.language.dream_agreement import Agreement, agreement
from training.evaluation.language.dream_choice import choose
from training.evaluation.language.dream_items import Item, items_of
from training.evaluation.language.dream_plans import Reply, Told, replies, told_of
from training.evaluation.language.dream_scores import Outcome, figures_of, outcome_of, tables_of
from training.evaluation.language.fixed import Plan, flags_of
from training.evaluation.language.frames import FrameList, Frames, open_frames
from training.evaluation.language.listener import Listener, identity
from training.evaluation.language.modes import MODES
from training.evaluation.language.suite import Context, Figure, Subject, SuiteResult
from training.evaluation.language.wording import Speaker, Words


def dream_val(context: Context) -> SuiteResult:
    """On the frames that only report."""
    return evaluate(context, "dream-val", "val")


def dream_dev(context: Context) -> SuiteResult:
    """On other routes, for tuning."""
    return evaluate(context, "dream-dev", "dev")


def evaluate(context: Context, suite: str, frame_list: str) -> SuiteResult:
    """The suite ``suite`` on the frames of a list.

    Raises:
        InvalidInputError: a phrases file without a sentence of any mode, or what the frames or the model lack.
    """
    frames = open_frames(FrameList.load(frame_list), context.data, context.quick, context.jobs, context.progress.begin)
    speaker = Speaker(context.phrases)
    items = chosen_items(context, frames, speaker)
    outcomes, agreed = _judged(context, suite, context.subject, items, speaker, speaker.ways)
    figures, intervals = figures_of(outcomes)
    figures["agreement"] = None if agreed.decision is None else agreed.decision.percent
    if agreed.decision is not None:
        intervals["agreement"] = agreed.decision.interval
    baselines: dict[str, dict[str, Figure]] = {}
    for subject in context.baselines if context.baselines is not None else default_baselines(context.subject):
        theirs, _ = _judged(context, suite, subject, items, speaker, speaker.ways[:1])
        baselines[subject.label] = figures_of(theirs)[0]
    baselines |= unasked(items, speaker.ways[:1])
    return SuiteResult(
        figures,
        intervals,
        baselines,
        (*tables_of(outcomes), *agreed.tables()),
        {
            "frames": frames.note(),
            "items": len(items),
            "items_sha256": hashlib.sha256("\n".join(item.key for item in items).encode()).hexdigest(),
            "words": [words.value for words in speaker.ways],
        },
    )


def chosen_items(context: Context, frames: Frames, speaker: Speaker) -> list[Item]:
    """The items that are asked."""
    advance = context.progress.begin("dreams of frames", sum(route.frames for route in frames.routes))
    every = (item for route in frames.routes for item in items_of(route, advance))
    items = choose(every, context.quick, speaker.can_say)
    if not any(item.row in MODES for item in items):
        raise InvalidInputError(
            "the phrases file has no sentence of faster, slower, target_speed, stop, lane_left, lane_right or drive_to "
            "that fits a frame; add some"
        )
    return items


def default_baselines(subject: Subject) -> tuple[Subject, ...]:
    """The same weights with words of other instructions, and before a grey picture."""
    return (
        replace(subject, label="other words", random_words=True),
        replace(subject, label="grey picture", grey=True),
    )


def _judged(
    context: Context, suite: str, subject: Subject, items: Sequence[Item], speaker: Speaker, ways: Sequence[Words]
) -> tuple[list[Outcome], Agreement]:
    """Outcomes of one subject, and of the judged model itself whether its sentences agree with its plans."""
    told = told_of(items, speaker, ways, subject.random_words)
    with Listener(subject, context.jobs) as listener:
        prefix = f"{suite}:{subject.label}:{identity(subject)}"
        advance = context.progress.begin(f"{suite}, {subject.label}: instructions", len(told))
        found = list(replies(told, listener, context.journal, prefix, advance))
        agreed = Agreement(())
        if subject is context.subject and listener.config.speaks:
            agreed = agreement(context, prefix, listener, found)
    return [outcome_of(reply) for reply in found], agreed


def unasked(items: Sequence[Item], ways: Sequence[Words]) -> dict[str, dict[str, Figure]]:
    """What needs no model: the expert who never listens, which is the answer that most often is right of all that hear
    nothing, and the labels, whose figures are the most that can be reached."""
    found: dict[str, dict[str, Figure]] = {}
    for label, listens in (("expert that does not listen", False), ("the labels themselves", True)):
        outcomes = []
        for item in items:
            plain = Plan(item.expert_path, item.expert_waypoints)
            for safety in flags_of(item):
                dream = Plan(item.path, item.waypoints) if listens and item.followed(safety) else plain
                outcomes.append(outcome_of(Reply(Told(item, ways[0], safety, ""), dream, plain, None)))
        figures = figures_of(outcomes)[0]
        found[label] = {key: figures[key] for key in ("n", "published", "fixed")}
    return found
