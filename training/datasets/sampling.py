"""How often each frame is drawn in training: buckets of frames that are alike, each with its share of all draws (spec B.8).

As published, but that a frame of a bucket is drawn as often as the share says however many frames the bucket has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from simlingo.contracts import InvalidInputError
from simlingo_drive.expert.causes import Cause

Labels = Mapping[str, np.ndarray]
Mask = npt.NDArray[np.bool_]


def _waiting(of: Labels) -> Mask:
    return np.asarray((of["speed"] < 0.3) & (of["target_speed"] < 0.3))


def _because_of(cause: Cause) -> Callable[[Labels], Mask]:
    return lambda of: np.asarray(of["cause"] == cause)


#: Which frames lie in a bucket; a frame may lie in several. Arguments are the labels of a cache, see ``datasets.labels``.
BUCKETS: dict[str, Callable[[Labels], Mask]] = {
    "all": lambda of: np.ones(len(of["speed"]), np.bool_),
    "moving": lambda of: ~_waiting(of),
    "waiting": _waiting,  # a standing car that goes on standing
    "starting": lambda of: (of["speed"] < 0.7) & (of["target_speed"] > 0.6),  # lasts a frame or two; missed, the car stands for ever
    "pulling_away": lambda of: (of["speed"] < 1.5) & (of["target_speed"] > 1.0),
    "braking": lambda of: of["target_speed"] - of["speed"] < -0.5,  # by 1 m/s2 and more: the target is half a second away
    "speeding_up": lambda of: of["target_speed"] - of["speed"] > 0.5,
    "turning": lambda of: np.abs(of["path"][:, -1, 1]) > 3.0,  # m to the side, at the end of the path
    "red_light": lambda of: (of["light_state"] == 1) & (of["light_distance"] < 40.0) & (of["speed"] > 0.3),  # or yellow, on the way to it
    "green_light": lambda of: of["light_state"] == 2,
    "stop_sign": lambda of: (of["cause"] == Cause.STOP_SIGN) & (of["speed"] > 0.3),  # on the way to it
    "hazard": lambda of: of["hazard"] > 0,  # a vehicle or pedestrian makes the expert slow down
    "junction": _because_of(Cause.JUNCTION),
    "walker": _because_of(Cause.WALKER),
    "vehicle": _because_of(Cause.VEHICLE),
    "lead": _because_of(Cause.LEAD),
    "obstacle": _because_of(Cause.OBSTACLE),
}  # fmt: skip


def sampling_weights(labels: Labels, shares: Mapping[str, float]) -> npt.NDArray[np.float64]:
    """How often each of N frames is drawn, (N,), in sum 1.

    Args:
        labels: of N frames.
        shares: of the draws, by bucket; they are taken relative to their sum, and empty buckets leave theirs to the others.

    Raises:
        InvalidInputError: no bucket with a share has a frame.
    """
    weights = np.zeros(len(labels["speed"]))
    for name, share in shares.items():
        inside = BUCKETS[name](labels)
        if inside.any():
            weights += share * inside / inside.sum()
    if not weights.any():
        named = ", ".join(name for name, share in shares.items() if share) or "none"
        raise InvalidInputError(
            f"no frame lies in a bucket with a share ({named}); give sampler.buckets.all a share, or collect more data"
        )
    return np.asarray(weights / weights.sum())
