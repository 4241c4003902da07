"""Whatever is composed: every slot filled, numbers and sides as asked, no held-out phrase in training, equal for equal seeds."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simlingo.contracts import InvalidInputError
from simlingo.requests import Reason, RequestKind
from training.language.asked import Asked, Speed, SpeedUnit
from training.language.grammar import PLAIN, Style, compose, compose_two
from training.language.hold_out import Split, normalise
from training.language.languages import Language, language
from training.language.phrase import Form, RefusedKind, slot_use
from training.language.typos import with_typo

ANY_TIME = settings(max_examples=60, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)
VALUES = st.integers(20, 1500).map(lambda tenths: tenths / 10)
SPEEDS = st.builds(Speed, VALUES, st.sampled_from(SpeedUnit))
KINDS = st.sampled_from([*RequestKind, *RefusedKind])
#: Names that stand in no wording, so that they are found again.
THING, LANE, PLACE = "zebu", "the zlane", "at the zplace"
TYPING = Style(typo=1.0)


@st.composite
def askeds(draw: st.DrawFn, kinds: st.SearchStrategy[RequestKind | RefusedKind] = KINDS) -> Asked:
    """Something to ask for, with every slot that its kind needs and some of the others."""
    kind = draw(kinds)
    use = slot_use(kind)
    chosen = use.needed | {slot for slot in sorted(use.all - {"unit"}) if draw(st.booleans())}
    asked = Asked(kind)
    if "speed" in chosen:
        asked = replace(asked, speed=draw(SPEEDS))
    if "object" in chosen:
        asked = replace(asked, object=THING)
    if "distance" in chosen:
        asked = replace(asked, distance_m=draw(VALUES))
    if "place" in chosen:
        asked = replace(asked, place=PLACE)
    if "lane" in chosen:
        return replace(asked, lane=LANE)
    return replace(asked, lanes=draw(st.integers(1, 3))) if "lanes" in chosen else asked


def composed(asked: Asked, seed: int, split: Split = Split.SEEN, style: Style | None = None) -> str:
    return compose(language(), asked, split, np.random.default_rng(seed), style).text


@ANY_TIME
@given(askeds(), SEEDS, st.sampled_from(Split))
def test_every_slot_is_filled_and_nothing_is_left_of_the_making(asked: Asked, seed: int, split: Split) -> None:
    text = composed(asked, seed, split)
    assert not re.search(r"[{}\ue000\ue001]|\s\s|^\s|\s$", text)
    assert text


@ANY_TIME
@given(askeds(), SEEDS, st.sampled_from(Split))
def test_equal_seeds_give_equal_sentences(asked: Asked, seed: int, split: Split) -> None:
    assert composed(asked, seed, split) == composed(asked, seed, split)


@ANY_TIME
@given(askeds(st.just(RequestKind.TARGET_SPEED)), SEEDS, st.sampled_from(Split))
def test_the_speed_and_its_unit_are_read_back_whatever_is_typed(asked: Asked, seed: int, split: Split) -> None:
    text, rules = composed(asked, seed, split, TYPING), language().rules
    assert asked.speed is not None
    assert rules.numbers.numbers_in(text) == [asked.speed.value], text
    normal = f" {normalise(text, rules.one_spelling)} "
    ways = {
        unit: [way for way in rules.units[unit.value] if f" {normalise(way, rules.one_spelling)} " in normal]
        for unit in SpeedUnit
    }
    assert [unit for unit, found in ways.items() if found] == [asked.speed.unit], text


@ANY_TIME
@given(st.integers(2, 3), VALUES, SEEDS, st.sampled_from(Split))
def test_counts_and_distances_are_said_where_they_change_the_request(
    lanes: int, distance: float, seed: int, split: Split
) -> None:
    rules = language().rules
    text = composed(Asked(RequestKind.LANE_LEFT, lanes=lanes), seed, split, TYPING)
    assert rules.numbers.numbers_in(text) == [lanes]
    text = composed(Asked(RequestKind.KEEP_DISTANCE, distance_m=distance), seed, split, TYPING)
    assert rules.numbers.numbers_in(text) == [distance]


@pytest.mark.parametrize(
    ("kind", "side"),
    [
        (RequestKind.LANE_LEFT, "left"),
        (RequestKind.LANE_RIGHT, "right"),
        (RequestKind.TURN_LEFT, "left"),
        (RequestKind.TURN_RIGHT, "right"),
    ],
)
@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from(Split))
def test_no_typo_changes_the_side(kind: RequestKind, side: str, seed: int, split: Split) -> None:
    words = re.findall(r"\b(left|right)", composed(Asked(kind), seed, split, TYPING).lower())
    assert set(words) == {side}


@pytest.mark.medium
@settings(max_examples=150, deadline=None)
@given(askeds(), askeds(), SEEDS, st.booleans())
def test_no_held_out_phrase_is_in_a_sentence_of_training(
    asked: Asked, other: Asked, seed: int, two_requests: bool
) -> None:
    """Looked for as words in the finished text, with what the slots were filled with."""
    style = Style(politeness=0.7, filler=0.5, number_in_words=0.0, other_unit=0.0, typo=0.0)
    words, rng = language(), np.random.default_rng(seed)
    if two_requests and not isinstance(asked.kind, RefusedKind) and not isinstance(other.kind, RefusedKind):
        sentence = compose_two(words, (asked, other), Split.SEEN, rng, style)
    else:
        sentence = compose(words, asked, Split.SEEN, rng, style)
    assert all(words.split_of(phrase.text) is Split.SEEN for phrase in sentence.phrases)
    spoken = normalise(sentence.text, words.rules.one_side).replace(f"the {THING}", THING)
    for said in sentence.said:
        for value, slot in plain_values(said).items():
            spoken = spoken.replace(normalise(value, words.rules.one_side), slot)
    run_of = spoken.split()
    runs = {" ".join(run_of[begin:end]) for begin in range(len(run_of)) for end in range(begin + 1, len(run_of) + 1)}
    assert not runs & held_out_phrases(words), sentence.text


def plain_values(said: Asked) -> dict[str, str]:
    """What stands in a sentence in plain style -> the slot that it fills."""
    values = {THING: "{object}", LANE: "{lane}", PLACE: "{place}"}
    if said.speed:
        values[f"{said.speed.value:g} {said.speed.unit.value}"] = "{speed} {unit}"
    if said.distance_m is not None:
        values[f"{said.distance_m:g} m"] = "{distance}"
    if said.lanes is not None:
        values[f"{said.lanes} lane{'s' if said.lanes > 1 else ''}"] = "{lanes}"
    return values


def held_out_phrases(words: Language) -> set[str]:
    texts = [phrase.text for kind in (*RequestKind, *RefusedKind) for phrase in words.phrases(Split.HELD_OUT, kind)]
    return {normalise(text, words.rules.one_side) for text in texts}


@ANY_TIME
@given(askeds(), SEEDS)
def test_held_out_sentences_are_made_of_held_out_phrases(asked: Asked, seed: int) -> None:
    sentence = compose(language(), asked, Split.HELD_OUT, np.random.default_rng(seed))
    assert [language().split_of(phrase.text) for phrase in sentence.phrases] == [Split.HELD_OUT]


def test_two_requests_come_in_one_sentence_in_either_order_or_in_order() -> None:
    asked = (Asked(RequestKind.SLOWER), Asked(RequestKind.TURN_LEFT))

    def order(seed: int, in_order: bool) -> tuple[RequestKind | RefusedKind, ...]:
        sentence = compose_two(language(), asked, Split.SEEN, np.random.default_rng(seed), PLAIN, in_order)
        for phrase in sentence.phrases:
            assert phrase.form is Form.IMPERATIVE
            assert phrase.text.rstrip("?") in sentence.text
        said = [sentence.text.index(phrase.text) for phrase in sentence.phrases]
        assert said == sorted(said)
        assert [each.kind for each in sentence.said] == [phrase.group.kind for phrase in sentence.phrases]
        return tuple(phrase.group.kind for phrase in sentence.phrases)

    kinds = (RequestKind.SLOWER, RequestKind.TURN_LEFT)
    assert {order(seed, True) for seed in range(20)} == {kinds}
    assert {order(seed, False) for seed in range(20)} == {kinds, kinds[::-1]}


def test_the_mixture_has_every_ingredient() -> None:
    """Politeness, fillers, words for numbers, other units and spellings, typos, lower case, marks and none."""
    asked = Asked(RequestKind.TARGET_SPEED, speed=Speed(50, SpeedUnit.KMH))
    texts = [composed(asked, seed) for seed in range(400)]
    for part in ("please", "could you ", "fifty", "50", "km/h", "kilometers per hour", "kilometres per hour", "hey"):
        assert any(part in text.lower() for text in texts), part
    assert 0.2 < np.mean([text == text.lower() for text in texts]) < 0.55
    assert 0.2 < np.mean([text[-1] in ".?!" for text in texts]) < 0.6
    assert len(set(texts)) > 350


def test_plain_style_says_the_phrase_alone() -> None:
    for seed in range(30):
        sentence = compose(language(), Asked(RequestKind.STOP), Split.SEEN, np.random.default_rng(seed), PLAIN)
        assert sentence.text == sentence.phrases[0].text


def test_the_reason_chooses_the_group() -> None:
    asked = Asked(RefusedKind.UNSAFE, reason=Reason.RED_LIGHT)
    reasons = {
        compose(language(), asked, Split.SEEN, np.random.default_rng(seed)).phrases[0].group.reason
        for seed in range(20)
    }
    assert reasons == {Reason.RED_LIGHT}


@pytest.mark.parametrize(
    "asked",
    [
        Asked(RequestKind.TARGET_SPEED),
        Asked(RequestKind.DRIVE_TO),
        Asked(RequestKind.LANE_LEFT, lanes=2, lane="the leftmost lane"),
    ],
)
def test_what_no_phrase_says_is_refused(asked: Asked) -> None:
    with pytest.raises(InvalidInputError, match=f"no phrase of {asked.kind.value} speaks of just"):
        composed(asked, 0)


@pytest.mark.parametrize("value", [-1.0, 200.0, float("nan"), float("inf"), 12.34])
def test_numbers_that_cannot_be_said_are_refused(value: float) -> None:
    with pytest.raises(InvalidInputError, match="speed is"):
        Asked(RequestKind.TARGET_SPEED, speed=Speed(value, SpeedUnit.MPS))
    with pytest.raises(InvalidInputError, match="distance_m is"):
        Asked(RequestKind.KEEP_DISTANCE, distance_m=value)


def test_a_reason_of_another_kind_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="unsafe has no phrases of the reason no_lane"):
        Asked(RefusedKind.UNSAFE, reason=Reason.NO_LANE)
    with pytest.raises(InvalidInputError, match="stop has no phrases of the reason red_light"):
        Asked(RequestKind.STOP, reason=Reason.RED_LIGHT)


@ANY_TIME
@given(SEEDS)
def test_a_typo_changes_one_word_and_makes_no_known_one(seed: int) -> None:
    protected, known = {"left", "fifty"}, {"slow", "lane", "stop", "steer"}
    text = "steer left in \ue00020 metres\ue001 at fifty"
    typed = with_typo(text, np.random.default_rng(seed), protected, known)
    changed = [(old, new) for old, new in zip(text.split(" "), typed.split(" "), strict=True) if old != new]
    assert [old for old, _ in changed] == ["steer"]
    assert changed[0][1] not in known | protected
    assert with_typo("go to 50 left", np.random.default_rng(seed), protected, known) == "go to 50 left"
