"""A planet of formulas, for tests that must not depend on how the procedural one looks."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

BRIGHTNESS = {"BLUE": 0.4, "GREEN": 0.5, "RED": 0.45, "METHANE": 0.1}


def pattern(lat_deg: np.ndarray, lon_w_deg: np.ndarray) -> np.ndarray:
    """Relative albedo around 1: belts, and waves of six degrees."""
    lat, lon = np.radians(lat_deg), np.radians(lon_w_deg)
    return 1 + 0.12 * np.sin(11 * lat + 0.4) + 0.1 * np.cos(60 * lon) * np.cos(lat) + 0.05 * np.sin(45 * lat + 3 * lon)


@dataclass(frozen=True)
class Scattering:
    minnaert_k: float = 0.95
    haze_scale_km: float = 20.0
    haze_top_km: float = 130.0
    twilight_width: float = 0.02


@dataclass(frozen=True)
class StandIn:
    even: bool = False
    bodies: tuple[Any, ...] = ()
    asked: list[float] = field(default_factory=list)

    def albedo_map(self, bands: Any, et: float, pixels_per_degree: float, region: Any) -> np.ndarray:
        self.asked.append(pixels_per_degree)
        rows = round((region.north - region.south) * pixels_per_degree)
        columns = round((region.west - region.east) * pixels_per_degree)
        lat = region.north - (np.arange(rows)[:, None] + 0.5) / pixels_per_degree
        lon = region.west - (np.arange(columns) + 0.5) / pixels_per_degree
        values = np.ones((rows, columns)) if self.even else pattern(lat, lon)
        return np.stack([BRIGHTNESS[band] * values for band in bands]).astype(np.float32)

    def photometry(self, band: str) -> Scattering:
        return Scattering()

    def moons(self, et: float) -> tuple[Any, ...]:
        return self.bodies
