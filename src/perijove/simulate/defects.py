"""Defects of one framelet: fixed ones, radiation, blooming, data that never arrived."""

import functools

import numba
import numpy as np
import numpy.typing as npt

from perijove.simulate.era import Era

Light = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: Side of the compression blocks (SIS, integer cosine transform).
_BLOCK = 16
#: Hits of a burst against those of a quiet framelet.
_BURST = 20.0
#: Longest track, pixels, and amplitudes of hits, DN: from a few times the noise to a fifth of the full well.
_MAX_TRACK = 24.0
_HIT_DN = (15.0, 500.0)

jit = functools.partial(numba.njit, cache=True, error_model="numpy")


def flat_field(shape: tuple[int, int], era: Era, rng: np.random.Generator) -> Light:
    """Relative response: fall-off towards the sides, column gain, dust.

    Parameters
    ----------
    shape : tuple of int
    era : Era
    rng : Generator

    Returns
    -------
    ndarray, (line, sample), float32
    """
    lines, samples = shape
    y, x = np.mgrid[:lines, :samples]
    off = (x - samples / 2) / (samples / 2)
    flat = 1.0 - era.vignetting * off**2
    flat *= 1.0 + era.column_gain * rng.standard_normal(samples)
    for _ in range(era.dust):
        cy, cx = rng.uniform(0, lines), rng.uniform(0, samples)
        radius, depth = rng.uniform(2.0, 9.0), rng.uniform(0.01, 0.06)
        flat *= 1.0 - depth * np.exp(-((((x - cx) ** 2 + (y - cy) ** 2) / radius**2) ** 2))
    return np.asarray(flat, np.float32)


def hot_pattern(shape: tuple[int, int], era: Era, stages: int, rng: np.random.Generator) -> Light:
    """Excess of hot pixels in a framelet, smeared by TDI over the lines ``h`` to ``h + stages - 1``.

    Each packet of charge spends one step in the hot pixel and takes up its full amplitude there. Positions and
    amplitudes do not depend on the stages.

    Returns
    -------
    ndarray, (line, sample), float32, DN
    """
    lines, samples = shape
    out = np.zeros(shape, np.float32)
    rows = rng.integers(0, lines, era.hot_pixels)
    columns = rng.integers(0, samples, era.hot_pixels)
    low, high = np.log(era.hot_dn)
    amplitudes = np.exp(rng.uniform(low, high, era.hot_pixels))
    for row, column, amplitude in zip(rows, columns, amplitudes, strict=True):
        out[row : row + stages, column] += np.float32(amplitude)
    return out


def cosmic_hits(shape: tuple[int, int], era: Era, rng: np.random.Generator) -> Light:
    """Radiation hits of one framelet: most a pixel or two, some tracks.

    Returns
    -------
    ndarray, (line, sample), float32, DN
        0 where nothing hit.
    """
    excess = np.zeros(shape, np.float32)
    burst = rng.uniform() < era.burst_framelets
    for _ in range(rng.poisson(era.hits_per_framelet * (_BURST if burst else 1.0))):
        y, x = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        length = min(rng.exponential(3.0), _MAX_TRACK)
        angle = rng.uniform(0, np.pi)
        amplitude = np.float32(np.exp(rng.uniform(*np.log(_HIT_DN))))
        steps = np.arange(0.0, length + 0.5, 0.5)
        rows = (y + steps * np.sin(angle)).astype(np.intp)
        columns = (x + steps * np.cos(angle)).astype(np.intp)
        inside = (rows < shape[0]) & (columns >= 0) & (columns < shape[1])
        excess[rows[inside], columns[inside]] = amplitude
    return excess


@jit()
def _spill(signal, full, first, last, step):  # type: ignore[no-untyped-def]
    for i in range(signal.shape[1]):
        carry = 0.0
        j = first
        while j != last:
            value = signal[j, i] + carry
            carry = 0.0
            if value > full:
                carry = 0.5 * (value - full)
                value -= carry
            signal[j, i] = value
            j += step


def bloom(signal: Light, full_well_dn: float) -> None:
    """Let charge beyond the full well spill along the columns, in place: half of it down, half of the rest up."""
    if not (signal > full_well_dn).any():
        return
    lines = signal.shape[0]
    _spill(signal, np.float32(full_well_dn), 0, lines, 1)
    _spill(signal, np.float32(full_well_dn), lines - 1, -1, -1)


def lost_blocks(codes: npt.NDArray[np.uint8], era: Era, rng: np.random.Generator) -> Mask:
    """Lose compression blocks, or all, of a framelet in place: they become constant.

    Returns
    -------
    ndarray, (line, sample), bool
    """
    lost = np.zeros(codes.shape, np.bool_)
    if rng.uniform() < era.missing_framelets:
        codes[...] = 0
        lost[...] = True
        return lost
    rows, columns = codes.shape[0] // _BLOCK, codes.shape[1] // _BLOCK
    for row, column in np.argwhere(rng.uniform(size=(rows, columns)) < era.lost_blocks):
        where = slice(_BLOCK * row, _BLOCK * (row + 1)), slice(_BLOCK * column, _BLOCK * (column + 1))
        codes[where] = 0
        lost[where] = True
    return lost
