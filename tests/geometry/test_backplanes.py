from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from perijove.errors import OptionError
from perijove.geometry.backplanes import Backplane, backplanes, framelet_backplanes, mid_et, plane_names
from perijove.geometry.ellipsoid import from_lat_lon
from perijove.geometry.pointing import Pointing
from perijove.geometry.sunlight import sunlight_at
from perijove.project.view import orthographic_view, spacecraft_view

BANDS = ("BLUE", "GREEN", "RED")


@pytest.fixture(scope="module")
def pointing(earth_scene: Any) -> Pointing:
    return earth_scene.pointing


def values(planes: dict[str, Backplane]) -> dict[str, np.ndarray]:
    return {name: plane.values.astype(float) for name, plane in planes.items()}


def test_where_the_spacecraft_is_overhead(pointing: Pointing) -> None:
    # The middle frame's place at 38 north, 281 west, 135,000 km up, by the label of the scene.
    ground = from_lat_lon([38.0], [281.0])
    got = {name: plane[0] for name, plane in values(backplanes(pointing, ground, BANDS)).items()}
    assert got["lat_graphic_deg"] == pytest.approx(38.0, abs=1e-12)
    assert got["lon_w_sys3_deg"] == pytest.approx(281.0, abs=1e-12)
    # tan(centric) = (b/a)**2 tan(graphic)
    assert np.tan(np.radians(got["lat_centric_deg"])) == pytest.approx(
        (66854 / 71492) ** 2 * np.tan(np.radians(38.0)), rel=1e-12
    )
    # The green frame is within 3 s of the middle: 35 km/s over 135,000 km are 0.05 degrees, aberration 0.01.
    assert got["emission_deg"] < 0.08
    assert got["range_km"] == pytest.approx(135000.0, abs=120.0)
    assert got["pixel_scale_km"] == pytest.approx(got["range_km"] * 2 / 1480.590541, rel=1e-6)
    assert got["pixel_scale_slant_km"] == pytest.approx(got["pixel_scale_km"], rel=2e-6)
    assert got["phase_deg"] == pytest.approx(got["incidence_deg"], abs=0.08)


def test_noon_and_the_terminator(pointing: Pointing) -> None:
    light = sunlight_at(mid_et(pointing))
    sun = pointing.sun_fixed
    noon = np.degrees(-np.arctan2(sun[1], sun[0]))
    ground = from_lat_lon(np.zeros(4), noon + np.array([0.0, 90.0, 180.0, 270.0]))
    got = values(backplanes(pointing, ground, (), sunlight=light))
    # West of noon it is earlier. Frames are up to 2.3 s from the middle, in which Jupiter turns by 0.023 degrees;
    # aberration and light time are another 0.01.
    late = (got["local_time_h"] - [12.0, 6.0, 0.0, 18.0] + 12.0) % 24.0 - 12.0
    assert np.abs(late).max() < 0.035 / 15
    declination = np.degrees(np.arcsin(sun[2]))
    assert got["incidence_deg"] == pytest.approx([abs(declination), 90.0, 180 - abs(declination), 90.0], abs=0.035)


def test_the_sky_has_no_values(pointing: Pointing) -> None:
    view = spacecraft_view(pointing, 120)
    ground = view.ground()
    planes = backplanes(pointing, ground, BANDS)
    assert list(planes) == list(plane_names(BANDS))
    on = np.sum((ground / [71492.0, 71492.0, 66854.0]) ** 2, axis=-1) < 1 + 1e-6
    assert 0.2 < on.mean() < 0.9
    for name in plane_names():
        if name != "pixel_scale_slant_km":
            assert np.array_equal(np.isfinite(planes[name].values), on), name
    assert np.isnan(planes["frame_red"].values[~on]).all()
    assert planes["lon_w_sys3_deg"].values.dtype == np.float64
    assert planes["range_km"].values.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        planes["range_km"].values[0, 0] = 0.0


