"""Who is judged beside the weights in question."""

from __future__ import annotations

from dataclasses import replace

from training.evaluation.language.suite import Context, Subject
from training.evaluation.language.who_drives import EXPERT


def subjects_of(context: Context) -> tuple[Subject, ...]:
    """The subject, then its baselines: by default its own drive with the words of other requests, and in a quick run none.

    The expert knows what is meant and reads no words, so replacing them would say nothing.
    """
    if context.baselines is not None:
        return context.subject, *context.baselines
    if context.quick or context.subject.weights == EXPERT:
        return (context.subject,)
    return context.subject, replace(context.subject, label="other words", random_words=True)


def given_weights(context: Context) -> tuple[Subject, ...]:
    """The baselines of a suite whose words are its matter, so that replacing them would say nothing."""
    return tuple(each for each in context.baselines or () if not each.random_words)
