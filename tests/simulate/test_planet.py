"""The procedural Jupiter against what is published of the real one, and against the wind it says it has."""

from typing import ClassVar

import astronomy
import numba
import numpy as np
import pytest
from scipy import ndimage

from perijove.constants import JUPITER_RADII_KM
from perijove.errors import OptionError
from perijove.geometry.orientation import pole_j2000
from perijove.geometry.winds import metres_per_degree
from perijove.simulate.clouds import vortices
from perijove.simulate.planet import Planet, Region, moons, photometry

ET = 7.1e8
COLOURS = ("BLUE", "GREEN", "RED")


@pytest.fixture(scope="module")
def planet():
    return Planet(seed=3)


@pytest.fixture(scope="module")
def whole(planet):
    """All four bands of the whole planet at 4 pixels to the degree, at an epoch."""
    return planet.albedo_map((*COLOURS, "METHANE"), planet.epoch_of(ET), 4.0)


def band_mean(maps, band, south, north, ppd=4.0):
    """Mean of a band of latitudes over all longitudes."""
    return float(maps[band, round((90 - north) * ppd) : round((90 - south) * ppd)].mean())


class TestSeed:
    REGION = Region(10.0, -30.0, 300.0, 240.0)

    def test_same_seed_same_planet(self):
        first = Planet(7).albedo_map(COLOURS, ET, 5.0, self.REGION)
        np.testing.assert_array_equal(first, Planet(7).albedo_map(COLOURS, ET, 5.0, self.REGION))

    def test_number_of_threads_does_not_matter(self, planet):
        many = planet.albedo_map(("RED",), ET, 5.0, self.REGION)
        before = numba.get_num_threads()
        numba.set_num_threads(1)
        try:
            np.testing.assert_array_equal(many, planet.albedo_map(("RED",), ET, 5.0, self.REGION))
        finally:
            numba.set_num_threads(before)

    def test_other_seed_other_clouds(self):
        region = Region(60.0, 50.0, 300.0, 240.0)
        a, b = (Planet(seed).albedo_map(("RED",), ET, 5.0, region)[0] for seed in (1, 2))
        # Rows' means are the bands', which they share; what is left of independent clouds correlates by chance only.
        a, b = (m - m.mean(axis=1, keepdims=True) for m in (a, b))
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.35


class TestWind:
    @pytest.mark.parametrize(
        ("lat", "speed"),
        # Hubble, 2017-02-01 (Tollefson et al. 2017).
        [
            (-52.3, 41),
            (-43.4, 40),
            (-36.1, 51),
            (-20.2, -57),
            (-7.2, 147),
            (0.0, 70),
            (6.1, 108),
            (17.6, -23),
            (23.9, 141),
            (31.2, -26),
            (55.9, 23),
        ],
    )
    def test_jets(self, lat, speed):
        # Two epochs of one telescope differ by as much.
        assert Planet.wind_m_s(lat) == pytest.approx(speed, abs=8)

    @pytest.mark.parametrize("lat", [-55.0, -45.5, -28.5, -10.0, -7.0, 0.0, 10.0, 23.9, 31.2, 47.0, 56.5, 63.0])
    def test_clouds_move_with_it(self, planet, lat):
        """Shift of a row between two times, by correlation, at latitudes that the Great Red Spot does not reach.

        0.15 pixels are 19 km in six hours, 0.9 m/s: a parabola errs by less than a tenth of a pixel, and smaller
        vortices, which keep their place, hold some of the row back.
        """
        ppd, hours = 10.0, 6.0
        start = planet.epoch_of(ET) - hours * 1800
        region = Region(lat + 0.05, lat - 0.05)
        before, after = (planet.albedo_map(("RED",), t, ppd, region)[0, 0] for t in (start, start + hours * 3600))
        power = np.fft.rfft(after - after.mean()) * np.conj(np.fft.rfft(before - before.mean()))
        peaks = np.fft.irfft(power, before.size)
        top = int(np.argmax(peaks))
        left, middle, right = (peaks[(top + d) % before.size] for d in (-1, 0, 1))
        shift = top + 0.5 * (left - right) / (left - 2 * middle + right)
        shift = (shift + before.size / 2) % before.size - before.size / 2
        a, _, b = JUPITER_RADII_KM
        # Radius of the parallel from its definition, not from the simulator's helper.
        phi = np.radians(lat)
        parallel = a * np.cos(phi) / np.sqrt(np.cos(phi) ** 2 + (b / a * np.sin(phi)) ** 2)
        expected = np.degrees(float(Planet.wind_m_s(lat)) * hours * 3.6 / parallel) * ppd
        assert shift == pytest.approx(expected, abs=0.15)

    def test_degrees_measure_the_ellipsoid(self):
        _, up = metres_per_degree(np.linspace(-89.995, 89.995, 18000))
        # A quarter of the meridian (Ramanujan's ellipse) and the equator.
        a, _, b = JUPITER_RADII_KM
        h = ((a - b) / (a + b)) ** 2
        around = np.pi * (a + b) * (1 + 3 * h / (10 + np.sqrt(4 - 3 * h)))
        assert up.sum() * 0.01 / 1e3 == pytest.approx(around / 2, rel=1e-6)
        assert metres_per_degree(0.0)[0] * 360 / 1e3 == pytest.approx(2 * np.pi * a)

    def test_epoch_can_be_set(self):
        followed = Planet(0, epoch_et=0.0)
        assert followed.epoch_of(ET) == 0.0


