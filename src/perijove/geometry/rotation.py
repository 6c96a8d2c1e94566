"""Rotations of vectors, as matrices."""

from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_CYCLE = {"x": (0, 1, 2), "y": (1, 2, 0), "z": (2, 0, 1)}


def rotation_about(axis: Literal["x", "y", "z"], angle_rad: npt.ArrayLike) -> Floats:
    """Matrices that rotate vectors counter-clockwise about a coordinate axis.

    Parameters
    ----------
    axis : {"x", "y", "z"}
    angle_rad : array_like, (...)

    Returns
    -------
    ndarray, (..., 3, 3)

    Examples
    --------
    >>> rotation_about("z", np.pi / 2).round() @ [1, 0, 0]
    array([0., 1., 0.])
    """
    angle = np.asarray(angle_rad, float)
    i, j, k = _CYCLE[axis]
    c, s = np.cos(angle), np.sin(angle)
    m = np.zeros((*angle.shape, 3, 3))
    m[..., i, i] = 1.0
    m[..., j, j], m[..., j, k] = c, -s
    m[..., k, j], m[..., k, k] = s, c
    return m


def rotation_vector_matrix(vector_rad: npt.ArrayLike) -> Floats:
    """Matrices that rotate by ``|vector|`` radians about ``vector`` (Rodrigues).

    Parameters
    ----------
    vector_rad : array_like, (..., 3)

    Returns
    -------
    ndarray, (..., 3, 3)
    """
    v = np.asarray(vector_rad, float)
    angle = np.linalg.norm(v, axis=-1)[..., None, None]
    cross = np.zeros((*v.shape[:-1], 3, 3))
    cross[..., 0, 1], cross[..., 0, 2] = -v[..., 2], v[..., 1]
    cross[..., 1, 0], cross[..., 1, 2] = v[..., 2], -v[..., 0]
    cross[..., 2, 0], cross[..., 2, 1] = -v[..., 1], v[..., 0]
    # sinc keeps the small-angle limit exact.
    half = np.sinc(angle / (2 * np.pi)) ** 2 / 2
    return np.asarray(np.eye(3) + np.sinc(angle / np.pi) * cross + half * (cross @ cross))


def rotation_vector(matrices: npt.ArrayLike) -> Floats:
    """Axis times angle of rotations by less than half a turn; the inverse of `rotation_vector_matrix`.

    Parameters
    ----------
    matrices : array_like, (..., 3, 3)

    Returns
    -------
    ndarray, (..., 3)
        Radians.

    Examples
    --------
    >>> rotation_vector(rotation_about("y", 0.5))
    array([0. , 0.5, 0. ])
    """
    m = np.asarray(matrices, float)
    odd = np.stack([m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]], axis=-1) / 2
    sine = np.linalg.norm(odd, axis=-1)
    angle = np.arctan2(sine, (np.trace(m, axis1=-2, axis2=-1) - 1) / 2)
    return np.asarray(odd / np.sinc(angle / np.pi)[..., None])


def nearest_rotation(matrices: npt.ArrayLike) -> Floats:
    """Rotations nearest to matrices that are rotations but for the digits they were printed with.

    Parameters
    ----------
    matrices : array_like, (..., 3, 3)

    Returns
    -------
    ndarray, (..., 3, 3)
    """
    left, _, right = np.linalg.svd(np.asarray(matrices, float))
    return np.asarray(left @ right)


def frame_with_z(axis: npt.ArrayLike, towards: npt.ArrayLike) -> Floats:
    """Right-handed frame whose +Z is ``axis`` and whose +X leans ``towards`` a second vector.

    Returns
    -------
    ndarray, (3, 3)
        Columns are the frame's axes: the matrix takes vectors of the frame to the outer frame.
    """
    z = np.asarray(axis, float)
    z = z / np.linalg.norm(z)
    y = np.cross(z, np.asarray(towards, float))
    y /= np.linalg.norm(y)
    return np.stack([np.cross(y, z), y, z], axis=1)
