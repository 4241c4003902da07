"""The wordings of a commentary's facts: read, and the plain sentence of the shipped model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from simlingo.contracts import InvalidInputError
from training.language.filling import capitalised, fill
from training.language.hold_out import LEAST_OF_A_GROUP, normalise
from training.language.reading import known_keys, read_file, section, slots_in, texts
from training.language.rules import Rules
from training.language.told import PACES_WITH_OBJECT, WAYS_WITH_OBJECT, WHYS_WITH_OBJECT, Pace, Told, Way, Why

_Fact = TypeVar("_Fact", Way, Pace, Why)
_PATTERN_SLOTS = frozenset({"way", "pace"})


@dataclass(frozen=True)
class CommentaryWords:
    """Wordings of each fact, the plain one first; the named ones have the slot ``{object}``, as some ways have."""

    patterns: tuple[str, ...]  # of {way} and {pace}, which has its reason with it
    ways: Mapping[Way, tuple[str, ...]]
    paces: Mapping[Pace, tuple[str, ...]]
    named_paces: Mapping[Pace, tuple[str, ...]]
    reasons: Mapping[Why, tuple[str, ...]]
    named_reasons: Mapping[Why, tuple[str, ...]]

    def groups(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each list of wordings with its name in the file, such as ``ways.turn_left``."""
        for part in ("ways", "paces", "named_paces", "reasons", "named_reasons"):
            for fact, wordings in getattr(self, part).items():
                yield f"{part}.{fact.value}", wordings

    def plain(self, facts: Told, rules: Rules) -> str:
        """Two short sentences in the plain wordings: ``Turn left at the junction. Stop for the red light.``"""
        way = _filled(self.ways[facts.way][0], facts.way_object, rules)
        paces = self.paces if facts.pace_object is None else self.named_paces
        said = f"{capitalised(way)}. {capitalised(_filled(paces[facts.pace][0], facts.pace_object, rules))}"
        if facts.why is not None:
            reasons = self.reasons if facts.why_object is None else self.named_reasons
            said += f" {_filled(reasons[facts.why][0], facts.why_object, rules)}"
        return f"{said}."


def _filled(wording: str, thing: str | None, rules: Rules) -> str:
    return wording if thing is None else fill(wording, {"object": thing}, rules)


def read_commentary(file: Path) -> CommentaryWords:
    """A language's ``commentary.yaml``.

    Raises:
        InvalidInputError: a fact is missing or unknown, has too few wordings or a broken one, or two facts share one;
            names file, key and cure.
    """
    values = read_file(file)
    known_keys(values, ("patterns", "ways", "paces", "named_paces", "reasons", "named_reasons"), str(file))
    patterns = texts(values["patterns"], f"{file}: patterns")
    for pattern in patterns:
        if slots_in(pattern, _PATTERN_SLOTS, f"{file}: patterns") != _PATTERN_SLOTS:
            raise InvalidInputError(f"{file}: patterns: {pattern!r} needs {{way}} and {{pace}}; add the missing one")
        if pattern.index("{way}") > pattern.index("{pace}") or normalise(pattern.partition("{pace}")[2]):
            raise InvalidInputError(
                f"{file}: patterns: {pattern!r} has {{pace}}, with its reason, not at the end; put it there, to be read back"
            )
    words = CommentaryWords(
        patterns,
        _wordings(values, "ways", Way, frozenset(Way), WAYS_WITH_OBJECT, file),
        _wordings(values, "paces", Pace, frozenset(Pace), frozenset(), file),
        _wordings(values, "named_paces", Pace, PACES_WITH_OBJECT, PACES_WITH_OBJECT, file),
        _wordings(values, "reasons", Why, frozenset(Why), frozenset(), file),
        _wordings(values, "named_reasons", Why, WHYS_WITH_OBJECT, WHYS_WITH_OBJECT, file),
    )
    _check_apart(words, file)
    return words


def _wordings(
    values: Mapping[str, Any],
    key: str,
    kind: type[_Fact],
    wanted: frozenset[_Fact],
    with_object: frozenset[_Fact],
    file: Path,
) -> dict[_Fact, tuple[str, ...]]:
    """The wordings of one part's facts, in the order of the facts."""
    where = f"{file}: {key}"
    given = section(values[key], where)
    facts = [fact for fact in kind if fact in wanted]
    known_keys(given, [fact.value for fact in facts], where)
    found: dict[_Fact, tuple[str, ...]] = {}
    for fact in facts:
        slots = frozenset({"object"}) if fact in with_object else frozenset[str]()
        found[fact] = texts(given[fact.value], f"{where}.{fact.value}", LEAST_OF_A_GROUP)
        for wording in found[fact]:
            if slots_in(wording, slots, f"{where}.{fact.value}") != slots:
                raise InvalidInputError(f"{where}.{fact.value}: {wording!r} lacks the slot {{object}}; add it")
    return found


def _check_apart(words: CommentaryWords, file: Path) -> None:
    """No two facts of a part share a wording: a commentary could not be read back."""
    places: dict[tuple[str, str], str] = {}
    for name, wordings in words.groups():
        part = name.split(".")[0].removeprefix("named_")
        for wording in wordings:
            key = (part, normalise(wording))
            if key in places:
                raise InvalidInputError(f"{file}: {name}: {wording!r} stands in {places[key]} too; remove one")
            places[key] = name
