"""The sentences that give the reason of a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from simlingo.requests import Reason
from training.language.hold_out import LEAST_OF_A_GROUP
from training.language.reading import known_keys, read_file, slots_in, texts

_OBJECT = frozenset({"object"})
#: What a refusal of each reason may speak of: the thing in the way or the one sought, and the speed limit.
REFUSAL_SLOTS: Mapping[Reason, frozenset[str]] = MappingProxyType(
    dict.fromkeys(Reason, frozenset[str]())
    | dict.fromkeys((Reason.VEHICLE, Reason.WALKER, Reason.OBSTACLE, Reason.NO_OBJECT), _OBJECT)
    | {Reason.SPEED_LIMIT: frozenset({"speed", "unit"})}
)


def read_refusals(file: Path) -> dict[Reason, tuple[str, ...]]:
    """A language's ``refusals.yaml``: reason -> sentences with slots.

    Raises:
        InvalidInputError: a reason is missing or unknown, has too few sentences, or a slot is broken; names file and key.
    """
    values = read_file(file)
    known_keys(values, [reason.value for reason in Reason], str(file))
    found: dict[Reason, tuple[str, ...]] = {}
    for reason in Reason:
        where = f"{file}: {reason.value}"
        found[reason] = texts(values[reason.value], where)
        slots = [slots_in(sentence, REFUSAL_SLOTS[reason], where) for sentence in found[reason]]
        plain = [sentence for sentence, names in zip(found[reason], slots, strict=True) if not names]
        texts(plain, f"{where}, without slots", LEAST_OF_A_GROUP)
    return found
