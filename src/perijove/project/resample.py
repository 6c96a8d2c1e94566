"""The gather kernel: from ground points to values, straight out of the framelets.

For each ground point and band the frames that see it are found by walking: a frame's projection tells how many
rows the point is off, and one frame is about 115 rows. Neighbouring output pixels start from each other's
answer, so that most points cost one projection a band, or two where framelets overlap. The sample is taken
inside one framelet only, and overlapping framelets are blended with a linear taper.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numba
import numpy as np
import numpy.typing as npt

from perijove.constants import LIGHT_SPEED_KM_S
from perijove.geometry.orientation import SPIN_RATE_RAD_S
from perijove.geometry.pointing import Pointing
from perijove.geometry.rotation import rotation_about

Floats = npt.NDArray[np.float64]
Planes = npt.NDArray[np.float32]

#: Rows over which overlapping framelets cross-fade, full resolution; consecutive ones share about 13.
TAPER_ROWS: Final = 10.0
#: Rows cut from the top and bottom of each framelet, columns cut at either side (full resolution).
EDGE_ROWS: Final = 2
USED_SAMPLES: Final = (25, 1629)

_MAX_WALK: Final = 12
_MAX_IDEAL_R2: Final = 1100.0**2


@dataclass(frozen=True)
class Framelets:
    """Pixels and geometry of one image, in the form the kernel reads.

    Attributes
    ----------
    values : ndarray, (frame, band, line, sample), float32
        NaN where nothing is known.
    camera_from_fixed : ndarray, (frame, 3, 3)
    position_km, aberration : ndarray, (frame, 3)
        Body-fixed.
    intrinsics : ndarray, (band, 5)
        Focal length, cx, cy, k1, k2.
    window : tuple of float
        First and last usable pixel coordinate, columns then rows, of the framelet.
    summing : int
    """

    values: Planes
    camera_from_fixed: Floats
    position_km: Floats
    aberration: Floats
    intrinsics: Floats
    window: tuple[float, float, float, float]
    summing: int

    @classmethod
    def of(cls, values: Planes, bands: tuple[str, ...], pointing: Pointing) -> "Framelets":
        """Join the pixels of an image with its pointing."""
        cameras = [pointing.cameras[band] for band in bands]
        summing = cameras[0].sampling_factor
        lines = values.shape[2]
        # Bands share one optical axis: its tilt goes into the rotations, once.
        optical = rotation_about("x", -cameras[0].tilt_rad)
        return cls(
            np.ascontiguousarray(values, dtype=np.float32),
            np.ascontiguousarray(optical @ pointing.camera_from_jupiter),
            np.ascontiguousarray(pointing.position_fixed_km),
            np.ascontiguousarray(pointing.aberration_fixed),
            np.array([(c.focal_length_px, c.cx_px, c.cy_px, c.k1, c.k2) for c in cameras]),
            (
                USED_SAMPLES[0] / summing + 0.5,
                USED_SAMPLES[1] / summing - 0.5,
                EDGE_ROWS / summing + 0.5,
                lines - EDGE_ROWS / summing - 0.5,
            ),
            summing,
        )


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
        Sum of the tapers of the framelets that were used, 0 where none, 1 well inside one.
    """
    height, width = ground_km.shape[:2]
    bands = framelets.values.shape[1]
    values = np.empty((height, width, bands), np.float32)
    weight = np.empty((height, width, bands), np.float32)
    _gather(
        np.ascontiguousarray(ground_km),
        framelets.values,
        framelets.camera_from_fixed,
        framelets.position_km,
        framelets.aberration,
        framelets.intrinsics,
        np.array(framelets.window),
        float(framelets.summing),
        kernel == "bicubic",
        values,
        weight,
    )
    return values, weight


@numba.njit(cache=True, fastmath=False, inline="always")
def _project(dx, dy, dz, rotation, intrinsics, summing):  # type: ignore[no-untyped-def]
    """Pixel coordinates that see a direction; NaN behind the camera or far off the chip."""
    z = rotation[2, 0] * dx + rotation[2, 1] * dy + rotation[2, 2] * dz
    if z <= 0.0:
        return math.nan, math.nan
    scale = intrinsics[0] / z
    x = (rotation[0, 0] * dx + rotation[0, 1] * dy + rotation[0, 2] * dz) * scale
    y = (rotation[1, 0] * dx + rotation[1, 1] * dy + rotation[1, 2] * dz) * scale
    r2 = x * x + y * y
    if r2 > _MAX_IDEAL_R2:
        return math.nan, math.nan
    factor = 1.0 + r2 * (intrinsics[3] + r2 * intrinsics[4])
    return (x * factor + intrinsics[1]) / summing, (y * factor + intrinsics[2]) / summing