class TestLooks:
    def test_zones_are_bright_and_belts_are_brown(self, whole):
        zones = [(-5, -3), (-26, -22), (21, 23), (30, 32)]
        belts = [(9, 16), (-12, -9), (-20, -18)]
        dimmest = min(band_mean(whole, 0, *edges) for edges in zones)
        brightest = max(band_mean(whole, 0, *edges) for edges in belts)
        assert dimmest > 1.2 * brightest
        for edges in belts:
            assert band_mean(whole, 2, *edges) > band_mean(whole, 1, *edges) * 0.507 / 0.480 * 1.05

    def test_poles_are_bluish_grey(self, whole):
        for edges in ((75, 90), (-90, -75)):
            colour = [band_mean(whole, band, *edges) / mean for band, mean in enumerate((0.423, 0.480, 0.507))]
            assert colour[0] > colour[2]

    def test_disc_has_the_published_brightness(self, whole):
        """Mean I/F of the disc at zero phase, over the ellipsoid; bands differ from their table by the clouds."""
        rows, columns = whole.shape[1:]
        lat = np.radians(90 - (np.arange(rows) + 0.5) / 4)[:, None]
        for centre in (0, 720):
            lon = np.radians((np.arange(columns) - centre + 0.5) / 4)[None, :]
            mu = np.maximum(np.cos(lat) * np.cos(lon), 0)
            a, _, b = JUPITER_RADII_KM
            area = np.cos(lat) / (np.cos(lat) ** 2 + (b / a * np.sin(lat)) ** 2) ** 2
            for band, published in enumerate((0.423, 0.480, 0.507)):
                k = photometry(COLOURS[band]).minnaert_k
                seen = np.where(mu > 0, mu, 1.0) ** (2 * k - 1) * mu * area
                assert np.sum(seen * whole[band]) / np.sum(mu * area) == pytest.approx(published, rel=0.05)

    def test_methane(self, whole):
        mid = band_mean(whole, 3, 30, 55)
        assert 0.03 < mid < 0.07
        assert band_mean(whole, 3, 72, 90) > 1.4 * mid
        assert band_mean(whole, 3, -90, -72) > 1.4 * mid
        assert band_mean(whole, 3, -5, 5) > 1.4 * band_mean(whole, 3, 9, 16)

    def test_values_are_albedos(self, whole):
        assert np.all(np.isfinite(whole))
        assert whole.min() > 0.0
        assert whole.max() <= 1.0
        # Clouds are soft: away from band edges a row varies by a few per cent, not by nothing and not by a half.
        for lat in (-50, -24, -3, 12, 50):
            row = whole[2, round((90 - lat) * 4)]
            assert 0.005 < row.std() / row.mean() < 0.15

    def test_great_red_spot(self, planet):
        region = Region(-12.0, -32.0, 285.0, 255.0)
        blue, red, methane = planet.albedo_map(("BLUE", "RED", "METHANE"), planet.epoch_of(ET), 10.0, region)
        spot = (methane > 0.09) & (red / blue > 1.35)
        found, _ = ndimage.label(ndimage.binary_opening(spot, iterations=2))
        biggest = found == np.argmax(np.bincount(found.ravel())[1:]) + 1
        rows, columns = np.nonzero(biggest)
        assert -12.0 - (rows.mean() + 0.5) / 10 == pytest.approx(-22.0, abs=0.3)
        assert 285.0 - (columns.mean() + 0.5) / 10 == pytest.approx(270.0, abs=0.3)
        along, up = metres_per_degree(-22.0)
        # The edge is soft over a tenth of the half-width.
        assert np.ptp(columns) / 10 * along / 1e3 == pytest.approx(14000, rel=0.1)
        assert np.ptp(rows) / 10 * up / 1e3 == pytest.approx(9300, rel=0.1)

    def test_numbers_and_places_of_named_vortices(self):
        for seed in range(5):
            names = [v.name for v in vortices(seed)]
            assert len(set(names)) == len(names)
            assert names[0] == "Great Red Spot"
            pearls = [v for v in vortices(seed) if v.name.startswith("S2-AWO")]
            assert 6 <= len(pearls) <= 8
            assert all(2000 < 2 * v.half_width_km < 7000 for v in pearls)


