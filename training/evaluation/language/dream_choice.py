"""Which items ``dream-val`` takes: as many of each mode, a third of them to be refused where there are that many."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import chain, zip_longest
from typing import TypeVar

from simlingo.requests import Verdict
from training.evaluation.language.dream_items import Item
from training.evaluation.language.fixed import tells
from training.evaluation.language.modes import MODES, ROWS

#: Items of each mode, and of each other kind: the whole list, and the quick one.
OF_A_MODE, OF_A_MODE_QUICK = 400, 64
OF_A_KIND, OF_A_KIND_QUICK = 120, 16
#: Share of a mode's items that are unsafe or impossible, where the frames have as many.
REFUSED_SHARE = 1.0 / 3.0

_Thing = TypeVar("_Thing")


def choose(items: Iterable[Item], quick: bool, sayable: Callable[[Item], bool]) -> list[Item]:
    """The items to ask, in the order of their rows and frames.

    Only items that tell a model that listens from one that does not, see :func:`training.evaluation.language.fixed.tells`;
    of each frame at most one of a mode that is to be followed and one that is to be refused, until frames run out.

    Args:
        items: of all frames of a list.
        quick: few of each.
        sayable: whether there are words for it.
    """
    rows: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if sayable(item) and tells(item):
            rows[item.row].append(item)
    chosen: list[Item] = []
    for row in ROWS:
        most = (OF_A_MODE_QUICK if quick else OF_A_MODE) if row in MODES else (OF_A_KIND_QUICK if quick else OF_A_KIND)
        chosen += sorted(_of_row(rows[row], most), key=lambda item: item.key)
    return chosen


def _of_row(items: Sequence[Item], most: int) -> list[Item]:
    """At most ``most``: a third refused, turn by turn of each reason; where one side is short, more of the other."""
    follow = _spread([item for item in items if item.verdict is Verdict.FOLLOW])
    by_reason: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item.reason is not None:
            by_reason[item.reason.value].append(item)
    refused = in_turn([_spread(by_reason[reason]) for reason in sorted(by_reason)])
    wanted = min(len(refused), max(round(REFUSED_SHARE * most), most - len(follow)))
    return follow[: most - wanted] + refused[:wanted]


def _spread(items: Sequence[Item]) -> list[Item]:
    """By lot, the first of each frame before the second of any."""
    frames: dict[str, list[Item]] = defaultdict(list)
    for item in sorted(items, key=lambda item: item.rank):
        frames[item.frame.key].append(item)
    return in_turn(list(frames.values()))


def in_turn(lists: Sequence[Sequence[_Thing]]) -> list[_Thing]:
    """The first of each list, then the second of each, and so on."""
    return [thing for thing in chain.from_iterable(zip_longest(*lists)) if thing is not None]
