"""How many wordings a language has, as the table of docs/language.md; ``python -m training.language.counts [NAME]``."""

from __future__ import annotations

import sys
from collections import Counter

from training.language.hold_out import Split
from training.language.languages import Language, language


def describe(words: Language) -> str:
    """A markdown table of the language's groups, their wordings and how many of these are held out."""
    phrases = words.instructions
    all_of = Counter(phrase.group.name for phrase in phrases)
    held = Counter(phrase.group.name for phrase in phrases if words.split_of(phrase.text) is Split.HELD_OUT)
    rows = [("instruction", name, count, held[name]) for name, count in all_of.items()]
    for reason, sentences in words.refusals.items():
        rows.append(("refusal", reason.value, len(sentences), len(words.of_split(sentences, Split.HELD_OUT))))
    for name, wordings in words.commentary.groups():
        rows.append(("commentary", name, len(wordings), len(words.of_split(wordings, Split.HELD_OUT))))
    totals = {part: [sum(row[at] for row in rows if row[0] == part) for at in (2, 3)] for part, *_ in rows}
    lines = ["| part | group | wordings | held out |", "|---|---|---|---|"]
    for part, (wordings_of_part, held_of_part) in totals.items():
        lines += [f"| {part} | `{name}` | {count} | {out} |" for each, name, count, out in rows if each == part]
        lines.append(f"| {part} | all | {wordings_of_part} | {held_of_part} |")
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