@numba.njit(cache=True, inline="always")
def _bilinear(plane, x, y):  # type: ignore[no-untyped-def]
    """Bilinear sample at pixel coordinates; known neighbours share the weight of unknown ones."""
    x -= 0.5
    y -= 0.5
    i, j = int(math.floor(x)), int(math.floor(y))
    i = min(max(i, 0), plane.shape[1] - 2)
    j = min(max(j, 0), plane.shape[0] - 2)
    fx, fy = x - i, y - j
    a, b, c, d = plane[j, i], plane[j, i + 1], plane[j + 1, i], plane[j + 1, i + 1]
    top = a + fx * (b - a)
    value = top + fy * (c + fx * (d - c) - top)
    if value == value:
        return value
    total, weight = 0.0, 0.0
    for v, w in ((a, (1 - fx) * (1 - fy)), (b, fx * (1 - fy)), (c, (1 - fx) * fy), (d, fx * fy)):
        if v == v:
            total += w * v
            weight += w
    # Less than half of the footprint known: leave it unknown rather than stretch a neighbour.
    return total / weight if weight >= 0.5 else math.nan


@numba.njit(cache=True, inline="always")
def _cubic_weights(t):  # type: ignore[no-untyped-def]
    """Catmull-Rom weights of the four neighbours at fraction t (Keys 1981, a = -1/2)."""
    t2, t3 = t * t, t * t * t
    return (
        -0.5 * t3 + t2 - 0.5 * t,
        1.5 * t3 - 2.5 * t2 + 1.0,
        -1.5 * t3 + 2.0 * t2 + 0.5 * t,
        0.5 * t3 - 0.5 * t2,
    )


@numba.njit(cache=True)
def _bicubic(plane, x, y):  # type: ignore[no-untyped-def]
    """Catmull-Rom sample at pixel coordinates, or bilinear where a neighbour is unknown."""
    i, j = int(math.floor(x - 0.5)), int(math.floor(y - 0.5))
    if i < 1 or j < 1 or i > plane.shape[1] - 3 or j > plane.shape[0] - 3:
        return _bilinear(plane, x, y)
    wx, wy = _cubic_weights(x - 0.5 - i), _cubic_weights(y - 0.5 - j)
    value = 0.0
    for n in range(4):
        row = plane[j - 1 + n]
        value += wy[n] * (wx[0] * row[i - 1] + wx[1] * row[i] + wx[2] * row[i + 1] + wx[3] * row[i + 2])
    return value if value == value else _bilinear(plane, x, y)


@numba.njit(cache=True, parallel=True)
def _gather(  # type: ignore[no-untyped-def]
    ground, stack, rotations, positions, aberration, intrinsics, window, summing, cubic, values, weights
):
    frames, bands = stack.shape[0], stack.shape[1]
    x_low, x_high, y_low, y_high = window
    middle = frames // 2
    centre = 0.5 * (y_low + y_high)
    taper = TAPER_ROWS / summing
    for row in numba.prange(ground.shape[0]):
        start = np.full(bands, middle)
        for column in range(ground.shape[1]):
            px, py, pz = ground[row, column, 0], ground[row, column, 1], ground[row, column, 2]
            if not px == px:
                values[row, column, :] = np.nan
                weights[row, column, :] = 0.0
                continue
            # Ground as it stood, inertially, when the light left: turned back by the light time.
            vx, vy, vz = px - positions[middle, 0], py - positions[middle, 1], pz - positions[middle, 2]
            distance = math.sqrt(vx * vx + vy * vy + vz * vz)
            turn = SPIN_RATE_RAD_S * distance / LIGHT_SPEED_KM_S
            px, py = px + turn * py, py - turn * px
            for band in range(bands):
                frame = start[band]
                step = 115.0 / summing
                x, y = math.nan, math.nan
                best, best_off = -1, 1e9
                for _ in range(_MAX_WALK):
                    dx = px - positions[frame, 0] + distance * aberration[frame, 0]
                    dy = py - positions[frame, 1] + distance * aberration[frame, 1]
                    dz = pz - positions[frame, 2] + distance * aberration[frame, 2]
                    x, y = _project(dx, dy, dz, rotations[frame], intrinsics[band], summing)
                    if not y == y:
                        break
                    off = abs(y - centre)
                    if off >= best_off:
                        break
                    best, best_off = frame, off
                    move = int(round((y - centre) / step))
                    if move == 0 or frame + move < 0 and frame == 0 or frame + move >= frames and frame == frames - 1:
                        break
                    frame = min(max(frame + move, 0), frames - 1)
                total, weight = 0.0, 0.0
                if best >= 0:
                    start[band] = best
                    for neighbour in range(max(best - 1, 0), min(best + 2, frames)):
                        dx = px - positions[neighbour, 0] + distance * aberration[neighbour, 0]
                        dy = py - positions[neighbour, 1] + distance * aberration[neighbour, 1]
                        dz = pz - positions[neighbour, 2] + distance * aberration[neighbour, 2]
                        x, y = _project(dx, dy, dz, rotations[neighbour], intrinsics[band], summing)
                        if x >= x_low and x <= x_high and y >= y_low and y <= y_high:
                            plane = stack[neighbour, band]
                            value = _bicubic(plane, x, y) if cubic else _bilinear(plane, x, y)
                            if value == value:
                                w = min(1.0, (min(y - y_low, y_high - y) + 0.5) / taper)
                                total += w * value
                                weight += w
                values[row, column, band] = total / weight if weight > 0.0 else math.nan
                weights[row, column, band] = weight
