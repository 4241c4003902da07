"""Read a commentary back into its facts: what the model's sentence says of way, pace and reason."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from training.language.hold_out import normalise
from training.language.languages import Language, language
from training.language.told import Pace, Way, Why

_OBJECT = "{object}"
_Book = Mapping[Way, Sequence[str]] | Mapping[Pace, Sequence[str]] | Mapping[Why, Sequence[str]]


@dataclass(frozen=True)
class Heard:
    """The facts that a sentence gives; ``None`` where it says nothing that is known. Objects are normalised."""

    way: Way | None = None
    pace: Pace | None = None
    why: Why | None = None
    way_object: str | None = None
    pace_object: str | None = None
    why_object: str | None = None


class CommentaryReader:
    """Knows every sentence that a language's commentary can be, and the beginnings of them."""

    def __init__(self, language: Language) -> None:
        words, names = language.commentary, language.objects.classes.values()
        self._article = f"{language.rules.article} "
        self._names = sorted({normalise(name) for each in names for name in each})
        self._facts: dict[str, Way | Pace | Why] = {}
        ways = self._choices("w", (words.ways,))
        paces = self._choices("p", (words.paces, words.named_paces))
        whys = self._choices("r", (words.reasons, words.named_reasons))
        whole, with_pace, with_way = [], [], []
        for before, between in _frames(words.patterns):
            head, middle = re.escape(before), re.escape(between)
            whole.append(f"{head}{ways}{middle}{paces}(?: {whys})?")
            with_pace.append(f"{head}{ways}{middle}{paces}(?: .*)?")
            with_way.append(f"{head}{ways}(?: .*)?")
        self._forms = [re.compile(form) for form in (*whole, *with_pace, *with_way)]

    def read(self, text: str) -> Heard:
        """The facts in ``text``: all of them, or those up to where it becomes unknown."""
        normal = normalise(text)
        for form in self._forms:
            found = form.fullmatch(normal)
            if found:
                groups = {name: value for name, value in found.groupdict().items() if value is not None}
                if all(self._is_thing(value) for name, value in groups.items() if name.endswith("_object")):
                    return self._heard(groups)
        return Heard()

    def _choices(self, part: str, books: Sequence[_Book]) -> str:
        """One group for each wording of a part: those without an object first, the longest first."""
        wordings = [(normalise(text), fact) for book in books for fact, texts in book.items() for text in texts]
        wordings.sort(key=lambda each: (_OBJECT in each[0], -len(each[0])))
        forms = []
        for number, (text, fact) in enumerate(wordings):
            name = f"{part}{number}"
            self._facts[name] = fact
            inside = re.escape(text).replace(re.escape(_OBJECT), f"(?P<{name}_object>.+?)")
            forms.append(f"(?P<{name}>{inside})")
        return f"(?:{'|'.join(forms)})"

    def _heard(self, groups: Mapping[str, str]) -> Heard:
        values: dict[str, object] = {}
        for name in groups:
            fact = self._facts.get(name)
            if fact is None:
                continue
            slot = {"w": "way", "p": "pace", "r": "why"}[name[0]]
            values[slot] = fact
            if f"{name}_object" in groups:
                values[f"{slot}_object"] = groups[f"{name}_object"].removeprefix(self._article)
        return Heard(**values)  # type: ignore[arg-type]

    def _is_thing(self, text: str) -> bool:
        """Whether it has one of the names that things have; a broken sentence names nothing."""
        return any(f" {name} " in f" {text} " for name in self._names)


def _frames(patterns: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Normalised words before the way, and those between way and pace; those with most words first."""
    found = set()
    for pattern in patterns:
        before, rest = pattern.split("{way}")
        head, middle = normalise(before), normalise(rest.split("{pace}")[0])
        found.add((f"{head} " if head else "", f" {middle} " if middle else " "))
    yield from sorted(found, key=lambda frame: (-len(frame[0]) - len(frame[1]), frame))


@functools.cache
def reader(name: str = "en") -> CommentaryReader:
    """The reader of a language that comes with the repository."""
    return CommentaryReader(language(name))
