"""Plane geometry: rigid transforms between map and ego frame, and polylines.

All frames here are CARLA's: x forward, y right, yaw clockwise positive, metres and radians.
"""

from __future__ import annotations

import math

import numpy as np

from simlingo.contracts import EgoState, FloatArray


def wrap_angle(angle: float) -> float:
    """``angle`` (rad) wrapped to [-pi, pi)."""
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


def map_to_ego(points_in_map: FloatArray, ego: EgoState) -> FloatArray:
    """Points (N, 2) of the map frame in the ego frame of ``ego``."""
    delta = np.asarray(points_in_map, dtype=np.float64) - (ego.x, ego.y)
    cos, sin = math.cos(ego.yaw), math.sin(ego.yaw)
    return np.stack((delta[:, 0] * cos + delta[:, 1] * sin, -delta[:, 0] * sin + delta[:, 1] * cos), axis=1)


def ego_to_map(points_in_ego: FloatArray, ego: EgoState) -> FloatArray:
    """Points (N, 2) of the ego frame of ``ego`` in the map frame."""
    points = np.asarray(points_in_ego, dtype=np.float64)
    cos, sin = math.cos(ego.yaw), math.sin(ego.yaw)
    return np.stack(
        (points[:, 0] * cos - points[:, 1] * sin + ego.x, points[:, 0] * sin + points[:, 1] * cos + ego.y), axis=1
    )


def arc_length(polyline: FloatArray) -> FloatArray:
    """Distance (N,) along ``polyline`` (N, 2) from its first point, metres."""
    steps = np.linalg.norm(np.diff(polyline, axis=0), axis=1)
    return np.concatenate(([0.0], np.cumsum(steps)))


def resample_equal_spacing(polyline: FloatArray, spacing: float, count: int) -> FloatArray:
    """``count`` points (count, 2), ``spacing`` metres apart, along ``polyline`` (N, 2) from the origin.

    The ego origin is prepended, repeated points are told apart by 1e-4 m per index, and beyond the
    end the last point repeats (spec B.4).
    """
    line = np.vstack(((0.0, 0.0), np.asarray(polyline, dtype=np.float64)))
    distance = arc_length(line) + 1e-4 * np.arange(len(line))
    wanted = spacing * np.arange(count)
    return np.stack((np.interp(wanted, distance, line[:, 0]), np.interp(wanted, distance, line[:, 1])), axis=1)


def project_onto_polyline(polyline: FloatArray, point: FloatArray) -> tuple[int, float, float]:
    """Nearest place on ``polyline`` (N >= 2, 2) to ``point`` (2,).

    Returns:
        Segment index, distance along the polyline (m), distance to the polyline (m).
    """
    start, step = polyline[:-1], np.diff(polyline, axis=0)
    squared = np.maximum(np.einsum("ij,ij->i", step, step), 1e-12)
    fraction = np.clip(np.einsum("ij,ij->i", point - start, step) / squared, 0.0, 1.0)
    gap = np.linalg.norm(start + fraction[:, None] * step - point, axis=1)
    index = int(np.argmin(gap))
    along = arc_length(polyline)[index] + fraction[index] * math.sqrt(squared[index])
    return index, float(along), float(gap[index])
