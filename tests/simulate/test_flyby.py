"""A planned flyby: where it goes, how it turns, what its images see."""

import numpy as np
import pytest

from perijove.archive.product_id import LETTER_BANDS
from perijove.errors import OptionError
from perijove.geometry.ellipsoid import above
from perijove.geometry.ephemeris import direction_from_jupiter, frame_times, label_position, mid_time
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.timescale import utc_to_et
from perijove.simulate.flyby import Flyby, Programme, SimulatedImage, plan_flyby


def off_earth_deg(flyby: Flyby) -> float:
    earth = direction_from_jupiter("Earth", flyby.perijove_et)
    return float(np.degrees(np.arccos(flyby.spin.axis @ earth)))


def test_perijove_of_the_orbit(flyby: Flyby) -> None:
    et = flyby.perijove_et + np.linspace(-20.0, 20.0, 401)
    distance = np.linalg.norm(flyby.trajectory.state(et)[0], axis=1)
    # Oblateness moves the point of least distance by a second or two from that of the osculating ellipse.
    assert abs(et[np.argmin(distance)] - flyby.perijove_et) < 3.0
    assert 71492 + 1500 < distance.min() < 71492 + 5000


@pytest.mark.parametrize(
    ("start", "frames", "hint"),
    # Labels of the mission: 44C00029, 44C00032, 44C00047.
    [
        ("2022-08-17T13:16:09.655", 18, (37.9454, 281.2058, 133829.7)),
        ("2022-08-17T13:44:55.688", 22, (51.6238, 301.5612, 85911.5)),
        ("2022-08-17T14:39:58.855", 40, (54.5088, 138.6329, 6185.5)),
    ],
)
def test_orbit_of_perijove_44(start: str, frames: int, hint: tuple[float, float, float]) -> None:
    et = utc_to_et(start) + frames * 0.373 / 2
    trajectory = plan_flyby(44, 1).trajectory
    lat, lon, altitude = above(j2000_to_jupiter(et) @ trajectory.state(et)[0])
    # The table has the orbit's elements to some hundredths of a degree, and 100 km; the argument to a degree.
    assert abs(lat - hint[0]) < 1.5
    assert abs((lon - hint[1] + 180) % 360 - 180) * np.cos(np.radians(lat)) < 1.0
    assert altitude == pytest.approx(hint[2], rel=0.02, abs=300.0)


@pytest.mark.parametrize(("perijove", "seed"), [(1, 0), (12, 3), (43, 1), (44, 2), (57, 0)])
def test_the_planet_is_swept_from_sky_to_sky(perijove: int, seed: int) -> None:
    for image in plan_flyby(perijove, 8, seed).images:
        pointing = image.pointing
        x, y = np.meshgrid(np.linspace(25, 1625, 17), [1.0, 64.0, 127.0])
        for band in image.label.bands:
            assert np.isnan(pointing.ground(band, 0, x, y)).all()
            assert np.isnan(pointing.ground(band, -1, x, y)).all()
            middle = pointing.ground(band, pointing.mid_frame, x, y)
            seen = [np.isfinite(pointing.ground(band, f, x, y)).any() for f in range(pointing.frames)]
            assert sum(seen) > 4
            assert np.isfinite(middle).any()


def test_images_are_in_order_and_apart(flyby: Flyby) -> None:
    starts = [image.pointing.et[0] for image in flyby.images]
    ends = [image.pointing.et[-1] for image in flyby.images]
    assert all(later > end for later, end in zip(starts[1:], ends, strict=False))
    assert abs(starts[0] - flyby.perijove_et) < 2.5 * 3600 + 60
    assert {image.label.product_id.filter_letter for image in flyby.images} == {"C", "M"}
    assert all(360 <= image.label.interframe_delay_s * 1000 <= 382 for image in flyby.images)


def test_truth_departs_from_the_label_as_told(flyby: Flyby) -> None:
    jitters = []
    for image in flyby.images:
        late = image.pointing.et - frame_times(image.label)
        index = np.arange(image.label.frames)
        # Times of 7e8 s are doubles to 1e-7.
        np.testing.assert_allclose(late, image.start_jitter_s + image.delay_error_s * index, atol=3e-7)
        jitters.append(image.start_jitter_s)
    assert 0.005 < np.std(jitters) < 0.04


