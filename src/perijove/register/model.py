"""What limb points and ties of a pass say about its pointing, as residuals of named parameters.

The attitude is a base (spin model or CK) times small corrections. All images of a pass share the spacecraft: its
spin axis and rate, the camera's mounting, the trajectory, the haze. Each has a phase and a clock of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.archive.label import ImageLabel
from perijove.constants import FOCAL_LENGTH_PX, LIGHT_SPEED_KM_S
from perijove.geometry.attitude import SPIN_RATE_SPREAD_RAD_S, Attitude
from perijove.geometry.camera import (
    MOUNTING_CONE_SIGMA_RAD,
    MOUNTING_TWIST_SIGMA_RAD,
    PRINCIPAL_ROW_PX,
    PRINCIPAL_ROW_SIGMA_PX,
    TDI_NUMBERINGS,
    Camera,
    spacecraft_to_camera,
    tdi_shift_px,
)
from perijove.geometry.ellipsoid import intersect, limb_altitude_km, normals
from perijove.geometry.ephemeris import Trajectory, mid_time
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.pointing import Pointing, ground_from_apparent, turned_by_light_time
from perijove.geometry.rotation import rotation_about, rotation_vector_matrix
from perijove.register.limb import LimbPoints
from perijove.register.ties import Ties

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Assumed standard error of one limb point, pixels. Points are not independent of their neighbours: the value is
#: several times their scatter, so that many of them do not pretend to know too much.
LIMB_SIGMA_PX: Final = 1.5
#: Height of the half-light limb above 1 bar, km, and its spread. Fits of perijoves 43 and 44 gave 140 to 190 km.
HAZE_KM, HAZE_SIGMA_KM = 140.0, 50.0
#: By how much the haze of a band lies above that of all, and its spread (in methane only high haze is bright: 44M00040
#: has its limb at 300 km); how much it varies with latitude (Legendre polynomials of its sine, degrees 1 to 4), and
#: drops towards the terminator, km.
HAZE_BAND_KM: Final = {"METHANE": (150.0, 60.0), "BLUE": (0.0, 15.0), "GREEN": (0.0, 15.0), "RED": (0.0, 15.0)}
HAZE_LATITUDE_SIGMA_KM: Final = 8.0
#: How far outside the half-light limb the steepest point is found, pixels: the optics and the smoothing
#: round the step. On simulated images it is 0.2 px, on a sharp step none.
LIMB_EDGE_SIGMA_PX: Final = 0.2
HAZE_LIGHT_SIGMA_KM: Final = 10.0
_HAZE_DEGREES: Final = (1, 2, 3, 4)
#: Standard errors of the timing parameters, seconds: start jitter (instrument kernel), and inter-frame error: the
#: frames of 44M00040 are 3 ms further apart than those of 44C00029 and 44C00032, by labels that say the same.
START_JITTER_S: Final = 0.020
FRAME_DELAY_SIGMA_S: Final = 0.002
#: How the spin axis may wander in a pass, radians an hour, and how far the images' phases may be off their start.
AXIS_DRIFT_SIGMA_RAD_H: Final = 5e-5
FREE_PHASE_RAD: Final = 0.1
#: Nutation and uneven turning: how far the phases may be off a steady spin.
STEADY_PHASE_RAD: Final = 1e-4
#: Priors of the three turns, radians, when nothing is known, and when a CK was read: it leaves little to correct but
#: the moment of the exposure, which moves the turn about the spin axis.
FREE_TURN_RAD: Final = (np.pi, np.pi, np.pi)
MEASURED_TURN_RAD: Final = (2e-4, 0.21 * START_JITTER_S, 2e-4)
#: Of all ties of an image or a pair, so many err independently: matching between bands is biased by up to 0.015 px.
INDEPENDENT_TIES: Final = 60
#: Residuals beyond which a limb point or a tie pulls like a line, not like a square, pixels.
_SOFT_LIMB_PX: Final = 0.25
_SOFT_TIE_PX: Final = 0.3


@dataclass(frozen=True)
class AxisPrior:
    """What is known of the spin axis before the images are looked at.

    Attributes
    ----------
    axis : ndarray, (3,)
        J2000.
    sigma_rad : float
    source : str
    """

    axis: Floats
    sigma_rad: float
    source: str


@dataclass(frozen=True)
class Problem:
    """What a fit needs to know of one image.

    Attributes
    ----------
    label : ImageLabel
    et : ndarray, (frames,)
        Middle of the exposures as the label has it.
    trajectory : Trajectory
    sun, earth : ndarray, (3,)
    attitude : Attitude
        Base attitude at ``et``.
    rate_rad_s : float
        Base spin rate.
    limb : LimbPoints
    limb_trusted : bool
        False where the limb could not be told from noise: only points near the predicted limb are used.
    ties : Ties
        Within the image.
    phase_sigma_rad : float
        Prior of its phase against that of the first image.
    tdi_numbering : str
        One of ``TDI_NUMBERINGS``.
    """

    label: ImageLabel
    et: Floats
    trajectory: Trajectory
    sun: Floats
    earth: Floats
    attitude: Attitude
    rate_rad_s: float
    limb: LimbPoints
    limb_trusted: bool = True
    ties: Ties = field(default_factory=Ties.none)
    phase_sigma_rad: float = FREE_PHASE_RAD
    tdi_numbering: str = TDI_NUMBERINGS[0]


@dataclass(frozen=True)
class Link:
    """Ties between two images of a pass.

    Attributes
    ----------
    first, second : int
        Index of the image that holds ``a`` of the ties, and ``b``.
    ties : Ties
    """

    first: int
    second: int
    ties: Ties


@dataclass(frozen=True)
class Pass:
    """Images that are solved together.

    Attributes
    ----------
    images : tuple of Problem
        The first is the one that turns refer to.
    axis_prior : AxisPrior
    turn_sigma_rad : tuple of float
        Priors of the turns about the direction to Jupiter, about the spin axis, and across both.
    trajectory_sigma_s, trajectory_sigma_km : float
        Priors of the trajectory's offsets along track, and across it (radial and normal).
    links : tuple of Link
    spin_epoch : float or None
        TDB since which the spin has been steady: the phases of the images follow from one rate. None where the base
        attitudes know the turns between the images.
    solved_row_px : float or None
        Where attitude and trajectory are those of an earlier solution: its principal row. Only the limb is fitted then.
    """

    images: tuple[Problem, ...]
    axis_prior: AxisPrior
    turn_sigma_rad: tuple[float, float, float] = FREE_TURN_RAD
    trajectory_sigma_s: float = 0.1
    trajectory_sigma_km: float = 0.2
    links: tuple[Link, ...] = ()
    spin_epoch: float | None = None
    solved_row_px: float | None = None


def weighed(ties: Ties) -> Ties:
    """Ties with standard errors such that many of them do not pretend to know too much."""
    return replace(ties, sigma_px=ties.sigma_px * np.sqrt(max(1.0, len(ties) / INDEPENDENT_TIES)))


def cameras_of(label: ImageLabel, tdi_numbering: str = TDI_NUMBERINGS[0]) -> dict[str, Camera]:
    """Cameras of an image's bands at mid-exposure, with the moved methane window."""
    rows = tdi_shift_px(label.tdi_stages, tdi_numbering)
    return {
        band: Camera.in_flight(
            band, label.sampling_factor, label.methane_distortion_y_px if band == "METHANE" else None
        ).with_rows_shifted(rows)
        for band in label.bands
    }


