"""What labels ask of the vehicle: accelerations, jerk, curvature and steering rate, against what it can do.

Everything is read from the labels alone (path and speed waypoints), so that it tells of any labels, however they were made.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from simlingo.contracts import SPEED_WAYPOINT_PERIOD_S, FloatArray
from simlingo.geometry import arc_length
from training.language.dreams.limits import Limits
from training.language.dreams.roll_out import Vehicle


@dataclass(frozen=True)
class Kinematics:
    """Figures of one dream, all at their worst."""

    accelerate_mps2: float  # the most
    brake_mps2: float  # the most, positive
    jerk_mps3: float  # absolute
    curvature_per_m: float  # absolute
    lateral_mps2: float  # absolute
    steering_rate_rps: float  # absolute
    start_heading_rad: float  # of the path's first metre against the car's, absolute
    start_m: float  # from the car to the path's first point
    off_path_m: float  # speed waypoints beside the path
    step_m: float  # how far the path's steps are from a metre


def kinematics_of(path: FloatArray, waypoints: FloatArray, speed_mps: float) -> Kinematics:
    """The figures of one pair of labels.

    Args:
        path: (20, 2) m, ego frame.
        waypoints: (10, 2) m, ego frame, the first at 0.25 s.
        speed_mps: of the ego at the frame.
    """
    line = np.vstack(((0.0, 0.0), waypoints))
    speeds = np.hypot(*np.diff(line, axis=0).T) / SPEED_WAYPOINT_PERIOD_S  # means, in the middles of the intervals
    accelerations = np.diff(speeds) / SPEED_WAYPOINT_PERIOD_S
    accelerations = np.append((speeds[0] - speed_mps) / (0.5 * SPEED_WAYPOINT_PERIOD_S), accelerations)
    places = arc_length(path)
    curvature = _curvature(path)
    here = 0.5 * (places[1:-1] + places[:-2])
    speed_there = np.interp(here, arc_length(line), np.append(speed_mps, speeds))
    reached = here < arc_length(line)[-1]
    wheel = np.arctan(curvature * Vehicle(0.0, 0.0, 0.0, 0.0).wheelbase_m)
    rate = np.abs(np.diff(wheel)) * 0.5 * (speed_there[1:] + speed_there[:-1])
    rate = rate[reached[1:]]
    return Kinematics(
        accelerate_mps2=float(accelerations.max()),
        brake_mps2=float(-accelerations.min()),
        jerk_mps3=float(np.abs(np.diff(accelerations)).max()) / SPEED_WAYPOINT_PERIOD_S,
        curvature_per_m=float(np.abs(curvature).max()),
        lateral_mps2=float((np.abs(curvature) * speed_there**2)[reached].max(initial=0.0)),
        steering_rate_rps=float(rate.max(initial=0.0)),
        start_heading_rad=abs(math.atan2(path[1, 1] - path[0, 1], path[1, 0] - path[0, 0])),
        start_m=float(np.hypot(*path[0])),
        off_path_m=_beside(path, waypoints),
        step_m=float(np.abs(np.hypot(*np.diff(path, axis=0).T) - 1.0).max()),
    )


def _curvature(path: FloatArray) -> FloatArray:
    """Curvature (18,) 1/m where the path's steps meet."""
    steps = np.diff(path, axis=0)
    heading = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    turned = np.diff(heading)
    return np.asarray(turned / np.maximum(0.5 * (np.hypot(*steps[1:].T) + np.hypot(*steps[:-1].T)), 1e-6))


def _beside(path: FloatArray, waypoints: FloatArray) -> float:
    """The most that a waypoint lies beside the path, m; beyond the path's end nothing is said."""
    start, step = path[:-1], np.diff(path, axis=0)
    delta = waypoints[:, None] - start[None]
    share = np.einsum("wpi,pi->wp", delta, step) / np.maximum(np.einsum("pi,pi->p", step, step), 1e-9)
    inside = np.clip(share, 0.0, 1.0)
    gaps = np.linalg.norm(delta - inside[..., None] * step[None], axis=2)
    beyond = share[:, -1] > 1.0
    return float(gaps.min(axis=1)[~beyond].max(initial=0.0))


def violations(figures: Kinematics, limits: Limits) -> list[str]:
    """Names of the figures that are beyond the vehicle."""
    return [
        field.name for field in fields(Limits) if getattr(figures, field.name) > getattr(limits, field.name)
    ]  # fmt: skip


def columns_of(all_figures: Iterable[Kinematics]) -> dict[str, FloatArray]:
    """The figures of many dreams, one array each."""
    listed = list(all_figures)
    return {
        field.name: np.array([getattr(figures, field.name) for figures in listed]) for field in fields(Kinematics)
    }  # fmt: skip
