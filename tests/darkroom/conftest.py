"""A picture whose every plane is known."""

from typing import Any

import numpy as np
import pytest

from perijove.compose.illumination import Illumination
from perijove.darkroom.canvas import Canvas


def make_canvas(height: int = 120, width: int = 160, seed: int = 1) -> Canvas:
    """Ground on the left, sky on the right third; incidence falls from left to right, latitude from top to bottom."""
    y, x = np.mgrid[:height, :width].astype(np.float32) + 0.5
    sky = x > width * 2 / 3
    mu0 = np.where(sky, np.nan, np.cos(np.radians(110 * x / (width * 2 / 3))))
    mu = np.where(sky, np.nan, np.cos(np.radians(80 * y / height)))
    latitude = np.where(sky, np.nan, 90 - 180 * y / height)
    colour = np.random.default_rng(seed).uniform(0.05, 0.95, (height, width, 3)).astype(np.float32)
    cover = np.ones((height, width), np.float32)
    cover[:, :5] = 0
    colour[cover == 0] = 0
    planes = {
        "longitude": lambda: (360 * x / width).astype(np.float32),
        "phase": lambda: np.full((height, width), 90, np.float32),
        "confidence": lambda: (y / height).astype(np.float32),
    }
    return Canvas(colour, cover, Illumination(mu0, mu, latitude), planes)


@pytest.fixture
def canvas() -> Canvas:
    """A picture of noise."""
    return make_canvas()


@pytest.fixture(scope="session")
def canvas_of() -> Any:
    """Makes such pictures of any size."""
    return make_canvas
