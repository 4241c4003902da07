"""A language: everything that its folder of wordings says, read once and checked."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simlingo.contracts import InvalidInputError
from simlingo.requests import Reason
from training.language.commentary_words import CommentaryWords, read_commentary
from training.language.hold_out import Split, held_out, normalise
from training.language.instruction_phrases import hold_out_group, read_instructions
from training.language.objects import Objects, read_objects
from training.language.phrase import InstructionKind, Phrase
from training.language.refusals import read_refusals
from training.language.rules import Rules, read_rules

#: The languages that come with the repository, a folder each.
WORDINGS = Path(__file__).resolve().parent / "wordings"


@dataclass(frozen=True)
class Language:
    """The wordings of one language."""

    name: str
    rules: Rules
    instructions: tuple[Phrase, ...]
    refusals: Mapping[Reason, tuple[str, ...]]
    objects: Objects
    commentary: CommentaryWords
    held_out: frozenset[str]  # phrases and wordings that training never says, normalised to one side
    words: frozenset[str]  # every word of the instructions, normalised

    def split_of(self, text: str) -> Split:
        """Which split a core phrase, refusal or wording belongs to; one that is not in the language is seen."""
        return self._splits.get(text) or self._split_of_new(text)

    def of_split(self, texts: Sequence[str], split: Split) -> tuple[str, ...]:
        """Those of ``texts`` that belong to ``split``."""
        return tuple(text for text in texts if self.split_of(text) is split)

    def phrases(self, split: Split, kind: InstructionKind) -> tuple[Phrase, ...]:
        """The core phrases of a kind that belong to ``split``."""
        return self._phrases.get((split, kind), ())

    def _split_of_new(self, text: str) -> Split:
        return Split.HELD_OUT if normalise(text, self.rules.one_side) in self.held_out else Split.SEEN

    @functools.cached_property
    def _splits(self) -> dict[str, Split]:
        """The split of every text of the language."""
        texts = [phrase.text for phrase in self.instructions]
        texts += [text for sentences in self.refusals.values() for text in sentences]
        texts += [text for _, wordings in self.commentary.groups() for text in wordings]
        return {text: self._split_of_new(text) for text in texts}

    @functools.cached_property
    def _phrases(self) -> dict[tuple[Split, InstructionKind], tuple[Phrase, ...]]:
        found: dict[tuple[Split, InstructionKind], list[Phrase]] = defaultdict(list)
        for phrase in self.instructions:
            found[self.split_of(phrase.text), phrase.group.kind].append(phrase)
        return {key: tuple(phrases) for key, phrases in found.items()}


def read_language(folder: Path) -> Language:
    """The language of a folder.

    Raises:
        InvalidInputError: a file is missing or does not fit; names file, key and cure.
    """
    if not folder.is_dir():
        raise InvalidInputError(
            f"there is no folder {folder}; a language is a folder of wordings, see docs/language.md"
        )
    rules = read_rules(folder / "grammar.yaml")
    instructions = read_instructions(folder / "instructions", rules)
    refusals = read_refusals(folder / "refusals.yaml")
    commentary = read_commentary(folder / "commentary.yaml")
    held = _held_out(rules, instructions, refusals, commentary)
    words = frozenset(word for phrase in instructions for word in normalise(phrase.text).split())
    return Language(
        folder.name, rules, instructions, refusals, read_objects(folder / "objects.yaml"), commentary, held, words
    )


@functools.cache
def language(name: str = "en") -> Language:
    """A language that comes with the repository, read once; raises as :func:`read_language` does."""
    return read_language(WORDINGS / name)


def _held_out(
    rules: Rules, instructions: Sequence[Phrase], refusals: Mapping[Reason, Sequence[str]], commentary: CommentaryWords
) -> frozenset[str]:
    """Of what is heard and of what is said a fifth each; what is both heard and said is never held out."""
    heard: dict[object, list[str]] = defaultdict(list)
    for phrase in instructions:
        heard[hold_out_group(phrase)].append(phrase.text)
    wordings: dict[object, list[str]] = defaultdict(list)
    for name, texts in commentary.groups():
        wordings[name.replace("_right", "_left")] += texts
    return (
        held_out(heard, rules.one_side, [text for texts in wordings.values() for text in texts])
        | held_out(wordings, rules.one_side, [phrase.text for phrase in instructions])
        | held_out(refusals, rules.one_side)
    )
