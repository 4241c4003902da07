"""Whether pictures are as old as they say: in a bend the picture turns when the car does.

A camera that lags behind its stamps, or a clock that is off, shows nothing wrong in any single picture. How far the scene has moved
sideways from one picture to the next tells how far the car has turned meanwhile, and so does odometry; the shift in time at
which the two fit best is the lag.
"""

from __future__ import annotations

import math
from collections import deque
from functools import lru_cache

import numpy as np

from simlingo.contracts import TICK_S, CameraIntrinsics, EgoState, FloatArray, ImageArray, InvalidInputError
from simlingo.geometry import wrap_angle

#: Rows above the horizon that are looked at, of a picture of ``REFERENCE_ROWS``: what is there is far away and moves by turning alone.
BAND_ROWS, REFERENCE_ROWS = 16, 512
#: The band is looked at by angle, in so many equal steps.
STEPS = 512
#: Of its width, the share at each side that may leave the picture between two pictures: 0.12 rad of 110 degrees.
MARGIN = 0.0625
#: Sideways differences over this share of the width tell; what changes over a longer one is light and sky.
DETAIL = 0.03
#: The two bands must correlate so much for their shift to be believed.
LEAST_CORRELATION = 0.6
#: Pictures further apart tell nothing, s.
MAX_STEP_S = 0.16
#: Fit over so many ticks, for lags of so many: 4 s and 1.5 s.
WINDOW, MAX_LAG = 80, 30
#: Of the window, the share that must be believed.
LEAST_BELIEVED = 0.4
#: Less turning than this tells nothing, rad^2 summed over the window's ticks: 0.1 rad/s for a quarter of it.
LEAST_TURNING = 0.25 * WINDOW * (0.1 * TICK_S) ** 2
#: What is left of a turn, as a share of its squares, where picture and odometry fit.
FITS = 0.1
#: From this lag on it is a fault, s, where it fits so much better than none. In 7,100 ticks of seven drives of the expert in sun, rain,
#: fog and dusk, seen at 20, 10 and 7 Hz, none is better than 0.28. (With 0.3 and without confirmation, three bends of seventeen
#: routes that a model drove, seen at 10 Hz, were taken for a fault.)
LEAST_LAG_S, BETTER = 0.25, 0.12
#: And it must do so in so many pictures one after the other.
CONFIRMED = 4
#: A car that has stood so long tries again, s: who stands cannot be seen to turn.
FORGET_S = 1.0
STANDING_MPS = 0.1


class PictureLag:
    """Call :meth:`check` with every picture that is to be driven by, in order."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Forget the pictures before."""
        cells = WINDOW + MAX_LAG
        self._seen: deque[float] = deque([0.0] * cells, maxlen=cells)  # rad in each tick, by the picture
        self._believed: deque[bool] = deque([False] * cells, maxlen=cells)
        self._turned: deque[float] = deque([0.0] * cells, maxlen=cells)  # the same by odometry
        self._band: FloatArray | None = None
        self._before: EgoState | None = None
        self._stands_since: int | None = None  # ns
        self._doubts = 0
        self._fault = ""

    def check(self, image: ImageArray, ego: EgoState, camera: CameraIntrinsics) -> None:
        """Look at ``image`` (H, W, 3) RGB of ``camera``, seen from ``ego``.

        Raises:
            InvalidInputError: it is from another time; says by how much. Until the car has stood for a second.
        """
        if ego.speed > STANDING_MPS:
            self._stands_since = None
        elif self._stands_since is None:
            self._stands_since = ego.stamp
        elif (ego.stamp - self._stands_since) * 1e-9 >= FORGET_S and self._fault:
            self.clear()
        band, before = _band(image, camera), self._before
        if before is not None:
            elapsed_s = (ego.stamp - before.stamp) * 1e-9
            if elapsed_s < 0.0:
                self.clear()
            else:
                self._add(band, ego, before, elapsed_s, camera)
        self._band, self._before = band, ego
        if not self._fault:
            doubt = self._judge()
            self._doubts = self._doubts + 1 if doubt else 0
            self._fault = doubt if self._doubts >= CONFIRMED else ""
        if self._fault:
            raise InvalidInputError(self._fault)

    def _add(
        self, band: FloatArray, ego: EgoState, before: EgoState, elapsed_s: float, camera: CameraIntrinsics
    ) -> None:
        """What has turned since the picture before, spread over the ticks between."""
        assert self._band is not None
        shift, correlation = _shift(self._band, band)
        ticks = min(max(round(elapsed_s / TICK_S), 1), WINDOW + MAX_LAG)
        believed = correlation > LEAST_CORRELATION and elapsed_s <= MAX_STEP_S
        seen = -shift * _step_rad(camera) / ticks
        for _ in range(ticks):
            self._seen.append(seen)
            self._believed.append(believed)
            self._turned.append(wrap_angle(ego.yaw - before.yaw) / ticks)

    def _judge(self) -> str:
        """Why the pictures of the window are of another time; empty when they are not, or nobody can tell."""
        seen, turned = np.array(self._seen), np.array(self._turned)
        believed = np.array(self._believed, dtype=np.float64)
        late = _misfit(turned, seen, believed)
        if late is None:
            return ""
        # A picture of later than its stamp turns before odometry does.
        early = _misfit(seen, turned, believed, weigh_moved=True)
        for misfit in (late, early):
            if misfit is None:
                continue
            lag = int(misfit.argmin())
            if lag * TICK_S >= LEAST_LAG_S and misfit[lag] < BETTER * misfit[0]:
                return (
                    f"picture and odometry are of different times, some {lag * TICK_S:.2f} s apart: one turned before the other; "
                    "let camera and odometry use one clock, and see what delays them"
                )
        return ""


