"""Laws are found again in what they made."""

from dataclasses import replace

import numpy as np
import pytest

from perijove.errors import OptionError
from perijove.geometry.ellipsoid import RADII_KM, to_lat_lon
from perijove.photometry.angles import Angles
from perijove.photometry.fit import fit_samples
from perijove.photometry.models import MODELS
from perijove.photometry.samples import Samples, lattice

BANDS = ("GREEN", "RED")
#: Another law in each band, off those at which a fit begins.
TRUTH = {
    "lambert": ((), ()),
    "lommel-seeliger": ((), ()),
    "lunar-lambert": ((0.5,), (0.05,)),
    "minnaert": ((0.8,), (1.05,)),
    "polynomial": ((0.8, -0.15, -0.08, 0.12, -0.06, -0.02), (1.05, 0.02, 0.05, -0.04, 0.03, 0.01)),
    "hapke": ((0.95, 0.35), (0.985, 0.1)),
}
#: Spacecraft over the north, the equator and the south, at 80,000 to 120,000 km.
OBSERVERS = [(90000.0, 30000.0, 110000.0), (150000.0, -20000.0, 20000.0), (100000.0, 80000.0, -90000.0)]
#: Longitudes that the Sun stands over, radians: the planet turns by 36 degrees an hour.
NOONS = (0.1, 0.3, 0.6)


def made(model: str, cloud: float = 0.0, gains: tuple[float, ...] = (1.0, 1.0, 1.0)) -> list[Samples]:
    """Three images of belts and clouds under a law; clouds stay where they are."""
    directions, rng = lattice(1.5), np.random.default_rng(5)
    ground = directions * RADII_KM
    lat, lon = to_lat_lon(ground)
    albedo = 0.5 + 0.1 * np.sin(np.radians(lat) * 9) + cloud * rng.standard_normal(len(lat))
    found = []
    for number, (observer, noon, gain) in enumerate(zip(OBSERVERS, NOONS, gains, strict=True)):
        angles = Angles.of_ground(ground, observer, (np.cos(noon), np.sin(noon), 0.03))
        piece = np.flatnonzero((angles.mu0 > 0.04) & (angles.mu > 0.06))
        angles = Angles(angles.mu0[piece], angles.mu[piece], angles.phase_deg[piece])
        planes = (angles.mu0.astype(float), angles.mu.astype(float), angles.phase_deg.astype(float))
        shade = [MODELS[model].function(*planes, numbers) for numbers in TRUTH[model]]
        values = gain * albedo[piece, None] * np.stack(shade, axis=-1)
        values *= 1.0 + 0.003 * rng.standard_normal(values.shape)
        found.append(Samples(f"image {number}", BANDS, piece, values, angles, lat[piece], lon[piece]))
    return found


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_law_is_found_again(model: str) -> None:
    found = fit_samples(made(model, cloud=0.03), model)
    angles = Angles(*(np.array(c, np.float32) for c in ([0.9, 0.6, 0.3], [0.8, 0.4, 0.9], [50.0, 70.0, 90.0])))
    planes = (angles.mu0.astype(float), angles.mu.astype(float), angles.phase_deg.astype(float))
    for band, truth in zip(BANDS, TRUTH[model], strict=True):
        expected = MODELS[model].function(*planes, truth)
        told = MODELS[model].function(*planes, found.parameters[band])
        # Noise of 0.3 % in 5000 values is nothing; what is expected before any data draws by less than that.
        np.testing.assert_allclose(told, expected, rtol=0.003)
        assert found.report["bands"][band]["overlap_scatter_percent"] == pytest.approx(0.3, abs=0.08)


def test_one_image_tells_by_its_belts() -> None:
    found = fit_samples(made("minnaert", cloud=0.02)[:1], "minnaert")
    assert found.parameters["GREEN"][0] == pytest.approx(0.8, abs=0.02)
    assert found.parameters["RED"][0] == pytest.approx(1.05, abs=0.02)
    told = found.report["bands"]["RED"]
    assert told["pieces_seen_twice"] == 0
    assert told["overlap_scatter_percent"] is None
    # Clouds of 0.02 on 0.5.
    assert told["scatter_percent"] == pytest.approx(4.0, abs=0.6)
    assert found.gains["RED"] == {}


def test_gains_are_no_limb_darkening() -> None:
    found = fit_samples(made("minnaert", 0.02, (1.0, 1.05, 0.96)), "minnaert")
    assert found.parameters["GREEN"][0] == pytest.approx(0.8, abs=0.005)
    gains = [found.gains["GREEN"][f"image {number}"] for number in range(3)]
    assert gains[1] / gains[0] == pytest.approx(1.05, abs=0.003)
    assert gains[2] / gains[0] == pytest.approx(0.96, abs=0.003)


def test_spots_and_lost_values_do_no_harm() -> None:
    rng, images = np.random.default_rng(2), made("minnaert", 0.02)
    spoiled = []
    for part in images:
        values = part.values.copy()
        values[rng.random(len(values)) < 0.05] *= 1.8
        values[rng.random(len(values)) < 0.1] = np.nan
        spoiled.append(replace(part, values=values))
    assert fit_samples(spoiled, "minnaert").parameters["GREEN"][0] == pytest.approx(0.8, abs=0.02)


def test_uncertainty_is_what_other_clouds_would_change() -> None:
    images = made("minnaert", 0.02)[1:2]
    rng, found, told = np.random.default_rng(3), [], []
    for _ in range(20):
        # Clouds as large as the tiles within which errors are taken as one.
        lumps = rng.standard_normal((40, 40))
        part = images[0]
        rows = ((part.lat_graphic_deg + 90) / 10).astype(int)
        columns = (part.lon_w_sys3_deg * np.cos(np.radians(part.lat_graphic_deg)) / 10).astype(int)
        values = part.values * np.exp(0.05 * lumps[rows, columns])[:, None]
        fitted = fit_samples([replace(part, values=values)], "minnaert")
        found.append(fitted.parameters["RED"][0])
        told.append(fitted.report["bands"]["RED"]["uncertainty"]["k"])
    # The scatter of 20 values is itself known to 16 %; a law of errors to a factor is what is promised.
    assert 0.5 < np.mean(told) / np.std(found) < 1.6


def test_parameters_stay_within_their_bounds() -> None:
    # Brightness that grows towards the limb like no law: the fit ends at the bound.
    images = [replace(part, values=part.values / part.angles.mu[:, None] ** 4) for part in made("minnaert")]
    assert fit_samples(images, "minnaert").parameters["RED"][0] == pytest.approx(0.4, abs=0.01)


def test_too_little_ground_is_told() -> None:
    part = made("minnaert")[0]
    few = replace(part, values=np.where(np.arange(len(part.piece))[:, None] < 50, part.values, np.nan))
    with pytest.raises(OptionError, match="pieces of GREEN ground in daylight are too few"):
        fit_samples([few], "minnaert")
    with pytest.raises(OptionError, match="no photometric model"):
        fit_samples([part], "phong")


def test_the_lattice_is_even() -> None:
    from scipy.spatial import cKDTree

    points = lattice(3.0)
    distance = np.degrees(cKDTree(points).query(points, k=2)[0][:, 1])
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1.0)
    # Neighbours of a Fibonacci lattice stand 0.8 to 1.1 of the mean spacing apart.
    assert distance.min() > 2.0
    assert distance.max() < 3.6
