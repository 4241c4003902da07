"""What the bridge reads off the ego."""

from __future__ import annotations

from types import SimpleNamespace

import carla
import pytest

from simlingo_node.bridge.messages import forward_speed


@pytest.mark.parametrize(
    ("yaw", "x", "y", "mps"),
    [(0.0, 3.0, 0.0, 3.0), (-90.0, 0.0, -3.0, 3.0), (180.0, 3.0, 1.0, -3.0), (45.0, 2.0, -2.0, 0.0)],
)
def test_speed_counts_along_the_heading(yaw: float, x: float, y: float, mps: float) -> None:
    ego = SimpleNamespace(
        get_velocity=lambda: carla.Vector3D(x, y, 0.0),
        get_transform=lambda: carla.Transform(carla.Location(), carla.Rotation(yaw=yaw)),
    )
    assert forward_speed(ego) == pytest.approx(mps, abs=1e-5)
