"""Names for how busy a town is: the same words mean the same in every drive, benchmark and collection."""

from __future__ import annotations

#: Name -> vehicles and walkers in the whole town. With "light" the ego has one to three vehicles within 50 m on
#: average (measured along expert drives in the three towns), with "dense" about twice as many.
TRAFFIC: dict[str, tuple[int, int]] = {"none": (0, 0), "light": (50, 50), "dense": (110, 100)}
