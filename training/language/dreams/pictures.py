"""A frame's dreams as a picture: the paths in the camera's picture, and a bird's view with where the others go."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from simlingo.contracts import MODEL_CAMERA, MODEL_CAMERA_POSITION_IN_EGO, FloatArray, ImageArray
from simlingo.requests import Verdict
from training.language.dreams.dream import Dream, Slots
from training.language.dreams.record import YAW, X, Y
from training.language.dreams.roll_out import TICKS
from training.language.dreams.scene import Scene

#: What the bird's view shows of the ego frame, m: behind, ahead, to each side.
BEHIND_M, AHEAD_M, SIDE_M = 12.0, 45.0, 24.0
#: Nearer points are below the picture, m.
_NEAR_M = 1.5
_STYLES = {Verdict.FOLLOW: "-", Verdict.UNSAFE: "--", Verdict.IMPOSSIBLE: ":"}


def draw(path: Path, scene: Scene, dreams: Sequence[Dream], image: ImageArray) -> None:
    """Write the picture of a frame to ``path`` (PNG)."""
    from matplotlib import colormaps
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(20, 10), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.25, 1.0), height_ratios=(1.0, 0.9))
    camera, words, birds = (
        figure.add_subplot(grid[0, 0]),
        figure.add_subplot(grid[1, 0]),
        figure.add_subplot(grid[:, 1]),
    )
    colors = [colormaps["gist_rainbow"](place) for place in np.linspace(0.0, 0.95, max(len(dreams), 1))]
    camera.imshow(image)
    _world(birds, scene)
    for dream, color in zip(dreams, colors, strict=True):
        if dream.dreamt:
            _dream(camera, birds, dream, color)
    camera.set_axis_off()
    camera.set_xlim(0, image.shape[1])
    camera.set_ylim(image.shape[0], 0)
    _list(words, dreams, colors)
    row = scene.row
    figure.suptitle(
        f"frame {row['frame']}: {scene.vehicle.speed_mps:.1f} m/s, limit {scene.limit_mps:.1f} m/s, stops "
        + (", ".join(f"{stop['reason']} {stop['distance_m']:.0f} m" for stop in row["stops"]) or "none")
    )
    temporary = path.with_suffix(".part.png")
    figure.savefig(temporary, dpi=75)
    temporary.replace(path)


def project(points_in_ego: FloatArray) -> FloatArray:
    """Pixels (M, 2) of those of the points (N, 2) m on the ground that lie before the camera."""
    lens, (x, y, z) = MODEL_CAMERA, MODEL_CAMERA_POSITION_IN_EGO
    depth = points_in_ego[:, 0] - x
    seen, near = points_in_ego[depth > _NEAR_M], depth[depth > _NEAR_M]
    u = lens.center_x + lens.focal_x * (seen[:, 1] - y) / near
    return np.stack((u, lens.center_y + lens.focal_y * z / near), axis=1)


def _dream(camera: Any, birds: Any, dream: Dream, color: Any) -> None:
    style = _STYLES[dream.verdict]
    birds.plot(dream.path[:, 1], dream.path[:, 0], style, color=color, linewidth=1.4, zorder=5)
    birds.plot(dream.speed_waypoints[:, 1], dream.speed_waypoints[:, 0], ".", color=color, markersize=4, zorder=6)
    fine = np.stack(
        [np.interp(np.arange(0.0, 19.01, 0.25), np.arange(20.0), dream.path[:, axis]) for axis in (0, 1)], axis=1
    )
    line, dots = project(fine), project(dream.speed_waypoints)
    camera.plot(line[:, 0], line[:, 1], style, color=color, linewidth=1.6)
    camera.plot(dots[:, 0], dots[:, 1], ".", color=color, markersize=5)


def _world(axes: Any, scene: Scene) -> None:
    """Lanes, the expert's line, everybody now and their ways in the next 2.5 s, stop lines; x up, y to the right."""
    for lane in scene.road.lanes:
        points = scene.in_ego(lane.points)
        if (np.hypot(points[:, 0], points[:, 1]) < 60.0).any():
            axes.plot(points[:, 1], points[:, 0], color="#c9c9c4", linewidth=9, zorder=1, solid_capstyle="butt")
    line = scene.in_ego(scene.line.points)
    axes.plot(line[:, 1], line[:, 0], color="#8fb8de", linewidth=3, zorder=2)
    for box in scene.obstacles.boxes:
        _box(axes, scene, box, "#8d6e63")
    for actor, half, states in zip(scene.others.actors, scene.others.half_m, scene.others.states, strict=True):
        if math.isnan(states[0, X]):
            continue
        color = "#e66100" if actor.is_walker else "#3d3846"
        _box(axes, scene, np.array((states[0, X], states[0, Y], states[0, YAW], *half)), color)
        way = scene.in_ego(states[: TICKS + 1][:, (X, Y)])
        axes.plot(way[:, 1], way[:, 0], color=color, linewidth=1, zorder=4)
    vehicle = scene.vehicle
    own = np.array((scene.ego.x, scene.ego.y, scene.ego.yaw, vehicle.half_length_m, vehicle.half_width_m))
    _box(axes, scene, own, "#1a5fb4")
    for stop in scene.stop_lines:
        sides = np.array([(-math.sin(stop.yaw_rad), math.cos(stop.yaw_rad))]) * np.array([[-1.6], [1.6]])
        ends = scene.in_ego(sides + np.array((stop.x_m, stop.y_m)))
        axes.plot(ends[:, 1], ends[:, 0], color="#c01c28" if stop.holds else "#2ec27e", linewidth=3, zorder=3)
    axes.set_xlim(-SIDE_M, SIDE_M)
    axes.set_ylim(-BEHIND_M, AHEAD_M)
    axes.set_aspect("equal")
    axes.set_xlabel("right / m")
    axes.set_ylabel("ahead / m")


