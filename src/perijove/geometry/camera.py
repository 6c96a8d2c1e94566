"""The camera: where a pixel of a framelet looks, and which pixel sees a direction.

Pixel coordinates are those of the NAIF instrument kernel: (0, 0) is the outer corner of the first pixel, so
the centre of zero-based column i and framelet row j is (i + 0.5, j + 0.5). Directions are in the camera frame
JUNO_JUNOCAM: +Z is the boresight, +Y the way of increasing row, +X the way of increasing column.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from perijove.constants import (
    DISTORTION_K1,
    DISTORTION_K2,
    DISTORTION_X_PX,
    DISTORTION_Y_PX,
    FOCAL_LENGTH_PX,
)
from perijove.geometry.rotation import rotation_about

Floats = npt.NDArray[np.float64]

#: Ideal radius in pixels beyond which the distortion polynomial means nothing; the chip's corner is at 875.
MAX_IDEAL_RADIUS_PX: Final = 1100.0
#: Rounds of the fixed-point inversion of the distortion; the fifth leaves 6e-7 px at the worst corner (IK).
UNDISTORT_ROUNDS: Final = 5

# FK v1.2 states both steps from the named frame to its relative: cube to spacecraft as a matrix (written
# column by column), camera to cube as angles about axes 3, 2, 1.
_SPACECRAFT_TO_CUBE: Final = np.array(
    [
        [-0.0059163, -0.0142817, -0.9998805],
        [0.0023828, -0.9998954, 0.0142678],
        [-0.9999797, -0.0022981, 0.0059497],
    ]
)
#: Angles of the camera's frame against its cube, about Z, Y and X (FK).
CAMERA_TO_CUBE_DEG: Final = (0.69, -0.469, 0.583)

#: How rows may be numbered in TDI. The first is the default: a hot pixel of row h covers rows h to h + N - 1 of an
#: N-stage image (docs/decisions/tdi_epoch.md).
TDI_NUMBERINGS: Final = ("first-stage", "mid-exposure", "last-stage")

#: Row by which the optical axis stands off the instrument kernel's, full-resolution pixels, and its standard
#: error. Solved on three images of perijoves 43 and 44, which agree; it explains what looks like a twist of
#: 0.31 degrees between the bands when it is left out (docs/decisions/mounting.md).
PRINCIPAL_ROW_PX: Final = -28.0
PRINCIPAL_ROW_SIGMA_PX: Final = 2.0
#: Scale of a band over green's (lateral colour of the lens), by the ties between the bands of perijoves 43 and 44,
#: which agree (docs/decisions/camera.md); methane has no ties.
CHROMATIC_SCALE: Final = {"METHANE": 1.0, "BLUE": 1.0 + 1.7e-4, "GREEN": 1.0, "RED": 1.0 + 1.0e-4}
#: Standard errors of the mounting about the boresight (twist) and about the camera's Y axis (cone), which are
#: left as the frames kernel has them: the same fits find (-2 +- 4)e-4 and (1 +- 8)e-4.
MOUNTING_TWIST_SIGMA_RAD: Final = 0.0004
MOUNTING_CONE_SIGMA_RAD: Final = 0.0008


@dataclass(frozen=True)
class Camera:
    """Intrinsics of one band.

    Attributes
    ----------
    band : str
    focal_length_px, cx_px, cy_px : float
        Focal length and distortion centre in full-resolution pixels; ``cy_px`` counts from the first row of
        the band's framelet.
    k1, k2 : float
        Radial distortion, pixels**-2 and pixels**-4.
    sampling_factor : int
        1, or 2 when framelets are summed 2 x 2; pixel coordinates are then those of the summed framelet.
    tilt_rad : float
        Angle about +X from the optical axis to +Z of the frame; zero in the instrument kernel.
    """

    band: str
    focal_length_px: float
    cx_px: float
    cy_px: float
    k1: float
    k2: float
    sampling_factor: int = 1
    tilt_rad: float = 0.0

    @classmethod
    def for_band(cls, band: str, sampling_factor: int = 1, distortion_y_px: float | None = None) -> Self:
        """Camera of ``band`` exactly as the instrument kernel states it.

        Parameters
        ----------
        band : str
            METHANE, BLUE, GREEN or RED.
        sampling_factor : int
            1 or 2.
        distortion_y_px : float, optional
            Row of the distortion centre where the label overrides the kernel's (moved methane window).

        Examples
        --------
        >>> Camera.for_band("GREEN").cy_px
        3.48
        """
        cy = DISTORTION_Y_PX[band] if distortion_y_px is None else distortion_y_px
        return cls(band, FOCAL_LENGTH_PX, DISTORTION_X_PX, cy, DISTORTION_K1, DISTORTION_K2, sampling_factor)

    @classmethod
    def in_flight(
        cls,
        band: str,
        sampling_factor: int = 1,
        distortion_y_px: float | None = None,
        *,
        principal_row_px: float = PRINCIPAL_ROW_PX,
    ) -> Self:
        """Camera of ``band`` as the images show it to be: the instrument kernel's, its axis and scales corrected."""
        # The tilt of the axis is that of all bands: scales change it by a hundredth of a pixel.
        moved = cls.for_band(band, sampling_factor, distortion_y_px).with_principal_row(principal_row_px)
        return replace(moved, focal_length_px=moved.focal_length_px * CHROMATIC_SCALE[band])

    def with_principal_row(self, offset_px: float) -> Self:
        """Move the optical axis ``offset_px`` full-resolution rows on.

        The frame is turned with it, so that the pixel that looks along +Z still does. Offsets add up.
        """
        moved = replace(self, cy_px=self.cy_px + offset_px, tilt_rad=0.0)
        now = moved.directions(*self.pixels([0.0, 0.0, 1.0]))
        return replace(moved, tilt_rad=float(np.arctan2(now[1], now[2])))

    def with_rows_shifted(self, rows_px: float) -> Self:
        """Number the rows ``rows_px`` full-resolution rows higher: pixel (x, y + rows) looks where (x, y) did."""
        return replace(self, cy_px=self.cy_px + rows_px)

    def directions(self, x: npt.ArrayLike, y: npt.ArrayLike) -> Floats:
        """Look along pixels: unit vectors in the camera frame.

        Parameters
        ----------
        x, y : array_like, broadcastable
            Pixel coordinates (column, framelet row).

        Returns
        -------
        ndarray, (..., 3)
        """
        distorted_x = np.asarray(x, float) * self.sampling_factor - self.cx_px
        distorted_y = np.asarray(y, float) * self.sampling_factor - self.cy_px
        distorted_x, distorted_y = np.broadcast_arrays(distorted_x, distorted_y)
        ux, uy = distorted_x, distorted_y
        for _ in range(UNDISTORT_ROUNDS):
            r2 = ux * ux + uy * uy
            factor = 1.0 + r2 * (self.k1 + self.k2 * r2)
            ux, uy = distorted_x / factor, distorted_y / factor
        v = np.stack([ux, uy, np.full(ux.shape, self.focal_length_px)], axis=-1)
        v /= np.linalg.norm(v, axis=-1, keepdims=True)
        return np.asarray(v @ rotation_about("x", self.tilt_rad).T)

    def pixels(self, directions: npt.ArrayLike) -> tuple[Floats, Floats]:
        """Pixel coordinates (x, y) that see the given directions.

        Parameters
        ----------
        directions : array_like, (..., 3)
            Vectors in the camera frame, of any length.

        Returns
        -------
        x, y : ndarray, (...)
            May lie outside the framelet. NaN behind the camera and where the ideal radius exceeds
            ``MAX_IDEAL_RADIUS_PX``, since the distortion is only known on the chip.
        """
        d = np.asarray(directions, float) @ rotation_about("x", self.tilt_rad)
        z = np.where(d[..., 2] > 0, d[..., 2], np.nan)
        with np.errstate(over="ignore"):
            ix = d[..., 0] / z * self.focal_length_px
            iy = d[..., 1] / z * self.focal_length_px
            r2 = ix * ix + iy * iy
        r2 = np.where(r2 <= MAX_IDEAL_RADIUS_PX**2, r2, np.nan)
        factor = 1.0 + r2 * (self.k1 + self.k2 * r2)
        return (ix * factor + self.cx_px) / self.sampling_factor, (iy * factor + self.cy_px) / self.sampling_factor


