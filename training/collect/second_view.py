"""What a frame's second view tells of: often something that is not there, or a place where the drive never came."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from simlingo.contracts import Navigation
from simlingo_drive.backends.base import Backend
from simlingo_drive.expert import Expert, ExpertInfo
from simlingo_drive.views import ViewChanges
from training.collect.counterfactual import other_light
from training.collect.nearer import nearer
from training.collect.other_lead import other_lead

#: Share of the second views with a vehicle drawn ahead, where the road is free for one.
OTHER_LEAD_SHARE = 0.5
#: Share of the others that stand nearer to what the expert stops for, where there is such a thing.
NEARER_SHARE = 0.5
#: Share of the rest whose light shows the other colour, where it can.
OTHER_LIGHT_SHARE = 0.6


@dataclass(frozen=True)
class SecondView:
    """What a frame's second view tells of, before it is shifted and turned."""

    info: ExpertInfo  # what the expert would mean there
    navigation: Navigation
    kind: str = ""  # "", lead, nearer, light
    ahead: float = 0.0  # m along the route, from where the ego is
    changes: ViewChanges = field(default_factory=ViewChanges)

    @property
    def detail(self) -> dict[str, Any]:
        """What was drawn or changed, as plain data."""
        if self.changes.vehicles:
            return asdict(self.changes.vehicles[0])
        return dict(self.changes.lights)


class SecondViews:
    """Draws second views from one generator."""

    def __init__(self, backend: Backend, world: Any, expert: Expert, rng: np.random.Generator) -> None:
        self._backend, self._world, self._expert, self._rng = backend, world, expert, rng

    def draw(self, info: ExpertInfo, navigation: Navigation) -> SecondView:
        """Often a vehicle more, a place nearer to what the expert stops for, or the light in the other colour."""
        rng = self._rng
        if rng.random() < OTHER_LEAD_SHARE:
            behind = other_lead(info, self._expert, self._backend, self._world, rng)
            if behind is not None:
                return SecondView(behind[0], navigation, "lead", changes=ViewChanges(vehicles=(behind[1],)))
        if rng.random() < NEARER_SHARE:
            moved = nearer(info, self._expert, navigation, rng)
            if moved is not None:
                return SecondView(moved[0], moved[1], "nearer", ahead=moved[2])
        if rng.random() < OTHER_LIGHT_SHARE:
            changed = other_light(info, self._expert, navigation, self._backend, self._world)
            if changed is not None:
                return SecondView(changed[0], navigation, "light", changes=ViewChanges(lights=changed[1]))
        return SecondView(info, navigation)
