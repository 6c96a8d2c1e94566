"""Ties: the same cloud seen twice, in two bands of an image or in two images of a perijove.

The pointing at hand predicts where the ground under a patch of one framelet is seen again; the patch is then looked for
around that place. Within an image a second passes between the bands, in which nothing moves. Between images clouds
drift with the wind: that is not known here, and not taken out.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from perijove.constants import FOCAL_LENGTH_PX, JUPITER_RADII_KM
from perijove.geometry.pointing import Pointing
from perijove.register.patches import HALF_U, HALF_V, Patches, Side, find_patches

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Planes = npt.NDArray[np.float32]
Sight = tuple[Planes, Sequence[str], Pointing]

#: Bands that are matched within an image. Methane shows other clouds and has no partner.
BAND_PAIRS: Final = (("RED", "GREEN"), ("BLUE", "GREEN"), ("RED", "BLUE"))
#: Bands for ties between images, the best one first.
IMAGE_BANDS: Final = ("GREEN", "RED", "BLUE", "METHANE")
#: Ties at most, of an image and of a pair of images.
MAX_BAND_TIES: Final = 3000
MAX_IMAGE_TIES: Final = 400
#: Patches tried for each tie that is wanted.
_TRIED: Final = 1.6
#: Columns and rows from one patch to the next, within images and between them. Patches overlap: errors of neighbours 12
#: rows apart are correlated by 0.4, 24 columns apart by 0.15, further ones by less than 0.05.
_PITCH: Final = (24, 12)
_PITCH_BETWEEN: Final = (12, 6)
#: Emission beyond which nothing is matched, within images and between them: bands see the haze of the limb unlike. Of
#: simulated ties between bands, one in eight between 60 and 70 degrees of emission is off by four standard errors,
#: below one in fifty; images often share nothing but ground seen at a slant.
_MAX_EMISSION_DEG: Final = 65.0
_MAX_EMISSION_BETWEEN_DEG: Final = 75.0
#: Width and reach of the surroundings whose mean is taken out of each grid point: bands differ most in what is wide.
_SURROUNDINGS: Final = 2.0
_SURROUNDINGS_REACH: Final = 5
_MIN_CORRELATION: Final = 0.55
#: Standard errors beyond which a tie is dropped: along the worse direction, pixels, and that over the better one.
#: Streaks can be matched across, not along.
_MAX_SIGMA_PX: Final = 0.3
_MAX_STRETCH: Final = 4.0
#: Neighbouring residuals are not independent: standard errors as if they were are too small by this. And what no patch
#: gets below.
_INFLATION: Final = 1.25
_FLOOR_PX: Final = 0.02
#: How far off the pointing may be, pixels, and how far to look at most.
_SEARCH_PX: Final = 3
_MAX_SEARCH_PX: Final = 16
#: Fastest winds: the jet at 24 degrees north blows at 150 m/s.
_WIND_KM_S: Final = 0.15
#: Stands for lower heights above the equator's radius: over the poles the spacecraft may be within it.
_LEAST_HEIGHT_KM: Final = 3000.0
#: Patches that one job of a thread takes.
_CHUNK: Final = 128


@dataclass(frozen=True)
class Ties:
    """Pairs of pixels that see the same ground; pixel coordinates have their centres at + 0.5.

    Attributes
    ----------
    frame_a, band_a : ndarray of int, (n,)
        Band is an index into the stack's bands.
    x_a, y_a : ndarray, (n,)
        Where the ground was seen first.
    frame_b, band_b : ndarray of int, (n,)
    x_b, y_b : ndarray, (n,)
        Where it was found again.
    sigma_px : ndarray, (n,)
        Standard error of ``x_b`` and of ``y_b``, pixels of b.
    correlation : ndarray, (n,)
        Of the two patches, trends taken out.
    """

    frame_a: Integers
    band_a: Integers
    x_a: Floats
    y_a: Floats
    frame_b: Integers
    band_b: Integers
    x_b: Floats
    y_b: Floats
    sigma_px: Floats
    correlation: Floats

    def __post_init__(self) -> None:
        for field in fields(self):
            kind = np.int64 if field.name.startswith(("frame", "band")) else np.float64
            frozen = np.array(getattr(self, field.name), kind)
            frozen.flags.writeable = False
            object.__setattr__(self, field.name, frozen)

    def __len__(self) -> int:
        return len(self.x_a)

    @classmethod
    def none(cls) -> Self:
        """No ties.

        Examples
        --------
        >>> len(Ties.none())
        0
        """
        index, none = np.zeros(0, np.int64), np.zeros(0)
        return cls(index, index, none, none, index, index, none, none, none, none)

    @classmethod
    def joined(cls, parts: Sequence["Ties"]) -> Self:
        """All ties of several, in their order."""
        parts = [cls.none(), *parts]
        return cls(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)))

    def take(self, which: npt.NDArray[Any]) -> Self:
        """Ties of an index or mask."""
        return type(self)(*(getattr(self, field.name)[which] for field in fields(self)))


class _Demand(NamedTuple):
    """What is wanted of a match: bands, lattice of patches, emission, search and number."""

    pair: tuple[str, str]
    pitch: tuple[int, int]
    emission_deg: float
    search: int
    limit: int


def band_ties(
    values: Planes, bands: Sequence[str], pointing: Pointing, *, limit: int = MAX_BAND_TIES, search_px: int = _SEARCH_PX
) -> Ties:
    """Tie the bands of one image.

    Parameters
    ----------
    values : ndarray, (frame, band, line, sample), float32
        I/F; NaN where nothing is known.
    bands : sequence of str
    pointing : Pointing
        Good to ``search_px`` pixels between the bands.
    limit : int
        Ties at most.
    search_px : int
        How far from the predicted place to look.

    Returns
    -------
    Ties
        Possibly none.
    """
    side = Side.of(values, bands, pointing)
    pairs = [pair for pair in BAND_PAIRS if pair[0] in bands and pair[1] in bands]
    share = limit // max(len(pairs), 1)
    demands = (_Demand(pair, _PITCH, _MAX_EMISSION_DEG, search_px, share) for pair in pairs)
    return Ties.joined([_tied(side, side, demand) for demand in demands])


def image_ties(first: Sight, second: Sight, *, limit: int = MAX_IMAGE_TIES, search_px: int | None = None) -> Ties:
    """Tie two images of a perijove by a band that both have.

    Parameters
    ----------
    first, second : tuple
        Values, (frame, band, line, sample), float32, NaN where nothing is known; bands; and pointing, good to some
        pixels.
    limit : int
        Ties at most.
    search_px : int, optional
        How far from the predicted place to look, pixels of the coarser image. Default: as far as winds blow in the
        time between, and three.

    Returns
    -------
    Ties
        Possibly none. ``a`` is the first image, ``b`` the second; each band index is that of its own bands.

    Notes
    -----
    Scales may differ by a factor of three; patches are compared at the coarser one.
    """
    a, b = Side.of(*first), Side.of(*second)
    band = next((band for band in IMAGE_BANDS if band in a.bands and band in b.bands), None)
    if band is None:
        return Ties.none()
    if search_px is None:
        search_px = _search_for_wind(a, b)
    return _tied(a, b, _Demand((band, band), _PITCH_BETWEEN, _MAX_EMISSION_BETWEEN_DEG, search_px, limit))


def _search_for_wind(a: Side, b: Side) -> int:
    """Grid steps that the fastest wind can carry a cloud between two images, and a few more."""
    seconds = abs(float(a.pointing.et.mean() - b.pointing.et.mean()))
    km_per_step = max(_km_per_pixel(a), _km_per_pixel(b))
    return int(min(_SEARCH_PX + _WIND_KM_S * seconds / km_per_step, _MAX_SEARCH_PX))


def _km_per_pixel(side: Side) -> float:
    height = float(np.linalg.norm(side.pointing.position_fixed_km[side.pointing.mid_frame])) - JUPITER_RADII_KM[0]
    return max(height, _LEAST_HEIGHT_KM) / FOCAL_LENGTH_PX * side.summing


def _tied(a: Side, b: Side, demand: _Demand) -> Ties:
    """Ties of a band of one image with a band of another, or of the same."""
    patches = find_patches(a, b, demand.pair, demand.pitch, demand.emission_deg)
    # In a random order, which is always the same: whatever is left out, the rest is spread evenly.
    patches = patches.take(np.random.default_rng(0).permutation(len(patches))[: int(_TRIED * demand.limit)])
    if not len(patches):
        return Ties.none()
    band_a, band_b = a.bands.index(demand.pair[0]), b.bands.index(demand.pair[1])
    first, second = (np.full(len(patches), band) for band in (band_a, band_b))
    index = np.column_stack([patches.frame, first, patches.seen_in, second])
    found = _matched(a, b, index, patches, demand.search)
    u, v = found[:, :2].T * patches.steps
    terms = np.column_stack([np.ones_like(u), u, v, u * u, u * v, v * v])
    x, y = np.einsum("nij,nj->in", patches.charts, terms)
    best, worst = _standard_errors(found[:, 2:5], patches)
    sigma = np.hypot(np.hypot(best, worst) / np.sqrt(2.0), _FLOOR_PX)
    # What was not found is NaN and fails all tests.
    good = (found[:, 5] >= _MIN_CORRELATION) & (worst <= _MAX_SIGMA_PX) & (worst <= _MAX_STRETCH * best)
    ties = Ties(patches.frame, first, patches.x, patches.y, patches.seen_in, second, x, y, sigma, found[:, 5])
    return ties.take(np.flatnonzero(good)[: demand.limit])


def _standard_errors(covariance: Floats, patches: Patches) -> tuple[Floats, Floats]:
    """Standard errors in b along the better and the worse direction, pixels; covariances (uu, uv, vv) in grid steps."""
    matrix = covariance[:, [0, 1, 1, 2]].reshape(-1, 2, 2) * (_INFLATION * patches.steps[:, None, None]) ** 2
    turned = patches.jacobian @ matrix @ np.swapaxes(patches.jacobian, 1, 2)
    half_trace = 0.5 * (turned[:, 0, 0] + turned[:, 1, 1])
    spread = np.hypot(0.5 * (turned[:, 0, 0] - turned[:, 1, 1]), turned[:, 0, 1])
    return np.sqrt(np.maximum(half_trace - spread, 0.0)), np.sqrt(half_trace + spread)


def _matched(a: Side, b: Side, index: Integers, patches: Patches, search: int) -> Floats:
    """What the kernel found, a row for each patch; NaN where nothing."""
    from perijove.register.match import FOUND_COLUMNS, match_kernel

    metric, trends = _metric_and_trends()
    windows = np.stack([a.window, b.window])
    at = np.column_stack([patches.x, patches.y])
    charts, steps, blurs = np.ascontiguousarray(patches.charts), patches.steps, patches.blurs
    out = np.full((len(index), FOUND_COLUMNS), np.nan)

    def run(start: int) -> None:
        part = slice(start, start + _CHUNK)
        match_kernel(
            a.values, b.values, windows, index[part], at[part], charts[part], steps[part], blurs[part],
            search, metric, trends, out[part],
        )  # fmt: skip

    # Threads of Python, not of numba: its simplest threading layer must not be entered from two of them at once.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, range(0, len(index), _CHUNK)))
    return out


def _metric_and_trends() -> tuple[tuple[Planes, ...], Planes]:
    """What the kernel weighs residuals by, and the trends it takes out of patches."""
    (across, u), (down, v) = (_surroundings(half) for half in (HALF_U, HALF_V))
    weights = np.outer(1 - v * v, 1 - u * u)
    v, u = np.meshgrid(v, u, indexing="ij")
    trends = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v])
    rest = (trends - down @ trends @ across.T) * np.sqrt(weights)
    # What the metric cannot see, a constant, needs not be taken out.
    _, size, way = np.linalg.svd(rest.reshape(len(trends), -1).T, full_matrices=False)
    kept = size > 1e-6 * size[0]
    plain = np.einsum("kt,tij->kij", way[kept] / size[kept, None], trends)
    weighed = weights * (plain - down @ plain @ across.T)
    dual = weighed - down.T @ weighed @ across
    bands = [_diagonals(matrix) for matrix in (across, down, across.T, down.T)]
    metric = tuple(np.ascontiguousarray(part, np.float32) for part in (weights, *bands))
    return metric, np.stack([plain, dual]).reshape(2, len(plain), -1).astype(np.float32)


def _surroundings(half: int) -> tuple[Floats, Floats]:
    """Matrix that replaces points of a line by the mean of their surroundings, and their places from -1 to 1."""
    at = np.arange(-half, half + 1.0)
    apart = at[:, None] - at
    near = np.exp(-0.5 * (apart / _SURROUNDINGS) ** 2) * (np.abs(apart) <= _SURROUNDINGS_REACH)
    return np.asarray(near / near.sum(axis=1, keepdims=True)), at / (half + 1)


def _diagonals(matrix: Floats) -> Floats:
    """Diagonals of a band matrix, the lowest first, each element in the column of its row."""
    rows = np.arange(len(matrix))
    shifts = np.arange(-_SURROUNDINGS_REACH, _SURROUNDINGS_REACH + 1)[:, None]
    inside = (rows + shifts >= 0) & (rows + shifts < len(matrix))
    return np.asarray(np.where(inside, matrix[rows, np.clip(rows + shifts, 0, len(matrix) - 1)], 0.0))
