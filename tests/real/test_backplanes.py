"""Backplanes against SPICE: each pixel by `sincpt`, `ilumin`, `recpgr` and `et2lst`."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perijove.geometry.backplanes import backplanes, framelet_backplanes
from perijove.geometry.pointing import Pointing
from perijove.geometry.sight import Sight
from perijove.geometry.sunlight import Sunlight, sunlight_at
from perijove.project.view import orthographic_view
from perijove.simulate.flyby import Flyby, Mounting, SimulatedImage, plan_flyby
from perijove.simulate.kernels import write_kernels

A_KM, C_KM = 71492.0, 66854.0


@pytest.fixture(scope="module")
def flyby() -> Flyby:
    """A camera that is exactly that of the kernels."""
    return plan_flyby(44, 6, seed=1, mounting=Mounting(0.0, 0.0, 0.0))


@pytest.fixture
def spice(flyby: Flyby, real_data: Path, tmp_path: Path) -> Iterator[Any]:
    import spiceypy

    spiceypy.kclear()
    folder = real_data / "spice"
    mission = [folder / name for name in ("pck00010.tpc", "juno_v12.tf", "juno_junocam_v03.ti")]
    spiceypy.furnsh([str(path) for path in (*mission, *write_kernels(tmp_path, flyby))])
    yield spiceypy
    spiceypy.kclear()


def pointing_of(image: SimulatedImage, spice: Any) -> Pointing:
    """The image's pointing as the kernels interpolate it: nutation bends between their knots by 1e-7 radians."""
    et = image.pointing.et
    states = np.array([spice.spkezr("JUNO", t, "J2000", "NONE", "JUPITER")[0] for t in et])
    to_j2000 = np.array([spice.pxform("JUNO_JUNOCAM", "J2000", t) for t in et])
    return replace(image.pointing, camera_to_j2000=to_j2000, position_km=states[:, :3], velocity_km_s=states[:, 3:])


def sunlight_of(et: float, spice: Any) -> Sunlight:
    sun = spice.spkezr("SUN", et, "J2000", "CN", "JUPITER")[0][:3]
    return Sunlight(et, sun, spice.spkezr("JUPITER", et, "J2000", "NONE", "SSB")[0][3:])


def by_spice(spice: Any, et: float, point: np.ndarray) -> dict[str, float]:
    """What SPICE says of a point of the ground that Juno sees at a time."""
    emitted, sight, phase, incidence, emission = spice.ilumin(
        "ELLIPSOID", "JUPITER", et, "IAU_JUPITER", "CN+S", "JUNO", point
    )
    lon_w, lat_graphic, _ = spice.recpgr("JUPITER", point, A_KM, (A_KM - C_KM) / A_KM)
    _, lon_east, lat_centric = spice.reclat(point)
    sun = spice.spkpos("SUN", emitted, "IAU_JUPITER", "LT+S", "JUPITER")[0]
    hours = (12 + np.degrees(lon_east - np.arctan2(sun[1], sun[0])) / 15) % 24
    whole = spice.et2lst(emitted, 599, lon_east, "PLANETOCENTRIC")[:3]
    # et2lst cuts to seconds; the same formula has the rest.
    assert 0 <= (hours - whole[0] - whole[1] / 60 - whole[2] / 3600) * 3600 < 1 + 1e-6
    return {
        "lon_w_sys3_deg": np.degrees(lon_w),
        "lat_graphic_deg": np.degrees(lat_graphic),
        "lat_centric_deg": np.degrees(lat_centric),
        "incidence_deg": np.degrees(incidence),
        "emission_deg": np.degrees(emission),
        "phase_deg": np.degrees(phase),
        "range_km": float(np.linalg.norm(sight)),
        "local_time_h": hours,
    }


def difference(name: str, ours: float, theirs: float) -> float:
    """In degrees or hours, of distances relative."""
    if name == "range_km":
        return abs(ours / theirs - 1)
    turn = {"lon_w_sys3_deg": 360.0, "local_time_h": 24.0}.get(name, np.inf)
    apart = abs(ours - theirs)
    return min(apart, turn - apart)


@pytest.mark.parametrize("index", range(6))
def test_points_as_in_spice(index: int, flyby: Flyby, spice: Any) -> None:
    pointing = pointing_of(flyby.images[index], spice)
    rng = np.random.default_rng(index)
    band = rng.choice(flyby.images[index].label.bands)
    frame, x, y = rng.integers(0, pointing.frames, 150), rng.uniform(25, 1629, 150), rng.uniform(1, 127, 150)
    seen = pointing.cameras[band].directions(x, y)
    points, frames = [], []
    for f, direction in zip(frame, seen, strict=True):
        asked = ("ELLIPSOID", "JUPITER", float(pointing.et[f]), "IAU_JUPITER", "CN+S", "JUNO", "JUNO_JUNOCAM")
        try:
            points.append(spice.sincpt(*asked, direction)[0])
        except spice.exceptions.NotFoundError:
            continue
        frames.append(f)
    assert len(points) > 10
    light = sunlight_of(float(pointing.et[pointing.mid_frame]), spice)
    sight = Sight(pointing, np.array(points), np.array(frames), light)
    for i, f in enumerate(frames):
        for name, expected in by_spice(spice, float(pointing.et[f]), points[i]).items():
            # Light time to second order in 1e-4.
            assert difference(name, getattr(sight, name)[i], expected) < 1e-7, name