def _misfit(moved: FloatArray, fixed: FloatArray, believed: FloatArray, weigh_moved: bool = False) -> FloatArray | None:
    """Squares of what is left of ``fixed``'s last window when ``moved`` is late by 0 to ``MAX_LAG`` ticks; None: nothing can be told.

    ``believed`` belongs to the pictures: to ``fixed``, or with ``weigh_moved`` to ``moved``.
    """
    windows = np.lib.stride_tricks.sliding_window_view(moved, WINDOW)[::-1]  # row: by so many ticks earlier
    weights = np.lib.stride_tricks.sliding_window_view(believed, WINDOW)[::-1]
    if not weigh_moved:
        weights = np.broadcast_to(weights[0], weights.shape)
    now = fixed[-WINDOW:]
    shares = weights.sum(axis=1)
    if shares[0] < LEAST_BELIEVED * WINDOW:
        return None
    misfit: FloatArray = (weights * (windows - now) ** 2).sum(axis=1) / np.maximum(shares, 1.0) * shares[0]
    # Both must have turned: where one has left its window, or not begun, any shift fits. And without shift they must not fit.
    turned = np.minimum((weights * now**2).sum(axis=1), (weights * windows**2).sum(axis=1))
    tells = (shares >= LEAST_BELIEVED * WINDOW) & (turned >= LEAST_TURNING) & (misfit[0] > FITS * turned)
    misfit[1:][~tells[1:]] = np.inf
    return misfit


def _step_rad(camera: CameraIntrinsics) -> float:
    """Angle from one step of a band to the next."""
    left, right = _sides(camera)
    return (right - left) / (STEPS - 1)


def _sides(camera: CameraIntrinsics) -> tuple[float, float]:
    """Angles of the middle of the first and of the last column, rad, to the right."""
    return (
        math.atan((0.5 - camera.center_x) / camera.focal_x),
        math.atan((camera.width - 0.5 - camera.center_x) / camera.focal_x),
    )


@lru_cache(maxsize=2)
def _places(camera: CameraIntrinsics) -> FloatArray:
    """Where the steps lie, (``STEPS``,), in columns and parts of them."""
    places: FloatArray = camera.center_x + camera.focal_x * np.tan(np.linspace(*_sides(camera), STEPS)) - 0.5
    return places


def _band(image: ImageArray, camera: CameraIntrinsics) -> FloatArray:
    """The brightness (green) of the rows above the horizon, by angle, (``STEPS``,), without what changes slowly."""
    bottom = min(max(round(camera.center_y), 1), image.shape[0])
    rows = max(round(BAND_ROWS * image.shape[0] / REFERENCE_ROWS), 1)
    return _unrolled(image[max(bottom - rows, 0) : bottom, :, 1].mean(axis=0), camera)


def _unrolled(columns: FloatArray, camera: CameraIntrinsics) -> FloatArray:
    """Values of columns (W,) by angle, without what changes slowly."""
    by_angle = np.interp(_places(camera), np.arange(len(columns)), columns)
    width = round(DETAIL * STEPS)
    detail: FloatArray = by_angle - np.convolve(by_angle, np.full(width, 1.0 / width), "same")
    return detail


def _shift(before: FloatArray, after: FloatArray) -> tuple[float, float]:
    """By how many steps the content has moved to the right, to a part of one, and how well the two then correlate."""
    margin = round(MARGIN * STEPS)
    inner = before[2 * margin : -2 * margin]
    candidates = np.lib.stride_tricks.sliding_window_view(after[margin:-margin], len(inner))
    norms = np.linalg.norm(candidates, axis=1) * np.linalg.norm(inner)
    correlations = candidates @ inner / np.maximum(norms, 1e-6)
    best = int(correlations.argmax())
    part = 0.0
    if 0 < best < len(correlations) - 1:
        left, middle, right = correlations[best - 1 : best + 2]
        bend = left - 2.0 * middle + right
        part = 0.5 * (left - right) / bend if bend < 0.0 else 0.0
    return best - margin + part, float(correlations[best])
