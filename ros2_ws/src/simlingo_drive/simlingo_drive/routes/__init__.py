"""Routes: drawn from town, seed and number, led from place to place, read from and written to CARLA's route files."""

from simlingo_drive.routes.draw import (
    BENCHMARK_RULES,
    Rules,
    benchmark_routes,
    draw_training_route,
    numbered_route,
    select,
    sign_lines,
)
from simlingo_drive.routes.route import Route, RouteSpec, route_along, route_between, signalled_lanes

__all__ = [
    "BENCHMARK_RULES",
    "Route",
    "RouteSpec",
    "Rules",
    "benchmark_routes",
    "draw_training_route",
    "numbered_route",
    "route_along",
    "route_between",
    "select",
    "sign_lines",
    "signalled_lanes",
]