class TestPolarCyclones:
    """Poleward of 78 degrees there is no wind but the cyclones': what changes in three hours is a cyclone."""

    @pytest.mark.parametrize(("side", "around"), [(1, 8), (-1, 5)])
    def test_count_and_places(self, planet, side, around):
        ppd, epoch = 8.0, planet.epoch_of(ET)
        region = Region(90, 76) if side > 0 else Region(-76, -90)
        before, after = (planet.albedo_map(("RED",), epoch + s, ppd, region)[0] for s in (-5400, 5400))
        size, reach = 281, 12.0
        y, x = np.mgrid[-reach : reach : size * 1j, -reach : reach : size * 1j]
        row = np.clip(np.hypot(x, y) * ppd - 0.5, 0, before.shape[0] - 1)
        row = row if side > 0 else before.shape[0] - 1 - row
        column = (360 - np.degrees(np.arctan2(y, x)) % 360) * ppd - 0.5
        change = ndimage.map_coordinates(np.abs(after - before), [row, column], order=1, mode="nearest")
        # Lively cyclones change more than quiet ones: clipped, each is one patch.
        active = ndimage.gaussian_filter(change, 3)
        active = active > 0.4 * np.percentile(active, 97)
        labels, count = ndimage.label(active)
        sizes = np.bincount(labels.ravel())[1:]
        kept = [i + 1 for i in range(count) if sizes[i] > 0.25 * sizes.max()]
        centres = np.array(ndimage.center_of_mass(active, labels, kept)) / (size - 1) * 2 * reach - reach
        distance = np.sort(np.hypot(*centres.T))
        assert len(kept) == around + 1
        # One within two degrees of the pole, the others 6.5 from it; the texture's changes scatter the centres.
        assert distance[0] < 2.0
        np.testing.assert_allclose(distance[1:], 6.5, atol=0.8)
        angles = np.sort(np.degrees(np.arctan2(*centres[np.hypot(*centres.T) > 3].T)))
        gaps = np.diff(np.append(angles, angles[0] + 360))
        np.testing.assert_allclose(gaps, 360 / around, atol=0.3 * 360 / around)


