"""``words-64`` and ``words-counterfactual``: routes in sentences only, with and without sentences that mislead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from training.evaluation.language.baselines import given_weights, subjects_of
from training.evaluation.language.means import mean, mean_interval
from training.evaluation.language.outcomes import declined
from training.evaluation.language.pool import drive_all
from training.evaluation.language.rates import rate
from training.evaluation.language.sentences import Sentences
from training.evaluation.language.suite import Context, Figure, Subject, SuiteResult, Table
from training.evaluation.language.words_drive import Saying, drive_words
from training.evaluation.language.words_routes import LENGTHS, WordsRoute, words_routes
from training.evaluation.language.words_sayings import (
    Place,
    ambiguity,
    misleading,
    misled,
    noise,
    paraphrase,
    plain,
    random_words,
    trial_of,
)

#: The families of ``words-counterfactual`` (ICR-Drive's).
FAMILIES: dict[str, Callable[[Place, Sentences], tuple[Saying, ...]]] = {
    "paraphrase": paraphrase,
    "ambiguity": ambiguity,
    "noise": noise,
    "misleading": misleading,
}
#: Routes of a group whose words are changed; all groups count the same.
COUNTERFACTUAL_EACH = 8
#: Routes of a group in a quick run.
QUICK_WORDS = {"tiny": 2, "short": 0, "long": 0}
QUICK_COUNTERFACTUAL = {"tiny": 1, "short": 0, "long": 0}
_Records = list[dict[str, Any]]
_Say = Callable[[Place, Sentences], tuple[Saying, ...]]


def words_64(context: Context) -> SuiteResult:
    """Routes of LangAuto's lengths; what drives is told no target points, only sentences."""
    routes = _first(QUICK_WORDS if context.quick else {group: count for group, (count, _, _) in LENGTHS.items()})
    sentences = Sentences(context.phrases)
    found = {subject.label: _both_tracks(context, subject, routes, sentences) for subject in subjects_of(context)}
    records, misled_records = found[context.subject.label]
    figures, intervals = _scores(records, misled_records)
    rows = [
        (label, group, len(of_group), *_group_row(of_group, _of_group(tracks[1], group)))
        for label, tracks in found.items()
        for group in LENGTHS
        if (of_group := _of_group(tracks[0], group))
    ]
    columns = ("weights", "routes", "n", "driving score", "completion %", "infraction factor", "driving score, misled")
    baselines = {label: _scores(*tracks)[0] for label, tracks in found.items() if label != context.subject.label}
    return SuiteResult(
        figures,
        intervals,
        baselines,
        (Table("words-64: routes in sentences only (embedded world)", columns, rows),),
        {"routes": {label: {"plain": tracks[0], "misled": tracks[1]} for label, tracks in found.items()}},
    )


def words_counterfactual(context: Context) -> SuiteResult:
    """The same routes and worlds with other words: what each family costs against the plain wording, in points."""
    routes = _first(QUICK_COUNTERFACTUAL if context.quick else dict.fromkeys(LENGTHS, COUNTERFACTUAL_EACH))
    sentences = Sentences(context.phrases)
    found = {
        subject.label: {
            family: _drive(context, subject, f"words-counterfactual, {family}", routes, say, sentences)
            for family, say in (("plain", plain), *FAMILIES.items())
        }
        for subject in (context.subject, *given_weights(context))
    }
    own = found[context.subject.label]
    figures = {label: _drop_figures(of) for label, of in found.items()}
    intervals = {family: bounds for family in FAMILIES if (bounds := mean_interval(_drops(own, family))) is not None}
    rows = [
        (
            label,
            family,
            mean([record["driving_score"] for record in records]),
            mean([record["route_completion"] for record in records]),
            mean(_drops(of, family)),
            sum(drop > 0.0 for drop in _drops(of, family)),
        )
        for label, of in found.items()
        for family, records in of.items()
    ]
    columns = ("weights", "words", "driving score", "completion %", "drop", "routes that lose")
    table = Table("words-counterfactual: equal routes and worlds, other words (embedded world)", columns, rows)
    others = {label: each for label, each in figures.items() if label != context.subject.label}
    return SuiteResult(figures[context.subject.label], intervals, others, (table,), {"routes": found})


def _drops(found: dict[str, _Records], family: str) -> list[float]:
    """What each route loses against the plain words, points."""
    pairs = zip(found["plain"], found[family], strict=True)
    return [before["driving_score"] - now["driving_score"] for before, now in pairs]


def _drop_figures(found: dict[str, _Records]) -> dict[str, Figure]:
    before = [record["driving_score"] for record in found["plain"]]
    return {"n": len(before), "plain": mean(before), **{family: mean(_drops(found, family)) for family in FAMILIES}}


def _both_tracks(
    context: Context, subject: Subject, routes: Sequence[WordsRoute], sentences: Sentences
) -> tuple[_Records, _Records]:
    if subject.random_words:
        return _drive(context, subject, "words-64", routes, random_words, sentences), []
    return (
        _drive(context, subject, "words-64", routes, plain, sentences),
        _drive(context, subject, "words-64, misled", routes, misled, sentences),
    )


def _drive(
    context: Context, subject: Subject, what: str, routes: Sequence[WordsRoute], say: _Say, sentences: Sentences
) -> _Records:
    trials = [trial_of(route, lambda place: say(place, sentences)) for route in routes]
    return drive_all(context, subject, what, trials, drive_words)


def _scores(records: _Records, misled_records: _Records) -> tuple[dict[str, Figure], dict[str, tuple[float, float]]]:
    """Figures and intervals of one subject."""
    tracks = {"driving_score": records, "driving_score_misled": misled_records}
    values = {key: [record["driving_score"] for record in track] for key, track in tracks.items()}
    figures: dict[str, Figure] = {"n": len(records), **{key: mean(scores) for key, scores in values.items()}}
    figures["route_completion"] = mean([record["route_completion"] for record in records])
    intervals = {key: bounds for key, scores in values.items() if (bounds := mean_interval(scores)) is not None}
    wrong = [said for record in misled_records for said in record["said"] if not said["to_do"]]
    share = rate(declined(said) for said in wrong)
    figures["misleading_declined"] = None if share is None else share.percent
    return figures, intervals | ({} if share is None else {"misleading_declined": share.interval})


def _group_row(records: _Records, misled_records: _Records) -> tuple[Figure, ...]:
    factors = [100.0 * _ratio(record["driving_score"], record["route_completion"]) for record in records]
    return (
        mean([record["driving_score"] for record in records]),
        mean([record["route_completion"] for record in records]),
        mean(factors),
        mean([record["driving_score"] for record in misled_records]),
    )


def _ratio(score: float, completion: float) -> float:
    return score / completion if completion > 0.0 else 0.0


def _first(counts: dict[str, int]) -> list[WordsRoute]:
    """The first routes of each group."""
    return [route for route in words_routes() if route.number < counts[route.group]]


def _of_group(records: _Records, group: str) -> _Records:
    return [record for record in records if record["group"] == group]
