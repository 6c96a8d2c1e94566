"""Recipes that come along, on a real image."""

from pathlib import Path

import cv2
import numpy as np
import pytest

import perijove
from perijove.darkroom.layers import MAIN
from perijove.darkroom.recipe import read_recipe
from perijove.developing import develop
from perijove.pipeline import Image
from perijove.project.grid import MapGrid


@pytest.fixture(scope="module")
def image(real_data: Path) -> Image:
    return perijove.open(real_data / "raw" / "JNCE_2022229_44C00032_V01-raw.png")


@pytest.mark.parametrize("name", ["storm", "polar", "polar-map", "crescent", "print"])
def test_ground_is_neither_clipped_nor_dull(image: Image, name: str) -> None:
    made = develop({MAIN: image}, read_recipe(name).viewed(size=500))
    lit = made.raster.light.on_ground & (made.raster.light.mu0 > 0.3) & (made.raster.light.mu > 0.4)
    lit &= made.raster.weight.min(axis=-1) > 0
    codes = made.pixels[lit].astype(float) / 65535
    assert np.count_nonzero(lit) > 3000
    # White clouds may touch white; no more than that is given away.
    assert (codes.max(axis=-1) > 0.995).mean() < 0.02
    assert (codes.min(axis=-1) < 0.005).mean() < 0.02
    assert np.percentile(codes, 95) - np.percentile(codes, 5) > 0.2
    assert made.fidelity.badge == "enhanced"


def test_the_map_of_the_pole_shows_the_clouds_of_the_view_where_they_are(image: Image) -> None:
    made = develop({MAIN: image}, read_recipe("polar-map").viewed(size=700))
    grid = made.raster.view
    assert isinstance(grid, MapGrid)
    assert grid.projection == "north-stereographic"
    seen = image.view(1600)
    place = seen.view.pixel(grid.ground())
    x, y = (place[..., k].astype(np.float32) - 0.5 for k in (0, 1))
    across = cv2.remap(np.nan_to_num(seen.values[..., 1]), x, y, cv2.INTER_LINEAR)
    good = np.isfinite(place).all(axis=-1) & (made.raster.light.mu > 0.3) & (made.raster.light.mu0 > 0.15)
    good &= np.isfinite(made.raster.values[..., 1])
    assert np.count_nonzero(good) > 20_000
    # Both are interpolated from the same pixels.
    assert np.corrcoef(across[good], made.raster.values[..., 1][good])[0, 1] > 0.995