class TestRegion:
    @pytest.mark.parametrize(
        "region",
        [Region(0, -30, 290, 250), Region(60, 36, 40, 10), Region(90, 75, 360, 300), Region(-70, -90, 200, 100)],
    )
    def test_equals_the_crop_of_the_whole(self, planet, whole, region):
        part = planet.albedo_map(("GREEN", "METHANE"), planet.epoch_of(ET), 4.0, region)
        rows = slice(round((90 - region.north) * 4), round((90 - region.south) * 4))
        columns = slice(round((360 - region.west) * 4), round((360 - region.east) * 4))
        # Longitudes differ in their last bits, which eddies enlarge.
        np.testing.assert_allclose(part, whole[[1, 3], rows, columns], atol=1e-5)

    def test_crosses_longitude_zero(self, planet):
        across = planet.albedo_map(("RED",), ET, 4.0, Region(50, -50, 370, 350))[0]
        left = planet.albedo_map(("RED",), ET, 4.0, Region(50, -50, 10, 0))[0]
        right = planet.albedo_map(("RED",), ET, 4.0, Region(50, -50, 360, 350))[0]
        np.testing.assert_allclose(across, np.hstack([left, right]), atol=1e-5)

    def test_finer_scale_adds_detail_to_the_same_clouds(self, planet):
        region = Region(56, 52, 200, 194)
        coarse = planet.albedo_map(("RED",), ET, 10.0, region)[0]
        fine = planet.albedo_map(("RED",), ET, 100.0, region)[0]
        binned = fine.reshape(40, 10, 60, 10).mean(axis=(1, 3))
        assert np.corrcoef(coarse.ravel(), binned.ravel())[0, 1] > 0.8
        assert np.std(fine - np.kron(binned, np.ones((10, 10)))) > 0.05 * np.std(fine)

    @pytest.mark.parametrize("scale", [20.0, 40.0, 80.0, 160.0])
    def test_clouds_stay_where_they_are_as_the_scale_grows(self, planet, scale):
        """Detail comes in little by little: where a new octave or a new size of eddy begins, nothing moves."""
        region = Region(56, 56 - 200 / scale, 200, 200 - 200 / scale)
        a, b = (planet.albedo_map(("RED",), planet.epoch_of(ET), scale * f, region) for f in (1 - 1e-7, 1 + 1e-7))
        # The grids differ by 2e-5 pixels a hundred degrees off, which folds enlarge tenfold.
        np.testing.assert_allclose(a, b, atol=2e-4)

    @pytest.mark.parametrize("region", [Region(60, 48, 200, 188), Region(14, 2, 150, 138), Region(-43, -55, 330, 318)])
    def test_two_scales_show_the_same_place(self, planet, region):
        coarse, fine = (planet.albedo_map(("RED",), planet.epoch_of(ET), ppd, region)[0] for ppd in (20.0, 80.0))
        fine = fine.reshape(240, 4, 240, 4).mean(axis=(1, 3))
        spectra = [np.fft.fft2(m - ndimage.gaussian_filter(m, 6)) for m in (coarse, fine)]
        peaks = np.fft.ifft2(spectra[1] * np.conj(spectra[0])).real
        for axis in (0, 1):
            left, middle, right = (np.roll(peaks, k, axis)[0, 0] for k in (1, 0, -1))
            assert middle == peaks.max()
            # A tenth of a coarse pixel would be seen by registration.
            assert abs(0.5 * (left - right) / (left - 2 * middle + right)) < 0.05

    @pytest.mark.parametrize(
        "edges", [(0, 10, 20, 10), (95, 0, 20, 10), (10, 0, 10, 20), (10, 0, 400, 20), (10, float("nan"), 20, 10)]
    )
    def test_nonsense_is_refused(self, edges):
        with pytest.raises(OptionError):
            Region(*edges)

    def test_unknown_band_and_scale_are_refused(self, planet):
        with pytest.raises(OptionError, match="ULTRAVIOLET"):
            planet.albedo_map(("ULTRAVIOLET",), ET, 1.0)
        with pytest.raises(OptionError, match="per degree"):
            planet.albedo_map(("RED",), ET, 0.0)


