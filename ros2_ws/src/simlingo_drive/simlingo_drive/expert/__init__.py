"""A privileged expert on CARLA's API: it reads the world's state, the camera models learn from it."""

from simlingo_drive.expert.constants import CONSTANTS, ExpertConstants
from simlingo_drive.expert.expert import Expert, ExpertInfo

__all__ = ["CONSTANTS", "Expert", "ExpertConstants", "ExpertInfo"]
