"""Striping of an aged camera: every column of a band stands off the dark level by its own amount.

The amounts are read where a column looks at the sky, in any frame. A column that never does takes what its differences
to its neighbours tell, from the columns beside it that do.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.calibrate.defects import Float

UInt16 = npt.NDArray[np.uint16]

#: Sky is told in tiles of so many lines and samples.
_LINES: Final = 16
_SAMPLES: Final = 32
#: A tile is sky if its median is within this of the dark level of its frame, DN; so many, the darkest, tell.
_SKY_DN: Final = 8.0
_TILES: Final = 12
#: Columns that differ by less, standard deviation in DN, are not striped: nothing is done.
MIN_STRIPING_DN: Final = 2.0
#: A pixel counts in the mean of its column for at most so many sigma.
_WANDER_CAP: Final = 2.0
#: Columns whose mean step is the slope of the scene.
_BOX: Final = 33


def column_offsets(dn: UInt16, dark_dn: npt.NDArray[np.float64]) -> Float:
    """By how much each column of a band stands off the dark level.

    Parameters
    ----------
    dn : ndarray, (frame, line, sample), DN
        Photoactive part of the framelets with content.
    dark_dn : ndarray, (frame,)
        Their dark level, DN.

    Returns
    -------
    ndarray, (sample,), float32, DN
        0 everywhere if the columns are not striped.
    """
    samples = dn.shape[2]
    lines = min(_LINES, dn.shape[1])
    rows = dn.shape[1] // lines
    if not len(dn):
        return np.zeros(samples, np.float32)
    columns = _column_medians(dn[:, : rows * lines].reshape(len(dn) * rows, lines, samples))
    above = columns - np.repeat(dark_dn, rows)[:, None].astype(np.float32)
    steps = np.diff(above, axis=1)
    # Clouds and limb move on from frame to frame; what neighbours differ by in most of them is theirs.
    step = np.median(steps, axis=0)
    if float(np.median(np.abs(step))) / 0.6745 / np.sqrt(2.0) < MIN_STRIPING_DN:
        return np.zeros(samples, np.float32)
    sky = _from_sky(above)
    beside = np.diff(sky)
    told = beside[np.isfinite(beside)]
    # Columns that respond unlike differ over bright clouds, too, but not in the sky.
    if len(told) >= _SAMPLES and float(np.median(np.abs(told))) / 0.6745 / np.sqrt(2.0) < MIN_STRIPING_DN:
        return np.zeros(samples, np.float32)
    return _anchored(sky, step)


def _column_medians(blocks: UInt16) -> Float:
    """Median over the lines of each block, to a fraction of a count: mean of the middle half."""
    ordered = np.sort(blocks, axis=1)
    quarter = blocks.shape[1] // 4
    middle: Float = ordered[:, quarter : blocks.shape[1] - quarter].mean(axis=1, dtype=np.float32)
    return middle


def _from_sky(above: Float) -> Float:
    """Mean offset of each column over its darkest tiles of sky, NaN where it sees none."""
    samples = above.shape[1]
    count = -(-samples // _SAMPLES)
    offsets = np.full(samples, np.nan, np.float32)
    for tile in range(count):
        part = above[:, tile * _SAMPLES : (tile + 1) * _SAMPLES]
        level = np.median(part, axis=1)
        # Lost blocks lie far below the dark level.
        candidates = np.flatnonzero(np.abs(level) < _SKY_DN)
        sky = candidates[np.argsort(level[candidates])[:_TILES]]
        if len(sky):
            # The dark columns are few and striped, too: the sky is told from the darkest tile on.
            sky = sky[level[sky] < level[sky[0]] + _SKY_DN / 2]
            offsets[tile * _SAMPLES : (tile + 1) * _SAMPLES] = np.median(part[sky], axis=0)
    return offsets


def _anchored(offsets: Float, step: Float) -> Float:
    """Continue known offsets along the steps between columns."""
    path = np.concatenate([[0.0], np.cumsum(step)])
    # Slow parts of the path are the scene's: only what stands out of the neighbours is striping.
    half = _BOX // 2
    padded = np.pad(path, half, mode="reflect", reflect_type="odd")
    sharp = path - np.convolve(padded, np.full(_BOX, 1.0 / _BOX), mode="valid")
    known = np.isfinite(offsets)
    usual = float(np.median(offsets[known])) if known.any() else 0.0
    return np.where(known, offsets, sharp + usual).astype(np.float32)


def destriped(framelet: UInt16, offsets: Float) -> UInt16:
    """Subtract offsets from the counts of a framelet, rounded.

    Parameters
    ----------
    framelet : ndarray, (line, sample), DN
    offsets : ndarray, (sample,), float32, DN

    Returns
    -------
    ndarray, (line, sample), uint16, DN
        Not below 0.
    """
    whole: UInt16 = np.maximum(np.rint(framelet - offsets), 0.0).astype(np.uint16)
    return whole


def wander(residual: Float, noise: Float) -> Float:
    """What is left of the columns' offsets in one framelet, as far as it exceeds the chance of noise.

    Parameters
    ----------
    residual : ndarray, (line, sample), float32
        Pixels minus their local median, DN.
    noise : ndarray, (line, sample), float32
        DN.

    Returns
    -------
    ndarray, (sample,), float32, DN
    """
    limit = np.float32(_WANDER_CAP) * noise
    columns = np.clip(residual, -limit, limit).mean(axis=0)
    chance = np.square(noise).mean(axis=0) / len(residual)
    spread = max(float(np.median(np.square(columns))) / 0.455, 1e-9)
    left: Float = columns * np.float32(max(1.0 - float(np.median(chance)) / spread, 0.0))
    return left
