"""Contexts for a backend with one fixed cache: the one being read on lies on the desk, others are put away."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor


@dataclass(eq=False)
class Branch:
    """Rows of keys and values; None while they lie on the desk."""

    rows: Tensor | None = None  # (layers, 2, 1, H, tokens, W)


class Placed(NamedTuple):
    """A context: the first ``length`` rows of a branch; it never changes, wherever they lie."""

    branch: Branch
    length: int  # tokens


class Desk:
    """The fixed cache that captured work reads and writes, and whose branch lies in it.

    A text goes on in place. Before another branch is laid out, the rows of the one that lies there are copied away if a
    context still refers to them; contexts hold their branch, the desk does not.
    """

    def __init__(self, cache: Tensor) -> None:
        self.cache = cache  # (layers, 2, 1, H, capacity, W)
        self._lying: weakref.ref[Branch] | None = None
        self._filled = 0  # rows of the lying branch

    def lay(self, context: Placed) -> Branch:
        """Make the cache hold ``context``; gives the branch that rows behind it will belong to."""
        lying = self._lying() if self._lying is not None else None
        if lying is context.branch and self._filled == context.length:
            return lying
        if lying is not None:
            lying.rows = self.cache[..., : self._filled, :].clone()
        rows = context.branch.rows
        if rows is None:
            raise RuntimeError("a context lies nowhere")
        self.cache[..., : context.length, :] = rows[..., : context.length, :]
        branch = Branch()
        self._lying, self._filled = weakref.ref(branch), context.length
        return branch

    def keep(self, branch: Branch, length: int) -> Placed:
        """The context of the first ``length`` rows, which lie here and belong to ``branch``."""
        self._filled = length
        return Placed(branch, length)
