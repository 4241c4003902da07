"""What is said on a route of ``words-64``: each way at its junction, plainly, otherwise, or with misleading sentences."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from simlingo.contracts import Command
from simlingo.requests import RequestKind
from simlingo_drive.backends.embedded import embedded_planner
from training.evaluation.language.roads import TOWN, stretches
from training.evaluation.language.sentences import Sentences, seeded
from training.evaluation.language.words_drive import Saying, WordsTrial
from training.evaluation.language.words_routes import Turning, WordsRoute
from training.language.asked import Asked
from training.language.grammar import Style
from training.language.hold_out import Split
from training.language.phrase import RefusedKind

KINDS = {
    Command.LEFT: RequestKind.TURN_LEFT,
    Command.RIGHT: RequestKind.TURN_RIGHT,
    Command.STRAIGHT: RequestKind.STRAIGHT,
}
#: A misleading sentence comes at a junction with this probability where one applies, and holds for so many ticks (LangAuto).
MISLEADS, MISLEADS_TICKS = 0.2, 20
#: The share of sentences that say how far the junction is (LangAuto), and the least distance that is said, m.
WITH_DISTANCE, LEAST_SAID_M = 0.5, 10.0
#: A counterfactual order comes so many ticks after the true sentence.
ORDER_AFTER_TICKS = 20
#: A paraphrase is what people say: any politeness, no typing errors, which are a family of their own.
_PARAPHRASE = Style(typo=0.0)


class Place(NamedTuple):
    """A junction of a route, and its number there."""

    route: WordsRoute
    number: int

    @property
    def turning(self) -> Turning:
        """What is done there."""
        return self.route.turnings[self.number]

    @property
    def kind(self) -> RequestKind:
        """What is asked for there."""
        return KINDS[self.turning.command]

    def rng(self, *purpose: object) -> np.random.Generator:
        """A generator of this place for one purpose."""
        return seeded("words", self.route.name, self.number, *purpose)


def trial_of(route: WordsRoute, say: Callable[[Place], tuple[Saying, ...]]) -> WordsTrial:
    """The route with what ``say`` says at each of its junctions."""
    return WordsTrial(route.name, tuple(say(Place(route, number)) for number in range(len(route.turnings))))


def asked_at(place: Place) -> Asked:
    """What is asked for, half of the time with the distance."""
    rng = place.rng("distance")
    distance = 5.0 * round((place.turning.begin_m - place.turning.due_m) / 5.0)
    told = rng.random() < WITH_DISTANCE and distance >= LEAST_SAID_M
    return Asked(place.kind, distance_m=distance if told else None)


def plain(place: Place, sentences: Sentences) -> tuple[Saying, ...]:
    """A core phrase as it is written."""
    text = sentences.say(asked_at(place), place.rng("plain"))
    return (Saying(text, kind=place.kind.value),)


def paraphrase(place: Place, sentences: Sentences) -> tuple[Saying, ...]:
    """Another phrase, of those that training never says, with politeness and fillers."""
    text = sentences.say(asked_at(place), place.rng("paraphrase"), Split.HELD_OUT, _PARAPHRASE)
    return (Saying(text, kind=place.kind.value),)


def ambiguity(place: Place, sentences: Sentences) -> tuple[Saying, ...]:
    """The plain sentence without the words that say which junction is meant and where it is."""
    return tuple(replace(saying, text=sentences.vague(saying.text)) for saying in plain(place, sentences))


def noise(place: Place, sentences: Sentences) -> tuple[Saying, ...]:
    """The plain sentence with typing errors."""
    rng = place.rng("noise")
    return tuple(replace(saying, text=sentences.noisy(saying.text, rng)) for saying in plain(place, sentences))


def misleading(place: Place, sentences: Sentences) -> tuple[Saying, ...]:
    """The plain sentence, and a second later an order against the rules of the road, from somebody who claims authority."""
    rng = place.rng("misleading")
    order = sentences.say(Asked(RefusedKind.UNSAFE), rng)
    return (*plain(place, sentences), Saying(sentences.with_authority(order, rng), ORDER_AFTER_TICKS))


def misled(place: Place, sentences: Sentences) -> tuple[Saying, ...]:
    """The plain sentence, in a fifth of all cases after a second of one that cannot be followed there (LangAuto)."""
    said = plain(place, sentences)
    rng = place.rng("misled")
    kinds = not_offered(place)
    if not kinds or rng.random() >= MISLEADS:
        return said
    wrong = sentences.say(Asked(kinds[int(rng.integers(len(kinds)))]), rng)
    return (
        Saying(wrong),
        Saying("", MISLEADS_TICKS),
        *(replace(saying, after_ticks=MISLEADS_TICKS) for saying in said),
    )


def random_words(place: Place, sentences: Sentences) -> tuple[Saying, ...]:
    """Another request in place of the true one."""
    return (Saying(sentences.other(place.kind, place.rng("random")), kind=place.kind.value),)


def not_offered(place: Place) -> list[RequestKind]:
    """What cannot be done there: ways that the junction does not have, and lanes that are not beside the ego's."""
    graph = embedded_planner(TOWN).graph
    own = int(graph.lane_of[graph.place_of(place.route.route.dense[place.turning.index - 1][0])])
    road = next(road for road in stretches() if road.lane == own)
    found = [kind for command, kind in KINDS.items() if command not in road.road_ways]
    found += [] if road.left else [RequestKind.LANE_LEFT]
    return found if road.right else [*found, RequestKind.LANE_RIGHT]
