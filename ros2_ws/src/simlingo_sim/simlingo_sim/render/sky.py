"""Light, air and sky of a carla.WeatherParameters: noon to dusk, clouds, grey rain, fog."""

from __future__ import annotations

import math
from dataclasses import dataclass

import carla
import numpy as np

from simlingo_sim.jit import kernel
from simlingo_sim.render.materials import FloatImage, to_linear
from simlingo_sim.render.raster import Doubles
from simlingo_sim.render.shadow import LOWEST_SUN_DEG, sun_vector

#: The sky is computed at every SKY_STEP-th pixel and blended in between.
SKY_STEP = 8

#: Keys of the day: sun altitude (degrees), then sRGB of zenith, horizon, sun light, and strength of sun and of sky.
_DAY = (
    (-12.0, (14, 20, 44), (46, 50, 76), (90, 110, 160), 0.10, 0.34),
    (-4.0, (36, 48, 92), (150, 110, 108), (255, 150, 110), 0.16, 0.46),
    (3.0, (66, 96, 158), (250, 172, 122), (255, 150, 96), 0.20, 0.46),
    (7.0, (74, 116, 182), (254, 196, 142), (255, 178, 116), 0.80, 0.54),
    (12.0, (78, 130, 202), (250, 212, 168), (255, 200, 145), 1.05, 0.62),
    (30.0, (66, 134, 216), (188, 216, 240), (255, 236, 210), 1.20, 0.68),
    (90.0, (58, 126, 214), (176, 212, 242), (255, 246, 230), 1.25, 0.69),
)


@dataclass(frozen=True)
class Light:
    """Everything the kernels want to know of a weather; colours are linear light."""

    sun: Doubles  # (3,) unit vector towards the sun, map frame
    surfaces: FloatImage  # (18,) as materials.light_triangles reads it
    air: Doubles  # (12,) as shade.shade reads it
    sky: Doubles  # (16,) as paint_sky reads it
    shadow_strength: float  # 0: none
    wetness: float  # 0-1
    dark: bool  # lamps and headlights are on


def _mix(a: Doubles, b: Doubles, share: float) -> Doubles:
    return a + (b - a) * share


def _day(altitude: float) -> tuple[Doubles, Doubles, Doubles, float, float]:
    """Zenith, horizon and sun light (linear) and the strengths of sun and sky at a sun altitude in degrees."""
    keys = [key[0] for key in _DAY]
    rows = np.array([(*to_linear(z), *to_linear(h), *to_linear(s), sun, sky) for _, z, h, s, sun, sky in _DAY])
    row = np.array([np.interp(altitude, keys, column) for column in rows.T])
    return row[0:3], row[3:6], row[6:9], float(row[9]), float(row[10])


def light_of(weather: carla.WeatherParameters) -> Light:
    """Light, air and sky of ``weather``."""
    zenith, horizon, sun_color, sun_power, sky_power = _day(weather.sun_altitude_angle)
    cover = min(max(weather.cloudiness / 100.0, 0.0), 1.0)
    rain = min(max(weather.precipitation / 100.0, 0.0), 1.0)
    mist = min(max(weather.fog_density / 100.0, 0.0), 1.0)
    wetness = min(max(max(weather.wetness, weather.precipitation_deposits) / 100.0, 0.0), 1.0)
    overcast = max(cover * cover, 0.9 * rain)
    veil = max(overcast, min(1.0, 1.6 * mist))
    brightness = float(horizon @ (0.3, 0.5, 0.2))
    grey = np.array([0.93, 0.98, 1.06]) * brightness * (0.80 - 0.34 * rain)
    zenith = _mix(zenith, grey * 0.72, veil)
    horizon = _mix(horizon, grey, veil)
    sun_light = sun_color * sun_power * (1.0 - 0.97 * veil) * 1.05
    above = _mix(zenith / max(float(zenith.max()), 1e-3) * 0.30 + 0.44, np.full(3, 0.84), veil) * sky_power
    above = above * (1.0 - 0.22 * rain) * (1.0 + 0.30 * overcast)
    below = above * np.array([0.42, 0.40, 0.36]) + sun_light * 0.07
    side = (above * 0.20 + sun_light * 0.07) * (1.0 - 0.4 * veil)
    sun = sun_vector(weather)
    opposite = np.array([-0.8 * sun[0] + 0.5 * sun[1], -0.8 * sun[1] - 0.5 * sun[0], 0.25])
    opposite /= np.linalg.norm(opposite)
    lifted = sun if sun[2] > 0.02 else np.array([sun[0], sun[1], 0.3]) / np.linalg.norm([sun[0], sun[1], 0.3])
    dark = weather.sun_altitude_angle < 5.0
    density = 0.00115 + 0.0016 * rain + 0.06 * mist**1.5
    haze = _mix(horizon, zenith, 0.12)
    pane = _mix(zenith, horizon, 0.35) * 0.22 + 0.012
    lit_windows = float(np.interp(weather.sun_altitude_angle, (-6.0, 3.0, 9.0), (0.52, 0.40, 0.0)))
    surfaces = np.concatenate([lifted, sun_light, above, below, side, opposite]).astype(np.float32)
    air = np.concatenate([haze, [density, wetness, lit_windows], _mix(horizon, zenith, 0.3) * 0.8, pane])
    glow = sun_color * max(0.0, 1.0 - veil) * (0.9 if weather.sun_altitude_angle > -4.0 else 0.0)
    cloud = _mix(_mix(horizon, np.ones(3) * max(float(horizon.max()), 0.2), 0.65), grey * 0.62, rain)
    shadows = weather.sun_altitude_angle >= LOWEST_SUN_DEG
    return Light(
        sun=lifted,
        surfaces=surfaces,
        air=air,
        sky=np.concatenate([zenith, horizon, sun, glow, cloud, [cover * (1.0 - min(1.0, 2.5 * mist))]]),
        shadow_strength=(1.0 - veil) if shadows and veil < 0.9 else 0.0,
        wetness=wetness,
        dark=dark or mist > 0.4,
    )