class TestTexture:
    @staticmethod
    def spot():
        """Black but for a red square about 30 N, 90 W: three quarters of the way from the left edge (360) to 0."""
        image = np.zeros((180, 360, 3), np.float32)
        image[58:62, 268:272, 0] = 1.0
        return image

    def test_handedness(self):
        red, blue = Planet(texture=self.spot()).albedo_map(("RED", "BLUE"), ET, 2.0)
        rows, columns = np.nonzero(red > 0.5)
        assert 90 - (rows.mean() + 0.5) / 2 == pytest.approx(30)
        assert 360 - (columns.mean() + 0.5) / 2 == pytest.approx(90)
        assert not blue.any()

    def test_region_and_seam(self):
        random = np.random.default_rng(0).random((18, 36))
        worn = Planet(texture=random)
        whole = worn.albedo_map(("RED",), ET, 1.0)[0]
        part = worn.albedo_map(("RED",), ET, 1.0, Region(40, -40, 365, 355))[0]
        np.testing.assert_allclose(part, np.hstack([whole[50:130, -5:], whole[50:130, :5]]), atol=1e-6)

    def test_moves_east_where_there_is_an_epoch(self):
        day = 86400.0
        worn = Planet(texture=self.spot(), epoch_et=ET)
        columns = [np.nonzero(worn.albedo_map(("RED",), ET + t, 4.0)[0, 239] > 0.5)[0].mean() for t in (0.0, day)]
        along, _ = metres_per_degree(30.1)
        moved = float(Planet.wind_m_s(30.125)) * day / along
        assert (columns[1] - columns[0]) / 4 == pytest.approx(moved, abs=0.26)
        assert abs(moved) > 0.5

    @pytest.mark.parametrize("bad", [np.zeros((4, 4, 2)), np.zeros(5), np.full((4, 8), 255.0), np.full((4, 8), np.nan)])
    def test_nonsense_is_refused(self, bad):
        with pytest.raises(OptionError, match="texture"):
            Planet(texture=bad)


class TestPhotometry:
    def test_limb_stands_where_pictures_show_it(self):
        heights = []
        for band in ("BLUE", "GREEN", "RED"):
            p = photometry(band)
            altitude = np.linspace(0, 400, 4001)
            light = p.haze(altitude)
            heights.append(float(np.interp(-0.5 * light[0], -light, altitude)))
            assert 0.8 < p.minnaert_k < 1.0
        assert 180 > heights[0] > heights[1] > heights[2] > 100

    def test_unknown_band(self):
        with pytest.raises(OptionError, match="GREY"):
            photometry("GREY")


class TestMoons:
    #: Semi-major axis, km, eccentricity and sidereal period, days (JPL satellite elements).
    ORBITS: ClassVar = {
        "Io": (421800, 0.0041, 1.769138),
        "Europa": (671100, 0.0094, 3.551181),
        "Ganymede": (1070400, 0.0013, 7.154553),
        "Callisto": (1882700, 0.0074, 16.689017),
    }

    def test_orbits(self):
        ra, dec = (float(v) for v in pole_j2000(ET))
        pole = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
        for moon in moons(ET):
            size, eccentricity, period = self.ORBITS[moon.name]
            distance = np.linalg.norm(moon.position_km)
            # Mutual pulls add to the eccentricity: a thousandth of the distance.
            assert distance == pytest.approx(size, rel=eccentricity + 0.002)
            assert abs(moon.position_km @ pole) / distance < np.sin(np.radians(1.0))
            later = next(m for m in moons(ET + period * 86400) if m.name == moon.name)
            quarter = next(m for m in moons(ET + period * 21600) if m.name == moon.name)
            assert np.linalg.norm(later.position_km - moon.position_km) < 0.03 * distance
            # Eastward, as Jupiter turns.
            assert np.cross(moon.position_km, quarter.position_km) @ pole > 0.9 * distance**2

    def test_positions_and_sizes(self):
        time = astronomy.Time.FromTerrestrialTime(ET / 86400)
        state = astronomy.JupiterMoons(time).europa
        europa = moons(ET)[1]
        np.testing.assert_allclose(europa.position_km / 149597870.7, [state.x, state.y, state.z])
        assert [round(m.radius_km) for m in moons(ET)] == [1822, 1561, 2631, 2410]
        assert all(0 < m.albedo[band] < 1 for m in moons(ET) for band in (*COLOURS, "METHANE"))
        with pytest.raises(ValueError, match="read-only"):
            europa.position_km[0] = 0.0
