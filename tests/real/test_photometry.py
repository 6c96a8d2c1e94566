"""The same ground in two real images, 29 minutes and 50,000 km apart, after photometry."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import perijove
from perijove.cli import app
from perijove.fitting import fit_photometry, photometry_of
from perijove.photometry.angles import Angles
from perijove.photometry.photometry import Photometry
from perijove.project.grid import Region, map_grid
from perijove.project.resample import Framelets, gather

NAMES = ("44C00029", "44C00032")
LOWEST = float(np.cos(np.radians(70.0)))


@pytest.fixture(scope="module")
def images(real_data: Path) -> list[Any]:
    return [perijove.open(real_data / "raw" / f"JNCE_2022229_{name}_V01-raw.png") for name in NAMES]


@pytest.fixture(scope="module")
def maps(images: list[Any]) -> list[tuple[np.ndarray, Angles]]:
    """I/F and angles of both on one polar map, 250 km to a pixel."""
    ground = map_grid("north-stereographic", Region(0.0, 90.0, 0.0, 360.0), 250e3).ground()
    drawn = []
    for image in images:
        pointing = image.located.solution.pointing
        values, _ = gather(ground, Framelets.of(image.calibrated.i_over_f, image.label.bands, pointing))
        observer = pointing.position_fixed_km[pointing.mid_frame]
        drawn.append((values, Angles.of_ground(ground, observer, pointing.sun_fixed)))
    return drawn


def overlap(images: list[Any], maps: Any, photometry: Photometry, matched: bool) -> np.ndarray:
    """Logarithm of the ratio of both, (n, band), where Sun and spacecraft stand 20 degrees high in both."""
    flat, high = [], np.ones(maps[0][0].shape[:2], bool)
    for image, (values, angles) in zip(images, maps, strict=True):
        name = str(image.label.product_id) if matched else None
        planes, _ = photometry.flattened(values, image.label.bands, angles, image=name)
        flat.append(planes)
        high &= (np.nan_to_num(angles.mu0) > LOWEST) & (np.nan_to_num(angles.mu) > LOWEST)
    ratio = np.log(flat[1][high] / flat[0][high])
    return ratio[np.isfinite(ratio).all(axis=1)]


def scatter(ratio: np.ndarray) -> np.ndarray:
    return 1.4826 * np.median(np.abs(ratio - np.median(ratio, axis=0)), axis=0)


def test_the_same_ground_agrees(images: list[Any], maps: Any) -> None:
    photometry = fit_photometry(images)
    ratio = overlap(images, maps, photometry, matched=True)
    assert len(ratio) > 5_000
    # The figures of the project: 3 % and 5 %.
    assert np.abs(np.median(ratio, axis=0)).max() < 0.03
    assert scatter(ratio).max() < 0.05
    for band in photometry.parameters:
        # Exposures of 6.4 and 3.2 ms are not known to be of one scale to better than this.
        gains = photometry.gains[band].values()
        assert max(gains) / min(gains) < 1.08
    # Lambert's law alone does not do it.
    lambert = overlap(images, maps, fit_photometry(images, "lambert"), matched=True)
    assert scatter(lambert).min() > 0.05


def test_each_image_by_itself_tells_the_law(images: list[Any], maps: Any) -> None:
    # What neither fit has seen: ground under other angles.
    for image in images:
        ratio = overlap(images, maps, photometry_of("polynomial", [image]), matched=False)
        assert scatter(ratio).max() < 0.05
        assert np.abs(np.median(ratio, axis=0)).max() < 0.08


def test_the_command(real_data: Path, images: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "44.photometry.json"
    raw = real_data / "raw" / "JNCE_2022229_44C00032_V01-raw.png"
    told = CliRunner().invoke(app, ["photometry", "fit", str(raw), "-o", str(path), "--model", "minnaert"])
    assert told.exit_code == 0, told.output
    assert "minnaert" in told.output
    assert "GREEN" in told.output
    loaded = photometry_of(str(path), [])
    assert json.loads(path.read_text())["report"]["images"] == ["JNCE_2022229_44C00032_V01"]
    fitted = fit_photometry(images[1:], "minnaert")
    for band, numbers in loaded.parameters.items():
        # The file holds all digits; the pointing is solved once more for it.
        assert numbers == pytest.approx(fitted.parameters[band], abs=1e-6)
