"""Read sentences of somebody else: a line each of kind, tab, sentence with slots."""

from __future__ import annotations

from pathlib import Path

from simlingo.arguments import nearest
from simlingo.contracts import InvalidInputError
from training.language.phrase import KINDS, Form, Group, Phrase, phrase_of, slot_use

#: Slots that a sentence of any kind may have in such a file.
_ANYWHERE = frozenset({"speed", "unit", "object"})


def read_phrases(file: Path) -> tuple[Phrase, ...]:
    """The phrases of a file, such as ``overtake<TAB>Get past the {object}!``; empty lines and those with # are passed over.

    They have the form ``OTHER`` and, for refused kinds, no reason: nothing is known of what may stand around them.

    Raises:
        InvalidInputError: the file cannot be read, holds no phrase, or a line has no tab, an unknown kind, a broken slot,
            lacks a slot that its kind needs, or stands there before; names file and line.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"the phrases file {file} cannot be read: {error}; write it as UTF-8") from error
    found: dict[tuple[Group, str], Phrase] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        phrase = _phrase(line, f"{file}, line {number}")
        key = (phrase.group, phrase.text)
        if key in found:
            raise InvalidInputError(
                f"{file}, line {number}: {phrase.text!r} stands there before; remove one of the lines"
            )
        found[key] = phrase
    if not found:
        raise InvalidInputError(f"the phrases file {file} holds no phrase; write lines of kind, tab, sentence")
    return tuple(found.values())


def _phrase(line: str, where: str) -> Phrase:
    name, _, text = (part.strip() for part in line.partition("\t"))
    if "\t" not in line or not text:
        raise InvalidInputError(f"{where}: {line!r:.80} is no kind, tab, sentence; put one tab after the kind")
    if name not in KINDS:
        raise InvalidInputError(f"{where}: there is no kind {name!r}{nearest(name, KINDS)} (kinds: {', '.join(KINDS)})")
    group = Group(KINDS[name])
    return phrase_of(group, Form.OTHER, text, slot_use(group.kind).all | _ANYWHERE, where)
