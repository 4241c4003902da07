"""What stands together at one place: a row of cones, road works, parked cars, a wreck, furniture on the pavement.

Items are placed along a lane (m, in driving direction) and inwards from its right edge (m, towards its middle). Nothing
reaches farther into the lane than ``most``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simlingo_sim.object_models import MESH_BLUEPRINT, OBJECT_MODELS, PARKED_VEHICLES
from simlingo_sim.vehicle_models import VEHICLE_MODELS

#: Colours of parked vehicles that come in any, RGB: each is one that people have a word for.
PAINTS = (
    "178,20,26", "24,62,150", "236,238,240", "22,22,25", "132,136,140", "30,104,60", "232,178,30", "214,96,26", "98,62,40",
)  # fmt: skip
#: Two wheels of a parked vehicle stand on the pavement by this much at most, m, and more where nobody walks.
PAVEMENT_SHARE_M, VERGE_SHARE_M = 0.62, 1.1
#: Pavements wider than this leave room for wider vehicles by the difference, m.
_USUAL_PAVEMENT_M = 2.5
#: The least that a site reaches into its lane, m.
_LEAST_REACH_M = 0.25
#: Width of the narrowest vehicle that is parked, m.
_NARROWEST_M = min(VEHICLE_MODELS[kind].width for kind in PARKED_VEHICLES.values())


@dataclass(frozen=True)
class Item:
    """One thing of a site."""

    type_id: str  # blueprint
    along: float  # m from the site's begin, of its middle
    inward: float  # m from the lane's right edge, of its middle
    turned_deg: float = 0.0  # its front against the lane's direction, clockwise
    parked: str = ""  # kind of vehicle it looks like
    paint: str = ""  # "r,g,b" of a parked vehicle

    @property
    def size(self) -> tuple[float, float]:
        """Length and width in its own frame, m."""
        model = VEHICLE_MODELS[self.parked] if self.parked else OBJECT_MODELS[self.type_id]
        return model.length, model.width

    @property
    def inner_edge(self) -> float:
        """How far it reaches into the lane, m; negative beside it."""
        length, width = self.size
        turned = math.radians(self.turned_deg)
        return self.inward + 0.5 * (length * abs(math.sin(turned)) + width * abs(math.cos(turned)))


@dataclass(frozen=True)
class Roadside:
    """What lies to the right of a lane."""

    pavement: float  # m, width; 0 without

    @property
    def overhang(self) -> float:
        """How far a parked vehicle may stand off the lane, m."""
        if self.pavement == 0.0:
            return VERGE_SHARE_M
        return PAVEMENT_SHARE_M + max(self.pavement - _USUAL_PAVEMENT_M, 0.0)


def _prop(name: str, along: float, inward: float, turned_deg: float = 0.0) -> Item:
    return Item(f"static.prop.{name}", along, inward, turned_deg)


def _edge(name: str, along: float, inner_edge: float, turned_deg: float = 0.0) -> Item:
    """A thing whose inner edge is ``inner_edge`` m inside the lane."""
    item = _prop(name, along, 0.0, turned_deg)
    return _prop(name, along, inner_edge - item.inner_edge, turned_deg)


def _reach(rng: np.random.Generator, most: float, least: float = _LEAST_REACH_M) -> float:
    """How far a site reaches into its lane, m."""
    return float(rng.uniform(min(least, most), most))


def cones(rng: np.random.Generator, most: float, side: Roadside) -> list[Item]:
    """A row of cones that runs into the lane and out again."""
    del side
    reach = _reach(rng, most)
    name = str(rng.choice(["trafficcone01", "trafficcone02", "constructioncone"]))
    count, spacing = int(rng.integers(4, 8)), float(rng.uniform(1.8, 2.6))
    found = []
    for i in range(count):
        share = min(1.0, (i + 1) / 3.0, (count - i) / 2.0)
        found.append(_edge(name, i * spacing, reach * share, float(rng.uniform(0.0, 90.0)) if share < 1.0 else 0.0))
    return found


def road_works(rng: np.random.Generator, most: float, side: Roadside) -> list[Item]:
    """A sign ahead, cones that lead past barriers, and rubble, planks or a barrel behind them."""
    del side
    reach = _reach(rng, most, least=0.5)  # the barriers alone are 0.4 m deep
    found = [_prop("warningconstruction", 0.0, -0.40, 180.0)]
    cone = str(rng.choice(["constructioncone", "trafficcone02"]))
    begin = float(rng.uniform(7.0, 9.0))
    found += [_edge(cone, begin + 1.5 * i, reach * (i + 1) / 3.0) for i in range(3)]
    barriers = int(rng.integers(2, 4))
    middle = begin + 5.4
    found += [_edge("streetbarrier", middle + 1.35 * i, reach) for i in range(barriers)]
    inner = reach - 0.45
    for i in range(barriers - 1):
        heap = str(rng.choice(["dirtdebris01", "dirtdebris02", "ironplank", "barrel"]))
        model = OBJECT_MODELS[f"static.prop.{heap}"]
        found.append(_prop(heap, middle + 0.6 + 2.6 * i, inner - model.width / 2))
    found += [_edge(cone, middle + 1.35 * barriers + 0.6 + 1.4 * i, reach * (1.0 - 0.4 * i)) for i in range(2)]
    return found


def parked(rng: np.random.Generator, most: float, side: Roadside) -> list[Item]:
    """One to three parked cars or vans; now and then one that people have a word for, or a trailer."""
    reach = _reach(rng, most, _NARROWEST_M - side.overhang)
    fitting = [kind for kind in PARKED_VEHICLES.values() if VEHICLE_MODELS[kind].width <= reach + side.overhang]
    if not fitting:
        return []
    found: list[Item] = []
    along = 0.0
    for _ in range(int(rng.integers(1, 4))):
        trailer = rng.random() < 0.08
        kind = fitting[int(rng.integers(len(fitting)))]
        model = VEHICLE_MODELS[kind]
        paint = str(rng.choice(model.paints or PAINTS))
        turned = float(rng.normal(0.0, 1.0))
        length = OBJECT_MODELS["static.prop.trailer"].length if trailer else model.length
        along += length / 2
        blank = (
            _prop("trailer", along, 0.0, turned) if trailer else Item(MESH_BLUEPRINT, along, 0.0, turned, kind, paint)
        )
        shift = reach - blank.inner_edge
        found.append(Item(blank.type_id, along, shift, turned, blank.parked, blank.paint))
        along += length / 2 + float(rng.uniform(1.0, 2.5))
    return found


def wreck(rng: np.random.Generator, most: float, side: Roadside) -> list[Item]:
    """A broken-down car at the edge, a warning sign before it, a few cones beside it."""
    cars = parked(rng, most, side)[:1]
    if not cars or not cars[0].parked:
        return []
    car, begin, reach = cars[0], float(rng.uniform(10.0, 12.0)), cars[0].inner_edge
    half = car.size[0] / 2
    found = [_prop("warningaccident", 0.0, -0.40, 180.0)]
    found.append(Item(car.type_id, begin + half, car.inward, car.turned_deg, car.parked, car.paint))
    found += [_edge("trafficcone01", begin - 4.0 + 1.6 * i, reach * (0.4 + 0.3 * i)) for i in range(2)]
    return found


def left_behind(rng: np.random.Generator, most: float, side: Roadside) -> list[Item]:
    """A few things that fell from somewhere or wait for the dustmen."""
    del side
    reach = _reach(rng, most)
    names = [
        "box01",
        "box02",
        "box03",
        "creasedbox01",
        "trashbag",
        "barrel",
        "haybale",
        "shoppingcart",
        "container",
        "bin",
    ]
    found = []
    along = 0.0
    for _ in range(int(rng.integers(1, 4))):
        name = str(rng.choice(names))
        model = OBJECT_MODELS[f"static.prop.{name}"]
        along += model.width / 2
        deep = min(reach, model.length)  # small things lie at the kerb
        found.append(_edge(name, along, deep * float(rng.uniform(0.7, 1.0)), -90.0 if rng.random() < 0.5 else 90.0))
        along += model.width / 2 + float(rng.uniform(0.3, 1.2))
    return found


#: Sites at the edge of a lane, with how often each is drawn.
EDGE_SITES: tuple[tuple[Callable[[np.random.Generator, float, Roadside], list[Item]], float], ...] = (
    (cones, 0.24), (road_works, 0.20), (parked, 0.34), (wreck, 0.08), (left_behind, 0.14),
)  # fmt: skip

#: Furniture of pavements: its name, and how often it is drawn.
_FURNITURE = {
    "bench01": 4.0, "bench02": 2.0, "bench03": 3.0, "bin": 4.0, "trashcan01": 2.0, "trashcan02": 2.0, "trashcan03": 1.5,
    "trashcan04": 1.5, "trashcan05": 1.5, "plantpot01": 2.0, "plantpot04": 2.0, "mailbox": 1.5, "vendingmachine": 1.0,
    "kiosk_01": 0.6, "busstop": 1.5, "advertisement": 1.5, "table": 0.8, "container": 1.0, "clothcontainer": 0.8,
    "glasscontainer": 0.8, "trashbag": 1.0, "box01": 0.7,
}  # fmt: skip


def furniture(rng: np.random.Generator, side: Roadside) -> list[Item]:
    """One piece of furniture at the far edge of the pavement, its front to the street."""
    names = list(_FURNITURE)
    weights = np.array(list(_FURNITURE.values()))
    name = names[int(rng.choice(len(names), p=weights / weights.sum()))]
    depth = OBJECT_MODELS[f"static.prop.{name}"].length
    # Half of a small thing, less of a large one, stands on the pavement; its front looks to the left of the lane.
    inward = -(side.pavement - min(0.3, depth / 2) + depth / 2)
    return [_prop(name, 0.0, inward, -90.0)]