@pytest.mark.parametrize("index", range(6))
def test_pixels_of_framelets_as_in_spice(index: int, flyby: Flyby, spice: Any) -> None:
    image = flyby.images[index]
    pointing = pointing_of(image, spice)
    light = sunlight_of(float(pointing.et[pointing.mid_frame]), spice)
    frame = pointing.mid_frame
    et = float(pointing.et[frame])
    rng = np.random.default_rng(index)
    compared = 0
    for band in image.label.bands:
        planes = framelet_backplanes(pointing, band, frame, (128, 1648), sunlight=light)
        for line, sample in np.column_stack([rng.integers(0, 128, 40), rng.integers(23, 1631, 40)]):
            ours = {name: float(plane.values[line, sample]) for name, plane in planes.items()}
            direction = pointing.cameras[band].directions(sample + 0.5, line + 0.5)
            asked = ("ELLIPSOID", "JUPITER", et, "IAU_JUPITER", "CN+S", "JUNO", "JUNO_JUNOCAM", direction)
            try:
                point = spice.sincpt(*asked)[0]
            except spice.exceptions.NotFoundError:
                assert np.all(np.isnan(list(ours.values())))
                continue
            theirs = by_spice(spice, et, point)
            slant = np.cos(np.radians(theirs["emission_deg"]))
            across = {"lon_w_sys3_deg": np.cos(np.radians(theirs["lat_graphic_deg"]))}
            for name, value in ours.items():
                # The ray is right to 2e-8 radians; what is on the ground grows with the slant. Angles and distances
                # are single precision: 8e-6 degrees beyond 128 of them.
                limit = 2e-6 / slant if name.startswith("l") else 8e-6 + 2e-6 / slant
                assert difference(name, value, theirs[name]) * across.get(name, 1.0) < limit, name
            compared += 1
    assert compared > 10


def test_views_as_in_spice(flyby: Flyby, spice: Any) -> None:
    pointing = pointing_of(flyby.images[2], spice)
    light = sunlight_of(float(pointing.et[pointing.mid_frame]), spice)
    ground = orthographic_view(pointing, size=300).ground().reshape(-1, 3)
    names = ("lon_w_sys3_deg", "lat_graphic_deg", "lat_centric_deg", "incidence_deg", "emission_deg", "phase_deg")
    planes = backplanes(pointing, ground, ("RED",), (*names, "range_km", "frame_red"), reference="RED", sunlight=light)
    seen = np.flatnonzero(np.isfinite(planes["frame_red"].values))
    assert len(seen) > 1000
    for i in np.random.default_rng(0).choice(seen, 100, replace=False):
        theirs = by_spice(spice, float(pointing.et[int(planes["frame_red"].values[i])]), ground[i])
        for name in (*names, "range_km"):
            # Single precision, but for the coordinates.
            limit = 1e-9 if name.startswith("l") else 8e-6
            assert difference(name, float(planes[name].values[i]), theirs[name]) < limit, name


@pytest.mark.parametrize(
    ("kernel", "utc"),
    [
        ("juno_rec_170106_170228_170307.bsp", "2017-02-02T12:00:00"),
        ("spk_pre_220614_221109_220810_jm0450.bsp", "2022-08-17T14:00:00"),
    ],
)
def test_the_sun_without_kernels(kernel: str, utc: str, real_data: Path) -> None:
    import spiceypy

    spiceypy.kclear()
    spiceypy.furnsh([str(real_data / "spice" / name) for name in ("naif0012.tls", kernel)])
    et = spiceypy.utc2et(utc)
    theirs, ours = sunlight_of(et, spiceypy), sunlight_at(et)
    spiceypy.kclear()
    turned = np.linalg.norm(np.cross(ours.sun_km, theirs.sun_km)) / np.linalg.norm(theirs.sun_km) ** 2
    # A truncated ephemeris; the Sun's disc measures 0.1 degrees.
    assert np.degrees(turned) < 0.002
    assert np.linalg.norm(ours.sun_km) == pytest.approx(np.linalg.norm(theirs.sun_km), rel=3e-5)
    assert ours.jupiter_velocity_km_s == pytest.approx(theirs.jupiter_velocity_km_s, abs=0.005)