def thin_air(light: Light, height: float) -> Doubles:
    """``light.air`` for a camera ``height`` m above the ground: a view from high up passes through less haze."""
    air = light.air.copy()
    air[3] /= 1.0 + max(height - 10.0, 0.0) / 60.0
    return air


@kernel
def paint_sky(
    camera: Doubles, focal: float, width: int, height: int, sky: Doubles, clouds: FloatImage, nodes: FloatImage
) -> None:
    """Fill ``nodes`` (rows, columns, 3) with the sky's light at every SKY_STEP-th pixel.

    ``sky``: zenith light (3), horizon light (3), sun direction (3), its glow (3), cloud light (3), cloud cover 0-1.
    """
    for row in range(nodes.shape[0]):
        down = (row * SKY_STEP - 0.5 * height) / focal
        for column in range(nodes.shape[1]):
            across = (column * SKY_STEP - 0.5 * width) / focal
            x = camera[3] - down * camera[9] + across * camera[6]
            y = camera[4] - down * camera[10] + across * camera[7]
            z = camera[5] - down * camera[11] + across * camera[8]
            length = math.sqrt(x * x + y * y + z * z)
            x, y, z = x / length, y / length, z / length
            rise = max(z, 0.0)
            blend = math.sqrt(rise)
            blend = min(blend * 1.15, 1.0)
            toward = max(x * sky[6] + y * sky[7] + z * sky[8], 0.0)
            near = toward * toward
            near = near * near
            near = near * near
            halo = near * near * near * near
            disc = 1.0 if toward > 0.99955 else 0.0
            shown = 0.0
            if z > 0.015 and sky[15] > 0.0:
                u = (x / (z + 0.10)) * 34.0 + 4096.0
                v = (y / (z + 0.10)) * 34.0 + 4096.0
                iu, iv = int(u), int(v)
                au, av = u - iu, v - iv
                iu, iv, ju, jv = iu & 255, iv & 255, (iu + 1) & 255, (iv + 1) & 255
                value = (clouds[iv, iu] * (1.0 - au) + clouds[iv, ju] * au) * (1.0 - av)
                value += (clouds[jv, iu] * (1.0 - au) + clouds[jv, ju] * au) * av
                edge = 0.86 - 0.72 * sky[15]
                shown = min(max((value - edge) * 4.5, 0.0), 1.0) * min((z - 0.015) * 9.0, 1.0) * 0.85
            for channel in range(3):
                light = sky[3 + channel] + (sky[channel] - sky[3 + channel]) * blend
                light += sky[9 + channel] * (0.16 * near + 0.55 * halo)
                light += (sky[12 + channel] - light) * shown
                light += sky[9 + channel] * disc * 3.0 * (1.0 - shown)
                nodes[row, column, channel] = light
