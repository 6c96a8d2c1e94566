"""Patches: where ground that a framelet shows should be seen again, by the pointing at hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from perijove.geometry.ellipsoid import normals
from perijove.geometry.pointing import Pointing, turned_by_light_time
from perijove.geometry.sighting import turn_per_frame

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Planes = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: Half of the width and of the height of a patch, grid steps. Errors fall as it grows, but framelets have 128 rows.
HALF_U: Final = 24
HALF_V: Final = 12
#: Blur before patches are compared, and what it and interpolation need around a patch, grid steps.
BLUR: Final = 0.5
_RIM: Final = 5
#: Rows and columns of a framelet that are used, full resolution, half-open.
_COLUMNS: Final = (25, 1629)
_EDGE_ROWS: Final = 2
#: Incidence beyond which nothing is matched: the dark.
_MAX_INCIDENCE_DEG: Final = 80.0
#: Largest ratio of scales, along any direction.
_MAX_SCALE: Final = 3.0
#: Steps towards the frame that sees a point; parallax of a close pass needs more than one.
_FRAME_STEPS: Final = 3


@dataclass(frozen=True)
class Side:
    """Pixels of an image and where they look.

    Attributes
    ----------
    values : ndarray, (frame, band, line, sample), float32
    bands : tuple of str
    pointing : Pointing
    """

    values: Planes
    bands: tuple[str, ...]
    pointing: Pointing

    @classmethod
    def of(cls, values: Planes, bands: Sequence[str], pointing: Pointing) -> Self:
        """Join them in the form that the kernel reads."""
        # Always read-only: kernels are compiled anew for what may be written to.
        plain = np.ascontiguousarray(values, np.float32).view()
        plain.flags.writeable = False
        return cls(plain, tuple(bands), pointing)

    @property
    def summing(self) -> int:
        """Detector pixels to a side of a framelet pixel."""
        return self.pointing.cameras[self.bands[0]].sampling_factor

    @property
    def window(self) -> Integers:
        """Usable pixels of a framelet: columns from, to, lines from, to."""
        factor, lines = self.summing, self.values.shape[2]
        edge = -(-_EDGE_ROWS // factor)
        return np.array([-(-_COLUMNS[0] // factor), _COLUMNS[1] // factor, edge, lines - edge])


@dataclass(frozen=True)
class Patches:
    """Patches of a band of one image, and where a band of another, or of the same, should see them.

    Attributes
    ----------
    frame : ndarray of int, (n,)
    x, y : ndarray, (n,)
        Their middles, pixel coordinates.
    seen_in : ndarray of int, (n,)
        Frame that sees them again.
    charts : ndarray, (n, 2, 6)
        Pixel coordinates there as polynomials of the offset (u, v) from the middle, pixels: coefficients of 1, u, v,
        u u, u v, v v.
    """

    frame: Integers
    x: Floats
    y: Floats
    seen_in: Integers
    charts: Floats

    def __len__(self) -> int:
        return len(self.frame)

    def take(self, which: npt.NDArray[Any]) -> "Patches":
        """Patches of an index or mask."""
        return Patches(self.frame[which], self.x[which], self.y[which], self.seen_in[which], self.charts[which])

    @property
    def jacobian(self) -> Floats:
        """Derivatives of the pixel coordinates by the offset, (n, 2, 2)."""
        return self.charts[:, :, 1:3]

    @property
    def steps(self) -> Floats:
        """Spacing of the grids on which patches are compared, (n,): a pixel of the coarser image, in pixels of a."""
        return np.asarray(np.maximum(1.0, 1.0 / self._scale))

    @property
    def blurs(self) -> Floats:
        """Blurs that bring both to the resolution of the grid, pixels of either, (n, 2)."""
        return BLUR * np.column_stack([self.steps, self.steps * self._scale])

    @property
    def _scale(self) -> Floats:
        return np.asarray(np.sqrt(np.abs(np.linalg.det(self.jacobian))))


def find_patches(a: Side, b: Side, pair: tuple[str, str], pitch: tuple[int, int], max_emission_deg: float) -> Patches:
    """Patches of one band of ``a`` over all the lit ground that a band of ``b`` sees, too.

    Parameters
    ----------
    a, b : Side
    pair : tuple of str
        Band of ``a`` and band of ``b``.
    pitch : tuple of int
        Columns and rows from one patch to the next.
    max_emission_deg : float
        Beyond it, in either image, there is no patch.

    Returns
    -------
    Patches
        Those that lie within the usable parts of framelets of both, at scales that can be compared.
    """
    least = float(np.cos(np.radians(max_emission_deg)))
    frame, x, y = _lattice(a, pitch)
    ground = a.pointing.ground(pair[0], frame, x, y)
    clear = _well_seen(a.pointing, frame, ground, least)
    frame, x, y, ground = frame[clear], x[clear], y[clear], ground[clear]
    seen_in = frames_that_see(b, pair[1], ground)
    clear = _well_seen(b.pointing, seen_in, ground, least)
    frame, x, y, seen_in = frame[clear], x[clear], y[clear], seen_in[clear]
    charts = _charts(a.pointing, b.pointing, pair, (frame, x, y, seen_in))
    patches = Patches(frame, x, y, seen_in, charts).take(np.asarray(np.isfinite(charts).all(axis=(1, 2))))
    stretch = np.linalg.svd(patches.jacobian, compute_uv=False)
    patches = patches.take((stretch[:, 0] < _MAX_SCALE) & (stretch[:, 1] > 1 / _MAX_SCALE))
    return patches.take(_inside(a, b, patches))


def _lattice(side: Side, pitch: tuple[int, int]) -> tuple[Integers, Floats, Floats]:
    """Frames and pixels of an even lattice over the usable parts of all framelets."""
    left, right, top, bottom = side.window
    across = np.arange(left + HALF_U + _RIM, right - HALF_U - _RIM, pitch[0])
    down = np.arange(top + HALF_V + _RIM, bottom - HALF_V - _RIM, pitch[1])
    frame, y, x = np.meshgrid(np.arange(side.pointing.frames), down, across, indexing="ij")
    return frame.ravel(), x.ravel() + 0.5, y.ravel() + 0.5


def _well_seen(pointing: Pointing, frame: Integers, ground: Floats, least: float) -> Mask:
    """Whether ground is lit, and seen at an emission whose cosine is at least so much."""
    up = normals(ground)
    look = pointing.position_fixed_km[frame] - ground
    look /= np.linalg.norm(look, axis=-1, keepdims=True)
    lit = up @ pointing.sun_fixed > np.cos(np.radians(_MAX_INCIDENCE_DEG))
    return np.asarray(lit & (np.sum(look * up, axis=-1) > least))


def frames_that_see(side: Side, band: str, ground_km: Floats) -> Integers:
    """Frames that see ground points nearest to the middle of their framelet.

    Parameters
    ----------
    side : Side
    band : str
    ground_km : ndarray, (n, 3)
        Body-fixed.

    Returns
    -------
    ndarray of int, (n,)
        The first or the last frame for what the image passes by.
    """
    pointing, camera = side.pointing, side.pointing.cameras[band]
    middle = _elevation(camera.directions(camera.cx_px / camera.sampling_factor, side.values.shape[2] / 2))
    turn = turn_per_frame(pointing)
    frame = np.full(len(ground_km), pointing.mid_frame)
    for _ in range(_FRAME_STEPS):
        observer = pointing.position_fixed_km[frame]
        true = turned_by_light_time(ground_km, observer, -1.0) - observer
        seen = true / np.linalg.norm(true, axis=-1, keepdims=True) + pointing.aberration_fixed[frame]
        angle = _elevation(np.einsum("nij,nj->ni", pointing.camera_from_jupiter[frame], seen))
        off = (angle - middle + np.pi) % (2 * np.pi) - np.pi
        frame = np.clip(frame + np.rint(off / turn).astype(np.int64), 0, pointing.frames - 1)
    return np.asarray(frame)


def _elevation(directions: Floats) -> Floats:
    """Angle about the camera's X axis, which is nearly the spin axis, from its boresight towards increasing rows."""
    return np.asarray(np.arctan2(directions[..., 1], directions[..., 2]))


