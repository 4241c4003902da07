"""How many wordings a language has, as the table of docs/language.md; ``python -m training.language.counts [NAME]``."""

from __future__ import annotations

import sys
from collections import Counter
from typing import NamedTuple

from training.language.hold_out import Split
from training.language.languages import Language, language


class _Row(NamedTuple):
    part: str
    group: str
    wordings: int
    held_out: int


def describe(words: Language) -> str:
    """A markdown table of the language's groups, their wordings and how many of these are held out."""
    phrases = words.instructions
    all_of = Counter(phrase.group.name for phrase in phrases)
    held = Counter(phrase.group.name for phrase in phrases if words.split_of(phrase.text) is Split.HELD_OUT)
    rows = [_Row("instruction", name, count, held[name]) for name, count in all_of.items()]
    for reason, sentences in words.refusals.items():
        rows.append(_Row("refusal", reason.value, len(sentences), len(words.of_split(sentences, Split.HELD_OUT))))
    for name, wordings in words.commentary.groups():
        rows.append(_Row("commentary", name, len(wordings), len(words.of_split(wordings, Split.HELD_OUT))))
    lines = ["| part | group | wordings | held out |", "|---|---|---|---|"]
    for part in ("instruction", "refusal", "commentary"):
        of_part = [row for row in rows if row.part == part]
        lines += [f"| {part} | `{row.group}` | {row.wordings} | {row.held_out} |" for row in of_part]
        all_wordings, all_held_out = sum(row.wordings for row in of_part), sum(row.held_out for row in of_part)
        lines.append(f"| {part} | all | {all_wordings} | {all_held_out} |")
    objects = words.objects
    for what, names in (
        ("classes of things", objects.classes),
        ("colours", objects.colours),
        ("places", objects.places),
        ("lanes", objects.lanes),
    ):
        lines.append(f"| names | {len(names)} {what} | {sum(map(len, names.values()))} | – |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(describe(language(*sys.argv[1:2])), end="")
