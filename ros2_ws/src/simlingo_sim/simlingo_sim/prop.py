"""Things that a test or a placement puts into the world: cones, benches, parked cars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import carla

from simlingo_sim.actor import StaticActor
from simlingo_sim.blueprints import object_box, paint_of, parked_model
from simlingo_sim.object_models import OBJECT_MODELS
from simlingo_sim.render.scene import PropVisual
from simlingo_sim.semantic_tags import vehicle_tag

if TYPE_CHECKING:
    from simlingo_sim.world import World

_UNPAINTED = (128, 128, 128)


class Prop(StaticActor):
    """``static.prop.*``: it stands where it was put, and a vehicle can hit it. Its origin is on the ground."""

    def __init__(
        self, world: World, actor_id: int, type_id: str, attributes: dict[str, str], transform: carla.Transform
    ) -> None:
        """:class:`SimulatorError` for a mesh or a colour that this world does not know."""
        super().__init__(world, actor_id, type_id, attributes, transform, object_box(attributes))
        if type_id in OBJECT_MODELS:
            self._kind, self._paint = type_id, _UNPAINTED
            self.semantic_tags = [int(OBJECT_MODELS[type_id].tag)]
        else:
            model = parked_model(attributes)
            self._kind, self._paint = model.type_id, paint_of(attributes)
            self.semantic_tags = [int(vehicle_tag(model))]

    def visual(self) -> PropVisual:
        """What the renderer draws for it."""
        pose = self.get_transform()
        place = pose.location
        return PropVisual(self._kind, place.x, place.y, place.z, pose.rotation.yaw, self._paint)
