"""A flyby that never was: orbit, spin, images in time, and the truth behind their labels."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.archive.label import ImageLabel
from perijove.archive.product_id import LETTER_BANDS
from perijove.constants import INTERFRAME_DELTA_S
from perijove.errors import OptionError
from perijove.geometry.attitude import TURN_PER_FRAME_RAD
from perijove.geometry.camera import (
    MOUNTING_CONE_SIGMA_RAD,
    MOUNTING_TWIST_SIGMA_RAD,
    PRINCIPAL_ROW_PX,
    PRINCIPAL_ROW_SIGMA_PX,
    Camera,
    spacecraft_to_camera,
    tdi_shift_px,
)
from perijove.geometry.ephemeris import Trajectory, direction_from_jupiter, frame_times, mid_time
from perijove.geometry.kernels import KernelFolder, read_states
from perijove.geometry.orbit import Orbit, propagate
from perijove.geometry.pointing import Pointing
from perijove.geometry.rotation import frame_with_z, rotation_about, rotation_vector_matrix
from perijove.geometry.timescale import utc_to_et
from perijove.simulate.labels import LabelPlan, make_label
from perijove.simulate.perijoves import TILTED, perijove_utc
from perijove.simulate.scan import scan_over, view_of

Floats = npt.NDArray[np.float64]

#: Images lie within this of perijove, as most of a pass do.
SPAN_S: Final = 2.5 * 3600.0
#: Knots reach beyond the first and the last image.
_MARGIN_S: Final = 300.0
_KNOT_STEP_S: Final = 10.0
#: Spin rates over the mission, rad/s (0.2045 at perijove 1, 0.2080 at perijoves 43 and 44).
_SPIN_RAD_S: Final = (0.2035, 0.2085)
#: How well an Earth-pointed axis is pointed.
_EARTH_POINTING_RAD: Final = float(np.radians(0.02))
_TILTS_DEG: Final = (4.0, 12.0)
MAX_TILT_DEG: Final = 15.0
#: Jitter of the start of an image (instrument kernel), error of the frame delay, and nutation, for want of a source
#: below what a fit can see.
START_JITTER_S: Final = 0.020
_DELAY_SIGMA_S: Final = 2e-5
_NUTATION_RAD: Final = 1e-5
#: Precession of the axis per turn of the spacecraft: a flat body's lies between 1 and 2.
_NUTATION_PER_SPIN: Final = 1.6
#: How late the orbit runs that the labels were written from.
_LABEL_LATE_S: Final = 0.01
_MAX_IMAGES: Final = 200
#: Times that are looked at for a view of the planet, and rest between images.
_CANDIDATES: Final = 121
_PAUSE_S: Final = 30.0


@dataclass(frozen=True)
class Spin:
    """How the spacecraft was turned: a steady spin with a small nutation.

    Attributes
    ----------
    turn : ndarray, (3, 3)
        De-spun spacecraft frame to J2000; its third column is the spin axis.
    rate_rad_s : float
    epoch : float
        TDB, when the de-spun frame and the spacecraft coincide.
    nutation_rad, nutation_phase_rad : float
        Half-angle of the cone that the spacecraft's +Z describes about the axis, and where it begins.
    """

    turn: Floats
    rate_rad_s: float
    epoch: float
    nutation_rad: float = 0.0
    nutation_phase_rad: float = 0.0

    @property
    def axis(self) -> Floats:
        """Mean spin axis, J2000, (3,)."""
        return self.turn[:, 2]

    def attitude(self, et: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Spacecraft to J2000, (n, 3, 3), and angular velocity, J2000, rad/s, (n, 3)."""
        seconds = np.asarray(et, float) - self.epoch
        spun = self.turn @ rotation_about("z", self.rate_rad_s * seconds)
        pace = _NUTATION_PER_SPIN * self.rate_rad_s
        angle = pace * seconds + self.nutation_phase_rad
        circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
        tangent = np.stack([-np.sin(angle), np.cos(angle)], axis=-1)
        lean = rotation_vector_matrix(self.nutation_rad * circle @ self.turn[:, :2].T)
        rate = self.rate_rad_s * lean @ self.axis + pace * self.nutation_rad * tangent @ self.turn[:, :2].T
        return lean @ spun, np.asarray(rate)


@dataclass(frozen=True)
class Mounting:
    """What departs from the frames and instrument kernels: radians, full-resolution rows."""

    twist_rad: float
    cone_rad: float
    principal_row_px: float

    @property
    def spacecraft_to_camera(self) -> Floats:
        """Matrix, (3, 3)."""
        return spacecraft_to_camera(self.twist_rad, self.cone_rad)

    def camera(self, band: str, sampling_factor: int = 1) -> Camera:
        """Camera of a band."""
        return Camera.in_flight(band, sampling_factor, principal_row_px=self.principal_row_px)