Row = tuple[str, float, float, str]


def shared_rows(problem: Pass) -> list[Row]:
    """Parameters of a pass: name, prior mean, prior standard error, unit."""
    turn = problem.turn_sigma_rad
    measured = problem.images[0].attitude.measured
    rows: list[Row] = [
        ("roll_about_target", 0.0, turn[0], "rad"),
        ("turn_along_scan", 0.0, turn[1], "rad"),
        ("turn_across_scan", 0.0, turn[2], "rad"),
        ("spin_rate_offset", 0.0, 1e-5 if measured else SPIN_RATE_SPREAD_RAD_S, "rad/s"),
        ("mounting_twist", 0.0, MOUNTING_TWIST_SIGMA_RAD, "rad"),
        ("mounting_cone", 0.0, MOUNTING_CONE_SIGMA_RAD, "rad"),
        ("principal_row", _principal_row(problem), PRINCIPAL_ROW_SIGMA_PX, "px"),
        ("trajectory_offset", 0.0, problem.trajectory_sigma_s, "s"),
        ("trajectory_radial", 0.0, problem.trajectory_sigma_km, "km"),
        ("trajectory_normal", 0.0, problem.trajectory_sigma_km, "km"),
        ("limb_height", HAZE_KM, HAZE_SIGMA_KM, "km"),
    ]
    rows += [(f"limb_height_{band.lower()}", *HAZE_BAND_KM[band], "km") for band in bands_of(problem)]
    rows += [(f"limb_height_latitude_{degree}", 0.0, HAZE_LATITUDE_SIGMA_KM, "km") for degree in _HAZE_DEGREES]
    rows.append(("limb_height_light", 0.0, HAZE_LIGHT_SIGMA_KM, "km"))
    rows.append(("limb_edge", 0.0, LIMB_EDGE_SIGMA_PX, "px"))
    if len(problem.images) > 1:
        rows += [(f"axis_drift_{way}", 0.0, AXIS_DRIFT_SIGMA_RAD_H, "rad/h") for way in ("roll", "across")]
    return rows


