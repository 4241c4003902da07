"""Outlines of the car bodies: numbers only. Lengths as shares of the vehicle's length, width and height."""

from __future__ import annotations

from dataclasses import dataclass

#: One cross-section of the lower body: x (-0.5 rear to 0.5 front), half width, underside and shoulder height.
Station = tuple[float, float, float, float]


@dataclass(frozen=True)
class CarShape:
    """A lower body lofted through stations, with a glazed cabin on top."""

    stations: tuple[Station, ...]
    cabin_base: tuple[float, float]  # x of the cabin's rear and front foot
    cabin_roof: tuple[float, float, float]  # x of the roof's rear edge, crown and front edge
    roof_heights: tuple[float, float, float]  # heights there
    foot_heights: tuple[float, float]  # height of the rear and front foot of the glass
    roof_width: float  # half width of the roof, share of the half width of the body
    wheel_radius: float = 0.33  # m
    wheels_x: tuple[float, float] = (-0.29, 0.30)


#: The ego's saloon: low nose and sloping roof, so that a camera at (-1.5, 0, 2.0) sees it in the lowest quarter only.
SALOON = CarShape(
    stations=(
        (-0.5, 0.84, 0.24, 0.60),
        (-0.47, 0.94, 0.18, 0.69),
        (-0.30, 1.0, 0.16, 0.70),
        (0.0, 1.0, 0.16, 0.68),
        (0.22, 1.0, 0.16, 0.655),
        (0.39, 0.97, 0.16, 0.515),
        (0.47, 0.90, 0.18, 0.43),
        (0.5, 0.76, 0.22, 0.36),
    ),
    cabin_base=(-0.40, 0.23),
    cabin_roof=(-0.24, -0.10, 0.045),
    roof_heights=(0.955, 1.0, 0.925),
    foot_heights=(0.69, 0.65),
    roof_width=0.74,
)
SEDAN = CarShape(
    stations=(
        (-0.5, 0.84, 0.24, 0.58),
        (-0.47, 0.94, 0.18, 0.68),
        (-0.30, 1.0, 0.16, 0.69),
        (0.0, 1.0, 0.16, 0.67),
        (0.21, 1.0, 0.16, 0.65),
        (0.42, 0.96, 0.16, 0.56),
        (0.48, 0.88, 0.18, 0.50),
        (0.5, 0.80, 0.22, 0.42),
    ),
    cabin_base=(-0.38, 0.22),
    cabin_roof=(-0.23, -0.08, 0.05),
    roof_heights=(0.96, 1.0, 0.96),
    foot_heights=(0.68, 0.64),
    roof_width=0.76,
)
COMPACT = CarShape(
    stations=(
        (-0.5, 0.86, 0.22, 0.56),
        (-0.47, 0.97, 0.17, 0.64),
        (-0.25, 1.0, 0.15, 0.64),
        (0.0, 1.0, 0.15, 0.63),
        (0.24, 1.0, 0.15, 0.62),
        (0.42, 0.95, 0.16, 0.53),
        (0.48, 0.86, 0.18, 0.47),
        (0.5, 0.76, 0.22, 0.40),
    ),
    cabin_base=(-0.47, 0.27),
    cabin_roof=(-0.40, -0.15, 0.07),
    roof_heights=(0.95, 1.0, 0.955),
    foot_heights=(0.63, 0.61),
    roof_width=0.79,
    wheel_radius=0.30,
    wheels_x=(-0.33, 0.33),
)
SUV = CarShape(
    stations=(
        (-0.5, 0.88, 0.26, 0.56),
        (-0.48, 0.98, 0.21, 0.64),
        (-0.25, 1.0, 0.19, 0.64),
        (0.0, 1.0, 0.19, 0.63),
        (0.22, 1.0, 0.19, 0.62),
        (0.44, 0.97, 0.20, 0.56),
        (0.485, 0.92, 0.22, 0.50),
        (0.5, 0.84, 0.25, 0.40),
    ),
    cabin_base=(-0.48, 0.23),
    cabin_roof=(-0.43, -0.15, 0.08),
    roof_heights=(0.965, 1.0, 0.97),
    foot_heights=(0.63, 0.61),
    roof_width=0.82,
    wheel_radius=0.37,
)
VAN = CarShape(
    stations=(
        (-0.5, 0.92, 0.16, 0.50),
        (-0.49, 1.0, 0.14, 0.55),
        (-0.2, 1.0, 0.13, 0.55),
        (0.1, 1.0, 0.13, 0.55),
        (0.34, 1.0, 0.13, 0.54),
        (0.45, 0.96, 0.14, 0.46),
        (0.49, 0.90, 0.16, 0.40),
        (0.5, 0.84, 0.18, 0.32),
    ),
    cabin_base=(-0.49, 0.38),
    cabin_roof=(-0.485, 0.0, 0.24),
    roof_heights=(0.985, 1.0, 0.97),
    foot_heights=(0.55, 0.53),
    roof_width=0.90,
    wheel_radius=0.34,
    wheels_x=(-0.30, 0.33),
)

#: Blueprints that are not drawn as a SEDAN; by id.
SHAPES: dict[str, CarShape] = {
    "vehicle.lincoln.mkz_2020": SALOON,
    "vehicle.mercedes.coupe": SALOON,
    "vehicle.audi.a2": COMPACT,
    "vehicle.nissan.micra": COMPACT,
    "vehicle.citroen.c3": COMPACT,
    "vehicle.mini.cooper_s": COMPACT,
    "vehicle.toyota.prius": COMPACT,
    "vehicle.nissan.patrol": SUV,
    "vehicle.audi.etron": SUV,
    "vehicle.jeep.wrangler_rubicon": SUV,
    "vehicle.volkswagen.t2": VAN,
    "vehicle.mercedes.sprinter": VAN,
    "vehicle.ford.ambulance": VAN,
}
