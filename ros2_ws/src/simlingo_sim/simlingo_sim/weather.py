"""Named weathers: values like those of CARLA's presets."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import carla

from simlingo_sim.errors import unknown_name

_FIELDS = (
    "cloudiness",
    "precipitation",
    "precipitation_deposits",
    "wind_intensity",
    "sun_azimuth_angle",
    "sun_altitude_angle",
    "fog_density",
    "fog_distance",
    "fog_falloff",
    "wetness",
    "scattering_intensity",
    "mie_scattering_scale",
    "rayleigh_scattering_scale",
    "dust_storm",
)


def _weather(
    sun: tuple[float, float],
    clouds: float,
    *,
    rain: float = 0.0,
    puddles: float = 0.0,
    wet: float = 0.0,
    wind: float = 10.0,
    fog: tuple[float, float] = (0.0, 60.0),
) -> carla.WeatherParameters:
    """Weather from the sun's (altitude, azimuth) in degrees and fog's (density %, distance m); the rest in %."""
    weather = carla.WeatherParameters()
    weather.sun_altitude_angle, weather.sun_azimuth_angle = sun
    weather.cloudiness = clouds
    weather.precipitation = rain
    weather.precipitation_deposits = puddles
    weather.wetness = wet
    weather.wind_intensity = wind
    weather.fog_density, weather.fog_distance = fog
    weather.fog_falloff = 0.2
    return weather


#: Every named weather of the embedded world.
WEATHERS: Mapping[str, carla.WeatherParameters] = MappingProxyType(
    {
        "clear_noon": _weather((60.0, 200.0), 10.0),
        "clear_morning": _weather((32.0, 100.0), 15.0),
        "cloudy_noon": _weather((60.0, 200.0), 80.0, wind=30.0),
        "wet_noon": _weather((55.0, 220.0), 25.0, puddles=50.0, wet=60.0),
        "wet_cloudy_noon": _weather((55.0, 220.0), 80.0, puddles=50.0, wet=60.0, wind=30.0),
        "soft_rain_noon": _weather((50.0, 220.0), 85.0, rain=30.0, puddles=50.0, wet=60.0, wind=30.0, fog=(5.0, 60.0)),
        "rain_noon": _weather((45.0, 220.0), 100.0, rain=70.0, puddles=80.0, wet=90.0, wind=70.0, fog=(12.0, 40.0)),
        "clear_sunset": _weather((12.0, 255.0), 15.0),
        "cloudy_sunset": _weather((12.0, 255.0), 80.0, wind=30.0),
        "dusk": _weather((3.0, 265.0), 35.0, fog=(3.0, 60.0)),
        "fog": _weather((40.0, 180.0), 90.0, wet=20.0, fog=(40.0, 10.0)),
    }
)


def weather_named(name: str) -> carla.WeatherParameters:
    """The weather called ``name``; :class:`SimulatorError` naming the valid ones otherwise."""
    if name not in WEATHERS:
        raise unknown_name("weather", name, WEATHERS)
    return WEATHERS[name]


def road_grip(weather: carla.WeatherParameters) -> float:
    """Friction coefficient of the road: 0.9 dry, 0.7 soaked."""
    soaked = float(min(max(weather.wetness, weather.precipitation_deposits, 0.0), 100.0)) / 100.0
    return 0.9 - 0.2 * soaked


def copied_weather(weather: carla.WeatherParameters) -> carla.WeatherParameters:
    """A weather of equal values that does not change with ``weather``."""
    copy = carla.WeatherParameters()
    for name in _FIELDS:
        setattr(copy, name, getattr(weather, name))
    return copy
