"""Response of single pixels and columns relative to their surroundings, from many frames of a moving scene."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from perijove.calibrate.defects import Bool, Detail, Float
from perijove.constants import ACTIVE_SAMPLES, FRAMELET_LINES

_SHAPE: Final = (FRAMELET_LINES, ACTIVE_SAMPLES[1] - ACTIVE_SAMPLES[0])
#: Surroundings are medians of 5 x 5 of every fourth pixel, smoothed: some 20 pixels, twice the largest mote.
_EVERY: Final = 4
_MEDIAN: Final = 5
_SMOOTH: Final = 1.5
#: Surroundings that are bright enough and not clipped, DN.
_LIT_DN: Final = (12.0, 1700.0)
#: Surroundings may change by this part within so many pixels.
_CALM_BOX: Final = 21
_CALM_PART: Final = 0.25
#: One frame adds at most this to a pixel's logarithm: hits, limbs and terminators are no dust.
_CAP: Final = 0.25
#: Frames in which a pixel must be lit.
MIN_LIT_FRAMES: Final = 6
#: No frame tells more than one whose scene deviates by this part.
_BEST_ERROR: Final = 0.01
#: Slow over this, what is left is the scene or vignetting; pixels.
_BOX: Final = 61
_COLUMN_BOX: Final = 41
#: A mote is found in the map of frames that were smoothed by this (pixels, standard deviation), by so many standard
#: errors between frames, more if these are few, and by at least this part; its rim by fewer and less.
_MOTE_SIGMA: Final = 2.0
_MOTE_ERRORS: Final = 4.6
_FEW_FRAMES: Final = 6.0
_MOTE_DEPTH: Final = 0.005
_RIM_ERRORS: Final = 2.0
_RIM_DEPTH: Final = 0.002
#: Its depth is read where so many pixels are averaged (standard deviation).
_DEPTH_SIGMA: Final = 1.0
#: So much of the neighbourhood must be lit for a smoothed value.
_LIT_PART: Final = 0.7
#: So many pixels below the threshold make a mote, unless a single one is this deep.
_MOTE_PIXELS: Final = 5
_DEEP: Final = 0.06
_DEEP_ERRORS: Final = 7.0
#: Part of the frames in which a deep one must show.
_ALWAYS: Final = 0.85
#: Lines at either end in which no mote is looked for.
_EDGE_LINES: Final = 3
#: Lines that a column's gain needs.
_MIN_LINES: Final = 24


def _nothing() -> Float:
    return np.zeros(_SHAPE, np.float32)


@dataclass
class _Mean:
    """Weighted mean of each pixel over frames, and its standard error by how frames differ."""

    total: Float = field(default_factory=_nothing)
    square: Float = field(default_factory=_nothing)
    weight: Float = field(default_factory=_nothing)
    weight_square: Float = field(default_factory=_nothing)
    frames: Float = field(default_factory=_nothing)

    def add(self, value: Float, weight: Float) -> None:
        """Add one frame; a weight of 0 says nothing."""
        self.total += weight * value
        self.square += weight * value * value
        self.weight += weight
        self.weight_square += weight * weight
        self.frames += weight > 0.0

    @property
    def known(self) -> Bool:
        """Where frames enough were lit."""
        known: Bool = self.frames >= MIN_LIT_FRAMES
        return known

    def result(self) -> tuple[Float, Float]:
        """Mean and standard error; 0 and infinity where nothing is known."""
        weight = np.maximum(self.weight, np.float32(1e-9))
        mean = np.where(self.known, self.total / weight, np.float32(0.0))
        variance = np.maximum(self.square / weight - mean * mean, np.float32(1e-6))
        error = np.sqrt(variance * self.weight_square) / weight
        return mean, np.where(self.known, error, np.float32(np.inf)).astype(np.float32)


@dataclass
class ResponseSums:
    """Sums over frames of the logarithm of pixels over surroundings, weighted by how calm the scene is."""

    pixels: _Mean = field(default_factory=_Mean)
    smooth: _Mean = field(default_factory=_Mean)
    low: Float = field(default_factory=_nothing)

    def add(self, detail: Detail, dark_dn: float, hot: Bool) -> None:
        """Add one framelet; hot pixels tell nothing of the response."""
        import cv2

        around = surroundings(detail, dark_dn)
        lit = (around > _LIT_DN[0]) & (around < _LIT_DN[1]) & ~hot
        base = np.maximum(around, np.float32(_LIT_DN[0]))
        value = detail.level + detail.residual - np.float32(dark_dn)
        off = np.log(np.maximum(value / base, np.float32(0.05)))
        lit &= _calm(around, base)
        # A dead pixel is capped like a hit, but in every frame.
        off = np.clip(off, -2.0, _CAP)
        weight = np.where(lit, 1.0 / (np.square(detail.scale / base) + np.float32(_BEST_ERROR**2)), np.float32(0.0))
        weight = weight.astype(np.float32)
        self.pixels.add(off, weight)
        self.low += lit & (off < -0.5 * _DEEP)
        total, norm, share = (
            np.asarray(cv2.GaussianBlur(plane, (0, 0), _MOTE_SIGMA), np.float32)
            for plane in (weight * off, weight, lit.astype(np.float32))
        )
        norm = np.where(share > _LIT_PART, norm, np.float32(0.0)).astype(np.float32)
        mean = np.where(norm > 0.0, total / np.maximum(norm, np.float32(1e-6)), np.float32(0.0))
        self.smooth.add(mean.astype(np.float32), norm)

    @property
    def always_low(self) -> Bool:
        """Pixels that were darker than their surroundings in nearly every lit frame."""
        always: Bool = (self.low >= _ALWAYS * self.pixels.frames) & self.pixels.known
        return always

    def response(self) -> tuple[Float, Float, Bool]:
        """Mean logarithm of the response relative to the surroundings, its standard error, and where both are known."""
        mean, error = self.pixels.result()
        known = self.pixels.known
        slow = _blurred(np.clip(mean, -0.02, 0.02), known.astype(np.float32), _BOX)
        return np.where(known, mean - slow, np.float32(0.0)), error, known

    def shadows(self, columns: Float) -> tuple[Float, Float]:
        """Smoothed depth of the response without column gain, as a logarithm, and in standard errors; positive is dark.

        Parameters
        ----------
        columns : ndarray, (sample,), float32
            Logarithm of the columns' gain.
        """
        import cv2

        mean, error = self.smooth.result()
        known = self.smooth.known
        gain = cv2.GaussianBlur(np.repeat(columns[None], len(mean), axis=0), (0, 0), _MOTE_SIGMA)
        mean = np.where(known, mean - gain, np.float32(0.0))
        mean -= _blurred(np.clip(mean, -0.01, 0.01), known.astype(np.float32), _BOX)
        count = np.square(self.smooth.weight) / np.maximum(self.smooth.weight_square, np.float32(1e-9))
        # The spread of few frames is itself uncertain.
        wider = np.sqrt(count / np.maximum(count - 1.0, 0.5)) * (1.0 + _FEW_FRAMES / np.maximum(count, 1.0))
        depth = np.where(known, -mean, np.float32(0.0))
        # Where nothing is known the error is infinite.
        return depth, np.asarray(depth / (error * np.maximum(wider, 1.0)), np.float32)


def _calm(around: Float, base: Float) -> Bool:
    """Where no limb, terminator or cloud edge is near: there a pixel may differ from its surroundings by anything."""
    import cv2

    box = np.ones((_CALM_BOX, _CALM_BOX), np.uint8)
    swing = cv2.dilate(around, box) - cv2.erode(around, box)
    calm: Bool = swing < np.float32(_CALM_PART) * base
    return calm


def surroundings(detail: Detail, dark_dn: float) -> Float:
    """Level above dark around each pixel, (line, sample), DN."""
    import cv2

    half = _EVERY // 2
    coarse = cv2.medianBlur(np.ascontiguousarray(detail.level[half::_EVERY, half::_EVERY]), _MEDIAN).astype(np.float32)
    coarse = cv2.GaussianBlur(coarse, (0, 0), _SMOOTH) - np.float32(dark_dn)
    lines, samples = detail.level.shape
    return np.asarray(cv2.resize(coarse, (samples, lines), interpolation=cv2.INTER_LINEAR), np.float32)


def _blurred(values: Float, weight: Float, box: int) -> Float:
    """Weighted mean over a box; 0 where nothing has weight."""
    import cv2

    total = cv2.blur(values * weight, (box, box), borderType=cv2.BORDER_REFLECT)
    norm = cv2.blur(weight, (box, box), borderType=cv2.BORDER_REFLECT)
    return np.asarray(np.where(norm > 1e-6, total / np.maximum(norm, 1e-6), 0.0), np.float32)


def dust(sums: ResponseSums, known: Bool) -> Float:
    """Find motes and dull pixels.

    Parameters
    ----------
    sums : ResponseSums
    known : ndarray, (line, sample), bool
        Pixels that may be one.

    Returns
    -------
    ndarray, (line, sample), float32
        Relative response: below 1 in motes, 1 elsewhere.
    """
    import cv2

    response = np.ones(known.shape, np.float32)
    if not known.any():
        return response
    mean, error, _ = sums.response()
    # Column gain is not dust: it is taken out before motes are looked for.
    columns = _columns(mean, error, known)[0]
    flat = np.where(known, mean - columns, np.float32(0.0))
    depth, errors = sums.shadows(columns)
    core = known & (depth > _MOTE_DEPTH) & (errors > _MOTE_ERRORS)
    deep = known & sums.always_low & (flat < -_DEEP) & (flat < -_DEEP_ERRORS * error)
    rim = known & (depth > _RIM_DEPTH) & (errors > _RIM_ERRORS)
    number, pieces = cv2.connectedComponents((rim | core | deep).astype(np.uint8), connectivity=8)
    held = np.bincount(pieces[core], minlength=number) >= _MOTE_PIXELS
    held[0] = False
    mote = (held[pieces] & (rim | core)) | deep
    # There surroundings lie on one side only.
    mote[:_EDGE_LINES] = False
    mote[-_EDGE_LINES:] = False
    weight = known.astype(np.float32)
    norm = np.maximum(cv2.GaussianBlur(weight, (0, 0), _DEPTH_SIGMA), 0.25)
    smooth = cv2.GaussianBlur(flat * weight, (0, 0), _DEPTH_SIGMA) / norm
    trusted = np.where(deep | (np.abs(flat - smooth) > 4.0 * error), flat, smooth)
    response[mote] = np.exp(np.minimum(trusted[mote], 0.0))
    return response


def column_gain(mean: Float, error: Float, known: Bool) -> tuple[Float, float]:
    """Gain of the columns, as far as it is more than chance.

    Parameters
    ----------
    mean, error, known
        As for `dust`, without motes.

    Returns
    -------
    ndarray, (sample,), float32
        Relative to neighbouring columns; 1 where nothing is known.
    float
        Standard error of the gain of one column, median; NaN if none is known.
    """
    columns, chance, there = _columns(mean, error, known)
    if not there.any():
        return np.ones(mean.shape[1], np.float32), float("nan")
    variance = chance[there] ** 2
    # Half of the differences between neighbours, so that slow errors of the scene do not count as gain.
    real = max(float(np.median(columns[there] ** 2)) / 0.455 - float(np.median(variance)), 0.0)
    shrunk = np.zeros_like(columns)
    shrunk[there] = columns[there] * real / (real + variance)
    return np.exp(shrunk).astype(np.float32), float(np.median(chance[there]))


def _columns(mean: Float, error: Float, known: Bool) -> tuple[Float, Float, Bool]:
    """Mean of each column less its neighbours', its standard error, and where there are lines enough."""
    weight = np.where(known, 1.0 / np.square(np.maximum(error, 1e-4)), 0.0)
    limit = 4.0 * error
    capped = np.where(known, np.clip(mean, -limit, limit), 0.0)
    total = weight.sum(axis=0)
    there: npt.NDArray[np.bool_] = known.sum(axis=0) >= _MIN_LINES
    column = np.where(there, (capped * weight).sum(axis=0) / np.maximum(total, 1e-9), 0.0)
    # Lines are not independent: clouds cover several.
    left = np.where(known, capped - column, 0.0)
    parts = [
        left[rows].sum(axis=0) / np.maximum(known[rows].sum(axis=0), 1) for rows in np.array_split(np.arange(128), 8)
    ]
    chance = np.std(parts, axis=0) / np.sqrt(8.0)
    box = np.full(_COLUMN_BOX, 1.0)
    pad = _COLUMN_BOX // 2
    around = np.convolve(np.pad(column * there, pad, mode="reflect"), box, mode="valid")
    count = np.convolve(np.pad(there.astype(float), pad, mode="reflect"), box, mode="valid")
    high = np.where(there, column - around / np.maximum(count, 1.0), 0.0)
    return high.astype(np.float32), chance.astype(np.float32), there