def _charts(a: Pointing, b: Pointing, pair: tuple[str, str], at: tuple[Integers, Floats, Floats, Integers]) -> Floats:
    """Charts of `Patches` through nine points of each."""
    frame, x, y, seen_in = at
    t = 0.7 * np.array([-1.0, 0.0, 1.0])
    v, u = (part.ravel()[:, None] for part in np.meshgrid(HALF_V * t, HALF_U * t, indexing="ij"))
    shape = (len(u), len(frame))
    ground = a.ground(pair[0], np.broadcast_to(frame, shape), x + u, y + v)
    seen = np.stack(b.pixels(pair[1], np.broadcast_to(seen_in, shape), ground), axis=-1)
    terms = np.concatenate([np.ones_like(u), u, v, u * u, u * v, v * v], axis=1)
    return np.asarray(np.einsum("ck,knx->nxc", np.linalg.pinv(terms), seen))


def _inside(a: Side, b: Side, patches: Patches) -> Mask:
    """Whether patches lie within the usable parts of both framelets."""
    half = np.outer(patches.steps, [HALF_U, HALF_V])
    rim = _RIM * patches.blurs / BLUR
    fits = np.ones(len(patches), bool)
    for side, centre, reach in (
        (a, np.stack([patches.x, patches.y], axis=-1), half + rim[:, :1]),
        (b, patches.charts[:, :, 0], np.einsum("nij,nj->ni", np.abs(patches.jacobian), half) + rim[:, 1:]),
    ):
        left, right, top, bottom = side.window
        fits &= ((centre - reach >= (left, top)) & (centre + reach <= (right, bottom))).all(axis=1)
    return fits
