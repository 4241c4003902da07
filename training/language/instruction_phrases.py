"""Read the core phrases of every kind of instruction: all YAML files of a language's ``instructions`` folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from simlingo.arguments import nearest
from simlingo.contracts import InvalidInputError
from simlingo.requests import Reason
from training.language.hold_out import LEAST_OF_A_GROUP, normalise
from training.language.phrase import KINDS, REASONS_OF, Form, Group, Phrase, RefusedKind, phrase_of, slot_use
from training.language.reading import known_keys, read_file, section, texts
from training.language.rules import Rules


def read_instructions(folder: Path, rules: Rules) -> tuple[Phrase, ...]:
    """All core phrases of a language.

    Raises:
        InvalidInputError: a kind is missing, unknown or in two files; a phrase is broken, stands there twice, has
            politeness at an end, or its group has too few; names file, key and cure.
    """
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise InvalidInputError(f"{folder} holds no YAML file; write the phrases of each kind there (docs/language.md)")
    seen: dict[str, Path] = {}
    found: list[tuple[Phrase, str]] = []
    for file in files:
        for name, values in read_file(file).items():
            if name not in KINDS:
                raise InvalidInputError(
                    f"{file}: there is no kind {name}{nearest(name, KINDS)} (kinds: {', '.join(KINDS)})"
                )
            if name in seen:
                raise InvalidInputError(
                    f"{file}: the kind {name} stands in {seen[name]} too; put its phrases into one file"
                )
            seen[name] = file
            found += _kind(name, values, f"{file}: {name}")
    missing = [name for name in KINDS if name not in seen]
    if missing:
        raise InvalidInputError(f"{folder}: the kinds {', '.join(missing)} are missing; add them with their phrases")
    _check_apart(found, rules)
    phrases = tuple(phrase for phrase, _ in found)
    _check_counts(phrases, folder)
    return phrases


def hold_out_group(phrase: Phrase) -> tuple[str, tuple[str, ...]]:
    """What a phrase is ranked among: its kind and reason, and its slots, so that each request has both splits.

    Left and right are one kind here: their phrases mirror each other, and one must not give away the other.
    """
    name = phrase.group.name.replace("_right", "_left")
    return name, tuple(sorted(phrase.slots))


def _kind(name: str, values: Any, where: str) -> Iterator[tuple[Phrase, str]]:
    """The phrases of one kind, each with its place for errors."""
    kind = KINDS[name]
    if not isinstance(kind, RefusedKind):
        yield from _group(Group(kind), values, where)
        return
    reasons = [reason.value for reason in REASONS_OF[kind]]
    groups = section(values, where)
    known_keys(groups, reasons, where)
    for reason in reasons:
        yield from _group(Group(kind, Reason(reason)), groups[reason], f"{where}.{reason}")


def _group(group: Group, values: Any, where: str) -> Iterator[tuple[Phrase, str]]:
    forms = section(values, where)
    known_keys(forms, [form.value for form in Form], where)
    for form in Form:
        place = f"{where}.{form.value}"
        for number, text in enumerate(texts(forms[form.value], place), 1):
            entry = f"{place}, entry {number}"
            yield phrase_of(group, form, text, slot_use(group.kind).all, entry), entry


def _check_apart(found: Sequence[tuple[Phrase, str]], rules: Rules) -> None:
    """No phrase twice, in any kind, and none with politeness at an end: that is composed."""
    before, after = rules.around()
    places: dict[str, str] = {}
    for phrase, where in found:
        normal = normalise(phrase.text, rules.one_spelling)
        if normal in places:
            raise InvalidInputError(f"{where}: {phrase.text!r} stands in {places[normal]} too; remove one")
        places[normal] = where
        head = next((words for words in before if f"{normal} ".startswith(f"{words} ")), None)
        tail = next((words for words in after if f" {normal}".endswith(f" {words}")), None)
        if head or tail:
            raise InvalidInputError(
                f"{where}: {phrase.text!r} has the politeness or filler {head or tail!r} at an end, which is composed; remove it"
            )


def _check_counts(phrases: Sequence[Phrase], folder: Path) -> None:
    """Each group has enough phrases to hold some out."""
    for (name, slots), count in Counter(map(hold_out_group, phrases)).items():
        if count < LEAST_OF_A_GROUP:
            what = f"with the slots {', '.join(slots)}" if slots else "without slots"
            raise InvalidInputError(
                f"{folder}: {name} has {count} phrases {what} and needs {LEAST_OF_A_GROUP}; "
                f"write {LEAST_OF_A_GROUP - count} more"
            )
