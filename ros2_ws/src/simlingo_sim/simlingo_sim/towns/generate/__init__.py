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

#: Name of a town to the function that plans it.
PLANS = {"gridtown": gridtown.plan, "ringtown": ringtown.plan, "harbortown": harbortown.plan}


def generate(name: str) -> dict[str, str]:
    """Content of the town's files by file name."""
    plan = PLANS[name]()
    network = build_network(plan)
    furnish(plan, network, node_arms(plan))
    return {f"{name}.xodr": to_xml(name, network), "decor.json": to_json(Decorator(plan, network).build())}
