"""A planet with known light, for everything that makes pictures."""

from dataclasses import dataclass

import numpy as np
import pytest

from perijove.compose.illumination import Illumination

RGB = ("RED", "GREEN", "BLUE")


@dataclass(frozen=True)
class Ball:
    """A ball lit from the left, seen with its equator along the rows."""

    light: Illumination
    x: np.ndarray
    y: np.ndarray

    def lit(self, albedo: np.ndarray, k: tuple[float, ...] = (0.97, 0.94, 0.88)) -> np.ndarray:
        """Minnaert's law by band with a soft terminator; black sky; (size, size, 3), float32."""
        mu0 = 0.02 * np.logaddexp(np.clip(np.nan_to_num(self.light.mu0, nan=-1.0) / 0.02, -15, 60), 0.0)
        mu = np.nan_to_num(self.light.mu, nan=1.0)
        shade = np.stack([mu0**one * np.maximum(mu, 0.04) ** (one - 1) for one in k], axis=-1)
        return np.where(self.light.on_ground[..., None], shade * albedo, 0.0).astype(np.float32)


@pytest.fixture(scope="session")
def ball() -> Ball:
    size = 400
    y, x = (np.mgrid[:size, :size] + 0.5) / size * 2.2 - 1.1
    z = np.sqrt(np.maximum(1 - x * x - y * y, 0.0))
    on = z > 0
    mu0 = np.where(on, -0.9 * x + np.sqrt(1 - 0.81) * z, np.nan)
    latitude = np.degrees(np.arcsin(np.clip(-y, -1, 1)))
    light = Illumination(*(np.where(on, plane, np.nan).astype(np.float32) for plane in (mu0, z, latitude)))
    return Ball(light, x, y)
