"""A first attitude to fit from: the planet's centre from the limb, or, without a limb, from where it is bright."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.constants import FOCAL_LENGTH_PX, JUPITER_RADII_KM
from perijove.errors import GeometryError
from perijove.geometry.camera import Camera, spacecraft_to_camera
from perijove.geometry.ellipsoid import intersect, normals
from perijove.geometry.orientation import j2000_to_jupiter
from perijove.geometry.rotation import frame_with_z, rotation_about
from perijove.register.limb import LimbPoints

Floats = npt.NDArray[np.float64]

_TRIALS: Final = 400
#: A limb point agrees with a trial circle within this many pixels: flattening and a wrong spin rate included.
_AGREE_PX: Final = 8.0
#: The disc's angular radius may differ from that of a sphere of the mean radius by this part: the flattening.
_RADIUS_TOLERANCE: Final = 0.06
_MEAN_RADIUS_KM: Final = sum(JUPITER_RADII_KM) / 3
_COARSE_STEP_DEG, _FINE_STEP_DEG = 1.0, 0.1


def target_from_limb(
    limb: LimbPoints,
    bands: tuple[str, ...],
    cameras: Mapping[str, Camera],
    spin_angle: Floats,
    range_km: float,
) -> Floats | None:
    """Direction of Jupiter's centre in the de-spun spacecraft frame.

    Limb points lie on a cone about the planet's centre; three points give a cone, and the one that most others
    agree with wins (random sample consensus).

    Parameters
    ----------
    limb : LimbPoints
    bands : tuple of str
    cameras : mapping of str to Camera
    spin_angle : ndarray, (frames,)
        Angle by which the spacecraft has turned since the epoch of the de-spun frame.
    range_km : float
        Distance to Jupiter's centre.

    Returns
    -------
    ndarray, (3,), or None
        None if the points lie on no cone. Good to a degree or so where only a part of the limb is lit: a circle
        laid through half of an ellipse is off its centre.

    Raises
    ------
    GeometryError
        If most points lie on a cone, but none of the planet's size: the distance is not this image's.
    """
    if len(limb) < 3:
        return None
    seen = np.zeros((len(limb), 3))
    for index, band in enumerate(bands):
        of_band = limb.band == index
        seen[of_band] = cameras[band].directions(limb.x[of_band], limb.y[of_band])
    to_despun = rotation_about("z", spin_angle) @ spacecraft_to_camera().T
    u = np.einsum("nij,nj->ni", to_despun[limb.frame], seen)

    triples = u[np.random.default_rng(0).integers(0, len(u), (_TRIALS, 3))]
    solvable = np.abs(np.linalg.det(triples)) > 1e-9
    planes = np.linalg.solve(triples[solvable], np.ones((np.count_nonzero(solvable), 3, 1)))[..., 0]
    cosine = 1.0 / np.linalg.norm(planes, axis=1)
    radius = np.arcsin(_MEAN_RADIUS_KM / range_km)
    focal = FOCAL_LENGTH_PX / next(iter(cameras.values())).sampling_factor
    axes = planes * cosine[:, None]
    miss_px = np.abs(u @ axes.T - cosine) / np.sqrt(1 - cosine**2) * focal
    agreeing = np.count_nonzero(miss_px < _AGREE_PX, axis=0)
    seen_radius = np.arccos(np.clip(cosine, -1, 1))
    right_size = np.abs(seen_radius - radius) < _RADIUS_TOLERANCE * radius
    best = agreeing.argmax()
    if right_size.any():
        # Three points of another circle may happen to lie on one of the right size: few others do then.
        right = np.where(right_size, agreeing, -1).argmax()
        if agreeing[best] < max(len(u) / 2, 2 * agreeing[right]):
            return np.asarray(axes[right])
    if agreeing[best] < len(u) / 2:
        return None
    raise GeometryError(
        f"the limb is a circle of {np.degrees(seen_radius[best]):.1f} degrees radius, but from {range_km:.0f} km "
        f"Jupiter's has {np.degrees(radius):.1f}; check that the label belongs to the image"
    )


def turn_from_shading(
    brightness: Floats, directions: Floats, position_km: Floats, sun: Floats, axis: Floats, et: float
) -> Floats:
    """Attitude whose lit disc looks most like the image, for a given spin axis.

    Parameters
    ----------
    brightness : ndarray, (n,)
        Of sampled pixels; bands scaled to a common mean.
    directions : ndarray, (n, 3)
        Where they look in the de-spun spacecraft frame.
    position_km, sun, axis : ndarray, (3,)
        Juno relative to Jupiter, direction of the Sun, and spin axis, J2000.
    et : float

    Returns
    -------
    ndarray, (3, 3)
        De-spun spacecraft frame to J2000. Good to a degree where sky is in view, to 20 degrees where clouds fill
        the image.
    """
    fixed = j2000_to_jupiter(et)
    base = frame_with_z(axis, -position_km)
    contrast = brightness - brightness.mean()

    def likeness(angle_deg: float) -> float:
        turn = fixed @ base @ rotation_about("z", np.radians(angle_deg))
        ground = intersect(fixed @ position_km, directions @ turn.T)
        model = np.nan_to_num(np.clip(normals(ground) @ (fixed @ sun), 0.0, None))
        model -= model.mean()
        power = np.linalg.norm(model)
        return float(model @ contrast / power) if power > 0 else -np.inf

    best = 0.0
    for step, reach in ((_COARSE_STEP_DEG, 180.0), (_FINE_STEP_DEG, 1.5 * _COARSE_STEP_DEG)):
        angles = best + np.arange(-reach, reach, step)
        best = float(angles[np.argmax([likeness(a) for a in angles])])
    return np.asarray(base @ rotation_about("z", np.radians(best)))
