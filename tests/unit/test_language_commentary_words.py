"""The commentary's wordings: the plain ones are the shipped model's, and every sentence is read back as its facts."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlingo.contracts import InvalidInputError
from training.language.commentary import every_commentary
from training.language.commentary_reading import Heard, reader
from training.language.hold_out import Split
from training.language.languages import language
from training.language.speak import sentence
from training.language.told import PACES_WITH_OBJECT, WAYS_WITH_OBJECT, WHYS_WITH_OBJECT, Pace, Told, Way, Why

CLASSES, COLOURS, PLACES = (
    sorted(names) for names in (language().objects.classes, language().objects.colours, language().objects.places)
)
ANY_TIME = settings(max_examples=60, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


@st.composite
def things(draw: st.DrawFn) -> str:
    """Some description of a thing."""
    rng = np.random.default_rng(draw(SEEDS))
    colour = draw(st.none() | st.sampled_from(COLOURS))
    place = draw(st.none() | st.sampled_from(PLACES))
    return language().objects.describe(draw(st.sampled_from(CLASSES)), rng, colour, place)


@st.composite
def tolds(draw: st.DrawFn) -> Told:
    way, pace, why = draw(st.sampled_from(Way)), draw(st.sampled_from(Pace)), draw(st.none() | st.sampled_from(Why))
    return Told(
        way,
        pace,
        why,
        draw(things()) if way in WAYS_WITH_OBJECT else None,
        draw(st.none() | things()) if pace in PACES_WITH_OBJECT else None,
        draw(st.none() | things()) if why in WHYS_WITH_OBJECT else None,
    )


def test_the_shipped_models_words_stay_as_they_are() -> None:
    """Its tokenizer was made from them in this order, and its labels are compared with them; obstacles came later."""
    words = [words for words in every_commentary() if "obstacle" not in words]
    assert len(every_commentary()) == len(words) + 18
    assert words[0] == "Turn left at the junction. Wait for the red light."
    assert words[-1] == "Follow the road. Keep the speed."
    digest = hashlib.sha256("\n".join(words).encode()).hexdigest()
    assert (len(words), digest[:16]) == (162, "7c38fbe9fa97c7a3")


@pytest.mark.medium
@ANY_TIME
@given(tolds(), SEEDS, st.sampled_from(Split))
def test_every_sentence_is_read_back_as_its_facts(facts: Told, seed: int, split: Split) -> None:
    text = sentence(facts, np.random.default_rng(seed), split=split)
    heard = reader().read(text)
    assert (heard.way, heard.pace, heard.why) == (facts.way, facts.pace, facts.why), text
    assert "{" not in text
    for thing in filter(None, (facts.way_object, facts.pace_object, facts.why_object)):
        assert thing in text


@ANY_TIME
@given(tolds(), SEEDS)
def test_equal_seeds_give_equal_sentences(facts: Told, seed: int) -> None:
    assert sentence(facts, np.random.default_rng(seed)) == sentence(facts, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("Turn left at the junction. Stop for the red light.", Heard(Way.TURN_LEFT, Pace.STOP, Why.RED_LIGHT)),
        (
            "I go around the red van on the left and slow down because of the man.",
            Heard(Way.AROUND, Pace.SLOW_DOWN, Why.WALKER, way_object="red van on the left", why_object="man"),
        ),
        ("follow the road stop for the the the", Heard(Way.FOLLOW_ROAD, Pace.STOP)),
        ("Follow the road. Blub.", Heard(Way.FOLLOW_ROAD)),
        ("Blub.", Heard()),
        ("", Heard()),
    ],
)
def test_a_sentence_is_read_as_far_as_it_is_known(text: str, heard: Heard) -> None:
    assert reader().read(text) == heard


def test_all_wordings_of_a_fact_are_said() -> None:
    facts = Told(Way.STRAIGHT, Pace.KEEP)
    ways = language().of_split(language().commentary.ways[Way.STRAIGHT], Split.SEEN)
    said = "\n".join(sentence(facts, np.random.default_rng(seed)).lower() for seed in range(400))
    assert all(way in said for way in ways)


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"way": Way.AROUND}, "around and the object None do not fit"),
        ({"way": Way.STRAIGHT, "way_object": "car"}, "straight and the object 'car' do not fit"),
        ({"pace": Pace.STOP, "pace_object": "car"}, "the pace stop names no object"),
        ({"why": Why.BEND, "why_object": "car"}, "the reason bend names no object"),
        ({"why_object": "car"}, "the reason none names no object"),
    ],
)
def test_objects_stand_where_one_is_spoken_of(told: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidInputError, match=named):
        Told(**({"way": Way.STRAIGHT, "pace": Pace.KEEP} | told))  # type: ignore[arg-type]
