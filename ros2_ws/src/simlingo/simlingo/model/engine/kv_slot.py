"""The key-value cache slot of a backend with fixed shapes: the context being read on is in it, others are copies."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor


@dataclass(eq=False)
class Branch:
    """Rows of keys and values; None while they are in the slot."""

    rows: Tensor | None = None  # (layers, 2, 1, H, tokens, W)


class SlotContext(NamedTuple):
    """A context: the first ``length`` rows of a branch; it never changes, wherever they are."""

    branch: Branch
    length: int  # tokens


class KvSlot:
    """The fixed cache that captured work reads and writes; it holds one branch at a time.

    A text goes on in place. Before another branch is loaded, the rows of the one in the slot are copied away if a
    context still refers to them; contexts hold their branch, the slot does not.
    """

    def __init__(self, cache: Tensor) -> None:
        self.cache = cache  # (layers, 2, 1, H, capacity, W)
        self._resident: weakref.ref[Branch] | None = None
        self._filled = 0  # rows of the resident branch

    def load(self, context: SlotContext) -> Branch:
        """Make the cache hold ``context``; gives the branch that rows behind it will belong to."""
        resident = self._resident() if self._resident is not None else None
        if resident is context.branch and self._filled == context.length:
            return resident
        if resident is not None:
            resident.rows = self.cache[..., : self._filled, :].clone()
        rows = context.branch.rows
        if rows is None:
            raise RuntimeError("a context has no rows, neither in the slot nor apart")
        self.cache[..., : context.length, :] = rows[..., : context.length, :]
        branch = Branch()
        self._resident, self._filled = weakref.ref(branch), context.length
        return branch

    def context(self, branch: Branch, length: int) -> SlotContext:
        """The context of the first ``length`` rows, which are in the slot and belong to ``branch``."""
        self._filled = length
        return SlotContext(branch, length)
