"""Pointing from the image itself: limb points, least squares with priors.

The attitude is a base (spin model or CK) times small corrections; every physical cause of an error is a named
parameter with a prior of its known size, so that the covariance says honestly what the image could not tell.
Roll about the direction to Jupiter is the weak one: the limb of a nearly round planet hardly feels it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.archive.label import ImageLabel
from perijove.constants import FOCAL_LENGTH_PX, LIGHT_SPEED_KM_S
from perijove.errors import GeometryError
from perijove.geometry.attitude import SPIN_RATE_SPREAD_RAD_S, TURN_PER_FRAME_RAD, Attitude
from perijove.geometry.camera import (
    MOUNTING_CONE_SIGMA_RAD,
    MOUNTING_TWIST_SIGMA_RAD,
    PRINCIPAL_ROW_PX,
    PRINCIPAL_ROW_SIGMA_PX,
    Camera,
    spacecraft_to_camera,
)
from perijove.geometry.ellipsoid import limb_altitude_km
from perijove.geometry.ephemeris import Trajectory, mid_time
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.pointing import Pointing
from perijove.geometry.rotation import rotation_about, rotation_vector_matrix
from perijove.register.limb import LimbPoints

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

#: Assumed standard error of one limb point, pixels. Points are not independent of their neighbours: the value is
#: several times their scatter, so that many of them do not pretend to know too much.
LIMB_SIGMA_PX: Final = 1.0
#: Height of the half-light limb above 1 bar, km, and its spread. Fits of perijoves 43 and 44 gave 140 to 190 km.
HAZE_KM, HAZE_SIGMA_KM = 140.0, 50.0
#: How much the haze of one band may differ from the next, and vary around the limb (orders 1 to 3), km.
HAZE_BAND_SIGMA_KM: Final = 15.0
HAZE_SHAPE_SIGMA_KM: Final = 10.0
_HAZE_ORDERS: Final = (1, 2, 3)
#: Standard errors of the timing parameters, seconds: start jitter and inter-frame error (instrument kernel), and
#: position along track.
START_JITTER_S: Final = 0.020
FRAME_DELAY_SIGMA_S: Final = 0.001
#: Priors of the three turns, radians, when nothing is known, and when a CK was read: it leaves little to correct but
#: the moment of the exposure, which moves the turn about the spin axis.
FREE_TURN_RAD: Final = (np.pi, np.pi, np.pi)
MEASURED_TURN_RAD: Final = (2e-4, 0.21 * START_JITTER_S, 2e-4)
#: Below this many limb points the limb is not relied upon; a fit that leaves a larger median residual is refused.
MIN_LIMB_POINTS: Final = 200
MAX_MEDIAN_RESIDUAL_PX: Final = 1.5

#: Residual beyond which a limb point pulls like a line, not like a square, pixels.
_SOFT_PX: Final = 0.25
#: Residuals beyond which points are thrown out, round after round, pixels.
_REJECT_ROUNDS_PX: Final = (12.0, 4.0, 2.0)


@dataclass(frozen=True)
class Parameter:
    """A solved quantity: its value, standard error, prior's standard error and unit."""

    value: float
    sigma: float
    prior_sigma: float
    unit: str


@dataclass(frozen=True)
class AxisPrior:
    """What is known of the spin axis before the image is looked at.

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
    """Everything a fit needs to know.

    Attributes
    ----------
    label : ImageLabel
    et : ndarray, (frames,)
        Effective times of the frames as the label has them.
    trajectory : Trajectory
    sun, earth : ndarray, (3,)
    attitude : Attitude
        Base attitude at ``et``.
    axis_prior : AxisPrior
    limb : LimbPoints
    turn_sigma_rad : tuple of float
        Priors of the turns about the direction to Jupiter, about the spin axis, and across both.
    trajectory_sigma_s : float
        Prior of the along-track offset.
    """

    label: ImageLabel
    et: Floats
    trajectory: Trajectory
    sun: Floats
    earth: Floats
    attitude: Attitude
    axis_prior: AxisPrior
    limb: LimbPoints
    turn_sigma_rad: tuple[float, float, float] = FREE_TURN_RAD
    trajectory_sigma_s: float = 0.1


def cameras_of(label: ImageLabel) -> dict[str, Camera]:
    """Cameras of an image's bands, with the moved methane window and the solved principal row."""
    return {
        band: Camera.for_band(
            band, label.sampling_factor, label.methane_distortion_y_px if band == "METHANE" else None
        ).with_principal_row(PRINCIPAL_ROW_PX)
        for band in label.bands
    }