def _principal_row(problem: Pass) -> float:
    return PRINCIPAL_ROW_PX if problem.solved_row_px is None else problem.solved_row_px


def own_rows(image: Problem, reference: bool) -> list[Row]:
    """Parameters of one image. The phase of the reference is told by the turns."""
    rows: list[Row] = [
        ("start_time_offset", 0.0, START_JITTER_S, "s"),
        ("frame_delay_error", 0.0, FRAME_DELAY_SIGMA_S, "s"),
    ]
    return rows if reference else [*rows, ("phase", 0.0, image.phase_sigma_rad, "rad")]


def bands_of(problem: Pass) -> tuple[str, ...]:
    """Bands of all images, in the order in which they come."""
    return tuple(dict.fromkeys(band for image in problem.images for band in image.label.bands))


@dataclass(frozen=True)
class Sights:
    """Directions of pixels in the camera frame, and their derivatives by the principal row.

    Attributes
    ----------
    frame : ndarray of int, (n,)
    direction, by_row : ndarray, (n, 3)
    """

    frame: Integers
    direction: Floats
    by_row: Floats


class ImageModel:
    """The residuals of one image as a function of the parameters it depends on.

    Parameters
    ----------
    image : Problem
    names : sequence of str
        Of the parameters, in the order of the vectors that the methods take.
    turn_axes : ndarray, (3, 3)
        Axes of the three turns, J2000.
    epoch : float
        TDB from which the spin axis drifts.
    spin_epoch : float, optional
        TDB from which an error of the spin rate adds up; by default the middle of the image.
    """

    def __init__(
        self,
        image: Problem,
        names: Sequence[str],
        turn_axes: Floats,
        epoch: float,
        spin_epoch: float | None = None,
    ) -> None:
        self.image = image
        self.at = {name: i for i, name in enumerate(names)}
        self.turn_axes = turn_axes
        self.cameras = cameras_of(image.label, image.tdi_numbering)
        self.focal = FOCAL_LENGTH_PX / image.label.sampling_factor
        self.middle = mid_time(image.label)
        self.axis_epoch = epoch
        self.spin_epoch = self.middle if spin_epoch is None else spin_epoch
        self.hours = (self.middle - epoch) / 3600.0
        self.spun_s = image.et - self.spin_epoch
        self.position, self.velocity = image.trajectory.state(image.et)
        self.j2000_to_fixed = j2000_to_jupiter(image.et)
        light_time = np.linalg.norm(self.position, axis=-1) / LIGHT_SPEED_KM_S
        self.fixed_at_limb = j2000_to_jupiter(image.et - light_time)
        self.sun_fixed = self.fixed_at_limb[len(image.et) // 2] @ image.sun
        self.rate = image.rate_rad_s
        middle = len(image.et) // 2
        self.radial = self.position[middle] / np.linalg.norm(self.position[middle])
        normal = np.cross(self.radial, self.velocity[middle])
        self.normal = normal / np.linalg.norm(normal)
        limb, ties = image.limb, image.ties
        self.limb = self.sights(limb.frame, limb.band, limb.x, limb.y)
        self.tie_from = self.sights(ties.frame_a, ties.band_a, ties.x_a, ties.y_a)
        self.tie_to = self.sights(ties.frame_b, ties.band_b, ties.x_b, ties.y_b)
        self.limb_used = np.ones(len(limb), bool)
        self.ties_used = np.ones(len(ties), bool)
        bands = [f"limb_height_{band.lower()}" for band in image.label.bands]
        self.band_height = np.array([self.at[name] for name in bands])[limb.band]

    def sights(self, frame: Integers, band: Integers, x: Floats, y: Floats) -> Sights:
        """Where pixels look."""
        here, derivative = np.zeros((2, len(x), 3))
        for index, camera in enumerate(self.cameras.values()):
            of_band = band == index
            here[of_band] = camera.directions(x[of_band], y[of_band])
            ahead = camera.with_principal_row(1.0).directions(x[of_band], y[of_band])
            derivative[of_band] = ahead - here[of_band]
        return Sights(frame, here, derivative)

    def delays(self, v: Floats) -> Floats:
        """Seconds by which each frame is late against the label."""
        frames = np.arange(len(self.spun_s))
        return np.asarray(v[self.at["start_time_offset"]] + v[self.at["frame_delay_error"]] * frames)

    def turn(self, v: Floats) -> Floats:
        """Matrix of the turns and of the drift of the axis since the epoch."""
        turn = v[:3].copy()
        if "axis_drift_roll" in self.at:
            turn[0] += self.hours * v[self.at["axis_drift_roll"]]
            turn[2] += self.hours * v[self.at["axis_drift_across"]]
        return rotation_vector_matrix(turn @ self.turn_axes)

    def camera_to_j2000(self, v: Floats) -> Floats:
        """Camera to J2000 for each frame."""
        spin = self.rate * self.delays(v) + v[self.at["spin_rate_offset"]] * self.spun_s
        if "phase" in self.at:
            spin = spin + v[self.at["phase"]]
        mounting = spacecraft_to_camera(v[self.at["mounting_twist"]], v[self.at["mounting_cone"]]).T
        base = self.image.attitude.spacecraft_to_j2000
        return np.asarray(self.turn(v) @ base @ rotation_about("z", spin) @ mounting)

    def positions(self, v: Floats) -> Floats:
        """Juno at each frame, J2000, km."""
        late = self.delays(v) + v[self.at["trajectory_offset"]]
        across = v[self.at["trajectory_radial"]] * self.radial + v[self.at["trajectory_normal"]] * self.normal
        return np.asarray(self.position + self.velocity * late[:, None] + across)

    def spin_axis(self, v: Floats) -> Floats:
        """Spin axis at the image, J2000."""
        return np.asarray(self.turn(v) @ self.image.attitude.spin_axis)

    def seen(self, v: Floats, sights: Sights) -> Floats:
        """Where pixels look: apparent unit vectors, J2000."""
        direction = sights.direction + (v[self.at["principal_row"]] - PRINCIPAL_ROW_PX) * sights.by_row
        return np.asarray(np.einsum("nij,nj->ni", self.camera_to_j2000(v)[sights.frame], direction))

    def ground(self, v: Floats, sights: Sights) -> Floats:
        """Ground points of pixels, body-fixed at emission, km; NaN for sky."""
        fixed = self.j2000_to_fixed[sights.frame]
        true = self.seen(v, sights) - self.velocity[sights.frame] / LIGHT_SPEED_KM_S
        origin = np.einsum("nij,nj->ni", fixed, self.positions(v)[sights.frame])
        return ground_from_apparent(intersect(origin, np.einsum("nij,nj->ni", fixed, true)), origin)

    def apparent(self, v: Floats, ground_km: Floats, frame: Integers) -> Floats:
        """Where ground points are seen: apparent unit vectors, J2000."""
        fixed = self.j2000_to_fixed[frame]
        origin = np.einsum("nij,nj->ni", fixed, self.positions(v)[frame])
        true = np.einsum("nji,nj->ni", fixed, turned_by_light_time(ground_km, origin, -1.0) - origin)
        true /= np.linalg.norm(true, axis=-1, keepdims=True)
        seen = true + self.velocity[frame] / LIGHT_SPEED_KM_S
        return np.asarray(seen / np.linalg.norm(seen, axis=-1, keepdims=True))

    def offsets_px(self, v: Floats, ground_km: Floats, sights: Sights) -> Floats:
        """By how much ground points are seen beside pixels, along columns and rows, (n, 2)."""
        apart = self.apparent(v, ground_km, sights.frame) - self.seen(v, sights)
        in_camera = np.einsum("nji,nj->ni", self.camera_to_j2000(v)[sights.frame], apart)
        return np.asarray(in_camera[:, :2] / sights.direction[:, 2:] * self.focal)

    def limb_residuals(self, v: Floats) -> Floats:
        """Signed distances of all limb points from the solved limb, pixels."""
        frame = self.limb.frame
        fixed = self.fixed_at_limb[frame]
        true = self.seen(v, self.limb) - self.velocity[frame] / LIGHT_SPEED_KM_S
        true = np.einsum("nij,nj->ni", fixed, true)
        true /= np.linalg.norm(true, axis=-1, keepdims=True)
        origin = np.einsum("nij,nj->ni", fixed, self.positions(v)[frame])
        altitude, distance = limb_altitude_km(origin, true)
        up = normals(origin + distance[:, None] * true)
        outside = (altitude - self._limb_height(v, up)) / distance * self.focal
        return np.asarray(outside - v[self.at["limb_edge"]])

    def _limb_height(self, v: Floats, up: Floats) -> Floats:
        """Height of the half-light limb where the normals of the ellipsoid are ``up``, km."""
        height = v[self.at["limb_height"]] + v[self.band_height]
        first = self.at[f"limb_height_latitude_{_HAZE_DEGREES[0]}"]
        shape = np.concatenate([[0.0], v[first : first + len(_HAZE_DEGREES)]])
        height = height + np.polynomial.legendre.legval(up[:, 2], shape)
        lit = np.clip(up @ self.sun_fixed, 0.0, 1.0)
        return np.asarray(height - v[self.at["limb_height_light"]] * (1.0 - lit))

    def tie_residuals(self, v: Floats) -> Floats:
        """By how much the ground of ties is seen beside where it was matched, pixels, (n, 2)."""
        return self.offsets_px(v, self.ground(v, self.tie_from), self.tie_to)

    def residuals(self, v: Floats) -> Floats:
        """Residuals of the limb points and ties that are used, over their standard errors."""
        limb = self.limb_residuals(v)[self.limb_used]
        ties = self.tie_residuals(v)[self.ties_used] / self.image.ties.sigma_px[self.ties_used, None]
        return np.concatenate([limb / LIMB_SIGMA_PX, ties.ravel()])

    def soft(self) -> Floats:
        """Sizes of residuals beyond which they pull like a line, not like a square."""
        limb = np.full(np.count_nonzero(self.limb_used), _SOFT_LIMB_PX / LIMB_SIGMA_PX)
        return np.concatenate([limb, np.repeat(_SOFT_TIE_PX / self.image.ties.sigma_px[self.ties_used], 2)])

    def pointing(self, v: Floats) -> Pointing:
        """Camera, spacecraft and time of each frame."""
        image = self.image
        delays = self.delays(v)
        late = delays + v[self.at["trajectory_offset"]]
        velocity = image.trajectory.state(image.et + late)[1]
        moved = float(v[self.at["principal_row"]] - PRINCIPAL_ROW_PX)
        cameras = {band: camera.with_principal_row(moved) for band, camera in self.cameras.items()}
        to_j2000, position = self.camera_to_j2000(v), self.positions(v)
        return Pointing(image.et + delays, to_j2000, position, velocity, image.sun, image.earth, cameras)
