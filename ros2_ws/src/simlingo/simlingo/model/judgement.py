"""What a network makes of an instruction, in the plan's own pass: what it asks for, and whether it is followed.

One linear layer of scores answers both: which kind of request, and its outcome. An outcome is that it is followed, or the
one reason why not, so that verdict and reason cannot contradict each other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from simlingo.requests import Reason, RequestKind, Verdict

#: What is asked for, in the order of the scores; None: nothing that a driver knows.
KINDS: tuple[RequestKind | None, ...] = (None, *RequestKind)
#: What becomes of it, in the order of the scores; None: it is followed.
OUTCOMES: tuple[Reason | None, ...] = (None, *Reason)
#: Scores of a judgement: those of the kinds, then those of the outcomes.
SCORES = len(KINDS) + len(OUTCOMES)


class Judgement(NamedTuple):
    """What the network makes of an instruction; the reason is None exactly where it is followed."""

    kind: RequestKind | None
    verdict: Verdict
    reason: Reason | None


def judgement_of(scores: npt.NDArray[np.floating]) -> Judgement:
    """The likeliest judgement.

    The verdict is the one whose outcomes are likeliest together, the reason the likeliest of them: many reasons of one
    verdict, each a little likely, must not lose to a single one of another.

    Args:
        scores: (SCORES,), logits of the kinds and of the outcomes.
    """
    kind = KINDS[int(np.argmax(scores[: len(KINDS)]))]
    outcomes = np.asarray(scores[len(KINDS) :], dtype=np.float64)
    likely = np.exp(outcomes - outcomes.max())
    verdicts = dict.fromkeys(Verdict, 0.0)
    for outcome, share in zip(OUTCOMES, likely, strict=True):
        verdicts[_verdict(outcome)] += float(share)
    verdict = max(verdicts, key=lambda each: verdicts[each])
    _, reason = max((share, index) for index, share in enumerate(likely) if _verdict(OUTCOMES[index]) is verdict)
    return Judgement(kind, verdict, OUTCOMES[reason])


def _verdict(outcome: Reason | None) -> Verdict:
    return Verdict.FOLLOW if outcome is None else outcome.verdict
