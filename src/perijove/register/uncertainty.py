"""How well a solved pointing is known, carried to pixels and to the ground."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.geometry.pointing import Pointing
from perijove.geometry.rotation import rotation_about, rotation_vector_matrix
from perijove.register.solve import Solution

Floats = npt.NDArray[np.float64]

#: Parameters that move pixels over the ground; the others describe the limb.
GEOMETRIC: Final = (
    "roll_about_target",
    "turn_along_scan",
    "turn_across_scan",
    "spin_rate_offset",
    "mounting_twist",
    "mounting_cone",
    "principal_row",
    "trajectory_offset",
    "trajectory_radial",
    "trajectory_normal",
    "start_time_offset",
    "frame_delay_error",
    "phase",
    "axis_drift_roll",
    "axis_drift_across",
)


def geometric_covariance(solution: Solution) -> tuple[list[str], Floats]:
    """Names and covariance of the parameters that move pixels over the ground."""
    names = list(solution.parameters)
    kept = [name for name in GEOMETRIC if name in solution.parameters]
    places = [names.index(name) for name in kept]
    return kept, solution.covariance[np.ix_(places, places)]


def moved(solution: Solution, change: Mapping[str, float]) -> Pointing:
    """The pointing that small changes of parameters would give, to first order.

    Parameters
    ----------
    solution : Solution
    change : mapping of str to float
        Of geometric parameters, in their units.

    Returns
    -------
    Pointing
        With the frame times of the solution.
    """
    pointing = solution.pointing
    seconds = pointing.et - solution.spin_epoch
    frames = np.arange(pointing.frames)
    late = change.get("start_time_offset", 0.0) + change.get("frame_delay_error", 0.0) * frames
    spin = solution.spin_rate_rad_s * late + change.get("spin_rate_offset", 0.0) * seconds + change.get("phase", 0.0)
    hours = (float(pointing.et.mean()) - solution.axis_epoch) / 3600.0
    about_target = change.get("roll_about_target", 0.0) + hours * change.get("axis_drift_roll", 0.0)
    about_across = change.get("turn_across_scan", 0.0) + hours * change.get("axis_drift_across", 0.0)
    turn = np.array([about_target, change.get("turn_along_scan", 0.0), about_across]) @ solution.turn_axes
    outer = rotation_vector_matrix(turn) @ rotation_vector_matrix(spin[:, None] * solution.spin_axis)
    mounting = rotation_about("z", change.get("mounting_twist", 0.0)) @ rotation_about(
        "y", change.get("mounting_cone", 0.0)
    )
    late = late + change.get("trajectory_offset", 0.0)
    radial = pointing.position_km[pointing.mid_frame]
    normal = np.cross(radial, pointing.velocity_km_s[pointing.mid_frame])
    across = change.get("trajectory_radial", 0.0) * radial / np.linalg.norm(radial)
    across = across + change.get("trajectory_normal", 0.0) * normal / np.linalg.norm(normal)
    rows = change.get("principal_row", 0.0)
    return replace(
        pointing,
        camera_to_j2000=outer @ pointing.camera_to_j2000 @ mounting.T,
        position_km=pointing.position_km + pointing.velocity_km_s * late[:, None] + across,
        cameras={band: camera.with_principal_row(rows) for band, camera in pointing.cameras.items()},
    )


def likely_pointings(solution: Solution) -> Iterator[Pointing]:
    """Pointings that lie one standard error off along each principal axis of the covariance.

    The squares of what they change, summed, are the variance of anything that depends on the pointing smoothly.
    """
    names, covariance = geometric_covariance(solution)
    # Units differ by orders of magnitude: the axes are those of the correlation.
    sigma = np.sqrt(np.diag(covariance))
    sigma = np.where(sigma > 0, sigma, 1.0)
    values, vectors = np.linalg.eigh(covariance / np.outer(sigma, sigma))
    for value, vector in zip(values, vectors.T, strict=True):
        step = np.sqrt(max(float(value), 0.0)) * vector * sigma
        yield moved(solution, dict(zip(names, step.tolist(), strict=True)))


def pixel_sigma(solution: Solution, band: str, frame: npt.ArrayLike, ground_km: npt.ArrayLike) -> Floats:
    """Standard errors of where ground points are seen.

    Parameters
    ----------
    solution : Solution
    band : str
    frame : array_like of int, (...)
    ground_km : array_like, (..., 3)
        Body-fixed.

    Returns
    -------
    ndarray, (..., 2)
        Along columns and rows, pixels; NaN where the point is not seen.
    """
    here = np.stack(solution.pointing.pixels(band, frame, ground_km), axis=-1)
    variance = np.zeros(here.shape)
    for pointing in likely_pointings(solution):
        variance += (np.stack(pointing.pixels(band, frame, ground_km), axis=-1) - here) ** 2
    return np.asarray(np.sqrt(variance))


def ground_sigma_km(solution: Solution, band: str, frame: npt.ArrayLike, x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
    """Standard error of the ground points that pixels see.

    Parameters
    ----------
    solution : Solution
    band : str
    frame : array_like of int, (...)
    x, y : array_like, (...)
        Pixel coordinates.

    Returns
    -------
    ndarray, (...)
        Root of the variance along the ground, both directions together, km; NaN for sky.
    """
    here = solution.pointing.ground(band, frame, x, y)
    variance = np.zeros(here.shape[:-1])
    for pointing in likely_pointings(solution):
        variance += np.sum((pointing.ground(band, frame, x, y) - here) ** 2, axis=-1)
    return np.asarray(np.sqrt(variance))
