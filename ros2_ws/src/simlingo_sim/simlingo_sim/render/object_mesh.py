"""Meshes of things by blueprint id, in their own frame: x to the front, origin on the ground below the middle, m."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from simlingo_sim.object_models import OBJECT_MODELS, ObjectModel
from simlingo_sim.render import object_shapes_road as road
from simlingo_sim.render import object_shapes_street as street
from simlingo_sim.render import object_shapes_waste as waste
from simlingo_sim.render.mesh import MeshBuilder, Triangles

_SHAPES: dict[str, Callable[[MeshBuilder, ObjectModel], None]] = {
    "trafficcone01": road.traffic_cone_small,
    "trafficcone02": road.traffic_cone_tall,
    "constructioncone": road.construction_cone,
    "streetbarrier": road.street_barrier,
    "trafficwarning": road.warning_board,
    "warningconstruction": road.construction_sign,
    "warningaccident": road.accident_sign,
    "ironplank": road.planks,
    "dirtdebris01": road.rubble,
    "dirtdebris02": road.rubble,
    "barrel": road.barrel,
    "haybale": road.hay_bale,
    "trailer": road.trailer,
    "bin": waste.wheelie_bin,
    "container": waste.container,
    "clothcontainer": waste.cloth_container,
    "glasscontainer": waste.glass_container,
    "trashcan01": waste.steel_can,
    "trashcan02": waste.wooden_can,
    "trashcan03": waste.square_can,
    "trashcan04": waste.park_can,
    "trashcan05": waste.tall_can,
    "trashbag": waste.bag,
    "box01": waste.box,
    "box02": waste.box,
    "box03": waste.box,
    "creasedbox01": waste.creased_box,
    "bench01": street.wooden_bench,
    "bench02": street.stone_bench,
    "bench03": street.green_bench,
    "busstop": street.bus_stop,
    "mailbox": street.mailbox,
    "vendingmachine": street.vending_machine,
    "kiosk_01": street.kiosk,
    "plantpot01": street.round_pot,
    "plantpot04": street.long_pot,
    "table": street.table,
    "advertisement": street.advertisement,
    "shoppingcart": street.shopping_cart,
}


@cache
def object_mesh(type_id: str) -> Triangles:
    """The mesh of a thing; KeyError for an id that is not in ``OBJECT_MODELS``."""
    builder = MeshBuilder()
    _SHAPES[type_id.removeprefix("static.prop.")](builder, OBJECT_MODELS[type_id])
    return builder.build()
