"""Limb points: where the planet's edge crosses framelets, to a fraction of a pixel.

The limb is a step from black sky to a lit disc within two or three pixels; the terminator fades over dozens.
A point is taken where the gradient of the smoothed framelet peaks, the far side is as dark as the sky, and the
near side is already bright.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Planes = npt.NDArray[np.float32]

#: Smoothing before the gradient, pixels; wider where the noise would give false edges.
_SMOOTHING_PX: Final = (1.0, 2.0)
#: Noise over level above which the wider smoothing is taken.
_NOISY: Final = 0.02
#: Noise over level of a band that shows sky alone: its bright level is noise itself (0.26 for normal noise; the
#: noisiest planet so far, a methane image of perijove 44, has 0.05).
_ONLY_NOISE: Final = 0.15
#: Of every sixteenth pixel, so many must rise out of the noise to be a planet: a disc of 40 pixels.
_MIN_BRIGHT: Final = 50
#: Thresholds over the band's bright level: gradient a pixel, disc inside.
_GRADIENT, _DISC = 0.04, 0.15
#: Sky outside over the disc inside: stray light in methane images reaches 15 %.
_SKY: Final = 0.25
#: Distances in pixels from the edge at which sky is judged, and the disc.
_OUTSIDE_PX: Final = (4, 5, 6, 7, 8)
_INSIDE_PX: Final = 4
#: The far disc must not be brighter than this many times the near disc: on a terminator it is.
_TERMINATOR_RATIO: Final = 2.2
_FAR_INSIDE_PX: Final = 16
_REMAP_WIDTH: Final = 4096
#: Of each band, at most about this many points are kept, evenly.
_MAX_POINTS: Final = 700


@dataclass(frozen=True)
class LimbPoints:
    """Points on the limb, in pixel coordinates of their framelet (centres at + 0.5).

    Attributes
    ----------
    frame, band : ndarray of int, (n,)
        Band is an index into the stack's bands.
    x, y : ndarray, (n,)
    outward : ndarray, (n, 2)
        Unit vector from disc to sky in the framelet.
    """

    frame: npt.NDArray[np.int64]
    band: npt.NDArray[np.int64]
    x: Floats
    y: Floats
    outward: Floats

    def __len__(self) -> int:
        return len(self.x)

    def take(self, which: npt.NDArray[np.bool_]) -> "LimbPoints":
        """Points of a mask."""
        return LimbPoints(self.frame[which], self.band[which], self.x[which], self.y[which], self.outward[which])


def find_limb(values: Planes, edge: int = 2, samples: tuple[int, int] = (25, 1629)) -> LimbPoints:
    """Find the limb in every framelet.

    Parameters
    ----------
    values : ndarray, (frame, band, line, sample), float32
        Calibrated pixels, sky near zero. No point is taken near NaN.
    edge : int
        Unusable rows at the top and bottom of each framelet.
    samples : tuple of int
        Half-open range of usable columns.

    Returns
    -------
    LimbPoints
        Possibly empty.
    """
    frames, bands = values.shape[:2]
    usable = values[:, :, edge : values.shape[2] - edge, samples[0] : samples[1]]
    jobs = []
    for band in range(bands):
        level, noise = _level_and_noise(usable[:, band, ::4, ::4])
        if level > 0:
            smoothing = _SMOOTHING_PX[noise > _NOISY * level]
            jobs += [(frame, band, level, smoothing) for frame in range(frames)]

    def run(job: tuple[int, int, float, float]) -> Floats:
        frame, band, level, smoothing = job
        found = _edge_points(usable[frame, band], level, smoothing)
        found[:, 0] += samples[0]
        found[:, 1] += edge
        return np.column_stack([np.full(len(found), frame), np.full(len(found), band), found])

    with ThreadPoolExecutor() as pool:
        rows: Sequence[Floats] = list(pool.map(run, jobs))
    table = np.concatenate(rows) if rows else np.zeros((0, 6))
    table = np.concatenate([_thinned(table[table[:, 1] == band]) for band in range(bands)])
    return LimbPoints(
        table[:, 0].astype(np.int64), table[:, 1].astype(np.int64), table[:, 2], table[:, 3], table[:, 4:6]
    )


def _level_and_noise(sparse: Planes) -> tuple[float, float]:
    """Bright level of a band and the noise of its sky; level 0 where it shows nothing but sky."""
    known = sparse[np.isfinite(sparse)]
    level = float(np.percentile(known, 98)) if known.size else 0.0
    noise = _spread(known[known < 0.1 * level])
    if noise >= _ONLY_NOISE * level:
        # From far away the whole disc may be less than two per cent of the image.
        noise = _spread(known)
        bright = known[known > 10 * noise]
        level = float(np.percentile(bright, 90)) if bright.size >= _MIN_BRIGHT else 0.0
    return level, noise


def _spread(values: Planes) -> float:
    return 1.4826 * float(np.median(np.abs(values - np.median(values)))) if values.size else 0.0


def _thinned(rows: Floats) -> Floats:
    step = max(1, -(-len(rows) // _MAX_POINTS))
    return rows[::step]


def _edge_points(framelet: Planes, level: float, smoothing: float) -> Floats:
    """Edge points of one framelet: x, y, outward x, outward y, (n, 4)."""
    import cv2

    unknown = np.isnan(framelet)
    known = np.where(unknown, np.float32(0.0), framelet)
    smooth: Planes = np.asarray(cv2.GaussianBlur(known, (0, 0), smoothing), np.float32)
    gx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    gy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    steep: Planes = np.asarray(cv2.magnitude(gx, gy), np.float32)
    margin = int(2 * smoothing)
    inner = np.zeros(steep.shape, bool)
    inner[margin:-margin, margin:-margin] = True
    if unknown.any():
        # The rim of a lost block on the disc would look like a limb.
        reach = int(_OUTSIDE_PX[-1] * smoothing)
        inner &= cv2.dilate(unknown.astype(np.uint8), np.ones((2 * reach + 1,) * 2, np.uint8)) == 0
    rows, columns = np.nonzero(inner & (steep > _GRADIENT * level / smoothing))
    if rows.size == 0:
        return np.zeros((0, 4))
    peak = steep[rows, columns]
    ux, uy = gx[rows, columns] / peak, gy[rows, columns] / peak

    def along(plane: Planes, distance: float) -> Floats:
        """Samples at a distance towards the disc; NaN outside the framelet."""
        # OpenCV takes no more than 32,767 points in a line.
        places = np.zeros((2, -(-rows.size // _REMAP_WIDTH) * _REMAP_WIDTH), np.float32)
        places[0, : rows.size] = columns + distance * ux
        places[1, : rows.size] = rows + distance * uy
        x, y = places.reshape(2, -1, _REMAP_WIDTH)
        sampled = cv2.remap(plane, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=np.nan)
        return np.asarray(sampled.ravel()[: rows.size], float)

    before, after = along(steep, -1.0), along(steep, 1.0)
    curvature = before - 2 * peak + after
    is_peak = (peak >= after) & (peak > before) & (curvature < 0)
    shift = np.where(is_peak, 0.5 * (before - after) / np.where(is_peak, curvature, 1.0), 0.0)

    sky = np.stack([along(smooth, -d * smoothing) for d in _OUTSIDE_PX])
    near = along(smooth, _INSIDE_PX * smoothing)
    far = along(smooth, _FAR_INSIDE_PX * smoothing)
    with np.errstate(invalid="ignore"):
        ok = is_peak & (sky.max(axis=0) < _SKY * near) & (near > _DISC * level)
        # The far point may lie beyond the framelet: only a known one can tell a terminator.
        ok &= ~(far > _TERMINATOR_RATIO * near)
    return np.asarray(np.column_stack([columns + shift * ux + 0.5, rows + shift * uy + 0.5, -ux, -uy])[ok], float)