def tdi_shift_px(stages: int, numbering: str = "first-stage") -> float:
    """Rows by which a row that is read lies after the one that its charge was in at mid-exposure.

    While N stages are exposed the charge follows the scene over N - 1 rows. A row that is read may be numbered by where
    its charge was in the first stage, at mid-exposure, or in the last stage.

    Parameters
    ----------
    stages : int
    numbering : str
        One of ``TDI_NUMBERINGS``.

    Returns
    -------
    float
        Full-resolution rows.
    """
    return {"first-stage": 0.5, "mid-exposure": 0.0, "last-stage": -0.5}[numbering] * (stages - 1)


def spacecraft_to_camera(twist_rad: float = 0.0, cone_rad: float = 0.0) -> Floats:
    """Matrix that takes JUNO_SPACECRAFT vectors to camera vectors.

    Parameters
    ----------
    twist_rad : float
        Rotation about the boresight on top of the frames kernel: a direction's camera coordinates become
        ``x - twist * y, y + twist * x``.
    cone_rad : float
        Rotation about the camera's Y axis on top of the frames kernel.

    Returns
    -------
    ndarray, (3, 3)
        With both angles zero this is the frames kernel's JUNO_SPACECRAFT to JUNO_JUNOCAM.
    """
    a3, a2, a1 = np.radians(CAMERA_TO_CUBE_DEG)
    # SPICE eul2m rotates the frame, hence the negative angles of vector rotations.
    camera_to_cube = rotation_about("z", -a3) @ rotation_about("y", -a2) @ rotation_about("x", -a1)
    published = camera_to_cube.T @ _SPACECRAFT_TO_CUBE
    return np.asarray(rotation_about("z", twist_rad) @ rotation_about("y", cone_rad) @ published)
