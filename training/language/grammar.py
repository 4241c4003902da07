"""Put what is asked for into a sentence: a core phrase, politeness and fillers around it, numbers, spelling, case, typos.

Everything follows from the generator that is given, so equal seeds give equal sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from simlingo.contracts import InvalidInputError
from training.language.asked import Asked, SpeedUnit
from training.language.filling import fill
from training.language.finish import Style, finished
from training.language.hold_out import Split, normalise
from training.language.languages import Language
from training.language.phrase import Form, Phrase, slot_use
from training.language.rules import METRE, Rules

__all__ = ["PLAIN", "Sentence", "Style", "compose", "compose_two", "fitting", "say"]

#: A phrase and nothing else, with plain units and figures.
PLAIN = Style(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
_MARKS = ".!?"


@dataclass(frozen=True)
class Sentence:
    """An instruction in words."""

    text: str
    phrases: tuple[Phrase, ...]  # the core of each request
    said: tuple[Asked, ...]  # what is asked as the words say it: a unit that stands in the phrase changes the number


def compose(
    language: Language, asked: Asked, split: Split, rng: np.random.Generator, style: Style | None = None
) -> Sentence:
    """A sentence that asks for ``asked``.

    Args:
        split: whose core phrases to take.
        style: how often politeness, typos and the like come; the natural mixture where it is not given.

    Raises:
        InvalidInputError: no phrase of the split speaks of just what is given.
    """
    phrase = _one_of(fitting(language.phrases(split, asked.kind), asked), asked, rng)
    return say(language, phrase, asked, rng, style)


def compose_two(
    language: Language,
    requests: tuple[Asked, Asked],
    split: Split,
    rng: np.random.Generator,
    style: Style | None = None,
    in_order: bool = False,
) -> Sentence:
    """A sentence that asks for two things at once, such as ``slow down and turn left``.

    Args:
        in_order: the first is to be done before the second; otherwise either may be named first.

    Raises:
        InvalidInputError: see :func:`compose`.
    """
    style = style or Style()
    rules = language.rules
    phrases = [_one_of(_commands(language, asked, split), asked, rng) for asked in requests]
    filled = [_filled(rules, phrase, asked, rng, style) for phrase, asked in zip(phrases, requests, strict=True)]
    if not in_order and rng.random() < 0.5:
        filled.reverse()
        phrases.reverse()
    patterns = rules.in_order if in_order else rules.together
    (first, _), (second, _) = filled
    core = _drawn(patterns, rng).replace("{first}", first.rstrip(_MARKS)).replace("{second}", second.rstrip(_MARKS))
    text = _around(rules, core, Form.IMPERATIVE, rng, style)
    return Sentence(finished(language, text, rng, style), tuple(phrases), tuple(said for _, said in filled))


def say(
    language: Language, phrase: Phrase, asked: Asked, rng: np.random.Generator, style: Style | None = None
) -> Sentence:
    """A sentence around one ``phrase``, also one of somebody else; ``PLAIN`` says it as it is written.

    Raises:
        InvalidInputError: the phrase speaks of what is not given.
    """
    style = style or Style()
    core, said = _filled(language.rules, phrase, asked, rng, style)
    text = _around(language.rules, core, phrase.form, rng, style)
    return Sentence(finished(language, text, rng, style), (phrase,), (said,))


def fitting(phrases: Iterable[Phrase], asked: Asked) -> list[Phrase]:
    """The phrases that ask for ``asked``: of its kind, saying all that changes it and nothing that is not given."""
    use = slot_use(asked.kind)
    binding = (use.needed | use.binding) & asked.slots
    if asked.lanes == 1:
        binding -= {"lanes"}
    return [
        phrase
        for phrase in phrases
        if phrase.group.kind is asked.kind
        and (asked.reason is None or phrase.group.reason in (None, asked.reason))
        and binding <= phrase.slots <= asked.slots
    ]


def _commands(language: Language, asked: Asked, split: Split) -> list[Phrase]:
    """The fitting phrases that "and" can join."""
    return [phrase for phrase in fitting(language.phrases(split, asked.kind), asked) if phrase.form is Form.IMPERATIVE]


def _one_of(phrases: Sequence[Phrase], asked: Asked, rng: np.random.Generator) -> Phrase:
    if not phrases:
        given = ", ".join(sorted(asked.slots)) or "nothing"
        raise InvalidInputError(
            f"no phrase of {asked.kind.value} speaks of just {given}; give its needed slots "
            f"({', '.join(sorted(slot_use(asked.kind).needed)) or 'none'}), or add such a phrase to the wordings"
        )
    return phrases[int(rng.integers(len(phrases)))]


def _drawn(texts: Sequence[str], rng: np.random.Generator) -> str:
    return texts[int(rng.integers(len(texts)))]


def _filled(rules: Rules, phrase: Phrase, asked: Asked, rng: np.random.Generator, style: Style) -> tuple[str, Asked]:
    """The phrase with numbers and names in it, numbers marked, and what it says."""
    values = {"object": asked.object, "lane": asked.lane, "place": asked.place}
    if asked.speed is not None and "speed" in phrase.slots:
        unit = None if "unit" in phrase.slots else unit_in(phrase.text, rules)
        speed = asked.speed.in_unit(unit) if unit else asked.speed
        asked = replace(asked, speed=speed)
        values["speed"] = _number(rules, speed.value, rng, style)
        values["unit"] = said_unit = _unit(rules, speed.unit.value, rng, style)
        if unit is None and "unit" not in phrase.slots:
            values["speed"] = f"{values['speed']} {said_unit}"
    if asked.distance_m is not None:
        values["distance"] = f"{_number(rules, asked.distance_m, rng, style)} {_unit(rules, METRE, rng, style)}"
    if asked.lanes is not None:
        pattern = _drawn(rules.one_lane if asked.lanes == 1 else rules.many_lanes, rng)
        values["lanes"] = pattern.format(count=_number(rules, asked.lanes, rng, style))
    return fill(phrase.text, {name: value for name, value in values.items() if value is not None}, rules), asked


def unit_in(text: str, rules: Rules) -> SpeedUnit | None:
    """The unit that stands written out after ``{speed}`` in ``text``, if one does."""
    after = normalise(text.partition("{speed}")[2], rules.one_spelling) + " "
    for unit in SpeedUnit:
        if any(after.startswith(f"{normalise(way, rules.one_spelling)} ") for way in rules.units[unit.value]):
            return unit
    return None


def _number(rules: Rules, value: float, rng: np.random.Generator, style: Style) -> str:
    return _drawn(rules.numbers.ways(value), rng) if rng.random() < style.number_in_words else f"{value:g}"


def _unit(rules: Rules, unit: str, rng: np.random.Generator, style: Style) -> str:
    ways = rules.units[unit]
    return _drawn(ways, rng) if rng.random() < style.other_unit else ways[0]


def _around(rules: Rules, core: str, form: Form, rng: np.random.Generator, style: Style) -> str:
    """Politeness and fillers put around ``core``, the end mark of the innermost question at the end."""
    for share, patterns in ((style.politeness, rules.politeness[form]), (style.filler, rules.fillers)):
        if rng.random() < share:
            pattern = _drawn(patterns, rng)
            asks = "?" in (core[-1:], pattern[-1:])
            core = pattern.rstrip(_MARKS).replace("{phrase}", core.rstrip(_MARKS)) + ("?" if asks else "")
    return core
