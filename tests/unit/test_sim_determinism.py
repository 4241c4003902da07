"""Equal seeds give equal worlds, byte for byte, in two processes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SCRIPT = """
import hashlib, sys
import carla
from simlingo_sim import Client
from simlingo_sim.population import populate

seed, camera = int(sys.argv[1]), sys.argv[2] == "camera"
client = Client(seed=seed)
world = client.load_world("gridtown")
library = world.get_blueprint_library()
ego = world.spawn_actor(library.find("vehicle.lincoln.mkz_2020"), world.get_map().get_spawn_points()[11])
populate(world, client, vehicles=25, walkers=15, seed=seed)
digest = hashlib.sha256()
if camera:
    blueprint = library.find("sensor.camera.rgb")
    for name, value in (("image_size_x", "192"), ("image_size_y", "96"), ("fov", "110")):
        blueprint.set_attribute(name, value)
    sensor = world.spawn_actor(blueprint, carla.Transform(carla.Location(-1.5, 0.0, 2.0)), attach_to=ego)
    sensor.listen(lambda image: digest.update(bytes(image.raw_data)))
for tick in range(40 if camera else 300):
    ego.apply_control(carla.VehicleControl(throttle=0.4, steer=0.01))
    world.tick()
    for column in world.bodies.arrays:
        digest.update(column.tobytes())
    digest.update("".join(str(light.state) for light in world.traffic_lights).encode())
print(digest.hexdigest())
"""


def hashes(seed: int, what: str, runs: int) -> list[str]:
    """Digest of every tick, from as many processes as runs; their string hashes are salted differently."""
    found = []
    for number in range(runs):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(seed), what],
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
            env=_environment(number),
        )
        found.append(done.stdout.strip())
    return found


def _environment(salt: int) -> dict[str, str]:
    return {**os.environ, "PYTHONHASHSEED": str(salt + 1)}


@pytest.mark.medium
def test_states_are_equal_in_two_processes_and_differ_by_seed() -> None:
    first, second = hashes(7, "states", 2)
    assert first == second
    assert hashes(8, "states", 1) != [first]


@pytest.mark.medium
def test_frames_are_equal_in_two_processes() -> None:
    first, second = hashes(7, "camera", 2)
    assert first == second
