"""CARLA's route scores: what went wrong on a route, and the driving score that follows."""

from simlingo_drive.criteria.result import Infraction, Kind, RouteResult, driving_score
from simlingo_drive.criteria.scorer import RouteScorer

__all__ = ["Infraction", "Kind", "RouteResult", "RouteScorer", "driving_score"]
