"""Trajectories from labels and kernels against orbits whose states are known in closed form."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perijove.archive.label import ImageLabel
from perijove.errors import GeometryError
from perijove.geometry import orbit
from perijove.geometry.ephemeris import (
    Trajectory,
    direction_from_jupiter,
    frame_times,
    label_position,
    mid_time,
    trajectory_from_kernels,
    trajectory_from_label,
)
from perijove.geometry.kernels import KernelFolder
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.timescale import utc_to_et

MakeLabel = Callable[..., ImageLabel]
GM = 126686533.0
PERIJOVE = dt.datetime(2022, 8, 17, 14, 45)
ET0 = utc_to_et(PERIJOVE.isoformat())
# Direction of Jupiter's north pole (IAU 2009, year 2022).
RA, DEC = np.radians(268.0572), np.radians(64.4958)
POLE = np.array([np.cos(DEC) * np.cos(RA), np.cos(DEC) * np.sin(RA), np.sin(DEC)])


def kepler(et: np.ndarray, period_days: float = 43.0, perijove_km: float = 73350.0) -> np.ndarray:
    """States (n, 6) on a two-body orbit like that of perijove 44: over the north pole, then south."""
    n = 2 * np.pi / (period_days * 86400)
    a = (GM / n**2) ** (1 / 3)
    e = 1 - perijove_km / a
    mean = n * (np.asarray(et) - ET0)
    eccentric = np.cbrt(6 * mean)
    for _ in range(60):
        eccentric -= (eccentric - e * np.sin(eccentric) - mean) / (1 - e * np.cos(eccentric))
    b = a * np.sqrt(1 - e**2)
    x = np.cross((0, 0, 1), POLE) / np.cos(DEC)
    y = np.cross(POLE, x)
    node, inclination, argument = np.radians((285.03, 96.58, 143.0))
    ascending = np.cos(node) * x + np.sin(node) * y
    across = np.cos(inclination) * np.cross(POLE, ascending) + np.sin(inclination) * POLE
    p = np.cos(argument) * ascending + np.sin(argument) * across
    q = np.cos(argument) * across - np.sin(argument) * ascending
    c, s = np.cos(eccentric)[:, None], np.sin(eccentric)[:, None]
    rate = n / (1 - e * c)
    return np.hstack([a * (c - e) * p + b * s * q, rate * (-a * s * p + b * c * q)])


def at(make_label: MakeLabel, minutes: float, **changes: object) -> tuple[ImageLabel, np.ndarray]:
    """Label taken on the orbit so long after perijove, and the state at its middle."""
    start = PERIJOVE + dt.timedelta(minutes=minutes)
    et = utc_to_et(start.isoformat()) + 22 * 0.373 / 2
    keys = {k: changes.pop(k) for k in ("period_days", "perijove_km") if k in changes}
    state = kepler(np.array([et]), **keys)[0]
    point = j2000_to_jupiter(et) @ state[:3]
    return make_label(point, start_time=start.isoformat(timespec="milliseconds"), **changes), state


def test_frame_times(make_label: MakeLabel) -> None:
    label = make_label()
    start = utc_to_et("2022-08-17T13:44:55.688")
    # Opening 61.88 ms after START_TIME, frames 1 ms slower than the label says; the middle of 6 x 3.2 ms.
    expected = start + 0.06188 + 9.6e-3 + 0.374 * np.arange(22)
    np.testing.assert_allclose(frame_times(label), expected, rtol=0, atol=2e-7)


def test_mid_time(make_label: MakeLabel) -> None:
    assert mid_time(make_label()) == pytest.approx(utc_to_et("2022-08-17T13:44:59.791"), abs=1e-6)


@given(
    lat=st.floats(-89.9, 89.9),
    lon=st.floats(0.0, 359.9),
    altitude=st.floats(3000.0, 4e6),
    frames=st.integers(1, 90),
)
def test_label_position(lat: float, lon: float, altitude: float, frames: int, make_label: MakeLabel) -> None:
    label = make_label(
        altitude_km=altitude,
        sub_spacecraft_lat_graphic_deg=lat,
        sub_spacecraft_lon_w_sys3_deg=lon,
        frames=frames,
    )
    position = label_position(label)
    back = make_label(j2000_to_jupiter(mid_time(label)) @ position)
    assert back.altitude_km == pytest.approx(altitude, abs=1e-6)
    assert back.sub_spacecraft_lat_graphic_deg == pytest.approx(lat, abs=1e-9)
    assert abs((back.sub_spacecraft_lon_w_sys3_deg - lon + 180) % 360 - 180) < 1e-9


def test_labels_without_position(make_label: MakeLabel) -> None:
    for read in (label_position, trajectory_from_label):
        with pytest.raises(GeometryError, match=r"44C00032_V01 states no altitude.*--kernels"):
            read(make_label())
        with pytest.raises(GeometryError, match="is above GANYMEDE, not Jupiter"):
            read(make_label(np.array([1e5, 0, 0]), target="GANYMEDE"))


@pytest.mark.parametrize("minutes", [-85.0, -60.0, -20.0, -4.0, 0.0, 3.0, 40.0, 110.0])
def test_velocity_from_labels_of_the_perijove(
    minutes: float, make_label: MakeLabel, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The two-body orbit knows no oblateness.
    monkeypatch.setattr(orbit, "JUPITER_ZONALS", {})
    label, state = at(make_label, minutes)
    others = [at(make_label, minutes + k)[0] for k in (-50.0, -22.0, -7.0, 9.0, 33.0)]
    trajectory = trajectory_from_label(label, [label, *others])
    position, velocity = trajectory.state(mid_time(label))
    np.testing.assert_allclose(position, state[:3], atol=1e-3)
    # Of 58 km/s; positions are exact here, the integrator holds 1e-10.
    np.testing.assert_allclose(velocity, state[3:], atol=1e-5)
    assert trajectory.source == "label of JNCE_2022229_44C00032_V01 and 5 more of the perijove"
    # Ahead and back over the whole image, and the time that offsets may reach: 1e-5 km/s times 33 s.
    et = mid_time(label) + np.linspace(-33.0, 33.0, 41)
    position, velocity = trajectory.state(et)
    np.testing.assert_allclose(np.hstack([position, velocity]), kepler(et), rtol=0, atol=1e-3)


def test_one_other_label_is_enough(make_label: MakeLabel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orbit, "JUPITER_ZONALS", {})
    label, state = at(make_label, -45.0)
    for minutes in (-130.0, -46.0, -5.0, 60.0):
        trajectory = trajectory_from_label(label, [at(make_label, minutes)[0]])
        np.testing.assert_allclose(trajectory.state(mid_time(label))[1], state[3:], atol=1e-4)


def test_a_wrong_label_among_others(make_label: MakeLabel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orbit, "JUPITER_ZONALS", {})
    label, state = at(make_label, -60.0)
    good = [at(make_label, minutes)[0] for minutes in (-80.0, -70.0, -50.0, -40.0, -30.0)]
    bad, _ = at(make_label, -55.0)
    bad = make_label(np.array([1e5, 1e5, 0.0]), start_time=bad.start_time)
    velocity = trajectory_from_label(label, [*good, bad]).state(mid_time(label))[1]
    # The plain least squares would be dragged off by kilometres a second.
    np.testing.assert_allclose(velocity, state[3:], atol=0.05)


def test_labels_that_do_not_belong(make_label: MakeLabel) -> None:
    label, _ = at(make_label, -60.0)
    others = [
        label,
        at(make_label, -59.8)[0],
        at(make_label, 100.0)[0],
        at(make_label, -50.0, orbit=45)[0],
        at(make_label, -50.0, target="IO")[0],
        make_label(start_time="2022-08-17T14:00:00.000"),
    ]
    trajectory = trajectory_from_label(label, others)
    assert trajectory.source.endswith("and the orbit's period")
    assert np.array_equal(trajectory.velocity_km_s, trajectory_from_label(label).velocity_km_s)


@pytest.mark.parametrize(
    ("orbit", "period_days"),
    [(1, 53.0), (33, 53.0), (34, 43.0), (44, 43.0), (45, 38.0), (60, 33.0), (99, 33.0)],
)
@pytest.mark.parametrize("minutes", [-90.0, -1.0, 2.0, 90.0])
def test_velocity_of_an_orbit_known_by_its_period(
    orbit: int, period_days: float, minutes: float, make_label: MakeLabel
) -> None:
    label, state = at(make_label, minutes, orbit=orbit, period_days=period_days)
    position, velocity = trajectory_from_label(label).state(mid_time(label))
    r = np.linalg.norm(position)
    a = (GM * (period_days * 86400 / 2 / np.pi) ** 2) ** (1 / 3)
    # The vis-viva equation holds whatever the plane is taken to be.
    assert np.linalg.norm(velocity) == pytest.approx(np.sqrt(GM * (2 / r - 1 / a)), rel=1e-9)
    # Southward over the low latitudes; 58 km/s at perijove (mission: 57.8).
    assert velocity @ POLE * (state[3:] @ POLE) > 0
    if abs(minutes) < 5:
        assert 56.0 < np.linalg.norm(velocity) < 60.0
        assert velocity @ POLE < -30.0


def test_energy_and_momentum_in_the_oblate_field(make_label: MakeLabel) -> None:
    label, _ = at(make_label, -5.0, frames=82)
    trajectory = trajectory_from_label(label)
    r = np.linalg.norm(trajectory.position_km, axis=1)
    sine = trajectory.position_km @ POLE / r
    # Potential with the zonal harmonics: GM/r (1 - sum of Jn (R/r)^n Pn(sin)), Iess et al. 2018.
    oblate = 14696.57e-6 * (71492 / r) ** 2 * (3 * sine**2 - 1) / 2
    oblate += -586.61e-6 * (71492 / r) ** 4 * (35 * sine**4 - 30 * sine**2 + 3) / 8
    oblate += 34.20e-6 * (71492 / r) ** 6 * (231 * sine**6 - 315 * sine**4 + 105 * sine**2 - 5) / 16
    energy = np.sum(trajectory.velocity_km_s**2, axis=1) / 2 - GM / r * (1 - oblate)
    assert np.ptp(GM / r * oblate) > 0.5
    np.testing.assert_allclose(energy, energy[0], rtol=0, atol=1e-4)
    momentum = np.cross(trajectory.position_km, trajectory.velocity_km_s)
    # About the pole the field is round; its tilt of the year against J2000 is 1e-5.
    size = np.linalg.norm(momentum[0])
    np.testing.assert_allclose(momentum @ POLE / size, momentum[0] @ POLE / size, rtol=0, atol=1e-6)
    assert np.linalg.norm(np.ptp(momentum, axis=0)) > 1e-5 * size


def test_velocity_before_the_first_orbit(make_label: MakeLabel) -> None:
    # Images of the approach were taken from 1e7 km, where a period of 53 days has no orbit.
    label = make_label(np.array([9e6, 4e6, 2e5]), orbit=0)
    velocity = trajectory_from_label(label).state(mid_time(label))[1]
    assert 4.0 < np.linalg.norm(velocity) < 6.0


def test_cubic_motion_is_exact() -> None:
    et = np.array([0.0, 1.0, 2.5, 7.0])
    rng = np.random.default_rng(6)
    coefficients = rng.normal(size=(4, 3))

    def position(t: np.ndarray) -> np.ndarray:
        return np.power.outer(t, np.arange(4)) @ coefficients

    def velocity(t: np.ndarray) -> np.ndarray:
        return np.power.outer(t, np.arange(3)) @ (coefficients[1:] * np.array([[1], [2], [3]]))

    trajectory = Trajectory(et, position(et), velocity(et), "made")
    t = np.linspace(0.0, 7.0, 57).reshape(3, 19)
    found = trajectory.state(t)
    assert found[0].shape == found[1].shape == (3, 19, 3)
    np.testing.assert_allclose(found[0], position(t), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found[1], velocity(t), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(trajectory.state(2.5)[0], position(np.array(2.5)), rtol=1e-14)
    assert not trajectory.position_km.flags.writeable


@pytest.fixture
def predicted(tmp_path: Path, spk_writer: Callable[..., None]) -> KernelFolder:
    """A trajectory that is 5.3 s late."""
    knots = ET0 + np.arange(-4000.0, 4001.0, 10.0)
    spk_writer(tmp_path / "spk_pre.bsp", knots, kepler(knots - 5.3), np.zeros((len(knots), 6)))
    return KernelFolder.find(tmp_path)


@pytest.mark.parametrize("minutes", [-60.0, 0.0, 50.0])
def test_time_slip_of_a_predicted_kernel(minutes: float, predicted: KernelFolder, make_label: MakeLabel) -> None:
    label, state = at(make_label, minutes)
    trajectory = trajectory_from_kernels(label, predicted)
    assert trajectory is not None
    assert trajectory.source == "spk_pre.bsp"
    assert trajectory.label_offset_s == pytest.approx(5.3, abs=1e-6)
    # Cubic polynomials between knots 10 s apart: 1e-6 km at perijove; altitudes and angles round to 1e-9.
    assert trajectory.label_distance_km < 1e-4
    found = np.hstack(trajectory.state(mid_time(label)))
    np.testing.assert_allclose(found, state, rtol=0, atol=1e-4)
    et = mid_time(label) + np.array([-20.0, 20.0])
    np.testing.assert_allclose(trajectory.state(et)[0], kepler(et)[:, :3], rtol=0, atol=1e-4)


def test_our_own_trajectory_is_not_moved(
    tmp_path: Path, spk_writer: Callable[..., None], make_label: MakeLabel
) -> None:
    knots = ET0 + np.arange(-4000.0, 4001.0, 10.0)
    states = kepler(knots - 5.3)
    spk_writer(tmp_path / "Perijove_pj44_44C00001.bsp", knots, states, np.zeros((len(knots), 6)))
    label, state = at(make_label, -60.0)
    trajectory = trajectory_from_kernels(label, KernelFolder.find(tmp_path))
    assert trajectory is not None
    assert trajectory.label_offset_s == 0.0
    expected = kepler(np.array([mid_time(label) - 5.3]))[0, :3]
    np.testing.assert_allclose(trajectory.state(mid_time(label))[0], expected, rtol=0, atol=1e-4)
    assert trajectory.label_distance_km == pytest.approx(np.linalg.norm(state[:3] - expected), rel=1e-3)


def test_kernels_that_do_not_help(predicted: KernelFolder, make_label: MakeLabel) -> None:
    assert trajectory_from_kernels(at(make_label, 80.0)[0], predicted) is None
    # Without a position above Jupiter the kernel is taken as it is.
    start = (PERIJOVE + dt.timedelta(minutes=-60)).isoformat(timespec="milliseconds")
    for label in (make_label(start_time=start), at(make_label, -60.0, target="EUROPA")[0]):
        trajectory = trajectory_from_kernels(label, predicted)
        assert trajectory is not None
        assert trajectory.label_offset_s == 0.0
        expected = kepler(np.array([mid_time(label) - 5.3]))[0, :3]
        np.testing.assert_allclose(trajectory.state(mid_time(label))[0], expected, rtol=0, atol=1e-4)
    # A label that is minutes away is not explained by a slip.
    _, state = at(make_label, -50.0)
    near = make_label(j2000_to_jupiter(ET0 - 3600) @ state[:3], start_time=start)
    trajectory = trajectory_from_kernels(near, predicted)
    assert trajectory is not None
    assert trajectory.label_offset_s == 0.0
    # Ten minutes and the slip at 41 km/s.
    assert trajectory.label_distance_km == pytest.approx(25000, rel=0.05)


def test_directions_of_sun_and_earth() -> None:
    # Opposition of 26 September 2022, quadrature of 22 December: the phase angle is 0.2 and 11 degrees.
    angles = []
    for utc in ("2022-09-26T19:33:00", "2022-12-22T00:00:00"):
        sun, earth = (direction_from_jupiter(body, utc_to_et(utc)) for body in ("Sun", "Earth"))
        assert np.linalg.norm(sun) == pytest.approx(1.0)
        assert np.linalg.norm(earth) == pytest.approx(1.0)
        angles.append(np.degrees(np.arccos(sun @ earth)))
    assert angles[0] < 0.4
    assert angles[1] == pytest.approx(11.3, abs=0.3)
    # On 26 September 2022 Jupiter stood in Pisces, at right ascension 0 h 10 m, declination -0.5 degrees.
    toward_jupiter = -direction_from_jupiter("Earth", utc_to_et("2022-09-26T19:33:00"))
    assert np.degrees(np.arctan2(toward_jupiter[1], toward_jupiter[0])) == pytest.approx(2.5, abs=1.5)
    assert np.degrees(np.arcsin(toward_jupiter[2])) == pytest.approx(-0.5, abs=0.6)
