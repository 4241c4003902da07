"""Which second view is drawn: by its share, in order, and with what was changed told as plain data."""

from __future__ import annotations

from typing import Any

import pytest

import training.collect.second_view as second_view
from training.collect.second_view import NEARER_SHARE, OTHER_LEAD_SHARE, OTHER_LIGHT_SHARE, SecondViews


class Numbers:
    """A generator that gives these numbers."""

    def __init__(self, *numbers: float) -> None:
        self._numbers = list(numbers)

    def random(self) -> float:
        return self._numbers.pop(0)


def drawn(monkeypatch: pytest.MonkeyPatch, *numbers: float, **found: Any) -> second_view.SecondView:
    """The view for these random numbers, where the three kinds find what is given."""
    for name in ("other_lead", "nearer", "other_light"):
        monkeypatch.setattr(second_view, name, lambda *_, name=name: found.get(name))
    views = SecondViews(None, None, None, Numbers(*numbers))  # type: ignore[arg-type]
    return views.draw("as it is", "the way")  # type: ignore[arg-type]


def test_shares_are_chances_below_them(monkeypatch: pytest.MonkeyPatch) -> None:
    all_found = {
        "other_lead": ("behind", "vehicle"),
        "nearer": ("moved", "the way from there", 7.5),
        "other_light": ("stopping", {3: "red"}),
    }
    below = 1e-9
    lead = drawn(monkeypatch, OTHER_LEAD_SHARE - below, **all_found)
    assert (lead.kind, lead.info, lead.navigation, lead.ahead) == ("lead", "behind", "the way", 0.0)
    assert lead.changes.vehicles == ("vehicle",)
    near = drawn(monkeypatch, OTHER_LEAD_SHARE, NEARER_SHARE - below, **all_found)
    assert (near.kind, near.info, near.navigation, near.ahead) == ("nearer", "moved", "the way from there", 7.5)
    light = drawn(monkeypatch, OTHER_LEAD_SHARE, NEARER_SHARE, OTHER_LIGHT_SHARE - below, **all_found)
    assert (light.kind, light.info, light.navigation) == ("light", "stopping", "the way")
    assert light.changes.lights == {3: "red"}
    assert light.detail == {3: "red"}
    plain = drawn(monkeypatch, OTHER_LEAD_SHARE, NEARER_SHARE, OTHER_LIGHT_SHARE, **all_found)
    assert (plain.kind, plain.info, plain.navigation, plain.detail) == ("", "as it is", "the way", {})


def test_what_cannot_be_drawn_leaves_the_next_its_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    assert drawn(monkeypatch, 0.0, 0.0, 0.0, other_light=("stopping", {})).kind == "light"
    assert drawn(monkeypatch, 0.0, 0.0, 0.0).kind == ""
