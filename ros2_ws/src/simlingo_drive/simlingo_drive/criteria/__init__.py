"""What a drive is judged by: one criterion a file; a list of them makes CARLA's driving score."""

from simlingo_drive.criteria.base import Criterion, EgoMotion, Finding, Infraction, Kind
from simlingo_drive.criteria.score import RouteResult, driving_score
from simlingo_drive.criteria.scorer import RouteScorer

__all__ = ["Criterion", "EgoMotion", "Finding", "Infraction", "Kind", "RouteResult", "RouteScorer", "driving_score"]
