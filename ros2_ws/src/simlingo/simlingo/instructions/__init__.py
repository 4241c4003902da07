"""Instructions in words: what of them the route carries out, how one lives from accepted to its end, and when it is done.

Knows neither ROS nor the network: whoever drives tells it of texts, plans and the ego's states, and is told what to do.
"""

from simlingo.instructions.phrases import MAX_LENGTH, normalise, parse

__all__ = ["MAX_LENGTH", "normalise", "parse"]
