"""A core phrase: one way to say one kind of instruction, with slots for what it speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from simlingo.contracts import InvalidInputError
from simlingo.requests import Reason, RequestKind, Verdict
from training.language.reading import slots_in


class RefusedKind(Enum):
    """Kinds of instruction that no driver takes, whatever the scene."""

    UNSAFE = "unsafe"  # asks for what is dangerous or illegal; said where it is
    NONSENSE = "nonsense"  # means nothing, or nothing that a driver can do


InstructionKind = RequestKind | RefusedKind
#: Every kind by the name that it has in wordings and phrases files.
KINDS: Mapping[str, InstructionKind] = MappingProxyType({kind.value: kind for kind in (*RequestKind, *RefusedKind)})
#: The reasons that group the phrases of a refused kind.
REASONS_OF: Mapping[RefusedKind, tuple[Reason, ...]] = MappingProxyType(
    {
        RefusedKind.UNSAFE: tuple(reason for reason in Reason if reason.verdict is Verdict.UNSAFE),
        RefusedKind.NONSENSE: tuple(reason for reason in Reason if reason.verdict is Verdict.NOT_UNDERSTOOD),
    }
)


class Form(Enum):
    """What may be said around a phrase."""

    IMPERATIVE = "imperative"  # a bare verb first: "could you ..." may precede it
    OTHER = "other"  # a statement, a question, a negation, a mere word


@dataclass(frozen=True)
class SlotUse:
    """The slots of a kind's phrases. ``unit`` goes with ``speed`` and is not named here."""

    needed: frozenset[str] = frozenset()  # in every phrase
    binding: frozenset[str] = frozenset()  # said where they are given, as they change what is asked
    free: frozenset[str] = frozenset()  # said or not: they only tell more of the same

    @property
    def all(self) -> frozenset[str]:
        """Every slot that a phrase may have, ``unit`` included."""
        found = self.needed | self.binding | self.free
        return found | {"unit"} if "speed" in found else found


_LANE = SlotUse(binding=frozenset({"lanes", "lane"}))
_OBJECT = SlotUse(needed=frozenset({"object"}))
_MAYBE_OBJECT = SlotUse(free=frozenset({"object"}))
_WAY = SlotUse(free=frozenset({"distance"}))
_NONE = SlotUse()
_USES: Mapping[InstructionKind, SlotUse] = MappingProxyType(
    {
        RequestKind.TARGET_SPEED: SlotUse(needed=frozenset({"speed"})),
        RequestKind.LANE_LEFT: _LANE,
        RequestKind.LANE_RIGHT: _LANE,
        RequestKind.DRIVE_TO: _OBJECT,
        RequestKind.AVOID: _OBJECT,
        RequestKind.FOLLOW: _MAYBE_OBJECT,
        RequestKind.OVERTAKE: _MAYBE_OBJECT,
        RequestKind.PULL_OVER: SlotUse(binding=frozenset({"place"})),
        RequestKind.KEEP_DISTANCE: SlotUse(binding=frozenset({"distance"}), free=frozenset({"object"})),
        RequestKind.TURN_LEFT: _WAY,
        RequestKind.TURN_RIGHT: _WAY,
        RequestKind.STRAIGHT: _WAY,
        RefusedKind.UNSAFE: SlotUse(free=frozenset({"object", "speed"})),
    }
)


def slot_use(kind: InstructionKind) -> SlotUse:
    """The slots that phrases of ``kind`` have."""
    return _USES.get(kind, _NONE)


@dataclass(frozen=True)
class Group:
    """Phrases that ask for the same: a kind, and for a refused kind the reason (``None``: any of its reasons)."""

    kind: InstructionKind
    reason: Reason | None = None

    @property
    def name(self) -> str:
        """As it is written in files: ``faster``, ``unsafe.red_light``."""
        return f"{self.kind.value}.{self.reason.value}" if self.reason else str(self.kind.value)


@dataclass(frozen=True)
class Phrase:
    """One core phrase."""

    group: Group
    form: Form
    text: str  # with slots in braces
    slots: frozenset[str]  # names, ``unit`` included


def phrase_of(group: Group, form: Form, text: str, allowed: frozenset[str], where: str) -> Phrase:
    """A checked phrase.

    Args:
        allowed: slots that the text may have.
        where: file and place, for errors.

    Raises:
        InvalidInputError: a broken or unknown slot, or one that the kind needs is missing.
    """
    slots = slots_in(text, allowed, where)
    missing = slot_use(group.kind).needed - slots
    if missing:
        raise InvalidInputError(
            f"{where}: {text!r} lacks the slot {{{min(missing)}}}, which {group.kind.value} needs; add it"
        )
    if "unit" in slots and "speed" not in slots:
        raise InvalidInputError(f"{where}: {text!r} has {{unit}} without {{speed}}; add {{speed}} before it")
    return Phrase(group, form, text, slots)