def test_labels_state_the_true_position(flyby: Flyby) -> None:
    for image in flyby.images:
        # The orbit that the labels are written from runs a little late.
        miss = label_position(image.label) - flyby.trajectory.state(mid_time(image.label) - flyby.label_late_s)[0]
        # Altitude to 0.1 km, angles to 1e-4 degrees: 0.13 km at the surface, more from afar.
        reach = image.label.altitude_km + 71492.0
        assert np.linalg.norm(miss) < 0.05 + 1.5 * np.radians(0.5e-4) * reach


@pytest.mark.parametrize(("tilt", "least", "most"), [(None, 0.0, 0.12), (0.0, 0.0, 0.12), (10.0, 9.88, 10.12)])
def test_spin_axis(tilt: float | None, least: float, most: float) -> None:
    # A scatter of 0.02 degrees in two directions.
    for seed in range(4):
        flyby = plan_flyby(43, 2, seed, tilt)
        assert least <= off_earth_deg(flyby) <= most
        assert 0.2035 <= flyby.spin.rate_rad_s <= 0.2085


def test_tilted_perijoves() -> None:
    assert off_earth_deg(plan_flyby(44, 2)) > 3.0


def test_angular_velocity(flyby: Flyby) -> None:
    et, h = flyby.perijove_et + 12.3, 0.01
    before, now, after = flyby.spin.attitude(np.array([et - h, et, et + h]))[0]
    skew = (after - before) / (2 * h) @ now.T
    found = np.array([skew[2, 1], skew[0, 2], skew[1, 0]])
    rate = flyby.spin.attitude(np.array([et]))[1][0]
    # Differences over 0.02 s at 0.2 rad/s: third order, 1e-7.
    np.testing.assert_allclose(found, rate, atol=1e-6)
    wobble = np.arccos(np.clip(now[:, 2] @ flyby.spin.axis, -1, 1))
    assert wobble == pytest.approx(flyby.spin.nutation_rad, rel=0.05)


def test_seeds(flyby: Flyby, first: SimulatedImage) -> None:
    same, other = plan_flyby(43, 12, seed=5), plan_flyby(43, 12, seed=6)
    for a, b in zip(same.images, flyby.images, strict=True):
        assert a.label == b.label
        assert np.array_equal(a.pointing.camera_to_j2000, b.pointing.camera_to_j2000)
    assert other.spin.rate_rad_s != flyby.spin.rate_rad_s
    assert other.mounting != flyby.mounting
    assert not first.spacecraft_to_j2000.flags.writeable


def test_programme() -> None:
    planned = plan_flyby(43, 8, 5, programme=Programme("CAMBGRT", 2)).images
    assert "".join(image.label.product_id.filter_letter for image in planned) == "CAMBGRTC"
    for image in planned:
        assert image.label.bands == LETTER_BANDS[image.label.product_id.filter_letter]
        assert image.label.sampling_factor == 2
        cameras = image.pointing.cameras
        assert tuple(cameras) == image.label.bands
        assert all(camera.sampling_factor == 2 for camera in cameras.values())


def test_the_programme_changes_nothing_else(flyby: Flyby) -> None:
    single = plan_flyby(43, 12, seed=5, programme=Programme("G", 2))
    assert single.spin.rate_rad_s == flyby.spin.rate_rad_s
    assert single.mounting == flyby.mounting
    for a, b in zip(single.images, flyby.images, strict=True):
        assert (a.start_jitter_s, a.delay_error_s) == (b.start_jitter_s, b.delay_error_s)


@pytest.mark.parametrize(("letters", "factor"), [("", 1), ("CX", 1), ("C", 3)])
def test_programmes_that_are_none(letters: str, factor: int) -> None:
    with pytest.raises(OptionError, match=r"filter letters|cannot be summed 3 x 3"):
        Programme(letters, factor)


def test_what_cannot_be_planned() -> None:
    with pytest.raises(OptionError, match="perijove 99 is not one of 1 to 60"):
        plan_flyby(99)
    with pytest.raises(OptionError, match="0 images cannot be planned"):
        plan_flyby(44, 0)
    with pytest.raises(OptionError, match="tilt of 40"):
        plan_flyby(44, 1, tilt_deg=40.0)