@dataclass(frozen=True)
class SimulatedImage:
    """One image: what its label says, and what was.

    Attributes
    ----------
    label : ImageLabel
    pointing : Pointing
        The truth.
    spacecraft_to_j2000 : ndarray, (frames, 3, 3)
    start_jitter_s : float
        What the true times of all frames add to those of the label.
    delay_error_s : float
        What the true spacing of the frames adds to that of the label.
    """

    label: ImageLabel
    pointing: Pointing
    spacecraft_to_j2000: Floats
    start_jitter_s: float
    delay_error_s: float


@dataclass(frozen=True)
class Flyby:
    """All images of a perijove and what they share.

    Attributes
    ----------
    perijove : int
    perijove_et : float
    trajectory : Trajectory
        The truth, from before the first to after the last image.
    spin : Spin
    mounting : Mounting
    images : tuple of SimulatedImage
        In time order.
    label_late_s : float
        The positions in the labels are the true ones of so many seconds before.
    """

    perijove: int
    perijove_et: float
    trajectory: Trajectory
    spin: Spin
    mounting: Mounting
    images: tuple[SimulatedImage, ...]
    label_late_s: float = 0.0


@dataclass(frozen=True)
class Programme:
    """Which filters the images of a pass are taken through, and whether they are summed on board.

    Attributes
    ----------
    letters : str
        Filter letter of each image, over and over: see `perijove.archive.product_id.LETTER_BANDS`. Default: colour,
        every fifth in methane.
    sampling_factor : int
        1, or 2 for images summed 2 x 2.

    Raises
    ------
    OptionError
        If there is no such letter or factor.

    Examples
    --------
    >>> Programme("MC").bands(2)
    ('METHANE',)
    """

    letters: str = "CCCMC"
    sampling_factor: int = 1

    def __post_init__(self) -> None:
        if not self.letters or not set(self.letters) <= set(LETTER_BANDS):
            raise OptionError(f"filter letters {self.letters!r} are not some of {', '.join(LETTER_BANDS)}")
        if self.sampling_factor not in (1, 2):
            raise OptionError(f"images cannot be summed {self.sampling_factor} x {self.sampling_factor}; choose 1 or 2")

    def bands(self, index: int) -> tuple[str, ...]:
        """Bands of the image of that index, in chip order."""
        return LETTER_BANDS[self.letters[index % len(self.letters)]]


_USUAL: Final = Programme()


def plan_flyby(
    perijove: int = 44,
    images: int = 12,
    seed: int = 0,
    tilt_deg: float | None = None,
    spk: Path | None = None,
    *,
    mounting: Mounting | None = None,
    programme: Programme = _USUAL,
) -> Flyby:
    """Plan the images of a perijove as the mission does, with a truth that departs a little from the labels.

    Parameters
    ----------
    perijove : int
        1 to 60.
    images : int
    seed : int
        Every number drawn follows from it.
    tilt_deg : float, optional
        Spin axis off the Earth. Default: as the mission flew: within hundredths of a degree on most perijoves, some
        degrees on others.
    spk : Path, optional
        Trajectory to fly instead of a Juno-like one.
    mounting : Mounting, optional
        Of the camera. Default: drawn from what is known of it.
    programme : Programme, optional
        Filters and summing. Default: colour and methane, not summed.

    Returns
    -------
    Flyby

    Raises
    ------
    OptionError
        If the perijove is unknown, the SPK does not cover it, or a number is out of range.
    """
    if not 1 <= images <= _MAX_IMAGES:
        raise OptionError(f"{images} images cannot be planned; choose 1 to {_MAX_IMAGES}")
    if tilt_deg is not None and not 0.0 <= tilt_deg <= MAX_TILT_DEG:
        raise OptionError(f"a tilt of {tilt_deg} degrees is out of range; choose 0 to {MAX_TILT_DEG:g}")
    et = utc_to_et(perijove_utc(perijove))
    rng = np.random.default_rng([seed, perijove])
    trajectory = _fly(perijove, et) if spk is None else _follow(spk, et)
    spin = _draw_spin(rng, trajectory, et, _tilt(rng, perijove, tilt_deg))
    drawn = _draw_mounting(rng)
    late = float(_LABEL_LATE_S * rng.normal())
    base = Flyby(perijove, et, trajectory, spin, mounting or drawn, (), late)
    taken: list[SimulatedImage] = []
    after = -np.inf
    for index, moment in enumerate(_moments(base, images)):
        image = _plan_image(base, rng, programme, index, max(float(moment), after))
        after = float(image.pointing.et[-1]) + _PAUSE_S
        taken.append(image)
    return replace(base, images=tuple(taken))


def _fly(perijove: int, et: float) -> Trajectory:
    """Trajectory of the orbit of a perijove in the oblate field."""
    position, velocity = Orbit.of(perijove).perijove_state(et)
    ahead = np.arange(0.0, SPAN_S + _MARGIN_S, _KNOT_STEP_S)
    after, before = propagate(position, velocity, ahead), propagate(position, -velocity, ahead)
    p = np.concatenate([before[0][:0:-1], after[0]])
    v = np.concatenate([-before[1][:0:-1], after[1]])
    return Trajectory(et + np.concatenate([-ahead[:0:-1], ahead]), p, v, f"orbit {perijove}")


