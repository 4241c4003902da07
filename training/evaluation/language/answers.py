"""How near an answer is to the true one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from training.language.hold_out import normalise

#: A number is right within this share, and within this of small ones.
NUMBER_SHARE, NUMBER_LEAST = 0.1, 0.5
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def exact(said: str, true: str) -> bool:
    """The same words, whatever their case and marks."""
    return normalise(said) == normalise(true)


def number_right(said: str, true: str) -> bool | None:
    """Whether the number of an answer is near the true one; None: the true answer is no number, such as ``29 km/h``."""
    wanted = _NUMBER.match(true)
    if wanted is None:
        return None
    found = _NUMBER.search(said)
    if found is None:
        return False
    right = float(wanted[0])
    return abs(float(found[0]) - right) <= max(NUMBER_LEAST, NUMBER_SHARE * right)


def bleu(pairs: Sequence[tuple[str, str]]) -> float:
    """Mean BLEU (0 to 100) of sentences of (said, true), by sacrebleu; of short answers only the orders that they have."""
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(effective_order=True, lowercase=True)
    return float(sum(metric.sentence_score(said, [true]).score for said, true in pairs) / len(pairs))


def rouge_l(pairs: Sequence[tuple[str, str]]) -> float:
    """Mean F of ROUGE-L (0 to 100) of (said, true), by rouge-score."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"])
    return float(100.0 * sum(scorer.score(true, said)["rougeL"].fmeasure for said, true in pairs) / len(pairs))
