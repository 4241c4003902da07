"""The scripts that make the towns: plain data (nodes and streets) to OpenDRIVE and decor.json.

``python -m simlingo_sim.towns.generate [name ...]`` writes the files of one town or of all. The same source gives the
same bytes. numpy is all it needs.
"""

from __future__ import annotations

from simlingo_sim.towns.generate import gridtown, harbortown, ringtown
from simlingo_sim.towns.generate.decor import Decorator, to_json
from simlingo_sim.towns.generate.furniture import furnish
from simlingo_sim.towns.generate.network import build_network, node_arms
from simlingo_sim.towns.generate.opendrive import to_xml
from simlingo_sim.towns.generate.plan import TownPlan

#: Name of a town to the function that plans it.
PLANS = {"gridtown": gridtown.plan, "ringtown": ringtown.plan, "harbortown": harbortown.plan}


def generate(name: str) -> dict[str, str]:
    """Content of the files of the shipped town ``name`` by file name."""
    return files_of(PLANS[name]())


def files_of(plan: TownPlan) -> dict[str, str]:
    """Content of a planned town's files by file name; ValueError where a street does not fit."""
    network = build_network(plan)
    furnish(plan, network, node_arms(plan))
    return {f"{plan.name}.xodr": to_xml(plan.name, network), "decor.json": to_json(Decorator(plan, network).build())}