def test_each_band_has_its_time(pointing: Pointing, synthetic: Any) -> None:
    view = orthographic_view(pointing, size=100)
    ground = view.ground()
    got = values(backplanes(pointing, ground, BANDS))
    for band in BANDS:
        frame, late = got[f"frame_{band.lower()}"], got[f"time_{band.lower()}_s"]
        seen = np.isfinite(frame)
        assert np.array_equal(seen, np.isfinite(late))
        # Frames are 0.374 s apart, thirteen of them about the middle; single precision.
        np.testing.assert_allclose(late[seen], (frame[seen] - 6) * 0.374, atol=1e-6)
        _, y = np.moveaxis(synthetic.project(pointing, band, ground[seen]), -1, 0)
        rows = y[frame[seen].astype(int), np.arange(seen.sum())]
        assert np.all((rows >= 0) & (rows <= 64))
    both = np.isfinite(got["frame_blue"]) & np.isfinite(got["frame_red"])
    assert np.any(got["frame_blue"][both] != got["frame_red"][both])


def test_angles_hold_for_the_reference_band(pointing: Pointing) -> None:
    ground = orthographic_view(pointing, size=60).ground()
    for band in BANDS:
        got = values(backplanes(pointing, ground, (band,), reference=band))
        seen = np.isfinite(got[f"frame_{band.lower()}"])
        frame = got[f"frame_{band.lower()}"][seen].astype(int)
        distance = np.linalg.norm(ground[seen] - pointing.position_fixed_km[frame], axis=-1)
        # Light time turns the ground by 12.6 km/s, Jupiter moves by 13 km/s, for half a second; a frame is 10 km.
        assert np.abs(got["range_km"][seen] - distance).max() < 15.0
    with pytest.raises(OptionError, match=r"no band 'METHANE'.*BLUE"):
        backplanes(pointing, ground, BANDS, reference="METHANE")


def test_names(pointing: Pointing) -> None:
    ground = from_lat_lon([[10.0, 20.0]], [[280.0, 281.0]])
    planes = backplanes(pointing, ground, BANDS, ("time_red_s", "lat_centric_deg"))
    assert list(planes) == ["time_red_s", "lat_centric_deg"]
    assert planes["time_red_s"].values.shape == (1, 2)
    assert planes["time_red_s"].unit == "s"
    assert "RED" in planes["time_red_s"].long_name
    with pytest.raises(OptionError, match="'latitude'"):
        backplanes(pointing, ground, BANDS, ("latitude",))
    with pytest.raises(OptionError, match="'frame_red'"):
        framelet_backplanes(pointing, "RED", 0, (64, 816), ("frame_red",))


def test_no_ground_at_all(pointing: Pointing) -> None:
    planes = backplanes(pointing, np.full((2, 3, 3), np.nan), BANDS)
    assert all(np.isnan(plane.values).all() and plane.values.shape == (2, 3) for plane in planes.values())


@pytest.mark.parametrize("band", BANDS)
def test_framelets_know_their_ground(band: str, pointing: Pointing) -> None:
    frame = pointing.mid_frame
    got = values(framelet_backplanes(pointing, band, frame, (64, 816)))
    on = np.isfinite(got["range_km"])
    assert 0.3 < on.mean() < 1.0
    j, i = np.nonzero(on & (got["emission_deg"] < 85))
    ground = from_lat_lon(got["lat_graphic_deg"][j, i], got["lon_w_sys3_deg"][j, i])
    x, y = pointing.pixels(band, frame, ground)
    # Aberration is undone to second order in 1e-4: 6e-5 px.
    assert max(np.abs(x - i - 0.5).max(), np.abs(y - j - 0.5).max()) < 1e-3


def test_framelets_of_the_sky(pointing: Pointing) -> None:
    turned_away = replace(pointing, camera_to_j2000=pointing.camera_to_j2000 * [1.0, -1.0, -1.0])
    got = values(framelet_backplanes(turned_away, "RED", 6, (64, 816)))
    assert all(np.isnan(plane).all() for plane in got.values())
