"""The path label: twenty points, a metre apart, from wherever the camera stands back onto the route."""

from __future__ import annotations

import numpy as np

from simlingo.contracts import PATH_POINTS, EgoState, FloatArray
from simlingo.geometry import map_to_ego, resample_equal_spacing
from simlingo_drive.expert.constants import ExpertConstants
from simlingo_drive.expert.route import ExpertRoute, Place

#: Metres of route per metre of lateral offset before the label meets the route: an approach of about 18 degrees.
RETURN_RATIO = 3.0


def path_label(route: ExpertRoute, place: Place, view: EgoState, constants: ExpertConstants) -> FloatArray:
    """Path (20, 2) m in the frame of ``view``, which stands at ``place`` relative to the route (spec B.4).

    The first point is the view's own place. The next lies on the route 2.5 m ahead (spec B.2), farther ahead
    where the view stands beside the route.
    """
    first = max(constants.first_label_distance, RETURN_RATIO * abs(place.lateral))
    line = route.at(place.s + first + np.arange(PATH_POINTS + 5.0))
    return resample_equal_spacing(map_to_ego(line, view), 1.0, PATH_POINTS)
