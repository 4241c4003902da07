"""A privileged expert on CARLA's API: it reads the world's state, the camera models learn from it."""

from training.expert.constants import CONSTANTS, ExpertConstants
from training.expert.expert import Expert, ExpertInfo

__all__ = ["CONSTANTS", "Expert", "ExpertConstants", "ExpertInfo"]