def _follow(spk: Path, et: float) -> Trajectory:
    knots = et + np.arange(-SPAN_S - _MARGIN_S, SPAN_S + _MARGIN_S + _KNOT_STEP_S, _KNOT_STEP_S)
    read = read_states(KernelFolder((), (), (spk,), ()), knots)
    if read is None:
        raise OptionError(f"{spk} does not cover the perijove with Juno and Jupiter; choose another perijove or SPK")
    return Trajectory(knots, read[0], read[1], spk.name)


def _tilt(rng: np.random.Generator, perijove: int, tilt_deg: float | None) -> float:
    usual = rng.uniform(*_TILTS_DEG) if perijove in TILTED else 0.0
    return float(np.radians(usual if tilt_deg is None else tilt_deg))


def _draw_spin(rng: np.random.Generator, trajectory: Trajectory, et: float, tilt_rad: float) -> Spin:
    """Axis near the Earth, tilted so that the planet stays in view, with a scatter."""
    earth = direction_from_jupiter("Earth", et)
    nadir = -trajectory.state(et)[0]
    sunward = frame_with_z(earth, nadir)
    # The camera looks across the axis: away from the nadir or towards it, whichever squares the two.
    side = -1.0 if nadir @ earth > 0 else 1.0
    towards = rng.uniform(-1.0, 1.0) + (0.0 if side > 0 else np.pi)
    about = np.array([-np.sin(towards), np.cos(towards), 0.0])
    axis = sunward @ rotation_vector_matrix(tilt_rad * about) @ [0.0, 0.0, 1.0]
    scatter = _EARTH_POINTING_RAD * sunward[:, :2] @ rng.normal(size=2)
    turn = frame_with_z(axis + scatter, nadir)
    rate = float(rng.uniform(*_SPIN_RAD_S))
    phase = rng.uniform(0.0, 2 * np.pi, 2)
    nutation = float(_NUTATION_RAD * rng.uniform(0.5, 1.5))
    return Spin(turn @ rotation_about("z", phase[0]), rate, et, nutation, float(phase[1]))


def _draw_mounting(rng: np.random.Generator) -> Mounting:
    twist, cone, row = rng.normal(size=3)
    return Mounting(
        float(MOUNTING_TWIST_SIGMA_RAD * twist),
        float(MOUNTING_CONE_SIGMA_RAD * cone),
        float(PRINCIPAL_ROW_PX + PRINCIPAL_ROW_SIGMA_PX * row),
    )


def _moments(flyby: Flyby, images: int) -> Floats:
    """Times of images, denser near perijove, where the ground changes faster, among those with the lit planet in view.

    TDB, ascending.
    """
    u = np.linspace(-1.0, 1.0, max(_CANDIDATES, 4 * images))
    times = flyby.perijove_et + SPAN_S * (0.35 * u + 0.65 * u**3)
    seen = times[[view_of(flyby, float(t)) is not None for t in times]]
    if not len(seen):
        raise OptionError(
            f"the lit planet stays outside the field of the camera at perijove {flyby.perijove} with this spin axis; "
            "choose another tilt"
        )
    if images == 1:
        return seen[len(seen) // 3 : len(seen) // 3 + 1]
    return seen[np.rint(np.linspace(0, len(seen) - 1, images)).astype(np.intp)]


def _plan_image(
    flyby: Flyby, rng: np.random.Generator, programme: Programme, index: int, moment: float
) -> SimulatedImage:
    """Image at the turn of the spacecraft nearest to a moment in which it sweeps over the planet."""
    bands = programme.bands(index)
    jitter = float(START_JITTER_S * rng.normal())
    error = float(_DELAY_SIGMA_S * rng.normal())
    delay = round(TURN_PER_FRAME_RAD / flyby.spin.rate_rad_s - INTERFRAME_DELTA_S, 3)
    scan = scan_over(flyby, bands, delay + INTERFRAME_DELTA_S, moment)
    plan = LabelPlan(flyby.perijove, index, bands, scan.frames, scan.start_et, delay, programme.sampling_factor)
    late = replace(flyby.trajectory, et=flyby.trajectory.et + flyby.label_late_s)
    label = make_label(late, plan)
    et = frame_times(label) + jitter + error * np.arange(label.frames)
    return SimulatedImage(label, *_truth(flyby, label, et), jitter, error)


def _truth(flyby: Flyby, label: ImageLabel, et: Floats) -> tuple[Pointing, Floats]:
    position, velocity = flyby.trajectory.state(et)
    attitude = flyby.spin.attitude(et)[0]
    attitude.flags.writeable = False
    to_j2000 = attitude @ flyby.mounting.spacecraft_to_camera.T
    sun, earth = (direction_from_jupiter(body, mid_time(label)) for body in ("Sun", "Earth"))
    rows = tdi_shift_px(label.tdi_stages)
    cameras = {band: flyby.mounting.camera(band, label.sampling_factor).with_rows_shifted(rows) for band in label.bands}
    return Pointing(et, to_j2000, position, velocity, sun, earth, cameras), attitude