def _box(axes: Any, scene: Scene, box: FloatArray, color: str) -> None:
    """A filled box (x, y, yaw, half length, half width) of the map frame."""
    signs = np.array(((1, 1), (1, -1), (-1, -1), (-1, 1))) * box[3:5]
    cos, sin = math.cos(box[2]), math.sin(box[2])
    corners = np.stack((signs[:, 0] * cos - signs[:, 1] * sin, signs[:, 0] * sin + signs[:, 1] * cos), axis=1) + box[:2]
    inside = scene.in_ego(corners)
    axes.fill(inside[:, 1], inside[:, 0], color=color, alpha=0.7, zorder=3)


def _list(axes: Any, dreams: Sequence[Dream], colors: Sequence[Any]) -> None:
    axes.set_axis_off()
    half = (len(dreams) + 1) // 2
    for number, (dream, color) in enumerate(zip(dreams, colors, strict=True)):
        column, row = divmod(number, half)
        axes.text(
            0.5 * column, 1.0 - row / max(half, 1), sentence(dream), color=color, fontsize=9, va="top",
            transform=axes.transAxes, family="monospace",
        )  # fmt: skip


def sentence(dream: Dream) -> str:
    """A dream in a line, such as ``target_speed 30 km/h: unsafe, red_light by 71 at 1.35 s``."""
    said = f"{dream.kind.value}{_slots(dream.slots)}: {dream.verdict.value}"
    if dream.reason is not None:
        said += f", {dream.reason.value}"
    if dream.by is not None:
        said += f" by {dream.by}"
    return said if dream.at_s is None else f"{said} at {dream.at_s:.2f} s"


def _slots(slots: Slots) -> str:
    parts = []
    if slots.speed_mps is not None:
        parts.append(f"{slots.speed_mps * (3.6 if slots.unit == 'km/h' else 1.0):.3g} {slots.unit}")
    if slots.lanes is not None:
        parts.append(f"by {slots.lanes}")
    if slots.lane is not None:
        parts.append(f"to {slots.lane}")
    if slots.distance_m is not None:
        parts.append(f"{slots.distance_m:g} m")
    if slots.object is not None:
        thing = slots.object
        parts.append(" ".join(word for word in (thing.colour, thing.name, thing.place) if word))
    return "".join(f" {part}" for part in parts)