@dataclass(frozen=True)
class Solution:
    """A solved pointing.

    Attributes
    ----------
    pointing : Pointing
    parameters : mapping of str to Parameter
    residual_px : ndarray, (n,)
        Of the limb points that were used, signed, positive outside the solved limb.
    residual_band : ndarray of int, (n,)
    rejected : int
        Limb points that were thrown out.
    spin_axis : ndarray, (3,)
        J2000.
    spin_axis_sigma_rad : float
        Standard error of its worse direction.
    spin_rate_rad_s : float
    """

    pointing: Pointing
    parameters: Mapping[str, Parameter]
    residual_px: Floats
    residual_band: Integers
    rejected: int
    spin_axis: Floats
    spin_axis_sigma_rad: float
    spin_rate_rad_s: float


class _Model:
    """The residuals of a problem as a function of the parameter vector."""

    def __init__(self, problem: Problem) -> None:
        self.problem = p = problem
        self.bands = p.label.bands
        self.cameras = cameras_of(p.label)
        self.middle = mid_time(p.label)
        self.seconds = p.et - self.middle
        self.position, self.velocity = p.trajectory.state(p.et)
        light_time = np.linalg.norm(self.position, axis=-1) / LIGHT_SPEED_KM_S
        self.fixed = j2000_to_jupiter(p.et - light_time)
        self.rate = TURN_PER_FRAME_RAD / float(np.median(np.diff(p.et))) if len(p.et) > 1 else 0.0
        target = -p.trajectory.state(self.middle)[0]
        self.range_km = float(np.linalg.norm(target))
        self.target = target / self.range_km
        # Turns about the target, about the spin axis, and about what is square to both.
        across = np.cross(p.attitude.spin_axis, self.target)
        across /= np.linalg.norm(across)
        self.turn_axes = np.stack([self.target, p.attitude.spin_axis, across])
        self._name_parameters()
        self.limb_used = np.ones(len(p.limb), bool)
        self.limb_camera = self._camera_vectors(p.limb.band, p.limb.x, p.limb.y)
        self.limb_angle = self._limb_angles() if len(p.limb) else np.zeros(0)

    def _name_parameters(self) -> None:
        p = self.problem
        turn = p.turn_sigma_rad
        rows = [
            ("roll_about_target", 0.0, turn[0], "rad"),
            ("turn_along_scan", 0.0, turn[1], "rad"),
            ("turn_across_scan", 0.0, turn[2], "rad"),
            ("spin_rate_offset", 0.0, 1e-5 if p.attitude.measured else SPIN_RATE_SPREAD_RAD_S, "rad/s"),
            ("mounting_twist", 0.0, MOUNTING_TWIST_SIGMA_RAD, "rad"),
            ("mounting_cone", 0.0, MOUNTING_CONE_SIGMA_RAD, "rad"),
            ("principal_row", PRINCIPAL_ROW_PX, PRINCIPAL_ROW_SIGMA_PX, "px"),
            ("start_time_offset", 0.0, START_JITTER_S, "s"),
            ("frame_delay_error", 0.0, FRAME_DELAY_SIGMA_S, "s"),
            ("trajectory_offset", 0.0, p.trajectory_sigma_s, "s"),
            ("limb_height", HAZE_KM, HAZE_SIGMA_KM, "km"),
        ]
        rows += [(f"limb_height_{band.lower()}", 0.0, HAZE_BAND_SIGMA_KM, "km") for band in self.bands]
        rows += [
            (f"limb_shape_{wave}{order}", 0.0, HAZE_SHAPE_SIGMA_KM, "km")
            for order in _HAZE_ORDERS
            for wave in ("cos", "sin")
        ]
        self.names = [row[0] for row in rows]
        self.prior_mean = np.array([row[1] for row in rows])
        self.prior_sigma = np.array([row[2] for row in rows])
        self.units = [row[3] for row in rows]
        self.at = {name: i for i, name in enumerate(self.names)}

    def _camera_vectors(self, band: Integers, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Directions of pixels, and their derivatives by the principal row, (n, 3) each."""
        here, derivative = np.zeros((2, len(x), 3))
        for index, name in enumerate(self.bands):
            of_band = band == index
            camera = self.cameras[name]
            here[of_band] = camera.directions(x[of_band], y[of_band])
            ahead = camera.with_principal_row(1.0).directions(x[of_band], y[of_band])
            derivative[of_band] = ahead - here[of_band]
        return here, derivative

    def _limb_angles(self) -> Floats:
        """Angle of each limb point around the disc, from the projected north pole of Jupiter."""
        frame = self.problem.limb.frame
        attitude = self.camera_to_j2000(self.prior_mean)[frame]
        seen = np.einsum("nij,nj->ni", attitude, self.limb_camera[0])
        pole = self.fixed[0][2]
        up = pole - (pole @ self.target) * self.target
        up /= np.linalg.norm(up)
        return np.asarray(np.arctan2(seen @ np.cross(self.target, up), seen @ up))

    def delays(self, x: Floats) -> Floats:
        """Seconds by which each frame is late against the label."""
        frames = np.arange(len(self.seconds))
        return np.asarray(x[self.at["start_time_offset"]] + x[self.at["frame_delay_error"]] * frames)

    def camera_to_j2000(self, x: Floats) -> Floats:
        """Camera to J2000 for each frame."""
        turn = rotation_vector_matrix(x[:3] @ self.turn_axes)
        spin = self.rate * self.delays(x) + x[3] * self.seconds
        mounting = spacecraft_to_camera(x[self.at["mounting_twist"]], x[self.at["mounting_cone"]]).T
        base = self.problem.attitude.spacecraft_to_j2000
        return np.asarray(turn @ base @ rotation_about("z", spin) @ mounting)

    def positions(self, x: Floats) -> Floats:
        """Juno at each frame, J2000, km."""
        return np.asarray(self.position + self.velocity * (self.delays(x) + x[self.at["trajectory_offset"]])[:, None])

    def _seen(self, x: Floats, vectors: tuple[Floats, Floats], frame: Integers) -> Floats:
        """Unit vectors in J2000, aberration removed."""
        direction = vectors[0] + (x[self.at["principal_row"]] - PRINCIPAL_ROW_PX) * vectors[1]
        seen = np.einsum("nij,nj->ni", self.camera_to_j2000(x)[frame], direction)
        seen = seen - self.velocity[frame] / LIGHT_SPEED_KM_S
        return np.asarray(seen / np.linalg.norm(seen, axis=-1, keepdims=True))

    def limb_residuals(self, x: Floats) -> Floats:
        """Signed distances of all limb points from the solved limb, pixels."""
        limb = self.problem.limb
        seen = self._seen(x, self.limb_camera, limb.frame)
        fixed = self.fixed[limb.frame]
        origin = np.einsum("nij,nj->ni", fixed, self.positions(x)[limb.frame])
        altitude, distance = limb_altitude_km(origin, np.einsum("nij,nj->ni", fixed, seen))
        height = x[self.at["limb_height"]] + x[self.at["limb_height"] + 1 + limb.band]
        first = self.at[f"limb_shape_cos{_HAZE_ORDERS[0]}"]
        for n, order in enumerate(_HAZE_ORDERS):
            height = height + x[first + 2 * n] * np.cos(order * self.limb_angle)
            height = height + x[first + 2 * n + 1] * np.sin(order * self.limb_angle)
        return np.asarray((altitude - height) / distance * self._focal)

    @property
    def _focal(self) -> float:
        return FOCAL_LENGTH_PX / self.problem.label.sampling_factor

    def spin_axis(self, x: Floats) -> Floats:
        """Solved spin axis, J2000."""
        return np.asarray(rotation_vector_matrix(x[:3] @ self.turn_axes) @ self.problem.attitude.spin_axis)

    def residuals(self, x: Floats) -> Floats:
        """All residuals over their standard errors: the priors, the limb robustly, the spin axis."""
        limb = self.limb_residuals(x)[self.limb_used]
        prior = self.problem.axis_prior
        return np.concatenate(
            [
                (x - self.prior_mean) / self.prior_sigma,
                _soft(limb / _SOFT_PX) * _SOFT_PX / LIMB_SIGMA_PX,
                (self.spin_axis(x) - prior.axis) / prior.sigma_rad,
            ]
        )


def _soft(r: Floats) -> Floats:
    """Residuals whose squares are the soft L1 loss: outliers pull like a line, not like a square."""
    return np.asarray(np.sign(r) * np.sqrt(2 * (np.sqrt(1 + r * r) - 1)))


def solve(problem: Problem) -> Solution:
    """Fit the pointing of one image.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    Solution
        With an empty limb the priors come back, and their covariance says so.

    Raises
    ------
    GeometryError
        If the limb does not fit the planet.
    """
    from scipy.optimize import least_squares

    model = _Model(problem)
    x = model.prior_mean.copy()
    # Steps of a milliradian or millisecond, kilometres for the heights: what moves the limb by about a pixel.
    scale = np.where(np.array(model.units) == "km", model.prior_sigma, np.minimum(model.prior_sigma, 1e-3))
    for limit in _REJECT_ROUNDS_PX:
        fit = least_squares(model.residuals, x, x_scale=scale, method="lm")
        x = fit.x
        if not len(problem.limb):
            break
        residual = model.limb_residuals(x)
        model.limb_used = np.abs(residual) < limit
        median = float(np.median(np.abs(residual)))
        if np.count_nonzero(model.limb_used) < len(problem.limb) / 2 or median > MAX_MEDIAN_RESIDUAL_PX:
            raise GeometryError(
                f"the limb of {problem.label.product_id} does not fit Jupiter: median residual {median:.1f} px over "
                f"{len(problem.limb)} points; check that the label belongs to the image, or give another image of "
                "the perijove with --with"
            )
    return _solution(model, x, np.linalg.inv(fit.jac.T @ fit.jac))


def _solution(model: _Model, x: Floats, covariance: Floats) -> Solution:
    problem, at = model.problem, model.at
    sigma = np.sqrt(np.diag(covariance))
    rows = zip(model.names, x, sigma, model.prior_sigma, model.units, strict=True)
    delays = model.delays(x)
    position, velocity = problem.trajectory.state(problem.et + delays + x[at["trajectory_offset"]])
    moved = float(x[at["principal_row"]] - PRINCIPAL_ROW_PX)
    pointing = Pointing(
        problem.et + delays,
        model.camera_to_j2000(x),
        position,
        velocity,
        problem.sun,
        problem.earth,
        {band: camera.with_principal_row(moved) for band, camera in model.cameras.items()},
    )
    axis = model.spin_axis(x)
    # A turn about an axis moves the spin axis by the sine of the angle between the two.
    lever = np.linalg.norm(np.cross(model.turn_axes, axis), axis=1)
    return Solution(
        pointing,
        {name: Parameter(float(v), float(s), float(p), unit) for name, v, s, p, unit in rows},
        model.limb_residuals(x)[model.limb_used],
        problem.limb.band[model.limb_used],
        int(np.count_nonzero(~model.limb_used)),
        axis,
        float(np.max(lever * sigma[:3])),
        float(model.rate + x[at["spin_rate_offset"]]),
    )
