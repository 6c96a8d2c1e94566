"""From ground points to values, straight out of the framelets."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from perijove.geometry.pointing import Pointing
from perijove.geometry.rotation import rotation_about
from perijove.geometry.sighting import turn_per_frame
from perijove.project.kernel import gather_kernel

Floats = npt.NDArray[np.float64]
Planes = npt.NDArray[np.float32]

#: Rows over which overlapping framelets cross-fade, full resolution, and rows from an edge within which another
#: framelet may matter: consecutive ones share up to 13, so that the fade about their middle ends within these.
FADE_ROWS: Final = 6.0
_SHARED_ROWS: Final = 10.5
#: Rows cut from the top and bottom of each framelet, columns cut at either side (full resolution).
EDGE_ROWS: Final = 2
USED_SAMPLES: Final = (25, 1629)


@dataclass(frozen=True)
class Framelets:
    """Pixels and geometry of one image, in the form the kernel reads.

    Attributes
    ----------
    values : ndarray, (frame, band, line, sample), float32
        NaN where nothing is known.
    cameras : ndarray, (frame, 3, 5)
        Takes a body-fixed point, its distance and one to the axes of the camera: rotation, aberration, position.
    observer_km : ndarray, (3,)
        Where distances are measured from: the spacecraft at mid-image.
    intrinsics : ndarray, (band, 6)
        Focal length, cx, cy, k1, k2, and one over the summing.
    window : ndarray, (4,)
        First and last usable pixel coordinate, columns then rows, of a framelet.
    turn_per_frame : float
        Angle about the camera's X axis from one frame to the next, radians.
    baseline_px_km : float
        How far the spacecraft moved from mid-image, times the focal length: over a distance, the parallax in pixels.
    """

    values: Planes
    cameras: Floats
    observer_km: Floats
    intrinsics: Floats
    window: Floats
    turn_per_frame: float
    baseline_px_km: float

    @classmethod
    def of(cls, values: Planes, bands: tuple[str, ...], pointing: Pointing) -> "Framelets":
        """Join the pixels of an image with its pointing."""
        cameras = [pointing.cameras[band] for band in bands]
        summing = cameras[0].sampling_factor
        lines = values.shape[2]
        moved = pointing.position_fixed_km - pointing.position_fixed_km[pointing.mid_frame]
        # Bands share one optical axis: its tilt goes into the rotations, once.
        rotation = rotation_about("x", -cameras[0].tilt_rad) @ pointing.camera_from_jupiter
        columns = [pointing.aberration_fixed, -pointing.position_fixed_km]
        affine = [np.einsum("nij,nj->ni", rotation, column)[..., None] for column in columns]
        return cls(
            np.ascontiguousarray(values, dtype=np.float32),
            np.concatenate([rotation, *affine], axis=-1),
            np.array(pointing.position_fixed_km[pointing.mid_frame]),
            np.array([(c.focal_length_px, c.cx_px, c.cy_px, c.k1, c.k2, 1 / summing) for c in cameras]),
            np.array(
                [
                    USED_SAMPLES[0] / summing + 0.5,
                    USED_SAMPLES[1] / summing - 0.5,
                    EDGE_ROWS / summing + 0.5,
                    lines - EDGE_ROWS / summing - 0.5,
                ]
            ),
            turn_per_frame(pointing),
            float(np.linalg.norm(moved, axis=-1).max() * cameras[0].focal_length_px / summing),
        )

    @property
    def summing(self) -> float:
        """Detector pixels to a side of a framelet pixel."""
        return float(1 / self.intrinsics[0, 5])


def gather(
    ground_km: Floats, framelets: Framelets, kernel: Literal["bilinear", "bicubic"] = "bilinear"
) -> tuple[Planes, Planes]:
    """Sample every band at ground points.

    Parameters
    ----------
    ground_km : ndarray, (height, width, 3)
        Body-fixed points, on the ellipsoid or on a line of sight beside it; NaN where nothing is wanted.
    framelets : Framelets
    kernel : {"bilinear", "bicubic"}
        Bicubic is the Catmull-Rom cubic; it falls back to bilinear where its 16 pixels are not all known.

    Returns
    -------
    values : ndarray, (height, width, band), float32
        NaN where no framelet of the band sees the point.
    weight : ndarray, (height, width, band), float32
        0 where no framelet knows, 1 where one does, less within eight rows of where the image ends.
    """
    height, width = ground_km.shape[:2]
    bands = framelets.values.shape[1]
    values = np.empty((height, width, bands), np.float32)
    weight = np.empty((height, width, bands), np.float32)
    gather_kernel(
        np.ascontiguousarray(ground_km),
        framelets.values.reshape(-1),
        framelets.values.shape,
        framelets.cameras,
        framelets.observer_km,
        framelets.intrinsics,
        (
            framelets.window,
            _SHARED_ROWS / framelets.summing,
            FADE_ROWS / framelets.summing,
            framelets.turn_per_frame,
            framelets.baseline_px_km,
            kernel == "bicubic",
        ),
        values.reshape(-1),
        weight.reshape(-1),
    )
    return values, weight
