"""Pictures of a simulated pass without their light, against the clouds that were simulated."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from perijove.archive.framelets import FrameletStack
from perijove.calibrate.stack import calibrate
from perijove.constants import FRAMELET_LINES, FRAMELET_SAMPLES
from perijove.geometry.ellipsoid import RADII_KM, to_lat_lon
from perijove.photometry.fit import fit_samples
from perijove.photometry.photometry import Photometry
from perijove.photometry.samples import Samples, lattice, sample
from perijove.simulate.detector import expose
from perijove.simulate.era import era
from perijove.simulate.flyby import plan_flyby
from perijove.simulate.planet import Planet
from perijove.simulate.scene import render

PIXELS_PER_DEGREE = 4


def true_albedo(part: Samples, planet: Planet, et: float) -> np.ndarray:
    """Mean normal albedo of the clouds about each piece, (n, band)."""
    maps = planet.albedo_map(part.bands, et, PIXELS_PER_DEGREE)
    steps = np.arange(-1, 2) / PIXELS_PER_DEGREE
    lat, lon = to_lat_lon(lattice()[part.piece] * RADII_KM)
    found = []
    for up in steps:
        turned = lon[:, None] + steps / np.cos(np.radians(lat)).clip(0.05)[:, None]
        row = np.clip(((90.0 - lat - up) * PIXELS_PER_DEGREE).astype(int), 0, maps.shape[1] - 1)
        column = ((360.0 - turned) % 360.0 * PIXELS_PER_DEGREE).astype(int) % maps.shape[2]
        found.append(maps[:, row[:, None], column].mean(axis=-1).T)
    return np.mean(found, axis=0)


@pytest.fixture(scope="module")
def drawn() -> list[tuple[Samples, np.ndarray]]:
    """What three images of a pass tell, with a flawless camera and the true pointing, and the truth."""
    flyby = plan_flyby(44, 12, 0)
    planet = Planet(0, epoch_et=flyby.perijove_et)
    parts = []
    far = [image for image in flyby.images if len(image.label.bands) == 3 and image.label.altitude_km > 60e3]
    # Two on the way in, which see the same ground under other angles, and one on the way out.
    for image in far[1:4]:
        label, pointing = image.label, image.pointing
        light = render(planet, pointing, label.bands, FRAMELET_LINES, FRAMELET_SAMPLES)
        exposure = expose(light, label, flyby.spin.rate_rad_s, era("clean"), 0)
        part = sample(calibrate(FrameletStack(label, exposure.codes, ())), pointing)
        parts.append((part, true_albedo(part, planet, float(pointing.et[pointing.mid_frame]))))
    return parts


def errors(drawn: list[tuple[Samples, np.ndarray]], photometry: Photometry) -> dict[str, np.ndarray]:
    """Relative errors of the flattened images by band, where the Sun and the spacecraft stand 15 degrees high."""
    found = defaultdict(list)
    for part, truth in drawn:
        flat, weight = photometry.flattened(part.values.astype(np.float32), part.bands, part.angles, image=part.name)
        high = (part.angles.mu0 > np.cos(np.radians(75))) & (part.angles.mu > np.cos(np.radians(75)))
        assert (weight[high] > 0.9).all()
        for index, band in enumerate(part.bands):
            off = flat[high, index] / truth[high, index] - 1.0
            found[band].append(off[np.isfinite(off)])
    return {band: np.concatenate(parts) for band, parts in found.items()}


@pytest.mark.parametrize("model", ["minnaert", "polynomial"])
def test_a_pass_is_flattened_to_its_clouds(drawn: Any, model: str) -> None:
    photometry = fit_samples([part for part, _ in drawn], model)
    for off in errors(drawn, photometry).values():
        assert len(off) > 15_000
        # The figure of the project for mosaics is 3 %; clouds within a piece, which the truth here is sampled more
        # coarsely than, make 1 to 1.5 % of it.
        assert np.sqrt(np.mean(off**2)) < 0.025
        assert abs(off.mean()) < 0.01


def test_a_law_that_does_not_hold_is_told_apart(drawn: Any) -> None:
    samples = [part for part, _ in drawn]
    told = {model: fit_samples(samples, model).report["bands"]["BLUE"] for model in ("lambert", "polynomial")}
    assert told["polynomial"]["overlap_scatter_percent"] < 0.5 * told["lambert"]["overlap_scatter_percent"]
    # Lambert's law makes ground that is seen obliquely brighter than it is, and its level with it.
    assert errors(drawn, fit_samples(samples, "lambert"))["BLUE"].mean() > 0.05
